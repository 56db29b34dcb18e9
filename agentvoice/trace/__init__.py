"""The event log of a call, and what can be drawn from it."""
