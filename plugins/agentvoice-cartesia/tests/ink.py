"""A stand-in for Ink: both sockets as they are documented, newer and older, over streams in memory. It hears tones."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from anyio import BrokenResourceError, EndOfStream, create_task_group

from agentvoice.streams import memory_pair
from agentvoice.testing.lexicon import LOUD, loudness

EAGER_S, END_S = 0.3, 0.7


@dataclass
class Ink:
    """The service."""

    hear: Callable[[bytes, int], str]
    older: bool = False
    """Whether it words it as in 2025: `flush_done` first, then a final text that repeats those before it."""
    cut_after: float = math.inf
    """Bytes of audio after which the first connection breaks."""
    sockets: list[tuple[str, dict[str, list[str]], list[str | bytes]]] = field(default_factory=list)
    """Path, query, and what was sent."""

    @asynccontextmanager
    async def connect(self, url: str, *, headers: dict[str, str]) -> AsyncIterator[Any]:
        assert headers["X-API-Key"] == "k"
        split = urlsplit(url)
        said: list[str | bytes] = []
        self.sockets.append((split.path, parse_qs(split.query), said))
        mine, yours = memory_pair(1024)
        async with create_task_group() as group:
            group.start_soon(self._serve, yours, split.path, said, len(self.sockets) == 1)
            yield mine
            await mine.aclose()

    async def _serve(self, stream: Any, path: str, said: list[str | bytes], first: bool) -> None:  # noqa: FBT001
        ear = (self._turns if "turns" in path else self._dictation)()
        next(ear)
        size = 0
        try:
            while True:
                message = await stream.receive()
                said.append(message)
                size += len(message) if isinstance(message, bytes) else 0
                if first and size > self.cut_after:
                    await stream.aclose()
                    return
                for answer in ear.send(message):
                    await stream.send(json.dumps(answer | {"request_id": "r"}))
        except (EndOfStream, BrokenResourceError):
            pass  # the client is gone

    def _dictation(self) -> Generator[list[dict[str, Any]], str | bytes | None, None]:
        answers: list[dict[str, Any]] = []
        pcm, told = b"", ""
        while True:
            message = yield answers
            answers = []
            if isinstance(message, bytes):
                pcm += message
                if (text := self.hear(pcm, 8000)) != told:
                    told = text
                    by_itself = self.older and len(text.split()) == 2
                    answers = [{"type": "transcript", "text": text, "is_final": by_itself}]
                continue
            text, pcm, told = self.hear(pcm, 8000), b"", ""
            *before, last = text.split() or [""]
            flushed = [{"type": "flush_done" if message == "finalize" else "done"}]
            parts = [text] if self.older else [" ".join(before), " " + last if before else last]
            finals = [{"type": "transcript", "text": part, "is_final": True} for part in parts]
            answers = [*flushed, *finals] if self.older else [*finals, *flushed]

    def _turns(self) -> Generator[list[dict[str, Any]], str | bytes | None, None]:
        answers: list[dict[str, Any]] = [{"type": "connected"}]
        pcm, told, quiet, eager, size = b"", "", 0.0, False, 320
        rest = b""
        while True:
            message = yield answers
            answers = []
            if not isinstance(message, bytes):
                continue
            rest += message
            while len(rest) >= size:
                frame, rest = rest[:size], rest[size:]
                loud = loudness(frame) >= LOUD
                if loud and not pcm:
                    answers.append({"type": "turn.start"})
                elif not (loud or pcm):
                    continue
                pcm, quiet = pcm + frame, 0.0 if loud else quiet + 0.02
                text = self.hear(pcm, 8000)
                if loud and eager:
                    eager = False
                    answers.append({"type": "turn.resume"})
                if text != told:
                    told = text
                    answers.append({"type": "turn.update", "transcript": text})
                if quiet >= EAGER_S and not eager:
                    eager = True
                    answers.append({"type": "turn.eager_end", "transcript": text})
                if quiet >= END_S:
                    answers.append({"type": "turn.end", "transcript": text})
                    pcm, told, quiet, eager = b"", "", 0.0, False
