"""A front desk that hands a caller over to a colleague with another voice, or to a person.

agentvoice serve examples/handoff.py:FrontDesk
"""

from dataclasses import dataclass

from agentvoice import Agent, Voicing, tool


@dataclass
class Caller:
    """What the front desk finds out, and its colleagues know from then on."""

    wants: str = ""


class FrontDesk(Agent[Caller]):
    greeting = "Welcome to Hill and Partners. What is it about?"
    instructions = "You are the front desk of a law firm. Find out what the caller wants, then connect the caller."

    @tool(on_interrupt="finish")
    async def connect(self, wants: str) -> str:
        """Connect the caller to the billing department. `wants` is what it is about, in a few words."""
        self.state.wants = wants
        self.call.hand_off(Billing(self.state))
        return "Say only: One moment, please."

    @tool(on_interrupt="finish")
    async def transfer_to_a_person(self, summary: str) -> str:
        """Put the caller through to a person, who is told the `summary` first. The call ends for you."""
        self.call.transfer("+15550100", summary=summary)
        return "Say goodbye in one short sentence."


class Billing(Agent[Caller]):
    greeting = "Billing department, good morning."
    voicing = Voicing(speed=1.1)  # a voice of its own: Voicing(voice="the provider's id")

    def __init__(self, caller: Caller) -> None:
        self.state = caller
        self.instructions = f"You answer questions about bills. The caller wants: {caller.wants}. Be brief."

    @tool(on_interrupt="finish")
    async def done(self) -> str:
        """Give the caller back to the front desk when nothing is left to do."""
        self.call.hand_back()
        return "Say only: I put you back."
