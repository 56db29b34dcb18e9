"""What a speech session decides, as values that `exchange.py` carries out in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from agentvoice.tts.wire import Reply

from .contexts import Job


@dataclass(frozen=True, slots=True)
class Synthesize:
    """Speak this after everything that the same context has been given before."""

    job: Job


@dataclass(frozen=True, slots=True)
class Stop:
    """Speak no more for this context."""

    key: int
    forget: bool = True
    """Whether to throw away what was made and has not been sent, too."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send this to the client, after everything else of the same key."""

    key: int
    """Which context it belongs to; 0 for none."""
    reply: Reply


@dataclass(frozen=True, slots=True)
class Close:
    """Close the socket."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Stall:
    """Send nothing for a while. Only a fault decides this."""

    seconds: float


Decision: TypeAlias = Synthesize | Stop | Send | Close | Stall
