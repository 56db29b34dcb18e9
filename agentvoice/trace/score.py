"""The call as a score: one drawing, which the page and the picture both show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from . import bars, flags, lanes
from .bars import BAR
from .lanes import WAVE
from .phrases import FLOWING_PX_S, LINE, Placed, flowing, in_blocks, of_caller, of_turn
from .recording import Recording, Track
from .staff import LEFT, OUTCOME_CLASS, Row, rows
from .story import Sound, Story
from .svg import group, tag, text

GAP: Final = 30.0
"""Between one row and the next."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A piece of a picture."""

    height: float
    body: str


@dataclass(frozen=True, slots=True)
class Score:
    """What is drawn: a call, and its recording if there is one, on the same clock."""

    story: Story
    recording: Recording | None = None

    @property
    def seconds(self) -> float:
        """How long it is."""
        return max(self.story.end, self.recording.seconds if self.recording else 0.0)

    def draw(self, row_s: float, name: str) -> Drawing:
        """Draw the call in rows of at most `row_s` seconds. `name` tells its parts from those of another drawing."""
        y, drawn = 0.0, [hatch(name)]
        gains = (_gain(self.recording.caller), _gain(self.recording.agent)) if self.recording else (1.0, 1.0)
        for row in rows(self.story, self.seconds, row_s):
            one = self._row(row, name, gains)
            drawn.append(
                tag(
                    "g",
                    one.body,
                    cls="row",
                    transform=f"translate(0 {y:.1f})",
                    data_from=f"{row.start:.3f}",
                    data_to=f"{row.end:.3f}",
                    data_scale=f"{row.px_s:.4f}",
                    data_height=one.height,
                )
            )
            y += one.height + GAP
        return Drawing(y - GAP, "".join(drawn))

    def _row(self, row: Row, name: str, gains: tuple[float, float]) -> Drawing:
        """Draw one row, from the flags down to the marks."""
        story = self.story
        caller, agent = self._words(row)
        flown = flags.flags(story, row)
        lines = max((flag.line + 1 for flag in flown), default=0)
        ruler = 20 + flags.FLAG * lines + (4 if lines else 0)
        said = ruler + 21
        above = said + 11 + LINE * _last_line(caller) + WAVE / 2 - 4
        between = above + WAVE / 2 + 24
        below = between + 18 + WAVE / 2
        spoken = below + WAVE / 2 + 14
        bar = spoken + 12 + LINE * _last_line(agent)
        marks = bar + BAR + 7
        height = marks + 5
        top = 10.0 if lines else ruler
        left, right = (self.recording.caller, self.recording.agent) if self.recording else (None, None)
        drawn = [
            *lanes.ruler(row, ruler, marks),
            *flags.bands(story.barge_ins, row, top, below + WAVE / 2),
            *lanes.wave(left, row, above, self._caller(), gains[0]),
            *lanes.activity(story, row, above + WAVE / 2 + 2),
            *lanes.wave(right, row, below, self._agent(), gains[1]),
            *lanes.holes(story, row, below - WAVE / 2 - 6),
            *lanes.responses(story.turns, row, between),
            *flags.end(story, row, between + 5, ruler + 4, marks),
            *flags.flown(flown, lines),
            group(lanes.words(caller, said + 5), cls="words"),
            group(lanes.words(agent, spoken), cls="words"),
            *bars.bars(story.turns, row, bar, f"held-{name}"),
            *bars.marks(story.turns, row, marks),
            text(LEFT - 14, above + 4, "caller", "lane"),
            text(LEFT - 14, below + 4, "agent", "lane"),
            text(LEFT - 14, bar + 14.5, "turns", "lane"),
        ]
        return Drawing(height, "".join(drawn))

    def _words(self, row: Row) -> tuple[Sequence[Placed], Sequence[Placed]]:
        setting = flowing if row.px_s >= FLOWING_PX_S else in_blocks
        caller, agent = of_caller(self.story), [of_turn(turn) for turn in self.story.turns]
        return setting(caller, row), setting(agent, row)

    def _caller(self) -> Sequence[tuple[Sound, str]]:
        whole = [Sound(0.0, self.seconds)] if self.recording else self.story.segments
        return [(sound, "caller") for sound in whole]

    def _agent(self) -> Sequence[tuple[Sound, str]]:
        """Return the agent's side in the colours of its turns: each from its first sound to that of the next."""
        sounding = [(turn, OUTCOME_CLASS.get(turn.outcome, "completed")) for turn in self.story.turns if turn.sounds]
        if self.recording is None:
            return [(sound, cls) for turn, cls in sounding for sound in turn.sounds]
        starts = [turn.sounds[0].start for turn, _ in sounding]
        edges = [0.0, *starts[1:], self.seconds] if starts else [0.0, self.seconds]
        colours = [cls for _, cls in sounding] or ["withdrawn"]
        return [(Sound(start, end), cls) for start, end, cls in zip(edges, edges[1:], colours, strict=False)]


def hatch(name: str) -> str:
    """Return the stripes of a held turn."""
    line = tag("line", cls="stripe", x1=0, y1=0, x2=0, y2=8)
    pattern = tag(
        "pattern", line, id=f"held-{name}", width="8", height="8", patternUnits="userSpaceOnUse",
        patternTransform="rotate(45)",
    )  # fmt: skip
    return tag("defs", pattern)


def _last_line(placed: Sequence[Placed]) -> int:
    return max((one.line for one in placed), default=0)


def _gain(track: Track) -> float:
    """Return what makes the loud moments fill the lane; a silent track stays flat."""
    level = track.level
    return 0.9 / level if level > 0.01 else 1.0
