"""A barge-in source of one's own: a caller who swears is heard at once.

agentvoice serve examples/custom_source.py:Patient
"""

from agentvoice import Agent, BargeIn, BargeInKind
from agentvoice.events import Event, Transcript
from agentvoice.sources import SOURCES, EventSource


class Swearing(EventSource):
    """Looks at what the recogniser makes of the caller's words, long before a sentence is over."""

    watches = (Transcript,)

    def signal(self, event: Event) -> BargeIn | None:
        words = event.text.lower() if isinstance(event, Transcript) else ""
        return BargeIn(BargeInKind.CONFIRM, "swearing") if "damn" in words or "bloody" in words else None


class Patient(Agent):
    greeting = "Welcome to the complaints department. Please tell me at length what we have done wrong."
    instructions = "You take complaints. Be patient, apologise once, and answer in one short sentence."
    sources = (*SOURCES, Swearing())
