"""A call as lines of text, in the order in which it was heard: for terminals, golden files, and who reads a failure.

    0:01.00  agent     Good evening, Bella — Vista, how may I help you?
             s1        interrupted, 1.70 s heard (marks+words)
    0:02.24  caller    Wait a moment!
    0:02.44  barge-in  by voice: decided after 200 ms, silent after 180 ms

Times are seconds since the call began. What stands after the dash was cut, and not heard.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from agentvoice.commands import TurnState

from .log import Trace
from .story import BargeInStory, Story, TurnStory, Utterance
from .telling import tell

CUT: Final = " —"
_TOLD_FROM_MS: Final = 10
"""Parts of an answer's delay that are shorter are not told."""


class Row(NamedTuple):
    """One line of the retelling."""

    at: float | None
    """When, in seconds; `None` for a line that belongs to the one above it."""
    who: str
    text: str
    unheard: str = ""
    """What was to follow, and was not heard."""

    @property
    def clock(self) -> str:
        """When, in minutes and seconds."""
        at = max(0.0, self.at or 0.0)  # speech is noticed late: its start may lie before the call's
        return "" if self.at is None else f"{int(at // 60)}:{at % 60:05.2f}"

    def __str__(self) -> str:
        rest = f"{CUT} {self.unheard}" if self.unheard else ""
        return f"{self.clock:>7}  {self.who:<8}  {self.text}{rest}".rstrip()


def retell(trace: Trace) -> str:
    """Return the call line by line, as plain text."""
    story = tell(trace)
    return "\n".join([heading(story), "", *map(str, rows(story))]) + "\n"


def heading(story: Story) -> str:
    """Return what there is to say of the call as a whole, in a line."""
    ended = {"agent": "the agent hung up", "": "the trace ends"}.get(story.ended_by, f"the far end: {story.ended_by}")
    facts = [f"{story.end - story.start:.1f} s", f"{len(story.turns)} turns", ended]
    facts += [f"{story.stale_frames} stale frames"] if story.stale_frames else []
    facts += [f"{len(story.holes)} holes"] if story.holes else []
    return f"{story.agent or 'an agent'}, call {story.call_id}: {', '.join(facts)}"


def rows(story: Story) -> Sequence[Row]:
    """Return the lines of the retelling, in order."""
    groups = [
        *map(_utterance, story.utterances),
        *map(_turn, story.turns),
        *(_barge_in(one) for one in story.barge_ins),
        *([Row(at, "key", key)] for at, key in story.keys),
        *([Row(hole.at, "hole", f"nothing to play for {1000 * hole.seconds:.0f} ms")] for hole in story.holes),
    ]
    ordered = sorted(groups, key=lambda group: group[0].at or 0.0)
    return [row for group in ordered for row in group]


def _utterance(utterance: Utterance) -> Sequence[Row]:
    return [Row(utterance.start, "caller", utterance.text)]


def _turn(turn: TurnStory) -> Sequence[Row]:
    at = turn.sounds[0].start if turn.sounds else turn.opened
    facts = ", ".join(_facts(turn))
    if not turn.sounds:
        return [Row(at, "", f"{turn.id} {facts}")]
    heard = turn.heard.text if turn.heard else ""
    unheard = turn.generated.strip().removeprefix(heard).strip() if turn.closed else ""
    return [Row(at, "agent", heard, unheard), Row(None, turn.id, facts)]


def _facts(turn: TurnStory) -> Iterator[str]:
    yield str(turn.outcome) + (f": {turn.reason}" if turn.reason else "")
    if turn.heard is not None:
        yield f"{turn.heard.seconds:.2f} s heard ({turn.heard.evidence})"
    elif turn.outcome is TurnState.WITHDRAWN:
        yield "unheard"
    if len(turn.contexts) > 1:
        yield f"in {len(turn.contexts)} contexts"
    if turn.response_s is not None:
        parts = [(name, 1000 * (end - start)) for name, start, end in turn.latency]
        told = ", ".join(f"{name} {ms:.0f}" for name, ms in parts if ms >= _TOLD_FROM_MS)
        yield f"answered after {1000 * turn.response_s:.0f} ms" + (f" ({told})" if told else "")


def _barge_in(one: BargeInStory) -> Sequence[Row]:
    decided = f"after {1000 * (one.decided - one.at):.0f} ms"
    if not one.confirmed:
        return [Row(one.at, "", f"false alarm, {one.turn_id} goes on {decided}")]
    if one.silent is None:
        return [Row(one.decided, "", f"the caller goes on: {one.turn_id} is off, unheard")]
    silent = f"silent after {max(0.0, 1000 * (one.silent - one.at)):.0f} ms"
    return [Row(one.at, "barge-in", f"by {one.source}: decided {decided}, {silent}")]
