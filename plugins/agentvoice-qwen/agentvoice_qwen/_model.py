"""The model: messages in, tokens out, one conversation at a time on two threads of llama.cpp."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from threading import Event, Lock
from typing import Any, Final

from anyio import BrokenResourceError, RunFinishedError, create_memory_object_stream, from_thread
from anyio.lowlevel import EventLoopToken, current_token
from anyio.streams.memory import MemoryObjectSendStream

from agentvoice.assets import ensure
from agentvoice.errors import ProviderUnavailable
from agentvoice.interfaces import Message

from ._weights import QWEN

_CONTEXT: Final = 4096
"""Tokens of prompt and answer together."""


class Qwen:
    """`LanguageModel` on Qwen2.5-Coder-0.5B-Instruct, quantised to 4 bits.

    Requests are answered one after the other; what a prompt has in common with the one before is not read again, so
    that within a call only the last utterance costs time.
    """

    def __init__(self, *, threads: int = 2, max_tokens: int = 100, temperature: float = 0.2, seed: int = 1) -> None:
        """Prepare a model that runs on so many `threads` and answers with `max_tokens` at the most."""
        self._threads = threads
        self._options = {"max_tokens": max_tokens, "temperature": temperature, "seed": seed, "cache_prompt": True}
        self._server: Any = None
        self._lock = Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="qwen")

    def prepare(self) -> None:
        """Load the model: two seconds, and 600 MB of memory."""
        with self._lock:
            if self._server is None:
                self._server = _load(str(ensure(QWEN) / "model.gguf"), self._threads)

    async def warm(self, messages: Sequence[Message]) -> None:
        """Read a prompt ahead of time: what begins like it is then answered four seconds sooner."""
        async with aclosing(self._generate(messages, {"max_tokens": 1})) as tokens:
            async for _ in tokens:
                pass

    def stream(self, messages: Sequence[Message], *, schema: Mapping[str, Any] | None = None) -> AsyncGenerator[str]:
        """Yield the answer in pieces; see `LanguageModel.stream`."""
        form = {"response_format": {"type": "json_object", "schema": dict(schema)}} if schema is not None else {}
        return self._generate(messages, form)

    async def _generate(self, messages: Sequence[Message], options: Mapping[str, Any]) -> AsyncGenerator[str]:
        request = {
            "messages": [{"role": message.role, "content": message.content} for message in messages],
            "stream": True,
            **self._options,
            **options,
        }
        send, receive = create_memory_object_stream[str](math.inf)
        stop = Event()
        answer = self._thread.submit(self._answer, request, send, stop, current_token())
        with receive:
            try:
                async for token in receive:
                    yield token
            finally:
                stop.set()
        answer.result()  # it has ended, perhaps in an error

    def _answer(
        self, request: Mapping[str, Any], send: MemoryObjectSendStream[str], stop: Event, loop: EventLoopToken
    ) -> None:
        """Generate, in the model's own thread. It cannot be cancelled, but looks at `stop` with every token."""

        def step(answer: Any) -> bool:
            for token in _tokens(answer):
                if not stop.is_set():
                    from_thread.run_sync(send.send_nowait, token, token=loop)
            return stop.is_set()

        with suppress(BrokenResourceError, RunFinishedError):  # whoever asked has left
            try:
                if not stop.is_set():
                    self._server.handle_chat_completions(request, step)
            finally:
                from_thread.run_sync(send.close, token=loop)


def _load(path: str, threads: int) -> Any:
    import xllamacpp  # noqa: PLC0415 - heavy, and only where a model is wanted

    params = xllamacpp.CommonParams()
    params.model.path = path
    params.n_ctx = _CONTEXT
    params.n_parallel = 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.verbosity = -1
    return xllamacpp.Server(params)


def _tokens(answer: Any) -> Iterator[str]:
    """Yield what the model said in one step of its answer, which comes as a value, as JSON, or as a list of either.

    Raises:
        ProviderUnavailable: it says that something is wrong.
    """
    for step in answer if isinstance(answer, list) else [answer]:
        found = json.loads(step) if isinstance(step, str | bytes) else step
        if "error" in found or found.get("code", 200) >= 400:
            raise ProviderUnavailable("qwen", str(found.get("message") or found.get("error")))
        for choice in found.get("choices", ()):
            if token := choice.get("delta", {}).get("content"):
                yield token
