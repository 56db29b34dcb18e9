"""One caller after another talks to a real `Endpointer`, in each of several ways to set it."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

from agentvoice.commands import JudgePause
from agentvoice.endpointing import Endpointer, Endpointing
from agentvoice.events import EndOfTurnJudged, HearingEvent, SpeechStarted, SpeechStopped, Transcript
from agentvoice.pace import Pace

from .corpus import Contribution
from .hearing import JUDGED_S, Heard

BETWEEN_S: Final = 12.0
"""What the agent says, and more than any silence that is waited for."""
ANYTHING: Final = "something"
"""What is heard by who is not to go by words."""
SILENCES_S: Final = tuple(round(0.2 + 0.1 * n, 1) for n in range(14))


@dataclass(frozen=True, slots=True)
class Way:
    """A way to tell the end of a turn, which a silence makes more or less patient."""

    name: str
    setting: Callable[[float], Endpointing]
    words: bool = False
    model: bool = False
    pace: bool = False
    """Whether it adapts to the caller; otherwise each contribution is the first."""


def _silence(seconds: float) -> Endpointing:
    return Endpointing(silence_s=seconds, shortest_s=seconds, patience_s=seconds, wait_s=seconds)


def _unmodelled(seconds: float) -> Endpointing:
    return Endpointing(silence_s=seconds, shortest_s=seconds, patience_s=max(seconds, Endpointing().patience_s))


def _modelled(seconds: float) -> Endpointing:
    usual = max(seconds, Endpointing().silence_s)
    return replace(_unmodelled(usual), sure_s=seconds)


WAYS: Final = (
    Way("silence alone", _silence),
    Way("words", _unmodelled, words=True),
    Way("words, pace", _unmodelled, words=True, pace=True),
    Way("Smart Turn", _modelled, model=True),
    Way("all three", _modelled, words=True, model=True, pace=True),
)
"""From what agents do that only wait, to all there is."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one contribution."""

    contribution: Contribution
    cut_in: Sequence[bool]
    """Of each pause: whether it was taken for the end."""
    delay_s: float
    """From the true end to the decision that it is the end."""


def attempt(way: Way, setting: Endpointing, said: Sequence[tuple[Contribution, Heard]]) -> Iterator[Outcome]:
    """Let every caller say what they have to say."""
    for _, of_caller in groupby(said, key=lambda each: each[0].caller):
        endpointer, began = Endpointer(setting, judged=way.model), 0.0
        for contribution, heard in of_caller:
            if not way.pace:
                endpointer = steady(setting, judged=way.model)
            ended = [at - began for at in decisions(endpointer, heard, began, way)]
            cut_in = [any(start <= at < end for at in ended) for start, end in contribution.pauses]
            yield Outcome(contribution, cut_in, ended[-1] - contribution.end_s if ended else BETWEEN_S)
            began += contribution.end_s + BETWEEN_S


def steady(setting: Endpointing, *, judged: bool) -> Endpointer:
    """Return an endpointer that knows no pace but its own."""
    endpointer, usual = Endpointer(setting, judged=judged), setting.silence_s
    endpointer._pace = Pace(usual_s=usual, shortest_s=usual, longest_s=usual)  # noqa: SLF001 - always learns otherwise
    return endpointer


def decisions(endpointer: Endpointer, heard: Heard, began: float, way: Way) -> list[float]:
    """Feed what is heard, from `began` on, to the endpointer; return when it decides that the caller has finished."""
    coming = [(at, shifted(event, began, way)) for at, event in heard.events]
    asked_at = [at for at, _ in heard.judgements]
    ended, now = list[float](), began
    while coming or endpointer.deadline < began + BETWEEN_S + (heard.events[-1][0] if heard.events else 0.0):
        if not coming or endpointer.deadline <= began + coming[0][0]:
            now = max(now, endpointer.deadline)
            ended += [now for _ in endpointer.handle_timer(now=now)]
            continue
        at, event = coming.pop(0)
        now = began + at
        if isinstance(event, SpeechStarted):
            coming = [each for each in coming if not isinstance(each[1], EndOfTurnJudged)]
        for decided in endpointer.receive(event, now=now):
            if isinstance(decided, JudgePause):
                judged = EndOfTurnJudged(heard.judgements[bisect(asked_at, at + 1e-6) - 1][1])
                coming = sorted([*coming, (at + JUDGED_S, judged)], key=lambda each: each[0])
    return ended


def shifted(event: HearingEvent, began: float, way: Way) -> HearingEvent:
    """Return an event as the endpointer gets it: by its clock, and with words if it is to go by them."""
    match event:
        case Transcript(text) if text and not way.words:
            return replace(event, text=ANYTHING)
        case SpeechStarted(at) | SpeechStopped(at):
            return replace(event, at=began + at)
    return event
