"""The agent: what people write. Subclass it, and plug in a stream of tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from .commands import TurnClosed
from .conversation import Manners
from .interfaces import LanguageModel
from .interruption import InterruptionSource
from .llm import NO_MODEL, Tokens, text
from .sources import KeySource, TranscriptSource, VoiceActivitySource
from .turn import Turn

if TYPE_CHECKING:
    from .call import Call


class Agent:
    """One side of a call. A new instance is made for each call, and `self.call` is that call.

    class Receptionist(Agent):
        instructions = "You take bookings for a small restaurant."
        greeting = "Good evening, how may I help you?"

        async def reply(self, turn: Turn) -> AsyncIterator[str]:  # optional: the default asks self.llm
            async for token in my_llm(turn.history):
                yield token
    """

    instructions: ClassVar[str] = ""
    """The system prompt."""
    greeting: ClassVar[str] = ""
    """Said when the call begins."""
    manners: ClassVar[Manners] = Manners()
    """When to yield, when to answer."""
    sources: ClassVar[Sequence[InterruptionSource]] = (VoiceActivitySource(), TranscriptSource(), KeySource())
    """What can interrupt the agent."""

    call: Call
    llm: LanguageModel = NO_MODEL
    """The language model; the process's own when the class names none."""

    def reply(self, turn: Turn) -> Tokens:
        """Produce the text of a turn, as it comes. Cancelled when the caller interrupts.

        `turn.prompt` is what the caller said, `turn.history` the conversation up to and with it. A turn may be
        speculative (`turn.confirmed` is false): what happens here must then be harmless if it comes to nothing.
        """
        return self.think(turn)

    def think(self, turn: Turn) -> AsyncIterator[str]:
        """Stream what `self.llm` has to say to a turn. For a `reply` that does something before or after."""
        return text(self.llm.stream(turn.history))

    async def on_call_start(self) -> None:
        """The line is open. By default the agent says its greeting."""
        if self.greeting:
            await self.call.say(self.greeting)

    async def on_interrupted(self, turn: TurnClosed) -> None:
        """The caller cut a turn off; `turn.heard` tells how much of it was heard."""

    async def on_dtmf(self, key: str) -> None:
        """The caller pressed a key."""

    async def on_call_end(self) -> None:
        """The call is over. There is a second for this."""
