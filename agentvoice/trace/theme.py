"""The colours of the pictures, by day and by night, and the style sheet that uses them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

Scheme: TypeAlias = Literal["light", "dark"]

COLOURS: Final[Mapping[Scheme, Mapping[str, str]]] = {
    "light": {
        "paper": "#ffffff",
        "ink": "#1a1d26",
        "soft": "#666c7d",
        "faint": "#a4a9b8",
        "line": "#e6e8ee",
        "on": "#ffffff",
        "caller": "#34415c",
        "caller-pale": "#c3cad8",
        "completed": "#4353d8",
        "completed-pale": "#e3e6fb",
        "interrupted": "#e0542a",
        "interrupted-pale": "#fde5dc",
        "failed": "#a8103a",
        "failed-pale": "#f9dfe6",
        "withdrawn": "#9197a6",
        "withdrawn-pale": "#eceef3",
        "held": "#e9a100",
        "alarm": "#d3143c",
    },
    "dark": {
        "paper": "#12141b",
        "ink": "#eceef5",
        "soft": "#9ca2b4",
        "faint": "#656b7d",
        "line": "#272b37",
        "on": "#0f1117",
        "caller": "#b4c0d9",
        "caller-pale": "#4a556d",
        "completed": "#8f9bff",
        "completed-pale": "#272d55",
        "interrupted": "#ff8a5f",
        "interrupted-pale": "#4a2619",
        "failed": "#ff6b8e",
        "failed-pale": "#48172a",
        "withdrawn": "#7d8394",
        "withdrawn-pale": "#232733",
        "held": "#f0b73f",
        "alarm": "#ff5577",
    },
}

OUTCOMES: Final = ("completed", "interrupted", "failed", "withdrawn")

_RULES: Final = """
text { font-family: Inter, ui-sans-serif, system-ui, sans-serif; font-size: 12px; fill: var(--ink); }
.paper { fill: var(--paper); }
.h1 { font-size: 25px; font-weight: 600; }
.h2 { font-size: 14px; fill: var(--soft); }
.figure { font-size: 22px; font-weight: 600; }
.alarm .figure { fill: var(--alarm); }
.unit { font-size: 13px; font-weight: 400; fill: var(--soft); }
.note { font-size: 12px; fill: var(--soft); }
.lane { font-size: 12px; fill: var(--soft); text-anchor: end; }
.tick { stroke: var(--faint); stroke-width: 1; }
.rule { stroke: var(--line); stroke-width: 1; }
.clock { font-size: 11px; fill: var(--faint); }
.said, .latency, .note, .flag-soft { paint-order: stroke; stroke: var(--paper); stroke-width: 3px; }
.said { font-size: 12.5px; }
.cut { stroke: none; fill: var(--faint); text-decoration: line-through; }
.voice { stroke: none; }
.voice .peak { fill-opacity: 0.4; }
.caller { fill: var(--caller); }
.activity { fill: var(--caller-pale); }
.flag { font-size: 12px; font-weight: 600; fill: var(--on); }
.flag-soft { font-size: 12px; fill: var(--soft); }
.pill { fill: var(--interrupted); }
.pill-soft { fill: var(--withdrawn-pale); }
.band { fill: var(--interrupted); fill-opacity: 0.13; }
.edge { stroke: var(--interrupted); stroke-width: 1.5; }
.edge-soft { stroke: var(--interrupted); stroke-width: 1; stroke-dasharray: 2 2; }
.end { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 2 3; }
.succession { stroke: var(--held); stroke-width: 2; }
.latency { font-size: 12px; font-weight: 600; fill: var(--ink); text-anchor: middle; }
.bracket { stroke: var(--soft); stroke-width: 1; fill: none; }
.part-0 { fill: var(--caller-pale); }
.part-1 { fill: var(--faint); }
.part-2 { fill: var(--soft); }
.part-3 { fill: var(--completed); }
.part-4 { fill: var(--ink); }
.turn .label { font-size: 11.5px; }
.turn .strong { font-weight: 600; }
.turn .on { fill: var(--on); }
.stripe { stroke: var(--held); stroke-width: 4; }
.hatch-ground { fill: var(--paper); }
.mark-lost { fill: none; stroke: var(--faint); stroke-width: 1; }
.mark-cleared { fill: var(--paper); stroke: var(--interrupted); stroke-width: 1.2; }
.hole { fill: var(--alarm); }
""" + "\n".join(
    f".{name} .body, .voice.{name} {{ fill: var(--{name}); }}\n"
    f".{name} .pale {{ fill: var(--{name}-pale); }}\n"
    f".{name} .mark {{ fill: var(--{name}); }}"
    for name in OUTCOMES
)


def stylesheet(scheme: Scheme | None = None) -> str:
    """Return the rules for the pictures' classes.

    With a `scheme` its colours stand in the rules; without one the rules ask for `var(--name)`, as `variables` gives.
    """
    if scheme is None:
        return _RULES
    return re.sub(r"var\(--([a-z-]+)\)", lambda found: COLOURS[scheme][found[1]], _RULES)


def variables(scheme: Scheme) -> str:
    """Return a scheme's colours as CSS variables."""
    return "".join(f"--{name}:{colour};" for name, colour in COLOURS[scheme].items())
