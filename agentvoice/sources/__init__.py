"""Where barge-in signals come from: a file each, and room for yours.

| source                | signals                                                                    |
| --------------------- | -------------------------------------------------------------------------- |
| `VoiceActivitySource` | onset when the caller begins to speak, retract when the caller falls silent |
| `TranscriptSource`    | the caller's words as they are recognised, for the policy to judge          |
| `KeySource`           | confirm on a key                                                           |
"""

from .keys import KeySource as KeySource
from .transcript import TranscriptSource as TranscriptSource
from .voice_activity import VoiceActivitySource as VoiceActivitySource

__all__ = ["KeySource", "TranscriptSource", "VoiceActivitySource"]
