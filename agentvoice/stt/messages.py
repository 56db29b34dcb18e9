"""The recognition sockets on the wire, for both ends. Nothing here waits or keeps state.

    client                                         server
    render_command(Finalize | Close)       ───►    parse_command          `/stt/websocket`: plain words
    render_turn_command(Close | Configure) ───►    parse_turn_command     `/stt/turns/websocket`: JSON
    binary messages of audio               ───►
    parse_heard, which never raises        ◄───    render_heard

Versions are the protocol's dates (`2026-03-01`), compared as text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, TypeAlias

import msgspec

from agentvoice.tts.messages import Failure, has_structured_errors
from agentvoice.tts.responses import failure_line
from agentvoice.utterance import HeardWord

# ------------------------------------------------------------------ what a client says


@dataclass(frozen=True, slots=True)
class Finalize:
    """Make what was said so far final."""


@dataclass(frozen=True, slots=True)
class Close:
    """Make all final, and close the socket."""


@dataclass(frozen=True, slots=True)
class Configure:
    """Change how turns are told apart. What is absent stays as it is."""

    start_threshold: float | None = None
    eager_end_threshold: float | None = None
    end_threshold: float | None = None
    end_timeout_ms: float | None = None


Command: TypeAlias = Finalize | Close
TurnCommand: TypeAlias = Configure | Close

_WORDS: Final[Mapping[str, Command]] = {"finalize": Finalize(), "close": Close(), "done": Close()}
"""`done` is how clients of 2025 say `close`."""


class CommandRejected(Exception):
    """A client's command means nothing; the message says what would."""


def parse_command(message: str) -> Command:
    """Read what a client of `/stt/websocket` says.

    Raises:
        CommandRejected: it is none of the words that there are.
    """
    command = _WORDS.get(message.strip().lower())
    if command is None:
        raise CommandRejected("a text message is 'finalize', 'close' or 'done'; audio goes into binary messages")
    return command


def render_command(command: Command, *, older: bool = False) -> str:
    """Write what a client of `/stt/websocket` says; `older` servers know no `close`."""
    if isinstance(command, Finalize):
        return "finalize"
    return "done" if older else "close"


class _TurnCommand(msgspec.Struct):
    type: str = ""
    turn: dict[str, Any] | None = None


def parse_turn_command(message: str) -> TurnCommand:
    """Read what a client of `/stt/turns/websocket` says.

    Raises:
        CommandRejected: it is no JSON, or not one of the commands.
    """
    try:
        read = msgspec.json.decode(message, type=_TurnCommand)
        if read.type == "close":
            return Close()
        if read.type == "config":
            known = Configure.__slots__
            return msgspec.convert({name: each for name, each in (read.turn or {}).items() if name in known}, Configure)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise CommandRejected(f"a text message is JSON: {error}") from error
    raise CommandRejected('a text message is {"type":"close"} or {"type":"config","turn":{...}}')


def render_turn_command(command: TurnCommand) -> str:
    """Write what a client of `/stt/turns/websocket` says."""
    if isinstance(command, Close):
        return '{"type":"close"}'
    turn = {name: each for name, each in asdict(command).items() if each is not None}
    return _encode({"type": "config", "turn": turn})


# ------------------------------------------------------------------ what a server says


@dataclass(frozen=True, slots=True)
class Connected:
    """`/stt/turns/websocket`: the socket is ready. Audio may come before."""


@dataclass(frozen=True, slots=True)
class Words:
    """`/stt/websocket`: what was said since the last final words. The final ones, one after the other, are the text."""

    text: str
    is_final: bool
    duration: float | None = None
    """Seconds of audio that it is about."""
    language: str = ""
    words: tuple[HeardWord, ...] = ()
    """With times in seconds since the first sample."""


@dataclass(frozen=True, slots=True)
class FlushDone:
    """`/stt/websocket`: the answer to `Finalize`."""


@dataclass(frozen=True, slots=True)
class Done:
    """`/stt/websocket`: the answer to `Close`."""


@dataclass(frozen=True, slots=True)
class TurnStart:
    """Somebody has begun to speak."""


@dataclass(frozen=True, slots=True)
class TurnUpdate:
    """More words of the turn are certain."""

    transcript: str
    """All of them."""


@dataclass(frozen=True, slots=True)
class TurnEagerEnd:
    """The turn has probably ended."""

    transcript: str


@dataclass(frozen=True, slots=True)
class TurnResume:
    """The turn goes on, after all."""


@dataclass(frozen=True, slots=True)
class TurnEnd:
    """The turn has ended."""

    transcript: str


@dataclass(frozen=True, slots=True)
class Strange:
    """A message that means nothing to us."""

    type: str
    size: int


Heard: TypeAlias = (
    Connected | Words | FlushDone | Done | TurnStart | TurnUpdate | TurnEagerEnd | TurnResume | TurnEnd | Failure
)

_NAMES: Final[Mapping[type, str]] = {
    Connected: "connected",
    Words: "transcript",
    FlushDone: "flush_done",
    Done: "done",
    TurnStart: "turn.start",
    TurnUpdate: "turn.update",
    TurnEagerEnd: "turn.eager_end",
    TurnResume: "turn.resume",
    TurnEnd: "turn.end",
    Failure: "error",
}


def render_heard(heard: Heard, *, request_id: str, version: str) -> str:
    """Write what a server says on the connection `request_id`, as a client of `version` expects it."""
    common = {"type": _NAMES[type(heard)], "request_id": request_id}
    match heard:
        case Words():
            return _encode(common | _said(heard))
        case TurnUpdate(transcript) | TurnEagerEnd(transcript) | TurnEnd(transcript):
            return _encode(common | {"transcript": transcript})
        case Failure():
            return _encode(common | _error(heard, version))
        case _:
            return _encode(common)


def _said(heard: Words) -> dict[str, Any]:
    own: dict[str, Any] = {"text": heard.text, "is_final": heard.is_final}
    own |= {"duration": round(heard.duration, 3)} if heard.duration is not None else {}
    own |= {"language": heard.language} if heard.language else {}
    return own | ({"words": times(heard.words)} if heard.words else {})


def times(words: Iterable[HeardWord]) -> list[dict[str, Any]]:
    """Return words as they are written, with their times."""
    return [{"word": word.word, "start": round(word.start, 3), "end": round(word.end, 3)} for word in words]


def _error(failure: Failure, version: str) -> dict[str, Any]:
    own: dict[str, Any] = {"status_code": failure.status_code, "title": failure.title, "message": failure.message}
    if has_structured_errors(version):
        return own | {"error_code": failure.error_code}
    return own | {"error": failure_line(failure)}


class _Word(msgspec.Struct):
    word: str = ""
    start: float | None = None
    end: float | None = None


class _Message(msgspec.Struct):
    type: str = ""
    text: str | None = None
    is_final: bool | None = None
    duration: float | None = None
    language: str | None = None
    words: list[_Word] | None = None
    transcript: str | None = None
    status_code: int | None = None
    error_code: str | None = None
    title: str | None = None
    message: str | None = None
    error: str | None = None
    request_id: str | None = None


def parse_heard(message: str | bytes) -> Heard | Strange:
    """Read what a server says, of whichever version. Never raises."""
    try:
        read = _decoder.decode(message)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return Strange("", len(message))
    match read.type:
        case "transcript":
            return Words(
                read.text or "", bool(read.is_final), read.duration, read.language or "", _words(read.words or ())
            )
        case "turn.update":
            return TurnUpdate(read.transcript or "")
        case "turn.eager_end":
            return TurnEagerEnd(read.transcript or "")
        case "turn.end":
            return TurnEnd(read.transcript or "")
        case "error":
            # Versions of 2025 have nothing but a message, and no status: then it is the server's own fault.
            title, said = read.title or "", read.message or read.error or ""
            return Failure(None, read.status_code or 500, title, said, read.error_code, read.request_id)
        case _:
            return _PLAIN.get(read.type) or Strange(read.type, len(message))


_PLAIN: Final[Mapping[str, Heard]] = {
    "connected": Connected(),
    "flush_done": FlushDone(),
    "done": Done(),
    "turn.start": TurnStart(),
    "turn.resume": TurnResume(),
}


def _words(words: Iterable[_Word]) -> tuple[HeardWord, ...]:
    return tuple(
        HeardWord(word.word, word.start, word.end) for word in words if word.start is not None and word.end is not None
    )


def _encode(members: dict[str, Any]) -> str:
    return msgspec.json.encode(members).decode()


_decoder: Final = msgspec.json.Decoder(_Message)
