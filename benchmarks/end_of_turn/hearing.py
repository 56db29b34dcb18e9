"""What is heard of a contribution, and when: real voice activity, a perfect recogniser, a real model of turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from agentvoice.audio import mulaw_to_linear
from agentvoice.events import HearingEvent, SpeechStarted, SpeechStopped, Transcript
from agentvoice.interfaces import HEARD_S
from agentvoice.voice_gate import VoiceGate
from agentvoice_silero import Silero

from .corpus import Contribution

FRAME: Final = 160
RATE: Final = 8000
RECOGNISED_S: Final = 0.1
"""How long after it was noticed that a segment has ended its words are there: as Moonshine needs for two seconds."""
JUDGED_S: Final = 0.05
"""How long the model of turns takes."""
MARKS: Final = ".,;!?"


@dataclass(frozen=True, slots=True)
class Heard:
    """What reaches the endpointer, by the clock of the line."""

    events: Sequence[tuple[float, HearingEvent]]
    judgements: Sequence[tuple[float, float]]
    """What the model thinks of the pauses it may be asked about: when it is asked, and the probability."""


async def speech(vad: Silero, line: bytes) -> Sequence[tuple[float, SpeechStarted | SpeechStopped]]:
    """Return what voice activity reports of a line, and when, frame by frame."""
    detector, gate, judged, found = vad.detector(RATE), VoiceGate(), 0.0, []
    for start in range(0, len(line) - FRAME + 1, FRAME):
        for probability in await detector.feed(mulaw_to_linear(line[start : start + FRAME])):
            event = gate.receive(probability, start=judged, end=judged + detector.window_s)
            judged += detector.window_s
            if event is not None:
                found.append(((start + FRAME) / RATE, event))
    return found


def transcribed(
    contribution: Contribution, found: Sequence[tuple[float, SpeechStarted | SpeechStopped]]
) -> Sequence[tuple[float, HearingEvent]]:
    """Add the final transcript of each segment: the words whose middle is in it, or before it and were not heard.

    A word is taken to last as long as its letters. There is no mark at the end: who hears a segment alone can only
    guess whether a sentence has ended there.
    """
    words, events = timed(contribution), list[tuple[float, HearingEvent]](found)
    for at, event in found:
        if isinstance(event, SpeechStopped):
            here = [word for word, middle in words if middle <= event.at]
            words = words[len(here) :]
            events.append((at + RECOGNISED_S, Transcript(" ".join(here).rstrip(MARKS), final=True)))
    return sorted(events, key=lambda each: each[0])


def timed(contribution: Contribution) -> Sequence[tuple[str, float]]:
    """Return the words, and the middle of each."""
    words = []
    for part in contribution.parts:
        text, at = part.text.replace("...", ""), part.start_s
        letter_s = (part.end_s - part.start_s) / len(text)
        for word in text.split():
            words.append((word, at + letter_s * len(word) / 2))
            at += letter_s * (len(word) + 1)
    return words


def recent(line: bytes, until_s: float) -> bytes:
    """Return the PCM that a model is given at that time."""
    end = round(until_s * RATE)
    return mulaw_to_linear(line[max(0, end - round(HEARD_S * RATE)) : end])
