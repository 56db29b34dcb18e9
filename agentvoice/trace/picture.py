"""One picture of a call: its figures, its score and the key to it, as SVG or PNG."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agentvoice.errors import UsageError

from .score import Drawing, Score
from .staff import LEFT, RIGHT, WIDTH
from .svg import tag, text
from .theme import Scheme, stylesheet
from .typeface import WEIGHTS, font_file, width

MARGIN: Final = 30.0
BEST_ROW_S: Final = 13.0
"""A row this long has room for every word at its moment."""
_ROWS: Final = 6
_PICTURE_ROW_S: Final = 22.0
_LONGEST_ROW_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the head: what it is, and whether it is as it should be."""

    value: str
    unit: str
    name: str
    good: bool = True


@dataclass(frozen=True, slots=True)
class Head:
    """What stands above the score."""

    title: str
    subtitle: str
    figures: Sequence[Figure]


def head(content: Head) -> Drawing:
    """Draw the title on the left and the figures on the right."""
    drawn = [text(LEFT - 40, 24, content.title, "h1"), text(LEFT - 40, 47, content.subtitle, "h2")]
    x = WIDTH - RIGHT
    for figure in reversed(content.figures):
        value, unit = width(figure.value, 22, 600), width(figure.unit, 13)
        wide = max(value + (unit + 4 if unit else 0), width(figure.name, 12))
        x -= wide
        one = text(x, 24, figure.value, "figure")
        if figure.unit:
            one += text(x + value + 4, 24, figure.unit, "unit")
        one += text(x, 45, figure.name, "note")
        drawn.append(tag("g", one, cls="" if figure.good else "alarm"))
        x -= 30
    return Drawing(56, "".join(drawn))


def key(name: str) -> Drawing:
    """Draw what the colours and signs mean."""
    x, y = LEFT, 14.0
    drawn: list[str] = []

    def entry(sign: str, wide: float, words: str) -> None:
        nonlocal x
        drawn.append(tag("g", sign, transform=f"translate({x:.1f} 0)"))
        drawn.append(text(x + wide + 6, y, words, "note"))
        x += wide + 6 + width(words, 12) + 19

    def swatch(cls: str, shape: str) -> str:
        return tag("g", tag("rect", cls=shape, x=0, y=y - 10, width=18, height=12, rx=3), cls=f"turn {cls}")

    entry(swatch("completed", "body"), 18, "heard to its end")
    entry(swatch("interrupted", "body"), 18, "cut off")
    entry(swatch("completed", "pale"), 18, "open, thinking")
    ground = tag("rect", cls="hatch-ground", x=0, y=y - 10, width=18, height=12, rx=3)
    stripes = tag("rect", fill=f"url(#held-{name})", x=0, y=y - 10, width=18, height=12, rx=3)
    entry(ground + stripes, 18, "held")
    entry(text(0, y, "words", "said cut"), width("words", 12.5), "never heard")
    dots = tag("g", tag("circle", cls="mark", cx=4, cy=y - 4, r=2), cls="completed")
    entry(dots + tag("circle", cls="mark-cleared", cx=12, cy=y - 4, r=2), 16, "mark returned, cleared")
    parts = "".join(tag("rect", cls=f"part-{n}", x=n * 9, y=y - 6, width=9, height=4) for n in range(4))
    entry(parts, 36, "answer: end of turn, model, text, voice")
    band = tag("rect", cls="band", x=0, y=y - 11, width=16, height=14)
    edges = "".join(tag("line", cls="edge", x1=e, x2=e, y1=y - 11, y2=y + 3) for e in (0, 16))
    entry(band + edges, 16, "barge-in to silence")
    return Drawing(22, "".join(drawn))


def compose(content: Head, score: Score, *, row_s: float | None = None) -> Drawing:
    """Draw everything, one below the other. Without `row_s` the rows are as long as keeps them few."""
    seconds = row_s or min(max(_PICTURE_ROW_S, score.seconds / _ROWS), _LONGEST_ROW_S)
    y, drawn = MARGIN, ""
    for part, after in ((head(content), 34.0), (score.draw(seconds, "all"), 28.0), (key("all"), 0.0)):
        drawn += tag("g", part.body, transform=f"translate(0 {y:.1f})")
        y += part.height + after
    return Drawing(y + MARGIN - 6, drawn)


def picture(drawing: Drawing, scheme: Scheme = "light") -> str:
    """Return a drawing as an SVG file, in the colours of a scheme."""
    return tag(
        "svg",
        tag("style", stylesheet(scheme)),
        tag("rect", cls="paper", width=WIDTH, height=drawing.height),
        drawing.body,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH:g} {drawing.height:.1f}",
        width=WIDTH,
        height=drawing.height,
    )


def rasterise(svg: str, *, zoom: float = 2.0) -> bytes:
    """Return the picture as PNG, `zoom` pixels for each of its own.

    Raises:
        UsageError: the package that draws is not installed.
    """
    try:
        import resvg_py  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise UsageError("a PNG needs resvg-py; try: pip install 'agentvoice[picture]'") from error
    with tempfile.TemporaryDirectory() as folder:
        fonts = [Path(folder) / name for name in WEIGHTS.values()]
        for weight, path in zip(WEIGHTS, fonts, strict=True):
            path.write_bytes(font_file(weight))
        drawn = resvg_py.svg_to_bytes(svg_string=svg, font_files=[str(path) for path in fonts], zoom=zoom)
    return bytes(drawn)
