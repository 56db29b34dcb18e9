"""A restaurant that answers its telephone, and takes a booking.

agentvoice serve examples/telephony.py:Receptionist
agentvoice call http://127.0.0.1:8080/twilio/voice --script examples/caller/booking.yaml
"""

from collections.abc import AsyncIterator

from pydantic import BaseModel

from agentvoice import Agent, Turn
from agentvoice.llm import fill


class Booking(BaseModel):
    """What the kitchen has to know."""

    party_size: int
    time: str
    name: str


class Receptionist(Agent):
    """Greets, books a table, and hangs up after the goodbye."""

    greeting = "Good evening, this is the Bella Vista restaurant. How may I help you?"
    instructions = """\
You take table bookings on the telephone for the restaurant Bella Vista. It is open from five to eleven and has free
tables. Answer in two short sentences: first repeat for how many people and for what time the table is, then ask one
question about what is missing.
Example:
Caller: A table for three at eight, please.
You: Of course, a table for three people at eight o'clock this evening. May I have your name for the booking, please?
Caller: Sorry, for five people.
You: No problem, I have changed it to a table for five people at eight o'clock. What name shall I put it under?
Caller: Peter Miller.
You: Thank you, Peter Miller, your table for five people at eight o'clock is booked. Is there anything else?"""

    async def reply(self, turn: Turn) -> AsyncIterator[str]:
        if "bye" not in turn.prompt.lower():
            async for token in self.llm.stream(turn.history):
                yield token
            return
        yield "Thank you very much for calling, let me just write that down. "
        booking = await fill(self.llm, Booking, turn.history)
        yield f"I have booked a table for {booking.party_size} at {booking.time}, for {booking.name}. Goodbye!"
        self.call.note(booking=booking.model_dump())
        self.call.hang_up()
