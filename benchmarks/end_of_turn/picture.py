"""The picture: cut-ins against delay, one curve for each way to tell the end of a turn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from agentvoice.trace.svg import group, tag, text
from agentvoice.trace.theme import stylesheet, variables

from .figures import Point

WIDTH: Final = 1000
LEFT, TOP, PANEL, GAP, HEIGHT = 64.0, 120.0, 420.0, 56.0, 320.0
LONGEST_S: Final = 1.8
MOST: Final = 1.0
COLOUR: Final = ("faint", "caller", "held", "completed", "interrupted")
"""One for each way, by name of the theme's colours."""
_SCHEMES: Final = (
    f":root {{ {variables('light')} }} @media (prefers-color-scheme: dark) {{ :root {{ {variables('dark')} }} }}"
)


def draw(points: Sequence[Point], defaults: Sequence[Point], folder: Path) -> Path:
    """Leave the picture in `folder`; it is bright by day and dark by night, as the reader's screen asks."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "end-of-turn.svg"
    path.write_text(picture(points, defaults))
    return path


def picture(points: Sequence[Point], defaults: Sequence[Point]) -> str:
    """Return it as SVG."""
    ways = list(dict.fromkeys(point.way for point in points))
    height = TOP + HEIGHT + 70
    inside = [
        tag("style", stylesheet(), _SCHEMES),
        tag("rect", cls="paper", x=0, y=0, width=WIDTH, height=height),
        text(LEFT, 38, "Who is cut off, and who is kept waiting", "h1"),
        *_legend(ways),
    ]
    for number, noise in enumerate(dict.fromkeys(point.noise for point in points)):
        here, usual = ([each for each in of if each.noise == noise] for of in (points, defaults))
        inside.append(_panel(LEFT + number * (PANEL + GAP), noise, ways, here, usual))
    return tag(
        "svg",
        *inside,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {height:.0f}",
        role="img",
        aria_label="Pauses taken for the end of a turn, against the delay after its true end, by way to tell it",
    )


def _legend(ways: Sequence[str]) -> Iterator[str]:
    x = LEFT
    for way, colour in zip(ways, COLOUR, strict=False):
        yield tag("line", x1=x, x2=x + 18, y1=62.0, y2=62.0, style=f"stroke: var(--{colour}); stroke-width: 2.5")
        yield text(x + 25, 66, way, "note")
        x += 48 + 7.0 * len(way)
    yield tag("circle", cx=x + 5, cy=62.0, r=5.5, style="fill: none; stroke: var(--soft); stroke-width: 2")
    yield text(x + 16, 66, "as it is set by default", "note")


def _panel(x: float, noise: str, ways: Sequence[str], points: Sequence[Point], defaults: Sequence[Point]) -> str:
    bottom = TOP + HEIGHT
    parts = [text(x, TOP - 14, f"pauses taken for the end, %: {noise}", "strong")]
    for part in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = bottom - part / MOST * HEIGHT
        parts.append(tag("line", cls="rule", x1=x, x2=x + PANEL, y1=y, y2=y))
        parts.append(text(x - 6, y + 4, f"{100 * part:.0f}", "lane"))
    for tenths in range(0, round(LONGEST_S * 10) + 1, 3):
        at = x + tenths / 10 / LONGEST_S * PANEL
        parts.append(tag("line", cls="rule", x1=at, x2=at, y1=bottom, y2=bottom + 5))
        parts.append(text(at, bottom + 20, f"{tenths / 10:.1f}", "clock", text_anchor="middle"))
    parts.append(text(x + PANEL, bottom + 42, "mean delay after the true end, s", "note", text_anchor="end"))
    for way, colour in zip(ways, COLOUR, strict=False):
        places = [(_place(x, point), point) for point in points if point.way == way]
        line = "L".join(f"{delay:.1f} {cut_in:.1f}" for (delay, cut_in), _ in places)
        parts.append(tag("path", d=f"M{line}", style=f"fill: none; stroke: var(--{colour}); stroke-width: 2"))
        parts += [_dot(place, point, 3.0, f"fill: var(--{colour})") for place, point in places]
        for point in defaults:
            if point.way == way and way != ways[0]:
                ring = f"fill: var(--paper); stroke: var(--{colour}); stroke-width: 2.5"
                parts.append(_dot(_place(x, point), point, 5.5, ring))
    return group(parts)


def _place(x: float, point: Point) -> tuple[float, float]:
    return x + point.delay_s / LONGEST_S * PANEL, TOP + HEIGHT - point.cut_in.value / MOST * HEIGHT


def _dot(at: tuple[float, float], point: Point, radius: float, style: str) -> str:
    about = f"{point.way}, {point.setting}: {100 * point.cut_in.value:.0f} % cut in, {point.delay_s:.2f} s"
    return tag("circle", cx=at[0], cy=at[1], r=radius, style=style, title=about)
