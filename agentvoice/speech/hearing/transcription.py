"""Edge: `POST /stt`, a file that is transcribed as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from anyio import to_thread
from starlette.datastructures import UploadFile
from starlette.requests import Request

from agentvoice.server.uploads import read_form
from agentvoice.stt.messages import Heard, Words, times
from agentvoice.tts.messages import rejected

from .decoding import Decoder, Recording, read_wav
from .ears import Ears
from .parameters import Listen, read_listen
from .sessions import Dictation

LARGEST: Final = 32 * 2**20
"""Bytes of a file at most, with the form around it."""


async def transcribe(ears: Ears, request: Request) -> dict[str, Any]:
    """Return what a file says, as the protocol wants it.

    Raises:
        RequestRejected: something is missing, or the file is of an unknown kind.
        HTTPException: the file is too large.
    """
    async with read_form(request, most=LARGEST) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise rejected(None, "Invalid request", "there is no file; send one in the multipart field 'file'")
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        wants_words = any(name.startswith("timestamp_granularities") for name in form)
        recording, listen = _read(await file.read(), dict(request.query_params) | fields, ears)
    decoder = Decoder(recording.encoding, recording.sample_rate)
    finals: list[Words] = []

    def put(heard: Iterable[Heard]) -> None:
        finals.extend(each for each in heard if isinstance(each, Words) and each.is_final)

    session = Dictation(listen)
    async with ears.hearing(session, decoder.sample_rate, put) as ear:
        await ear.hear(await to_thread.run_sync(decoder, recording.audio))
        await ear.end()
        await ear.settle()
    answer: dict[str, Any] = {
        "type": "transcript",
        "text": "".join(final.text for final in finals),
        "language": listen.language or "en",
        "duration": round(len(recording.audio) / decoder.sample_bytes / recording.sample_rate, 3),
    }
    return answer | ({"words": times(word for final in finals for word in final.words)} if wants_words else {})


def _read(file: bytes, fields: Mapping[str, str], ears: Ears) -> tuple[Recording, Listen]:
    recording = read_wav(file)
    if recording is None:
        if not (fields.get("encoding") and fields.get("sample_rate")):
            message = "this is no WAV file; send one, or raw audio with encoding and sample_rate"
            raise rejected(None, "Unsupported audio format", message, error_code="unsupported_audio_format")
        listen = read_listen(fields, (), models=(ears.name,))
        return Recording(listen.encoding, listen.sample_rate, file), listen
    described = {"encoding": recording.encoding, "sample_rate": str(recording.sample_rate)}
    return recording, read_listen(dict(fields) | described, (), models=(ears.name,))
