"""The trace: an append-only log of everything that went into a call's conversation, and all that it decided.

JSON lines. The first is the header; then each step is one line for its input, followed by one for each decision:

    {"agentvoice_trace": 1, "call_id": "c1", "started_at": 5125.5, "audio": {…}, "agent": "receptionist", …}
    {"t": 2.104512, "now": 5127.604512207, "in": "SpeechStarted", "at": 5127.42}
    {"t": 2.304512, "now": 5127.804512301, "in": "Timer"}
    {"t": 2.304512, "out": "SendAudio", "context_id": "c1-1", "audio": {"size": 800, "sha": "5d7f3a02"}}

`t` is seconds since the call began, for people. `now`, and every time in a field, is on the clock that showed
`started_at` when it began, to the last bit: so a replay is exact. `docs/reference/trace.md` has the schema.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, TextIO

import msgspec
import structlog

from agentvoice.audio import TELEPHONE, AudioFormat
from agentvoice.commands import Command
from agentvoice.errors import UsageError
from agentvoice.events import Event

from .codec import COMMANDS, DOT, EVENTS, Keep, Unknown, facts, kind, value

log = structlog.get_logger(__name__)

VERSION: Final = 1
_MAGIC: Final = "agentvoice_trace"
_TIMER: Final = "Timer"
_IMPERSONAL: Final = frozenset({"manners", "markup", "voicing"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a trace says of its call before anything happens in it."""

    call_id: str
    started_at: float
    """What the clock that `now` comes from showed when the call began, in seconds."""
    audio: AudioFormat = TELEPHONE
    """What the line carries."""
    agent: str = ""
    has_marks: bool = True
    """Whether the far end reports marks back."""
    keep: Keep = Keep.WORDS
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else a replay has to know, such as the manners; JSON values or dataclasses of them."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a conversation: what happened, and what was decided."""

    now: float
    event: Event | Unknown | None
    """`None` when its timer rang."""
    commands: tuple[Command | Unknown, ...] = ()
    line: int = 0
    """The line of the input in the file, from 1."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A whole trace, read back."""

    header: Header
    steps: tuple[Step, ...]
    torn: bool = False
    """Whether the last line was cut short, as by a crash."""


class TraceWriter:
    """Write a call's trace as it happens. An `Observer`; each line is complete before the call goes on."""

    def __init__(self, out: TextIO, header: Header) -> None:
        """Write to `out`, which is closed with the call. Open it line-buffered: a crash then loses one line at most."""
        self._out: TextIO | None = out
        self._started_at = header.started_at
        self._keep = header.keep
        if header.keep is Keep.SHAPE:
            header = replace(header, settings=_impersonal(header.settings))
        self._write({_MAGIC: VERSION, **_finite(msgspec.to_builtins(header, order="deterministic"))})

    @classmethod
    def create(cls, path: Path, header: Header) -> TraceWriter:
        """Begin a new trace at `path`, in place of any older one.

        Raises:
            UsageError: the file cannot be written.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            return cls(path.open("w", encoding="utf-8", buffering=1, newline="\n"), header)
        except OSError as error:
            raise UsageError(f"cannot write the trace to {path}: {error.strerror}; give another path") from error

    def received(self, now: float, event: Event | Unknown | None) -> None:
        """Write what happened."""
        head = {"t": self._since(now), "now": now}
        if event is None:
            self._write({**head, "in": _TIMER})
        else:
            self._write({**head, "in": kind(event), **facts(event, self._keep)})

    def decided(self, now: float, commands: Sequence[Command | Unknown]) -> None:
        """Write what was decided."""
        for command in commands:
            self._write({"t": self._since(now), "out": kind(command), **facts(command, self._keep)})

    def closed(self) -> None:
        """End the trace. Harmless when it has ended."""
        if self._out is not None:
            self._out.close()
            self._out = None

    def _since(self, now: float) -> float:
        return round(now - self._started_at, 6)

    def _write(self, line: Mapping[str, Any]) -> None:
        if self._out is None:
            return
        try:
            self._out.write(msgspec.json.encode(line).decode() + "\n")
        except OSError as error:  # a full disk must not end a call
            log.warning("trace_lost", reason=error.strerror)
            self._out = None


def read_trace(source: Path | str | Iterable[str]) -> Trace:
    """Read a trace back: from a file, from all of its text, or from its lines.

    Kinds that this version does not know come back as `Unknown`; a torn last line is left out.

    Raises:
        UsageError: there is no such file, or it is no trace; the message names the line.
    """
    if isinstance(source, Path):
        try:
            lines = _lines(source.read_text(encoding="utf-8", errors="replace"))
        except OSError as error:
            raise UsageError(f"cannot read the trace {source}: {error.strerror}") from error
        name = str(source)
    else:
        lines, name = _lines(source) if isinstance(source, str) else list(source), "trace"
    if not lines:
        raise UsageError(f"{name} is empty: not a trace")
    header = _header(_parse(lines[0]), name)
    steps: list[Step] = []
    for number, text in enumerate(lines[1:], start=2):
        line = _parse(text)
        if line is None and number == len(lines):
            return Trace(header, tuple(steps), torn=True)
        if line is None or not (("in" in line and "now" in line) or ("out" in line and steps)):
            raise UsageError(f"{name}, line {number}: neither an input nor a decision; is the file damaged?")
        if "in" in line:
            steps.append(Step(line.pop("now"), _event(line), line=number))
        else:
            last = steps[-1]
            steps[-1] = Step(last.now, last.event, (*last.commands, _command(line)), last.line)
    return Trace(header, tuple(steps))


def _impersonal(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """What somebody wrote may name people, such as instructions; manners are numbers and common words."""
    return {name: value if name in _IMPERSONAL else DOT for name, value in settings.items()}


def _finite(plain: Any) -> Any:
    """Write infinity as a word: JSON has no number for it, and `null` would be read as something else."""
    match plain:
        case float() if not math.isfinite(plain):
            return str(plain)
        case dict():
            return {name: _finite(item) for name, item in plain.items()}
        case list():
            return [_finite(item) for item in plain]
        case _:
            return plain


def _lines(text: str) -> list[str]:
    """Cut at line feeds, and nowhere else: what people said may hold other characters that end a line."""
    return text.removesuffix("\n").split("\n") if text else []


def _parse(text: str) -> dict[str, Any] | None:
    try:
        line = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None
    return line if isinstance(line, dict) else None


def _header(line: dict[str, Any] | None, name: str) -> Header:
    version = (line or {}).get(_MAGIC)
    if line is None or not isinstance(version, int):
        raise UsageError(f"{name} does not begin with a trace's header: not a trace of agentvoice")
    if version < 1:
        raise UsageError(f"{name} is of trace version {version}, which never was; is the file damaged?")
    if version > VERSION:
        raise UsageError(f"{name} was written by a newer agentvoice (trace version {version}); upgrade to read it")
    try:
        return msgspec.convert(line, Header)
    except msgspec.ValidationError as error:
        raise UsageError(f"{name}, line 1: {error}") from error


def _event(line: dict[str, Any]) -> Event | Unknown | None:
    name = line.pop("in")
    line.pop("t", None)
    return None if name == _TIMER else value(EVENTS, name, line)


def _command(line: dict[str, Any]) -> Command | Unknown:
    name = line.pop("out")
    line.pop("t", None)
    return value(COMMANDS, name, line)  # type: ignore[no-any-return]
