"""How ElevenLabs words it: the messages of `/v1/text-to-speech/{voice_id}/multi-stream-input`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from agentvoice.audio import AudioFormat
from agentvoice.markup import Markup
from agentvoice.tts.messages import (
    Cancel,
    Chunk,
    Done,
    Failure,
    Interval,
    Request,
    Response,
    Timestamps,
    Unknown,
)

_STATUS: Final = {
    "max_active_conversations": 429,
    "too_many_concurrent_requests": 429,
    "system_busy": 503,
    "quota_exceeded": 402,
}
"""Errors come with the code of the close that follows (1008); here with the HTTP status that says what they mean."""


class _Alignment(msgspec.Struct, rename="camel"):
    chars: list[str]
    char_start_times_ms: list[float]
    char_durations_ms: list[float]


class _Message(msgspec.Struct, rename="camel"):
    context_id: str | None = None
    audio: bytes | None = None
    is_final: Any = None
    alignment: _Alignment | None = None
    normalized_alignment: _Alignment | None = None
    error: Any = None
    message: Any = None


_decoder: Final = msgspec.json.Decoder(_Message)
_encoder: Final = msgspec.json.Encoder()


@dataclass(slots=True)
class _Progress:
    """How far the audio of one context is."""

    seconds: float = 0.0
    word: str = ""
    """The beginning of a word, whose rest may come with the next chunk."""
    start: float = 0.0
    end: float = 0.0


class MultiContext:
    """The dialect of one socket, whose audio is of one format."""

    markup = Markup(points=frozenset({"break"}))

    def __init__(self, audio: AudioFormat, voice_settings: Mapping[str, Any] | None = None) -> None:
        self._audio = audio
        self._unsaid_settings = dict(voice_settings or {})
        self._contexts: dict[str, _Progress] = {}

    # ------------------------------------------------------------------ what we say

    def render(self, request: Request) -> Sequence[str]:
        """See `Dialect.render`."""
        if isinstance(request, Cancel):
            return [_encode(context_id=request.context_id, close_context=True)]
        context_id, messages = request.context_id, []
        if request.transcript:
            if self._unsaid_settings:
                # Only the first message of a socket may have them: a later one costs the socket (1008), even where they
                # are the same.
                messages.append(_encode(context_id=context_id, text=" ", voice_settings=self._unsaid_settings))
                self._unsaid_settings = {}
            self._contexts.setdefault(context_id, _Progress())
            # The text has to end with a blank. It is a sentence, or as good as one: there is nothing to wait for.
            messages.append(_encode(context_id=context_id, text=request.transcript.rstrip() + " ", flush=True))
        if not request.continue_:
            messages.append(_encode(context_id=context_id, close_context=True))
        return messages

    # ------------------------------------------------------------------ what they say

    def parse(self, message: str | bytes) -> Sequence[Response]:
        """See `Dialect.parse`."""
        try:
            read = _decoder.decode(message)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return [Unknown(None, None, len(message))]
        if read.error:
            return [_failure(read)]
        if read.context_id is None:
            return [Unknown(None, None, len(message))]
        return list(self._responses(read, read.context_id)) or [Unknown(read.context_id, None, len(message))]

    def _responses(self, read: _Message, context_id: str) -> Iterator[Response]:
        progress = self._contexts.setdefault(context_id, _Progress())
        alignment = read.alignment or read.normalized_alignment
        if alignment is not None and (words := tuple(_words(alignment, progress))):
            yield Timestamps(context_id, words)
        if read.audio:
            progress.seconds += self._audio.seconds(len(read.audio))
            yield Chunk(context_id, read.audio)
        if read.is_final:
            if progress.word:
                yield Timestamps(context_id, ((progress.word, progress.start, progress.end),))
            del self._contexts[context_id]
            yield Done(context_id)


def _words(alignment: _Alignment, progress: _Progress) -> Iterator[Interval]:
    """Put characters together to words, whose times count from the start of the context, not of the chunk."""
    timed = zip(alignment.chars, alignment.char_start_times_ms, alignment.char_durations_ms, strict=False)
    for character, start_ms, lasts_ms in timed:
        if character.isspace():
            if progress.word:
                yield progress.word, progress.start, progress.end
            progress.word = ""
            continue
        at = progress.seconds + start_ms / 1000
        if not progress.word:
            progress.start = at
        progress.word += character
        progress.end = at + lasts_ms / 1000


def _failure(read: _Message) -> Failure:
    code = str(read.error)
    return Failure(read.context_id, _STATUS.get(code, 400), code, str(read.message or ""), code)


def _encode(**members: Any) -> str:
    return _encoder.encode(members).decode()
