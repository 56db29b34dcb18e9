"""A turn while it is being told, and the story that becomes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from agentvoice.commands import HeardText, TurnClosed, TurnOpened, TurnState

from .far_end import Take
from .story import ContextSpan, Mark, Sound, Stretch, TurnStory, Word

UNSPOKEN_WORD_S: Final = 0.36
"""How long a word takes of which nobody knows."""


@dataclass
class Draft:
    """A turn as far as it has been told."""

    opened: TurnOpened
    at: float
    take: Take
    contexts: list[tuple[str, float]] = field(default_factory=list)
    states: list[tuple[TurnState, float]] = field(default_factory=list)
    marks: dict[str, Mark] = field(default_factory=dict)
    delivered: bool = False
    closed: TurnClosed | None = None
    ended: float = 0.0
    prompt: str = ""


def finished(draft: Draft, end: float, zero: float) -> TurnStory:
    """Return the turn's story, in a call that ends at `end`, with times since `zero`."""
    closed = draft.closed
    until = draft.ended if closed else end
    edges = [*draft.states, (draft.states[-1][0], until)]
    states = [Stretch(state, start - zero, stop - zero) for (state, start), (_, stop) in pairwise(edges)]
    lives = [*draft.contexts, ("", until)]
    return TurnStory(
        id=draft.opened.turn_id,
        prompt=draft.prompt,
        opened=draft.at - zero,
        closed=until - zero,
        outcome=closed.outcome if closed else draft.states[-1][0],
        generated=closed.generated if closed else "",
        heard=closed.heard if closed else None,
        contexts=tuple(ContextSpan(id_, start - zero, stop - zero) for (id_, start), (_, stop) in pairwise(lives)),
        states=tuple(stretch for stretch in states if stretch.end > stretch.start),
        words=tuple(_words(draft.take, closed, zero)),
        marks=tuple(draft.marks.values()),
        sounds=tuple(Sound(run.start - zero, run.end - zero) for run in draft.take.runs if run.end > run.start),
        timeline={name: at - zero for name, at in closed.timeline.items()} if closed else {},
        reason=closed.reason if closed else "",
    )


def _words(take: Take, closed: TurnClosed | None, zero: float) -> list[Word]:
    """Return the turn's words in order, with when each was spoken, or would have been."""
    if not take.runs:
        return []
    written = closed.generated.split() if closed else []
    placed = take.words or _shared(take, written)
    last = placed[-1][2] if placed else take.sent
    unspoken = take.audio.size(UNSPOKEN_WORD_S)
    rest = written[len(placed) :]
    placed = [*placed, *((word, last + n * unspoken, last + (n + 1) * unspoken) for n, word in enumerate(rest))]
    heard = _heard_words(closed.heard) if closed else len(placed)
    return [
        Word(word, take.when(start) - zero, take.when(end) - zero, number < heard, take.audio.seconds(end))
        for number, (word, start, end) in enumerate(placed)
    ]


def _heard_words(heard: HeardText | None) -> int:
    return len(heard.text.split()) if heard else 0


def _shared(take: Take, written: Sequence[str]) -> list[tuple[str, int, int]]:
    """Give every word its share of the audio, for a provider that tells no word times."""
    letters = sum(len(word) + 1 for word in written)
    placed, at = [], 0
    for word in written:
        until = at + len(word) + 1
        placed.append((word, round(take.received * at / letters), round(take.received * until / letters)))
        at = until
    return placed
