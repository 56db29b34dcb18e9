"""The picture: how often each policy did right, kind by kind, as the noise grows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from agentvoice.trace.svg import group, tag, text
from agentvoice.trace.theme import stylesheet, variables

from .figures import Result, chosen, share

WIDTH: Final = 1000
LEFT, TOP, PANEL, GAP, HEIGHT = 44.0, 96.0, 172.0, 16.0, 230.0
COLOUR: Final = ("completed", "interrupted", "caller", "held")
"""One for each policy, by name of the theme's colours."""
_SCHEMES: Final = (
    f":root {{ {variables('light')} }} @media (prefers-color-scheme: dark) {{ :root {{ {variables('dark')} }} }}"
)
AIMS: Final = {"interruption": 0.95}
AIM: Final = 0.90


def draw(results: Sequence[Result], conditions: Sequence[str], folder: Path) -> Path:
    """Leave the picture in `folder`; it is bright by day and dark by night, as the reader's screen asks."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "selectivity.svg"
    path.write_text(picture(results, conditions))
    return path


def picture(results: Sequence[Result], conditions: Sequence[str]) -> str:
    """Return it as SVG."""
    kinds = list(dict.fromkeys(result.kind for result in results))
    policies = list(dict.fromkeys(result.policy for result in results))
    present = [each for each in conditions if chosen(results, condition=each)]
    height = TOP + HEIGHT + 110
    inside = [
        tag("style", stylesheet(), _SCHEMES),
        tag("rect", cls="paper", x=0, y=0, width=WIDTH, height=height),
        text(LEFT, 38, "Who is yielded to, and who is talked through", "h1"),
        *_legend(policies),
    ]
    for number, kind in enumerate(kinds):
        inside.append(_panel(LEFT + number * (PANEL + GAP), kind, policies, present, results))
    return tag(
        "svg",
        *inside,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {height:.0f}",
        role="img",
        aria_label="Share of right decisions by kind of sound, policy and noise",
    )


def _legend(policies: Sequence[str]) -> Iterator[str]:
    x = LEFT
    for number, policy in enumerate(policies):
        yield tag("circle", cx=x + 5, cy=60.0, r=5.0, style=f"fill: var(--{COLOUR[number]})")
        yield text(x + 16, 64, policy, "note")
        x += 34 + 7.5 * len(policy)


def _panel(x: float, kind: str, policies: Sequence[str], conditions: Sequence[str], results: Sequence[Result]) -> str:
    bottom, aim = TOP + HEIGHT, AIMS.get(kind, AIM)
    parts = [text(x, TOP - 8, f"{kind}: {'yields' if kind in AIMS else 'talks on'}", "strong")]
    for line in (0.0, 0.5, 1.0):
        y = bottom - line * HEIGHT
        parts.append(tag("line", cls="rule", x1=x, x2=x + PANEL, y1=y, y2=y))
        if x == LEFT:
            parts.append(text(x - 6, y + 4, f"{100 * line:.0f}", "lane"))
    y = bottom - aim * HEIGHT
    parts.append(tag("line", cls="end", x1=x, x2=x + PANEL, y1=y, y2=y, title=f"the aim: {100 * aim:.0f} %"))
    step = PANEL / len(conditions)
    for place, condition in enumerate(conditions):
        middle = x + (place + 0.5) * step
        turned = f"rotate(-55 {middle:.1f} {bottom + 14:.1f})"
        parts.append(text(middle, bottom + 14, condition, "clock", text_anchor="end", transform=turned))
        for number, policy in enumerate(policies):
            part = share(chosen(results, policy=policy, kind=kind, condition=condition))
            if part.count:
                at = middle + (number - (len(policies) - 1) / 2) * min(5.0, step / len(policies))
                parts.append(_point(at, bottom, part.value, part.interval, COLOUR[number], policy))
    return group(parts)


def _point(x: float, bottom: float, value: float, interval: tuple[float, float], colour: str, policy: str) -> str:
    low, high = (bottom - end * HEIGHT for end in interval)
    about = f"{policy}: {100 * value:.0f} %"
    return group(
        [
            tag("line", x1=x, x2=x, y1=low, y2=high, style=f"stroke: var(--{colour})"),
            tag("circle", cx=x, cy=bottom - value * HEIGHT, r=3.0, style=f"fill: var(--{colour})", title=about),
        ]
    )
