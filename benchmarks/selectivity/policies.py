"""The policies that are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from agentvoice.interruption import InterruptionSource, Policy
from agentvoice.sources import TranscriptSource, VoiceActivitySource


@dataclass(frozen=True)
class Contender:
    """What decides, and what it decides by."""

    name: str
    policy: Policy
    about: str
    sources: Sequence[InterruptionSource] = field(default=(VoiceActivitySource(), TranscriptSource()))


CONTENDERS: Final = (
    Contender("phone", Policy(), "the default"),
    Contender("browser", Policy(min_speech_s=0.8, hold_s=1.2), "quicker: the browser has cancelled the echo"),
    Contender("cautious", Policy(min_speech_s=2.0, min_words=5, hold_s=2.0), "for long answers in loud places"),
    Contender("no words", Policy(), "the default, without a recogniser's partial words", (VoiceActivitySource(),)),
)
