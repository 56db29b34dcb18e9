"""What a speech session decides, as values that `exchange.py` carries out in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from agentvoice.tts.wire import Reply

from .contexts import Job

CUT: Final = 1006
"""What a peer makes of a connection that ended without a closing frame (RFC 6455, 7.4.1). It is never sent."""


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
    """`CUT` for a connection that breaks without a word."""
    reason: str


@dataclass(frozen=True, slots=True)
class Stall:
    """Send nothing for a while. Only a fault decides this."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Overlook:
    """Count that a client asked for something that it does not get."""

    what: str


Decision: TypeAlias = Synthesize | Stop | Send | Close | Stall | Overlook
