"""A restaurant that keeps its bookings in a file, and never books a table twice.

agentvoice serve examples/tools.py:Receptionist
agentvoice call http://127.0.0.1:8080/twilio/voice --script examples/caller/booking.yaml
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from agentvoice import Agent, tool
from agentvoice.errors import ToolError

Hour = Literal["18:00", "19:00", "20:00", "21:00"]
TABLES = 3
"""How many there are, at each hour."""


class Receptionist(Agent):
    """Its tools run in threads: SQLite blocks, and a call must not."""

    greeting = "Good evening, this is the Bella Vista restaurant. How may I help you?"
    instructions = "You take table bookings for this evening. Look for a free table first, and never invent one."
    file = Path("bookings.sqlite")

    @tool(pure=True)  # changes nothing: may run before the caller has quite finished, and is cancelled when they cut in
    def free_tables(self, hour: Hour) -> int:
        """Tell how many tables are free."""
        [(taken,)] = self._query("SELECT count(*) FROM booking WHERE hour = ?", hour)
        return TABLES - int(taken)

    @tool(meanwhile="One moment, I am writing that down.")  # finishes even if they cut in, and the model learns of it
    def book(self, name: str, party: Annotated[int, Field(ge=1, le=8)], hour: Hour) -> str:
        """Book a table for this evening.

        Args:
            name: Whom it is for.
            party: How many people come.
            hour: When they come.
        """
        booked = self._query(
            "INSERT INTO booking SELECT ?, ?, ? WHERE (SELECT count(*) FROM booking WHERE hour = ?) < ? RETURNING 1",
            *(name, party, hour, hour, TABLES),
        )
        if not booked:
            raise ToolError(f"no table is free at {hour}")
        return f"booked for {name}, {party} people at {hour}"

    def _query(self, query: str, *values: str | int) -> list[Any]:
        with closing(sqlite3.connect(self.file)) as bookings, bookings:
            bookings.execute("CREATE TABLE IF NOT EXISTS booking (name TEXT, party INTEGER, hour TEXT)")
            return bookings.execute(query, values).fetchall()
