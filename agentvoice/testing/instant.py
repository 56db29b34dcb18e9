"""One instant of virtual time: what happens at it has no order, so it is given one.

Two things that happen at the same moment, such as a key and a word, reach a call in an order that depends on how many
steps of the event loop each took, and trio mixes its tasks on purpose. A real clock hardly ever shows two equal times,
a virtual one often does; so here an instant is over before a call looks at it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Final, get_args

from agentvoice.events import BargeIn, ContextEvent, Event, LineEvent, SpeechStarted, SpeechStopped, Transcript
from agentvoice.inbox import Inbox

from .clock import settled, when_settled

_LINE, _HEARING, _SOURCES, _AGENT, _SPEECH = range(5)
_ORIGINS: Final[Mapping[type, int]] = {
    **dict.fromkeys(get_args(LineEvent), _LINE),
    **dict.fromkeys((SpeechStarted, SpeechStopped, Transcript), _HEARING),
    BargeIn: _SOURCES,
    **dict.fromkeys(get_args(ContextEvent), _SPEECH),
}


class InstantInbox(Inbox):
    """Sorts the events of one instant by where they come from. Those of one origin stay in their order."""

    def __init__(self) -> None:
        super().__init__()
        self._asked = self._over = False

    def put(self, event: Event) -> None:
        """As `Inbox.put`; but whoever waits is woken when the instant is over."""
        self._events.append(event)
        if not self._asked:
            self._asked = when_settled(self._ring)
        if not self._asked:
            self._bell.ring()

    def _ring(self) -> None:
        self._asked, self._over = False, True
        self._bell.ring()

    async def settle(self) -> None:
        """Wait until the instant is over, and put in order what it brought."""
        if not self._over:
            await settled()
        self._over = False
        if len(self._events) > 1:
            self._events = deque(sorted(self._events, key=_origin))


def _origin(event: Event) -> tuple[int, str]:
    match event:
        case BargeIn(source=source):
            return _SOURCES, source
        case _:
            return _ORIGINS.get(type(event), _AGENT), getattr(event, "context_id", "")
