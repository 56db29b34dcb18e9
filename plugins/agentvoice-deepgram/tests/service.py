"""A stand-in for Deepgram: both endpoints as their documentation has them, strict about what it is sent. Sans-I/O, with
an edge in memory; `test_sockets.py` puts it behind real sockets.

It understands tones, by a lexicon, and knows when each word was spoken.
"""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio
from anyio import BrokenResourceError, CancelScope, EndOfStream, current_time
from websockets.datastructures import Headers
from websockets.exceptions import InvalidStatus
from websockets.http11 import Response

from agentvoice.testing.lexicon import LOUD, loudness

Answer = dict[str, Any]
Hear = Callable[[bytes, int], str]

PATIENCE_S = 10.0
INTERIM_S = 0.5
"""Audio between interim results of Nova's."""
FINAL_S = 2.0
"""Audio after which Nova makes the words so far final, by itself."""
NOTICEABLE_S = 0.1
"""Audio without which Nova does not answer a `Finalize`."""
UPDATE_S = 0.24
"""Audio between updates of Flux's."""
EAGER_S = 0.3
END_S = 0.7
"""Silence after which Flux takes a turn for probably over, and for over."""


class Closed(Exception):
    """The service closes the stream."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"received {code} {reason}")
        self.code, self.reason = code, reason


class _Ear:
    """Words with their times, in audio that grows."""

    def __init__(self, hear: Hear, sample_rate: int, start: float) -> None:
        self._hear = hear
        self._rate = sample_rate
        self._start = start
        self._pcm = b""
        self.words: list[tuple[str, float, float]] = []
        self.loud_until = start

    def take(self, pcm: bytes) -> None:
        frame = 2 * self._rate // 50
        for at in range(0, len(pcm), frame):
            self._pcm += pcm[at : at + frame]
            if loudness(pcm[at : at + frame]) >= LOUD:
                self.loud_until = self._start + len(self._pcm) / 2 / self._rate
            for word in self._hear(self._pcm, self._rate).split()[len(self.words) :]:
                now = self._start + len(self._pcm) / 2 / self._rate
                self.words.append((word, max(now - 1 / 3, self.words[-1][2] if self.words else 0.0), now))


@dataclass
class _Endpoint:
    """What both have in common: the rules of a stream."""

    query: Mapping[str, str]
    hear: Hear
    now: float
    said: list[str | bytes] = field(default_factory=list)
    """All that the client has sent."""
    answers: bool = True

    def __post_init__(self) -> None:
        assert self.query["encoding"] == "linear16"
        self.rate = int(self.query["sample_rate"])
        self.samples = 0
        self.deadline = self.now + PATIENCE_S
        """When the client has said nothing for too long."""

    @property
    def at(self) -> float:
        return self.samples / self.rate

    def take(self, message: str | bytes, now: float) -> list[Answer]:
        self.said.append(message)
        if isinstance(message, bytes):
            if not message:
                raise Closed(1011, "an empty message")
            assert len(message) % 2 == 0, "a sample has two bytes"
            assert len(message) / 2 / self.rate <= 0.25, "messages hold at most 250 ms"
            self.deadline = now + PATIENCE_S
            self.samples += len(message) // 2
            return self.listen(message)
        if (said := json.loads(message)) == {"type": "CloseStream"}:
            raise Closed(1000, "")
        if self.samples:  # before there was any audio, nothing keeps a stream alive
            self.deadline = now + PATIENCE_S
        return self.obey(said)

    def expire(self) -> None:
        raise Closed(1011, "NET-0001: no audio or text message within the timeout window")

    def greet(self) -> list[Answer]:
        return []

    def listen(self, pcm: bytes) -> list[Answer]:
        raise NotImplementedError

    def obey(self, said: Answer) -> list[Answer]:
        raise NotImplementedError


class NovaEndpoint(_Endpoint):
    """`/v1/listen`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        assert self.query["endpointing"] == "false"
        assert self.query["interim_results"] == "true"
        self.done = 0.0  # how far final results reach
        self.told = 0.0
        self.known = 0  # words of this segment that are in final results
        self.ear = _Ear(self.hear, self.rate, 0.0)

    def listen(self, pcm: bytes) -> list[Answer]:
        self.ear.take(pcm)
        fresh = self.ear.words[self.known :]
        if fresh and self.at - self.done >= FINAL_S and fresh[-1][2] > self.done:
            return [self.result(fresh[-1][2], final=True)]
        if self.at - self.told >= INTERIM_S:
            self.told = self.at
            return [self.result(self.at)]
        return []

    def obey(self, said: Answer) -> list[Answer]:
        if said == {"type": "KeepAlive"}:
            return []
        assert said == {"type": "Finalize"}
        answers = (
            [self.result(self.at, final=True, answer=True)]
            if self.answers and self.at - self.done >= NOTICEABLE_S
            else []
        )
        self.ear, self.known = _Ear(self.hear, self.rate, self.at), 0
        return answers

    def result(self, end: float, *, final: bool = False, answer: bool = False) -> Answer:
        start, words = self.done, self.ear.words[self.known :]
        if final:
            self.done = self.told = end
            self.known += len(words)
        reading = {
            "transcript": " ".join(word for word, _, _ in words),
            "confidence": 0.98 if words else 0.0,
            "words": [
                {"word": word, "start": start, "end": end, "confidence": 0.97, "punctuated_word": word}
                for word, start, end in words
            ],
        }
        return {
            "type": "Results",
            "channel_index": [0, 1],
            "duration": end - start,
            "start": start,
            "is_final": final,
            "speech_final": False,
            "channel": {"alternatives": [reading]},
            "metadata": {"request_id": "r"},
            "from_finalize": answer,
        }


class FluxEndpoint(_Endpoint):
    """`/v2/listen`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.eager = "eager_eot_threshold" in self.query
        self.turn = self.sequence = 0
        self.began = self.told = 0.0
        self.ear = _Ear(self.hear, self.rate, 0.0)
        self.known = 0
        self.in_turn = self.likely = False

    def greet(self) -> list[Answer]:
        return [self.numbered({"type": "Connected", "request_id": "r"})]

    def numbered(self, answer: Answer) -> Answer:
        self.sequence += 1
        return answer | {"sequence_id": self.sequence - 1}

    def obey(self, said: Answer) -> list[Answer]:
        code, description = "UNPARSABLE_CLIENT_MESSAGE", f"there is no {said.get('type')} here"
        return [self.numbered({"type": "Error", "code": code, "description": description})]

    def listen(self, pcm: bytes) -> list[Answer]:
        self.ear.take(pcm)
        words = self.ear.words
        silence = self.at - self.ear.loud_until
        more, self.known = len(words) > self.known, len(words)
        if words and not self.in_turn:
            self.in_turn = True
            return [self.info("StartOfTurn")]
        if self.likely and more:
            self.likely = False
            return [self.info("TurnResumed")]
        if self.in_turn and silence >= END_S:
            ended = self.info("EndOfTurn")
            self.turn += 1
            self.in_turn = self.likely = False
            self.began, self.known, self.ear = self.at, 0, _Ear(self.hear, self.rate, self.at)
            return [ended]
        if self.eager and self.in_turn and not self.likely and silence >= EAGER_S:
            self.likely = True
            return [self.info("EagerEndOfTurn")]
        return [self.info("Update")] if self.at - self.told >= UPDATE_S else []

    def info(self, event: str) -> Answer:
        self.told = self.at
        words = [{"word": word, "confidence": 0.97, "start": start, "end": end} for word, start, end in self.ear.words]
        return self.numbered(
            {
                "type": "TurnInfo",
                "request_id": "r",
                "event": event,
                "turn_index": self.turn,
                "audio_window_start": self.began,
                "audio_window_end": self.at,
                "transcript": " ".join(word["word"] for word in words),
                "words": words,
                "end_of_turn_confidence": 0.6,
            }
        )


def endpoint(url: str, hear: Hear, now: float) -> _Endpoint:
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    return {"/v1/listen": NovaEndpoint, "/v2/listen": FluxEndpoint}[parts.path](query, hear, now)


# ------------------------------------------------------------------ in memory


@dataclass
class Service:
    """Its streams, in memory, in virtual time."""

    hear: Hear
    latency_s: float = 0.1
    refuses: Sequence[tuple[int, str]] = ()
    """How the first connections are answered, instead of being opened."""
    drops_after_s: Sequence[float] = ()
    """After how much audio the first streams are cut."""
    answers: bool = True
    """Whether a `Finalize` has an answer."""
    key: str = "k"
    streams: list[_Endpoint] = field(default_factory=list)
    lines: list[_Line] = field(default_factory=list)
    asked: int = 0

    @asynccontextmanager
    async def connect(self, url: str, *, headers: Mapping[str, str]) -> AsyncIterator[_Line]:
        self.asked += 1
        if self.asked <= len(self.refuses):
            raise refusal(*self.refuses[self.asked - 1])
        if headers != {"Authorization": f"Token {self.key}"}:
            raise refusal(401, "Invalid credentials.")
        one = endpoint(url, self.hear, current_time())
        one.answers = self.answers
        number = len(self.streams)
        self.streams.append(one)
        line = _Line(one, self.latency_s, self.drops_after_s[number] if number < len(self.drops_after_s) else math.inf)
        self.lines.append(line)
        try:
            yield line
        finally:
            line.close("closed by the client")


def refusal(status: int, said: str) -> InvalidStatus:
    return InvalidStatus(Response(status, "", Headers({"dg-error": said}), b""))


class _Line:
    """One stream, from the client's side."""

    def __init__(self, one: _Endpoint, latency_s: float, drop_after_s: float) -> None:
        self._endpoint = one
        self._latency_s = latency_s
        self._drop_after_s = drop_after_s
        self._coming: deque[tuple[float, str]] = deque()
        self._closed = ""
        self._changed = anyio.Event()
        self._answer(one.greet())

    async def send(self, message: str | bytes) -> None:
        if not self._closed and self._endpoint.at >= self._drop_after_s:
            self.cut()
        if self._closed:
            raise BrokenResourceError(self._closed)
        try:
            self._answer(self._endpoint.take(message, current_time()))
        except Closed as closed:
            self.close(str(closed))

    def _answer(self, answers: Sequence[Answer]) -> None:
        self._coming += [(current_time() + self._latency_s, json.dumps(answer)) for answer in answers]
        self._changed.set()

    async def receive(self) -> str | bytes:
        while True:
            if self._coming and self._coming[0][0] <= current_time():
                return self._coming.popleft()[1]
            if self._closed:
                raise EndOfStream(self._closed)
            self._changed = anyio.Event()
            due = self._coming[0][0] if self._coming else math.inf
            with CancelScope(deadline=min(due, self._endpoint.deadline)):
                await self._changed.wait()
            if current_time() >= self._endpoint.deadline:
                try:
                    self._endpoint.expire()
                except Closed as closed:
                    self.close(str(closed))

    def cut(self) -> None:
        """Break the connection: what is under way is lost."""
        self._coming.clear()
        self.close("the connection was cut")

    def close(self, why: str) -> None:
        self._closed = self._closed or why
        self._changed.set()
