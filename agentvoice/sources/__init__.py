"""Where barge-in signals come from: a file each, and room for yours.

| source                | signals                                                                    |
| --------------------- | -------------------------------------------------------------------------- |
| `VoiceActivitySource` | onset when the caller begins to speak, retract when the caller falls silent |
| `TranscriptSource`    | the caller's words as they are recognised, for the policy to judge          |
| `KeySource`           | confirm on a key                                                           |
| `EventSource`         | what yours makes of an event of the call: one method to write              |
"""

from ._watch import EventSource as EventSource
from .keys import KeySource as KeySource
from .transcript import TranscriptSource as TranscriptSource
from .voice_activity import VoiceActivitySource as VoiceActivitySource

__all__ = ["EventSource", "KeySource", "TranscriptSource", "VoiceActivitySource"]
