"""A bank that has to tell every caller something, and has to know that it was heard.

agentvoice serve examples/notice.py:Bank
"""

from collections.abc import AsyncIterator

from agentvoice import Agent, Protected, Turn, TurnClosed

NOTICE = "This call is recorded. If you do not agree, please hang up now."


class Bank(Agent):
    instructions = "You are the telephone service of a bank. Answer in one or two short sentences."

    async def on_call_start(self) -> None:
        # Nobody can talk this down, neither by a word nor by a key; `heard` says how well that is known.
        heard = await self.call.say(NOTICE, interruptible=False)
        self.call.note(notice=heard.evidence if heard and heard.complete else None)
        await self.call.say("Good morning, what can I do for you?")

    async def reply(self, turn: Turn) -> AsyncIterator[str]:
        # Part of a turn can be protected too. Whoever cuts in is heard as soon as it has been said.
        if "loan" in turn.prompt.lower():
            yield Protected("Borrowing costs money. ")
        async for token in self.think(turn):
            yield token

    async def on_interrupted(self, turn: TurnClosed) -> None:
        if "interest" in turn.unheard:  # what matters is said all the same, after the answer
            await self.call.resume(turn, "And, as I was saying, ")
