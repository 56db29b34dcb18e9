from typing import Any

import pytest

from agentvoice import BargeIn, BargeInKind
from agentvoice.events import KeyPressed, SpeechStarted, SpeechStopped, Transcript
from agentvoice.sources import KeySource, TranscriptSource, VoiceActivitySource


@pytest.mark.parametrize(
    ("source", "event", "signal"),
    [
        (VoiceActivitySource(), SpeechStarted(1.0), BargeIn(BargeInKind.ONSET, "voice")),
        (VoiceActivitySource(), SpeechStopped(1.0), BargeIn(BargeInKind.RETRACT, "voice")),
        (TranscriptSource(), Transcript("wait", final=False), BargeIn(BargeInKind.ONSET, "words", "wait")),
        (TranscriptSource(), Transcript(" ", final=True), None),
        (KeySource(), KeyPressed("5"), BargeIn(BargeInKind.CONFIRM, "keys")),
        (KeySource("#"), KeyPressed("5"), None),
    ],
)
def test_what_a_source_makes_of_an_event(source: Any, event: Any, signal: BargeIn | None) -> None:
    assert isinstance(event, source.watches)
    assert source.signal(event) == signal
