"""Where barge-in signals come from: a file each, and room for yours.

| source                | signals                                                                    |
| --------------------- | -------------------------------------------------------------------------- |
| `VoiceActivitySource` | onset when the caller begins to speak, retract when the caller falls silent |
| `TranscriptSource`    | the caller's words as they are recognised, for the policy to judge          |
| `KeySource`           | confirm on a key                                                           |
| `ClientSource`        | confirm on a message of the client                                         |
| `SupervisorSource`    | confirm when a person cuts in over HTTP                                    |
| `CallerTurnSource`    | what a recogniser that knows turns says of the caller's                    |
| `EventSource`         | what yours makes of an event of the call: one method to write              |
"""

from collections.abc import Sequence
from typing import Final

from agentvoice.interruption import InterruptionSource

from ._watch import EventSource as EventSource
from .caller_turn import CallerTurnSource as CallerTurnSource
from .client import ClientSource as ClientSource
from .keys import KeySource as KeySource
from .supervisor import SupervisorSource as SupervisorSource
from .transcript import TranscriptSource as TranscriptSource
from .voice_activity import VoiceActivitySource as VoiceActivitySource

SOURCES: Final[Sequence[InterruptionSource]] = (
    VoiceActivitySource(),
    TranscriptSource(),
    KeySource(),
    ClientSource(),
    SupervisorSource(),
    CallerTurnSource(),
)
"""Those of an agent that names none."""

__all__ = [
    "SOURCES",
    "CallerTurnSource",
    "ClientSource",
    "EventSource",
    "KeySource",
    "SupervisorSource",
    "TranscriptSource",
    "VoiceActivitySource",
]
