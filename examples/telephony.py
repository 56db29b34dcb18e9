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
tables. Answer in two short sentences. First repeat the booking as the caller wants it now: 'Of course, a table for
[number] people at [time] this evening.' Then ask for the name: 'May I have your name, please?' When you know the name,
say: 'Thank you, [name], your table for [number] people at [time] is booked. Is there anything else?' If the caller
changes the number, keep the time."""

    async def reply(self, turn: Turn) -> AsyncIterator[str]:
        if "bye" not in turn.prompt.lower():
            async for token in self.think(turn):
                yield token
            return
        yield "Thank you very much for calling, let me just write that down. "
        booking = await fill(self.llm, Booking, turn.history)
        yield f"I have booked a table for {booking.party_size} at {booking.time}, for {booking.name}. Goodbye!"
        self.call.note(booking=booking.model_dump())
        self.call.hang_up()
