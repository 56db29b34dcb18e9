"""The lanes of one row of the score, each a function from the story to a few SVG elements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from agentvoice.commands import TurnState

from .phrases import LINE, Placed
from .recording import SILENT, Column, Track
from .staff import EDGE, LEFT, OUTCOME_CLASS, Row, clock
from .story import BargeInStory, Sound, Story, Stretch, TurnStory
from .svg import group, number, tag, text
from .typeface import width

WAVE: Final = 54.0
"""The height of a waveform."""
BAR: Final = 21.0
"""The height of a turn's bar."""

FLAG: Final = 21.0
"""The height of a line of flags."""

_LABELLED_PX: Final = 64.0
_STEPS: Final = (1, 2, 5, 10, 15, 30, 60)


# ------------------------------------------------------------------ time


def ruler(row: Row, y: float, bottom: float) -> Iterator[str]:
    """Draw the seconds, with a fine rule down the row at each that is named."""
    every = next((step for step in _STEPS if step * row.px_s >= _LABELLED_PX), _STEPS[-1])
    fine = 1 if row.px_s >= 6 else every
    first = -(-row.start // fine) * fine
    yield tag("line", cls="tick", x1=LEFT, x2=row.x(row.end), y1=y, y2=y)
    for step in range(int((row.end - first) / fine) + 1):
        at = first + step * fine
        x = row.x(at)
        if at % every:
            yield tag("line", cls="tick", x1=x, x2=x, y1=y, y2=y + 3)
        else:
            yield tag("line", cls="tick", x1=x, x2=x, y1=y - 4, y2=y + 3)
            yield tag("line", cls="rule", x1=x, x2=x, y1=y + 4, y2=bottom)
            yield text(x, y - 8, clock(at), "clock", text_anchor="middle")


# ------------------------------------------------------------------ voices


def wave(track: Track | None, row: Row, y: float, stretches: Sequence[tuple[Sound, str]], gain: float) -> Iterator[str]:
    """Draw a voice around the line `y`: what was loudest pale, how loud it was full, each stretch in its colour.

    Without a recording each stretch is a plain bar.
    """
    yield tag("line", cls="rule", x1=LEFT, x2=row.x(row.end), y1=y, y2=y)
    for sound, cls in stretches:
        if not row.shows(sound.start, sound.end):
            continue
        left, right = row.x(sound.start), row.x(sound.end)
        if track is None:
            bar = tag("rect", cls="peak", x=left, y=y - 11, width=max(1.0, right - left), height=22, rx=5)
            yield tag("g", bar, cls=f"voice {cls}")
            continue
        count = max(1, round(right - left))
        start, end = max(sound.start, row.start), min(sound.end, row.end)
        columns = track.columns(start, end, count)
        step = (right - left) / count
        shapes = []
        for first, last in _loud(columns):
            xs = [left + step * (place + 0.5) for place in range(first, last)]
            part = list(zip(xs, columns[first:last], strict=True))
            peak = [(x, y - _reach(column.high, gain), y - _reach(column.low, gain)) for x, column in part]
            body = [(x, y - _reach(column.rms, gain), y + _reach(column.rms, gain)) for x, column in part]
            shapes += [_outline(peak, "peak"), _outline(body, "body")]
        yield group(shapes, cls=f"voice {cls}")


def _reach(level: float, gain: float) -> float:
    """Return how far a level reaches from the middle of its lane."""
    return max(-1.0, min(1.0, level * gain)) * WAVE / 2


def _loud(columns: Sequence[Column]) -> Iterator[tuple[int, int]]:
    """Find the runs of columns in which there is something to see, with one more on either side."""
    quiet = SILENT / 32768
    loud = [column.high > quiet or column.low < -quiet for column in columns]
    wide = [any(loud[max(0, at - 1) : at + 2]) for at in range(len(loud))]
    edges = [at for at in range(1, len(wide)) if wide[at] != wide[at - 1]]
    for first, last in pairwise([0, *edges, len(wide)]):
        if wide[first]:
            yield first, last


def _outline(spans: Sequence[tuple[float, float, float]], cls: str) -> str:
    """Return the shape between an upper and a lower line, in steps relative to the one before."""
    points = [(x, top) for x, top, _ in spans] + [(x, low) for x, _, low in reversed(spans)]
    at = (round(10 * points[0][0]), round(10 * points[0][1]))
    path = [f"M{number(at[0] / 10)} {number(at[1] / 10)}l"]
    for x, y in points[1:]:
        to = (round(10 * x), round(10 * y))
        path.append(f"{number((to[0] - at[0]) / 10)} {number((to[1] - at[1]) / 10)}")
        at = to
    return tag("path", cls=cls, d=" ".join(path) + "z")


def activity(story: Story, row: Row, y: float) -> Iterator[str]:
    """Draw when voice activity took the caller to be speaking."""
    for segment in story.segments:
        if row.shows(segment.start, segment.end):
            left, right = row.x(segment.start), row.x(segment.end)
            title = f"voice activity: {segment.start:.2f} to {segment.end:.2f} s"
            yield tag("rect", cls="activity", x=left, y=y, width=right - left, height=3, rx=1.5, title=title)


def words(placed: Sequence[Placed], y: float) -> Iterator[str]:
    """Write words, the cut ones struck through."""
    for one in placed:
        word = one.word
        title = f"{word.text}: {word.start:.2f} s" if word.heard else f"{word.text}: never played"
        cls = "said" if word.heard else "said cut"
        times = {"data_from": f"{word.start:.3f}", "data_to": f"{word.end:.3f}"} if word.heard else {}
        yield text(one.x, y + one.line * LINE, word.text, cls, title=title, **times)


# ------------------------------------------------------------------ between the voices


def responses(turns: Sequence[TurnStory], row: Row, y: float) -> Iterator[str]:
    """Draw how long each answer took, from the caller's last word to the first of the agent's, and what took it."""
    for turn in turns:
        parts = turn.latency
        if not parts or not row.shows(parts[0][1] + 0.02, parts[-1][2] - 0.02):
            continue
        left, right = row.x(parts[0][1]), row.x(parts[-1][2])
        title = ", ".join(f"{name} {1000 * (end - start):.0f} ms" for name, start, end in parts)
        drawn = [tag("path", cls="bracket", d=f"M{number(left)} {number(y - 6)}V{number(y + 4)}H{number(right)}v10")]
        for place, (_, start, end) in enumerate(parts):
            x = row.x(start)
            if (wide := row.x(end) - x) > 0.1:
                drawn.append(tag("rect", cls=f"part-{place}", x=x, y=y + 2, width=wide, height=4))
        if row.shows(middle := (parts[0][1] + parts[-1][2]) / 2, middle):
            drawn.append(text((left + right) / 2, y - 4, f"{parts[-1][2] - parts[0][1]:.2f} s", "latency"))
        yield group(drawn, cls="response", title=f"{turn.id} answered after: {title}")


def holes(story: Story, row: Row, y: float) -> Iterator[str]:
    """Point at every moment at which the line ran dry."""
    for hole in story.holes:
        if row.shows(hole.at, hole.at + hole.seconds):
            x, wide = row.x(hole.at), row.x(hole.at + hole.seconds) - row.x(hole.at)
            d = f"M{number(x)} {number(y)}h{number(max(8.0, wide))}v2h-{number(max(0.0, wide - 8))}l-4 5l-4 -5z"
            yield tag("path", cls="hole", d=d, title=f"hole of {1000 * hole.seconds:.0f} ms")


# ------------------------------------------------------------------ turns


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


# ------------------------------------------------------------------ barge-ins and other signs


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
            if row.has(at):
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
            silent, decided = 1000 * max(0.0, one.silent - one.at), 1000 * (one.decided - one.at)
            told = [f"silent after {silent:.0f} ms", f"decided after {decided:.0f} ms"]
            found.append((one.at, "barge-in", " · ".join(told if silent <= decided else reversed(told))))
    found += [(at, "", f"key {key}") for at, key in story.keys]
    return sorted(found)
