"""What happens at a moment, in one row of the score: barge-ins, false alarms, keys, the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from .staff import EDGE, Row
from .story import BargeInStory, Story
from .svg import tag, text
from .typeface import width

FLAG: Final = 21.0
"""The height of a line of flags."""


def bands(barge_ins: Sequence[BargeInStory], row: Row, top: float, bottom: float) -> Iterator[str]:
    """Draw each barge-in from the caller's first sound to the agent's last."""
    for one in barge_ins:
        if not one.confirmed or one.silent is None:
            continue
        until = max(one.decided, one.silent)
        if not row.shows(one.at, until):
            continue
        left, right = row.x(one.at), row.x(until)
        yield tag("rect", cls="band", x=left, y=top, width=right - left, height=bottom - top)
        if row.has(one.at):
            yield tag("line", cls="edge", x1=left, x2=left, y1=top, y2=bottom)
        for at, cls in ((one.decided, "edge-soft"), (one.silent, "edge")):
            if row.has(at) and at >= one.at:
                yield tag("line", cls=cls, x1=row.x(at), x2=row.x(at), y1=top, y2=bottom)


@dataclass(frozen=True, slots=True)
class Flag:
    """Words at a moment: a pill, and what stands beside it."""

    strong: str
    soft: str
    x: float
    left: float
    """Where the words beside the pill begin: after it, or before it where there is no room."""
    line: int


def flags(story: Story, row: Row) -> Sequence[Flag]:
    """Place the words for what happens at a moment: barge-ins, keys, false alarms."""
    taken: list[float] = []
    found = []
    for at, strong, soft in signs(story):
        if not row.has(at):
            continue
        x, wide = row.x(at), width(soft, 12)
        pill = _pill(strong)
        after = x + pill + wide <= EDGE
        left = x + pill if after else x - 8 - wide
        line = next((line for line, right in enumerate(taken) if min(x, left) >= right + 12), len(taken))
        taken[line:] = [*([max(x + pill, left + wide)]), *taken[line + 1 :]]
        found.append(Flag(strong, soft, x, left, line))
    return found


def _pill(strong: str) -> float:
    return width(strong, 12, 600) + 21 if strong else 0.0


def flown(flags: Sequence[Flag], lines: int) -> Iterator[str]:
    """Draw the flags, the first line lowest."""
    for flag in flags:
        top = FLAG * (lines - 1 - flag.line)
        if flag.strong:
            yield tag("rect", cls="pill", x=flag.x - 0.7, y=top, width=_pill(flag.strong) - 7, height=19, rx=4)
            yield text(flag.x + 6.3, top + 13.5, flag.strong, "flag")
        yield text(flag.left, top + 13.5, flag.soft, "flag-soft")


def end(story: Story, row: Row, y: float, top: float, bottom: float) -> Iterator[str]:
    """Draw the end of the call, and say who ended it."""
    if not row.start < story.end <= row.end or not story.ended_by:
        return
    x = row.x(story.end)
    told = f"{'the agent hangs up' if story.ended_by == 'agent' else 'the far end hangs up'}"
    room = x + width(told, 12) + 8 <= EDGE
    yield tag("line", cls="end", x1=x, x2=x, y1=top, y2=bottom)
    yield text(x + 8 if room else x - 8, y, told, "note", text_anchor="start" if room else "end")


def signs(story: Story) -> Sequence[tuple[float, str, str]]:
    """Return what deserves a flag: when, the pill's words, the words after it."""
    found: list[tuple[float, str, str]] = []
    cuts = {(one.turn_id, one.at) for one in story.barge_ins if one.confirmed}
    for one in story.barge_ins:
        if not one.confirmed and (one.turn_id, one.at) in cuts:
            continue  # the same speech cut it after all
        if not one.confirmed:
            found.append((one.at, "", f"false alarm, goes on after {1000 * (one.decided - one.at):.0f} ms"))
        elif one.silent is None:
            found.append((one.at, "", f"the caller goes on: {one.turn_id} withdrawn unheard"))
        else:
            silent, decided = 1000 * (one.silent - one.at), f"decided after {1000 * (one.decided - one.at):.0f} ms"
            if silent <= 0:
                told = f"the agent was silent already · {decided}"
            elif one.silent <= one.decided:
                told = f"silent after {silent:.0f} ms · {decided}"
            else:
                told = f"{decided} · silent after {silent:.0f} ms"
            found.append((one.at, "barge-in", told))
    found += [(at, "", f"key {key}") for at, key in story.keys]
    return sorted(found)
