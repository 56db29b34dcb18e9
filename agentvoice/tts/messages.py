"""What the two ends of the context protocol say to each other, as frozen values.

`requests.py` and `responses.py` write them as JSON and read them back; `wire.py` has it all under one name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from agentvoice.audio import AudioFormat
from agentvoice.errors import RemoteProtocolError

# ------------------------------------------------------------------ versions: dates, compared as text

CURRENT_VERSION: Final = "2026-03-01"
"""What our client asks for."""
_STRUCTURED_ERRORS: Final = "2026-03-01"
_ONE_BASED_FLUSHES: Final = "2025-04-16"
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


def has_structured_errors(version: str) -> bool:
    """Return whether errors of this version are JSON members, and not one line of text."""
    return bool(_DATE.fullmatch(version)) and version >= _STRUCTURED_ERRORS


def first_flush_id(version: str) -> int:
    """Return the number of a context's first flush: the SDKs that send 2024 dates count from zero."""
    return 0 if _DATE.fullmatch(version) and version < _ONE_BASED_FLUSHES else 1


# ------------------------------------------------------------------ what the client says


@dataclass(frozen=True, slots=True)
class GenerationConfig:
    """How to speak. May change from one request of a context to the next."""

    speed: float = 1.0
    """1 is natural, 0.6 to 1.5."""
    volume: float = 1.0
    """1 is natural, 0.5 to 2."""
    emotion: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Generate:
    """Text for a context, which it opens when it is new. `None` stands for "not said"."""

    context_id: str
    transcript: str = field(repr=False)
    """Joined verbatim with what was sent before. Empty (or blank) to flush or to finish; then `model_id`,
    voice and `output` mean nothing, and a parsed request has `None` there."""
    continue_: bool = False
    """Whether more text may follow; if not, the context is done once this has been spoken."""
    flush: bool = False
    """Whether to speak all buffered text now, and say `FlushDone` after it."""
    model_id: str | None = None
    voice_id: str | None = None
    embedding: tuple[float, ...] | None = field(default=None, repr=False)
    """A voice as 192 numbers, which old clients send instead of an id."""
    output: AudioFormat | None = None
    language: str | None = None
    locale: str | None = None
    """Like `language`, such as `en-GB`; never together with it."""
    max_buffer_delay_ms: int | None = None
    """How long the server may hold text back, 0 to 5000; 0: each submission is spoken as it stands, and flushed."""
    add_timestamps: bool = False
    add_phoneme_timestamps: bool = False
    use_normalized_timestamps: bool | None = None
    """True: words as spoken; false: as written."""
    generation: GenerationConfig | None = None
    pronunciation_dict_id: str | None = None
    normalization: str | None = None
    duration: float | None = None
    """The most audio that is wanted, in seconds."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """Nothing of this context is wanted any more. It has no answer."""

    context_id: str


Request: TypeAlias = Generate | Cancel

# ------------------------------------------------------------------ what the server says

Interval: TypeAlias = tuple[str, float, float]
"""A word or phoneme, its start and its end, in seconds since the start of the *context's* audio."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a context's audio, in the format that was asked for."""

    context_id: str
    audio: bytes = field(repr=False)
    step_ms: float = 0.0
    """How long the server took for it, in milliseconds."""
    flush_id: int | None = None


@dataclass(frozen=True, slots=True)
class Timestamps:
    """When words are spoken. May come before or after the audio that they are about."""

    context_id: str
    words: tuple[Interval, ...]
    flush_id: int | None = None


@dataclass(frozen=True, slots=True)
class PhonemeTimestamps:
    """When phonemes are spoken."""

    context_id: str
    phonemes: tuple[Interval, ...]
    flush_id: int | None = None


@dataclass(frozen=True, slots=True)
class FlushDone:
    """All audio up to a flush has been sent. Count these; the numbers have a different base in each version."""

    context_id: str
    flush_id: int | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """Everything of the context has been sent. The last message about it."""

    context_id: str


@dataclass(frozen=True, slots=True)
class Failure:
    """The context failed; this is its end, and nobody else's. Both error shapes of the wire become this."""

    context_id: str | None
    """`None` when the server did not say: then it is about the socket, or about a request that cannot be told."""
    status_code: int
    """As in HTTP: 400, 401, 402, 403, 404, 429, 500, ..."""
    title: str
    message: str
    error_code: str | None = None
    """`quota_exceeded`, `concurrency_limited`, `voice_not_found`, `model_not_found`, ...; more may come."""
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """A message that means nothing to us. Count it and go on."""

    context_id: str | None
    type: str | None
    size: int
    """Length of the message, in characters or bytes."""


@dataclass(frozen=True, slots=True)
class UnknownMember:
    """A message had more to it than we know; what we do know of it is a response of its own. Count it and go on."""

    context_id: str | None
    what: str
    """Which member, in a few words."""


Reply: TypeAlias = Chunk | Timestamps | PhonemeTimestamps | FlushDone | Done | Failure
Response: TypeAlias = Reply | Unknown | UnknownMember


class RequestRejected(RemoteProtocolError):
    """A request that the server will not carry out; `failure` is the answer to it."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.title}: {failure.message}")
        self.failure = failure


def rejected(
    context_id: str | None, title: str, message: str, *, status_code: int = 400, error_code: str | None = None
) -> RequestRejected:
    """Return the error to raise about a request of `context_id`."""
    return RequestRejected(Failure(context_id, status_code, title, message, error_code))
