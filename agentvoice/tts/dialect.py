"""How one provider words the ideas that all of them share: text for a context, its audio, its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from agentvoice.markup import Markup

from .messages import CURRENT_VERSION, Request, Response
from .wire import parse_responses, render_request


class Dialect(Protocol):
    """What goes over one socket. It may keep state: every connection gets a fresh one."""

    markup: Markup
    """What text may hold besides words."""

    def render(self, request: Request) -> Sequence[str]:
        """Return the messages that say this."""

    def parse(self, message: str | bytes) -> Sequence[Response]:
        """Return what a message says. Never raises: what makes no sense is `Unknown`."""


class ContextProtocol:
    """The context protocol itself."""

    markup = Markup(
        points=frozenset({"break"}),
        lasting=frozenset({"speed", "volume", "emotion"}),
        spans=frozenset({"spell"}),
        sounds=frozenset({"laughter"}),
        phonemes=True,
    )

    def __init__(self, version: str = CURRENT_VERSION) -> None:
        self._version = version

    def render(self, request: Request) -> Sequence[str]:
        """See `Dialect.render`."""
        return (render_request(request, self._version),)

    def parse(self, message: str | bytes) -> Sequence[Response]:
        """See `Dialect.parse`."""
        return parse_responses(message)
