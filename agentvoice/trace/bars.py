"""The turns of one row of the score: a bar for each, and its marks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from agentvoice.commands import TurnState

from .staff import EDGE, OUTCOME_CLASS, Row
from .story import Stretch, TurnStory
from .svg import group, tag, text
from .typeface import width

BAR: Final = 21.0
"""The height of a turn's bar."""


def bars(turns: Sequence[TurnStory], row: Row, y: float, hatch: str) -> Iterator[str]:
    """Draw each turn: pale while it is silent, full while it speaks, striped while it is held."""
    for number_, turn in enumerate(turns):
        if not row.shows(turn.opened, turn.closed) or turn.closed <= turn.opened:
            continue
        left, right = row.x(turn.opened), row.x(turn.closed)
        cls = OUTCOME_CLASS.get(turn.outcome, "completed")
        drawn = [tag("rect", cls="pale", x=left, y=y, width=max(2.0, right - left - 1), height=BAR, rx=4)]
        drawn += [_stretch(stretch, row, y, hatch) for stretch in turn.states if _sounding(stretch, row)]
        following = [later for later in turns[number_ + 1 :] if row.shows(later.opened, later.closed)]
        drawn += _label(turn, row, y, row.x(following[0].opened) if following else EDGE)
        drawn += _successions(turn, row, y)
        times = {"data_from": f"{turn.opened:.3f}", "data_to": f"{turn.closed:.3f}"}
        if turn.sounds:
            times = {"data_from": f"{turn.sounds[0].start:.3f}", "data_to": f"{turn.sounds[-1].end:.3f}"}
        yield group(drawn, cls=f"turn {cls}", title=_described(turn), **times)


def _sounding(stretch: Stretch, row: Row) -> bool:
    return stretch.state in {TurnState.SPEAKING, TurnState.HELD} and row.shows(stretch.start, stretch.end)


def _stretch(stretch: Stretch, row: Row, y: float, hatch: str) -> str:
    left, right = row.x(stretch.start), row.x(stretch.end)
    wide = max(1.5, right - left - 1)
    rect = {"x": left, "y": y, "width": wide, "height": BAR, "rx": min(4.0, wide / 2)}
    if stretch.state is TurnState.HELD:
        return tag("rect", cls="hatch-ground", **rect) + tag("rect", fill=f"url(#{hatch})", **rect)
    return tag("rect", cls="body", **rect)


def _label(turn: TurnStory, row: Row, y: float, right: float) -> Iterator[str]:
    """Write the turn's name, its context and how it ended, as much as there is room for, where there is most."""
    spoken = [stretch for stretch in turn.states if stretch.state is TurnState.SPEAKING and _sounding(stretch, row)]
    context = _named(turn.contexts[0].id)
    longest = max(spoken, key=lambda stretch: row.x(stretch.end) - row.x(stretch.start), default=None)
    places = [(row.x(turn.opened), row.x(turn.closed), "")]
    if longest is not None:
        places.insert(0, (row.x(longest.start), row.x(longest.end), " on"))
        places[1] = (places[1][0], places[0][0], "")
    if turn.opened >= row.start and turn.closed <= row.end:
        places.append((row.x(turn.closed), right, ""))
    for parts in ((turn.id, context, str(turn.outcome)), (turn.id, context), (turn.id,)):
        wide = [width(part, 11.5, 400 if place else 600) for place, part in enumerate(parts)]
        for left, end, on in places:
            if sum(wide) + 8 * (len(parts) - 1) + 14 <= end - left:
                x = left + 7
                for place, part in enumerate(parts):
                    yield text(x, y + 14.5, part, f"label{on}" if place else f"label strong{on}")
                    x += wide[place] + 8
                return


def _named(context_id: str) -> str:
    """Shorten a context's id to its end, which tells it from the others of its call."""
    return context_id if len(context_id) <= 20 else f"…{context_id[-8:]}"


def _successions(turn: TurnStory, row: Row, y: float) -> Iterator[str]:
    """Draw a line where a new context took over."""
    for context in turn.contexts[1:]:
        if row.has(context.opened):
            x, name = row.x(context.opened), _named(context.id)
            yield tag("line", cls="succession", x1=x, x2=x, y1=y - 3, y2=y + BAR + 3, title=f"goes on in {context.id}")
            if x + 12 + width(name, 11.5) < row.x(min(context.ended, turn.closed)):
                yield text(x + 6, y + 14.5, name, "label on")


def _described(turn: TurnStory) -> str:
    contexts = ", ".join(context.id for context in turn.contexts)
    heard = f", {turn.heard.seconds:.2f} s heard ({turn.heard.evidence})" if turn.heard else ""
    states = ", ".join(f"{stretch.state} {stretch.start:.2f}–{stretch.end:.2f} s" for stretch in turn.states)
    return f"{turn.id} {turn.outcome}: context {contexts}{heard}; {states}"


def marks(turns: Sequence[TurnStory], row: Row, y: float) -> Iterator[str]:
    """Draw each mark where it came back; hollow when it proves nothing."""
    for turn in turns:
        drawn = []
        for mark in turn.marks:
            at = mark.sent if mark.returned is None else mark.returned
            if row.has(at):
                cls = "mark-lost" if mark.returned is None else "mark-cleared" if mark.cleared else "mark"
                told = "never came back" if mark.returned is None else f"back at {mark.returned:.3f} s"
                what = " by clear" if mark.cleared else ""
                drawn.append(tag("circle", cls=cls, cx=row.x(at), cy=y, r=1.7, title=f"{mark.name} {told}{what}"))
        yield group(drawn, cls=OUTCOME_CLASS.get(turn.outcome, "completed"))
