"""The policies that are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from agentvoice.interruption import BROWSER, CAUTIOUS, PHONE, InterruptionSource, Policy
from agentvoice.sources import TranscriptSource, VoiceActivitySource


@dataclass(frozen=True)
class Contender:
    """What decides, and what it decides by."""

    name: str
    policy: Policy
    about: str
    sources: Sequence[InterruptionSource] = field(default=(VoiceActivitySource(), TranscriptSource()))


CONTENDERS: Final = (
    Contender("phone", PHONE, "the default"),
    Contender("browser", BROWSER, "quicker: the browser has cancelled the echo"),
    Contender("cautious", CAUTIOUS, "for long answers in loud places"),
    Contender("no words", PHONE, "the default, without a recogniser's partial words", (VoiceActivitySource(),)),
)
