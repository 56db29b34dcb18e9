"""The timeline page: a call to look at and listen to, in one file that needs nothing else."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from string import Template
from typing import Any, Final

from .picture import BEST_ROW_S, Figure, Head, head, key
from .report import Report
from .score import Drawing, Score, hatch
from .staff import LEFT, WIDTH, short
from .svg import tag
from .theme import stylesheet, variables
from .typeface import FAMILY, WEIGHTS, font_file

_DETAIL_S: Final = 5.0
_OVERVIEW_S: Final = 60.0


def page(report: Report, score: Score) -> str:
    """Return the page: the report's figures, the score in three scales, its key, and the recording to play."""
    content = heading(report)
    scales = {"overview": min(max(score.seconds, 1.0), _OVERVIEW_S), "words": BEST_ROW_S, "detail": _DETAIL_S}
    levels = [_level(name, score.draw(row_s, name), chosen="words") for name, row_s in scales.items()]
    recording = score.recording
    legend = key("key")
    return Template(_read("timeline.html")).substitute(
        title=escape(content.title),
        style=_style(),
        head=_svg(head(content)),
        playback="" if recording else "hidden",
        scales="".join(_button(name, chosen="words") for name in scales),
        levels="".join(levels),
        key=_svg(Drawing(legend.height, hatch("key") + legend.body)),
        audio=f'src="{_uri("audio/wav", recording.wav)}"' if recording else "",
        script=_read("timeline.js"),
    )


def heading(report: Report) -> Head:
    """Return a report's figures as they stand above a picture."""
    facts = report.facts
    turns: Sequence[Mapping[str, Any]] = facts["turns"]
    heard = sum(turn["heard_s"] > 0 for turn in turns)
    ended = {"": "", "agent": "the agent hung up"}.get(facts["ended_by"], "the caller hung up")
    length = f"{facts['seconds']:.0f} s" if facts["seconds"] < 120 else f"{facts['seconds'] / 60:.1f} min"
    subtitle = [facts["agent"], length, f"{heard} turn{'s' * (heard != 1)}", ended]
    return Head(
        f"Call {short(facts['call_id'])}", " · ".join(part for part in subtitle if part), [*_figures(facts, turns)]
    )


def _figures(facts: Mapping[str, Any], turns: Sequence[Mapping[str, Any]]) -> Sequence[Figure]:
    silences = [one["at_to_silent_ms"] for one in facts["barge_ins"] if one["at_to_silent_ms"] is not None]
    cut = sum(len(turn["heard"].split()) for turn in turns if turn["words_error"] is not None)
    found = []
    if facts["response_ms"] is not None:
        found.append(Figure(f"{facts['response_ms'] / 1000:.2f}", "s", "median answer"))
    if silences:
        found.append(Figure(f"{max(silences)}", "ms", "barge-in to silence"))
    if facts["words_error"] is not None:
        wrong = abs(facts["words_error"])
        found.append(Figure(str(wrong), f"of {cut}", "words wrong where cut", good=wrong <= 1))
    found.append(Figure(str(facts["stale_frames"]), "", "stale frames", good=not facts["stale_frames"]))
    found.append(Figure(str(facts["holes"]), "", "holes", good=not facts["holes"]))
    return found


def _level(name: str, drawing: Drawing, *, chosen: str) -> str:
    return tag(
        "section",
        _svg(drawing, data_left=LEFT),
        data_level=name,
        aria_label=f"The call, {name}",
        hidden=None if name == chosen else "",
    )


def _button(name: str, *, chosen: str) -> str:
    return tag("button", escape(name), type="button", value=name, aria_pressed=str(name == chosen).lower())


def _svg(drawing: Drawing, **attributes: float) -> str:
    return tag("svg", drawing.body, viewBox=f"0 0 {WIDTH:g} {drawing.height + 4:.1f}", role="img", **attributes)


def _style() -> str:
    fonts = {weight: _uri("font/ttf", font_file(weight)) for weight in WEIGHTS}
    faces = [
        f"@font-face {{ font-family: {FAMILY}; font-weight: {weight}; src: url({uri}); }}"
        for weight, uri in fonts.items()
    ]
    light, dark = (f":root {{ {variables(scheme)} }}" for scheme in ("light", "dark"))
    schemes = [light, f"@media (prefers-color-scheme: dark) {{ {dark} }}"]
    return "\n".join([*faces, *schemes, stylesheet(), _read("timeline.css")])


def _uri(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{b64encode(data).decode()}"


def _read(name: str) -> str:
    return (files(__package__) / "page" / name).read_text(encoding="utf-8")
