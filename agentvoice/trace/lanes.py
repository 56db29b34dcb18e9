"""The lanes of one row of the score, each a function from the story to a few SVG elements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from .phrases import LINE, Placed
from .recording import SILENT, Column, Track
from .staff import LEFT, Row, clock
from .story import Sound, Story, TurnStory
from .svg import group, number, tag, text

WAVE: Final = 54.0
"""The height of a waveform."""
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
