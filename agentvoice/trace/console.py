"""A call on the terminal, as it happens: who speaks, live words, turns and contexts, barge-ins, latencies.

On a terminal the last lines change in place; elsewhere, such as in a log, only what is settled is written, line by
line. It runs in the loop that carries the call, so it draws at most ten times a second.
Needs `rich` (the extra `cli`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from textwrap import shorten
from typing import Final

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from agentvoice.commands import (
    BargeInDecided,
    Command,
    ContextSucceeded,
    HangUp,
    StaleDropped,
    StartTool,
    StopTool,
    TurnChanged,
    TurnClosed,
    TurnOpened,
    TurnState,
    UtteranceEnded,
)
from agentvoice.events import (
    Event,
    HungUp,
    KeyPressed,
    SayRequested,
    SpeechStarted,
    TextProduced,
    ToolEnded,
    ToolOutcome,
    ToolRequested,
    Transcript,
    WordsReceived,
)

from .story import LATENCY_PARTS

_CALLER: Final = "cyan"
_AGENT: Final = "blue"
_TOOL: Final = "magenta"
_ALARM: Final = "dark_orange3"
_DRAW_EVERY_S: Final = 0.1
_OUTCOMES: Final = {
    TurnState.COMPLETED: _AGENT,
    TurnState.INTERRUPTED: _ALARM,
    TurnState.WITHDRAWN: "bright_black",
    TurnState.FAILED: "red",
}


@dataclass(slots=True)
class _Live:
    """The turn that is under way."""

    turn_id: str
    context_id: str
    text: str = ""
    words: list[tuple[str, float]] = field(default_factory=list)
    """Each with its start, in seconds of the context's audio."""
    speaking_since: float | None = None
    state: TurnState = TurnState.OPEN


class CallView:
    """Show one call while it happens. An `Observer`."""

    def __init__(self, console: Console | None = None, *, started_at: float | None = None) -> None:
        """Show it on `console`, standard output by default. Times are since `started_at`, or the first event."""
        self._console = console or Console(highlight=False)
        self._started_at = started_at
        self._now = 0.0
        self._partial: str | None = None  # what the caller is saying
        self._speech_at: float | None = None
        self._turn: _Live | None = None
        self._said: dict[str, str] = {}
        self._tools: dict[str, str] = {}  # those asked for, and with what
        self._drawn = -1.0  # when the live lines were last drawn
        self._live = Live(console=self._console, auto_refresh=False, transient=True, vertical_overflow="crop")
        if self._console.is_terminal:
            self._live.start()

    # ------------------------------------------------------------------ an observer

    def received(self, now: float, event: Event | None) -> None:
        """Take what happened."""
        if self._started_at is None:
            self._started_at = now
        self._now = now
        match event:
            case SpeechStarted(at):
                self._speech_at, self._partial = at, self._partial or ""
            case Transcript(text):
                self._partial = text or None  # a segment without words was a noise
            case TextProduced(turn_id, text) if self._turn and self._turn.turn_id == turn_id:
                self._turn.text += text
            case SayRequested(turn_id, text):
                self._said[turn_id] = text
            case WordsReceived(context_id, words) if self._turn and self._turn.context_id == context_id:
                self._turn.words += [(word, start) for word, start, _ in words]
            case ToolRequested(_, tool_call_id, name, arguments):
                self._tools[tool_call_id] = shorten(f"{name} {arguments}", 60, placeholder="...")
            case ToolEnded(tool_call_id, outcome, result):
                told = f"{self._tools.pop(tool_call_id, tool_call_id)} · {outcome}: {result}"
                style = "" if outcome is ToolOutcome.DONE else _ALARM
                self._line("tool", _TOOL, Text(shorten(told, 160, placeholder="..."), style))
            case KeyPressed(key):
                self._line("key", _CALLER, Text(key, "bold"))
            case HungUp(reason):
                self._line("", "", Text(f"the line is closed ({reason})", "bright_black"))
            case _:
                pass
        self._refresh()

    def decided(self, now: float, commands: Sequence[Command]) -> None:
        """Take what was decided."""
        self._now = now
        for command in sorted(commands, key=self._rank):
            self._decided(command)
        self._refresh()

    def _rank(self, command: Command) -> int:
        """Put what is over before what cut it, and that before what follows, within one step."""
        match command:
            case UtteranceEnded():
                return 0
            case TurnClosed(turn_id) if self._turn is not None and self._turn.turn_id == turn_id:
                return 1
            case BargeInDecided():
                return 2
            case _:
                return 3

    def closed(self) -> None:
        """The call is over. Harmless when repeated."""
        self._partial, self._turn = None, None
        if self._live.is_started:
            self._live.update(self._group(), refresh=True)
            self._live.stop()

    def _decided(self, command: Command) -> None:
        match command:
            case UtteranceEnded(text):
                self._partial = None
                self._line("caller", _CALLER, Text(text))
            case TurnOpened(turn_id, context_id):
                self._turn = _Live(turn_id, context_id, self._said.pop(turn_id, ""))
                self._line("", "", _opened(turn_id, context_id))
            case ContextSucceeded(turn_id, old, new) if self._turn and self._turn.turn_id == turn_id:
                self._turn.context_id = new
                self._line("", "", Text(f"{turn_id} goes on in {new}, {old} is dead", "bright_black"))
            case TurnChanged(turn_id, state) if self._turn and self._turn.turn_id == turn_id:
                self._turn.state = state
                if state is TurnState.SPEAKING and self._turn.speaking_since is None:
                    self._turn.speaking_since = self._now
            case TurnClosed():
                self._closed_turn(command)
            case BargeInDecided(_, decision, source):
                self._barge_in(decision, source)
            case StartTool(tool_call_id):
                self._line("tool", _TOOL, Text(self._tools.get(tool_call_id, tool_call_id), "bright_black"))
            case StopTool(tool_call_id):
                self._line("tool", _TOOL, Text(f"{self._tools.get(tool_call_id, tool_call_id)} · stop", _ALARM))
            case StaleDropped(context_id, size) if size:
                self._line("", "", Text(f"late audio of {context_id} dropped at the gate", "bright_black"))
            case HangUp():
                self._line("", "", Text("the agent hangs up", "bright_black"))
            case _:
                pass

    # ------------------------------------------------------------------ what is settled

    def _closed_turn(self, closed: TurnClosed) -> None:
        if self._turn is not None and self._turn.turn_id == closed.turn_id:
            self._turn = None
        style = _OUTCOMES.get(closed.outcome, _AGENT)
        if closed.heard is not None:
            spoken = Text(closed.heard.text)
            if not closed.heard.complete:
                spoken.append(" —", _ALARM)
            self._line("agent", style, spoken)
        facts = [f"{closed.turn_id} {closed.outcome}"]
        if closed.heard is not None:
            facts.append(f"{closed.heard.seconds:.1f} s heard ({closed.heard.evidence})")
        facts += [*_latency(closed), *([closed.reason] if closed.reason else [])]
        self._line("", "", Text(" · ".join(facts), "red" if closed.outcome is TurnState.FAILED else "bright_black"))

    def _barge_in(self, decision: str, source: str) -> None:
        if decision == "resumed":
            self._line("", "", Text("false alarm: the agent goes on", "bright_black"))
        if decision != "confirmed":
            return
        told = Text("the caller cuts in" if source != "deadline" else "the caller goes on speaking", _ALARM)
        if self._speech_at is not None and self._now > self._speech_at:
            told.append(f" · line cleared {1000 * (self._now - self._speech_at):.0f} ms after their first sound")
        self._line("barge-in", f"bold {_ALARM}", told.append(f" ({source})"))

    def _line(self, who: str, style: str, what: Text) -> None:
        """Write a line that will not change again."""
        at = self._now - (self._started_at or 0.0)
        clock = f"{int(at // 60)}:{at % 60:05.2f}"
        if self._console.is_terminal:
            self._live.update(self._group(), refresh=True)
            self._console.print(_row(Text(clock, "bright_black"), Text(who, style), what))
        else:
            self._console.print(f"{clock}  {who:<8}  {what.plain}", markup=False, soft_wrap=True)

    # ------------------------------------------------------------------ what is not

    def _refresh(self) -> None:
        if self._live.is_started and self._now - self._drawn >= _DRAW_EVERY_S:
            self._drawn = self._now
            self._live.update(self._group(), refresh=True)

    def _group(self) -> Group:
        """Return the lines that still change: what the caller and the agent are saying."""
        rows = []
        if self._partial is not None:
            rows.append(_row(Text("…", "bright_black"), Text("caller", _CALLER), Text(self._partial + "▌", _CALLER)))
        turn = self._turn
        if turn is not None and turn.state is not TurnState.OPEN:
            who = "held" if turn.state is TurnState.HELD else "agent"
            rows.append(_row(Text("…", "bright_black"), Text(who, _AGENT), self._words(turn)))
        return Group(*rows)

    def _words(self, turn: _Live) -> Text:
        """Return the turn's text: bright what has been spoken by now, dim what has not."""
        if turn.speaking_since is None:
            return Text(turn.text or "thinking", "bright_black")
        played = self._now - turn.speaking_since
        spoken = sum(start <= played for _, start in turn.words)
        words = turn.text.split() or [word for word, _ in turn.words]
        return Text(" ".join(words[:spoken])).append(" " + " ".join(words[spoken:]), "bright_black")


def _opened(turn_id: str, context_id: str) -> Text:
    return Text(f"{turn_id} opens · context {context_id}", "bright_black")


def _latency(closed: TurnClosed) -> Sequence[str]:
    """Return how long the answer took, and what it took longest for."""
    line = closed.timeline
    if not {"caller_stopped", "first_frame_out"} <= line.keys():
        return []
    parts = {
        name: line[until] - line[since]
        for name, (since, until) in LATENCY_PARTS.items()
        if since in line and until in line and line[until] - line[since] >= 0.01
    }
    told = ", ".join(f"{name} {1000 * seconds:.0f}" for name, seconds in parts.items())
    whole = line["first_frame_out"] - line["caller_stopped"]
    return [f"answered after {whole:.2f} s" + (f" ({told} ms)" if told else "")]


def _row(clock: Text, who: Text, what: Text) -> Table:
    """Set one line: when, who, and what, which wraps beneath itself."""
    row = Table.grid(padding=(0, 2, 0, 0), expand=True)
    row.add_column(width=7, justify="right")
    row.add_column(width=8)
    row.add_column(ratio=1, overflow="fold")
    row.add_row(clock, who, what)
    return row
