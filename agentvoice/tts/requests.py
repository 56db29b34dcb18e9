"""What the client says: requests, as JSON text and back.

A reader is lenient, since real clients are: `null` stands for "not said", members it does not know are ignored, and
every shape of a voice that any version had is understood.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from agentvoice.audio import AudioFormat, Encoding

from ._json import UNREADABLE, encode, said
from .messages import CURRENT_VERSION, Cancel, Generate, GenerationConfig, Request, first_flush_id, rejected

_PLAIN_VOICES: Final = "2026-08-14"
"""The version from which on a voice is an id, and not an object."""
SAMPLE_RATES: Final = (8000, 16000, 22050, 24000, 44100, 48000)
"""The sample rates that the protocol knows, in Hz."""
MAX_BUFFER_DELAY_MS: Final = 5000
SPEED: Final = (0.6, 1.5)
VOLUME: Final = (0.5, 2.0)
_OLD_SPEEDS: Final = {"slowest": 0.6, "slow": 0.8, "normal": 1.0, "fast": 1.2, "fastest": 1.5}
"""Words that versions before `generation_config` have for a speed."""


class _Output(msgspec.Struct):
    container: str | None = None
    encoding: str | None = None
    sample_rate: float | None = None


class _Config(msgspec.Struct):
    speed: float | None = None
    volume: float | None = None
    emotion: str | None = None


class _Request(msgspec.Struct, rename={"continue_": "continue"}):
    context_id: str | None = None
    cancel: Any = None
    transcript: str | None = None
    continue_: bool | None = None
    flush: bool | None = None
    model_id: str | None = None
    voice: Any = None
    output_format: Any = None
    language: str | None = None
    locale: str | None = None
    max_buffer_delay_ms: float | None = None
    add_timestamps: bool | None = None
    add_phoneme_timestamps: bool | None = None
    use_normalized_timestamps: bool | None = None
    use_original_timestamps: bool | None = None
    generation_config: _Config | None = None
    speed: Any = None
    pronunciation_dict_id: str | None = None
    normalization: str | None = None
    duration: float | None = None


class _Named(msgspec.Struct):
    context_id: Any = None


_request: Final = msgspec.json.Decoder(_Request)
_named: Final = msgspec.json.Decoder(_Named)


def parse_request(message: str | bytes, version: str = CURRENT_VERSION, *, default_id: str | None = None) -> Request:
    """Read what a client sends. `default_id` is the context of a request that names none.

    Raises:
        RequestRejected: it cannot be read, or asks for what the protocol does not have.
    """
    try:
        read = _request.decode(message)
    except UNREADABLE as error:
        raise rejected(_context_of(message), "Invalid request", _plain(error)) from error
    context_id = read.context_id or default_id
    if context_id is None:
        raise rejected(None, "Invalid request", "context_id is required")
    if read.cancel is True:
        return Cancel(context_id)
    try:
        return _generate(context_id, read, version)
    except msgspec.ValidationError as error:
        raise rejected(context_id, "Invalid request", _plain(error)) from error


def _generate(context_id: str, read: _Request, version: str) -> Generate:
    if read.transcript is None:
        raise rejected(context_id, "Invalid request", "transcript is required")
    if read.language and read.locale:
        raise rejected(context_id, "Invalid request", "language and locale exclude each other")
    delay = read.max_buffer_delay_ms
    if delay is not None and not 0 <= delay <= MAX_BUFFER_DELAY_MS:
        message = f"max_buffer_delay_ms must be between 0 and {MAX_BUFFER_DELAY_MS}"
        raise rejected(context_id, "Invalid max_buffer_delay_ms", message)
    if read.duration is not None and not 0 < read.duration < math.inf:
        raise rejected(context_id, "Invalid duration", "duration must be more than 0 seconds")
    # Finish and flush messages of real SDKs carry a model, voice and format that are not the context's.
    speaks = bool(read.transcript.strip())
    voice_id, embedding = _voice(context_id, read.voice) if speaks else (None, None)
    if speaks and not read.model_id:
        raise rejected(context_id, "Model not found", "model_id is required", error_code="model_not_found")
    normalized = read.use_normalized_timestamps
    if normalized is None and read.use_original_timestamps is not None:
        normalized = not read.use_original_timestamps
    words = bool(read.add_timestamps)
    return Generate(
        context_id=context_id,
        transcript=read.transcript,
        continue_=bool(read.continue_),
        flush=bool(read.flush),
        model_id=read.model_id if speaks else None,
        voice_id=voice_id,
        embedding=embedding,
        output=parse_output(read.output_format, context_id=context_id) if speaks else None,
        language=read.language or None,
        locale=read.locale or None,
        max_buffer_delay_ms=None if delay is None else round(delay),
        add_timestamps=words,
        # Up to 2024-11-13 phonemes only came together with words.
        add_phoneme_timestamps=bool(read.add_phoneme_timestamps) and (words or first_flush_id(version) == 1),
        use_normalized_timestamps=normalized,
        generation=_generation(context_id, read),
        pronunciation_dict_id=read.pronunciation_dict_id or None,
        normalization=read.normalization or None,
        duration=read.duration,
    )


def parse_output(given: object, *, context_id: str | None, containers: Iterable[str] = ("raw",)) -> AudioFormat:
    """Read an `output_format`.

    Raises:
        RequestRejected: there is none, or it is none that the protocol has.
    """
    wanted = msgspec.convert(given if given is not None else {}, _Output)
    title = "Unsupported output format"
    if (wanted.container or "raw") not in containers:
        message = f"container must be one of {', '.join(containers)}"
        raise rejected(context_id, title, message, error_code="unsupported_audio_format")
    if wanted.encoding not in set(Encoding):
        message = f"output_format.encoding must be one of {', '.join(Encoding)}"
        raise rejected(context_id, title, message, error_code="unsupported_audio_format")
    if wanted.sample_rate not in SAMPLE_RATES:
        message = f"output_format.sample_rate must be one of {', '.join(map(str, SAMPLE_RATES))}"
        raise rejected(context_id, title, message, error_code="unsupported_audio_format")
    return AudioFormat(Encoding(wanted.encoding), int(wanted.sample_rate))


def _voice(context_id: str, given: object) -> tuple[str | None, tuple[float, ...] | None]:
    """Accept every shape that any version had, with `mode` or without."""
    match given:
        case str(voice_id) | {"id": str(voice_id)} if voice_id:
            return voice_id, None
        case {"embedding": list(numbers)} if numbers:
            return None, msgspec.convert(numbers, tuple[float, ...])
        case _:
            message = "voice must be an id, or an object with an id"
            raise rejected(context_id, "Voice not found", message, error_code="voice_not_found")


def _generation(context_id: str, read: _Request) -> GenerationConfig | None:
    given = read.generation_config
    old: Any = read.speed
    if isinstance(read.voice, Mapping):
        controls = read.voice.get("__experimental_controls")
        old = controls.get("speed", old) if isinstance(controls, Mapping) else old
    if given is None and old is None:
        return None
    speed = given.speed if given and given.speed is not None else _old_speed(old)
    volume = given.volume if given and given.volume is not None else 1.0
    for name, value, (low, high) in (("speed", speed, SPEED), ("volume", volume, VOLUME)):
        if not low <= value <= high:
            message = f"generation_config.{name} must be between {low} and {high}"
            raise rejected(context_id, f"Invalid {name}", message)
    return GenerationConfig(speed, volume, given.emotion if given else None)


def _old_speed(given: Any) -> float:
    match given:
        case str():
            return _OLD_SPEEDS.get(given, 1.0)
        case float() | int():  # -1 (slowest) to 1 (fastest)
            return max(SPEED[0], min(SPEED[1], 1.0 + given / 2))
        case _:
            return 1.0


def _context_of(message: str | bytes) -> str | None:
    try:
        context_id = _named.decode(message).context_id
    except UNREADABLE:
        return None
    return context_id if isinstance(context_id, str) else None


def _plain(error: Exception) -> str:
    return str(error) or type(error).__name__


def render_request(request: Request, version: str = CURRENT_VERSION) -> str:
    """Write what a client sends. Members at their defaults are left out, but for `continue`."""
    if isinstance(request, Cancel):
        return encode({"context_id": request.context_id, "cancel": True})
    config = request.generation
    members = {
        "context_id": request.context_id,
        "transcript": request.transcript,
        "continue": request.continue_,
        "flush": request.flush or None,
        "model_id": request.model_id,
        "voice": _render_voice(request, version),
        "output_format": _render_output(request.output),
        "language": request.language,
        "locale": request.locale,
        "max_buffer_delay_ms": request.max_buffer_delay_ms,
        "add_timestamps": request.add_timestamps or None,
        "add_phoneme_timestamps": request.add_phoneme_timestamps or None,
        "use_normalized_timestamps": request.use_normalized_timestamps,
        "generation_config": config
        and said({"speed": config.speed, "volume": config.volume, "emotion": config.emotion}),
        "pronunciation_dict_id": request.pronunciation_dict_id,
        "normalization": request.normalization,
        "duration": request.duration,
    }
    return encode(said(members))


def _render_voice(request: Generate, version: str) -> object:
    if request.embedding is not None:
        return {"mode": "embedding", "embedding": request.embedding}
    if request.voice_id is None or version >= _PLAIN_VOICES:
        return request.voice_id
    return {"mode": "id", "id": request.voice_id}


def _render_output(output: AudioFormat | None) -> object:
    return output and {"container": "raw", "encoding": output.encoding, "sample_rate": output.sample_rate}
