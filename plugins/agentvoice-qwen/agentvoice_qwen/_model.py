"""The model: messages in, tokens out, one conversation at a time on two threads of llama.cpp."""

from __future__ import annotations

import json
import math
import os
import secrets
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from threading import Event, Lock
from typing import Any, Final

from anyio import BrokenResourceError, ClosedResourceError, RunFinishedError, create_memory_object_stream, from_thread
from anyio.lowlevel import EventLoopToken, current_token
from anyio.streams.memory import MemoryObjectSendStream

from agentvoice.assets import ensure
from agentvoice.errors import ProviderError, ProviderRejected, ProviderUnavailable
from agentvoice.interfaces import Message, Thought, ToolSpec, Usage

from ._tools import Answer, grammar, shown
from ._weights import QWEN

_CONTEXT: Final = 4096
"""Tokens of prompt and answer together."""
_CALL_TOKENS: Final = 200
"""The longest answer where there are tools: a call has to be whole."""
_FORM_TOKENS: Final = 400
"""The longest form: it has to be whole as well, and nobody waits on the telephone for it to be read out."""
_STRIDE: Final = 32
"""Tokens of a prompt that are read before `stop` is looked at: most of a second's work. Fewer would not be faster."""
_REMEMBERED_MIB: Final = 256
"""For prompts of other conversations, which take turns with this one: 12 kB a token. llama.cpp would take 8 GB."""


class Qwen:
    """`LanguageModel` on Qwen2.5-Coder-0.5B-Instruct, quantised to 4 bits.

    Requests are answered one after the other; what a prompt has in common with the one before is not read again, so
    that within a call only the last utterance costs time.
    """

    def __init__(self, *, threads: int = 2, max_tokens: int = 100, temperature: float = 0.2, seed: int = 1) -> None:
        """Prepare a model that runs on so many `threads` and answers with `max_tokens` at the most."""
        self._threads = threads
        self._options = {"max_tokens": max_tokens, "temperature": temperature, "seed": seed, "cache_prompt": True}
        self._options["return_progress"] = True  # so that there are steps while the prompt is read, at which to stop
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

    async def stream(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[ToolSpec] = (),
        schema: Mapping[str, Any] | None = None,
    ) -> AsyncGenerator[Thought]:
        """Yield the answer in pieces; see `LanguageModel.stream`. With tools it is speech, or one call of a tool."""
        options: dict[str, Any] = {}
        if schema is not None:
            form = {"type": "json_object", "schema": dict(schema)}
            options, tools = {"response_format": form, "max_tokens": _FORM_TOKENS}, ()
        elif tools:
            options = {"grammar": grammar(tools, may_call=messages[-1].role != "tool"), "max_tokens": _CALL_TOKENS}
        answer, cost = Answer(), list[Usage]()
        async with aclosing(self._generate(messages, options, tools)) as tokens:
            async for token in tokens:
                if isinstance(token, Usage):
                    cost = [token]
                elif text := answer.feed(token) if tools else token:
                    yield text
        for call in answer.finish():
            yield call
        for each in cost:
            yield each

    async def _generate(
        self, messages: Sequence[Message], options: Mapping[str, Any], tools: Sequence[ToolSpec] = ()
    ) -> AsyncGenerator[str | Usage]:
        request = {"messages": shown(messages, tools), "stream": True, **self._options, **options}
        send, receive = create_memory_object_stream[str | Usage](math.inf)
        stop = Event()
        answer = self._thread.submit(self._answer, request, send, stop, current_token())
        with receive, send:  # `send` here too, as the loop may be gone when the thread has noticed
            try:
                async for token in receive:
                    yield token
            finally:
                stop.set()
        answer.result()  # it has ended, perhaps in an error

    def _answer(
        self, request: Mapping[str, Any], send: MemoryObjectSendStream[str | Usage], stop: Event, loop: EventLoopToken
    ) -> None:
        """Generate, in the model's own thread. It cannot be cancelled, but looks at `stop` with every step.

        Raises:
            ProviderError: the model cannot answer.
        """
        failures: list[Exception] = []

        def step(answer: Any) -> bool:
            try:
                for token in _tokens(answer):
                    if not stop.is_set():
                        from_thread.run_sync(send.send_nowait, token, token=loop)
            except Exception as error:  # noqa: BLE001 - xllamacpp would swallow it; it is raised below
                failures.append(error)
            return bool(failures) or stop.is_set()

        with suppress(BrokenResourceError, ClosedResourceError, RunFinishedError):  # whoever asked has left
            try:
                if not stop.is_set():
                    self._server.handle_chat_completions(request, step)
            except (ValueError, RuntimeError) as error:
                raise ProviderRejected("qwen", str(error)) from error
            finally:
                if not stop.is_set():  # else nobody reads, and the loop may be about to end: it would never answer
                    from_thread.run_sync(send.close, token=loop)
            if failures:
                raise failures[0]


def _load(path: str, threads: int) -> Any:
    # llama.cpp's threads wait for each other several times a layer, and by default spin for milliseconds while they do.
    # Where something else wants the cores too, such as the voice, they keep them from the very thread that they wait
    # for: 1 token a second instead of 10. Spinning for microseconds, and then asleep, they lose nothing on an idle
    # machine; never spinning costs a third there. OpenMP reads this when it is loaded, and no later.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    import xllamacpp  # noqa: PLC0415 - heavy, and only where a model is wanted

    params = xllamacpp.CommonParams()
    params.model.path = path
    params.n_ctx = _CONTEXT
    params.n_parallel = 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.n_batch = _STRIDE
    params.cache_ram_mib = _REMEMBERED_MIB
    # xllamacpp cannot do without an HTTP server, on a free port of the loopback. Nobody knows the key to this one.
    params.api_keys = [secrets.token_urlsafe()]
    params.ui = params.endpoint_slots = False
    params.verbosity = -1
    return xllamacpp.Server(params)


def _tokens(answer: Any) -> Iterator[str | Usage]:
    """Yield what the model said in one step of its answer, which comes as a value, as JSON, or as a list of either.

    The last one tells how many tokens it took: those read anew, those remembered, those written.

    Raises:
        ProviderRejected: the request makes no sense, or is too long.
        ProviderUnavailable: something else is wrong.
    """
    for step in answer if isinstance(answer, list) else [answer]:
        found = json.loads(step) if isinstance(step, str | bytes) else step
        if "error" in found or "code" in found:
            raise _failure(found.get("error", found))
        for choice in found.get("choices", ()):
            if token := choice.get("delta", {}).get("content"):
                yield token
        if cost := found.get("timings"):
            remembered = cost.get("cache_n", 0)
            yield Usage(remembered + cost.get("prompt_n", 0), cost.get("predicted_n", 0), remembered)


def _failure(error: Any) -> ProviderError:
    """Return what the model complains of, as HTTP would."""
    if not isinstance(error, Mapping):
        return ProviderUnavailable("qwen", str(error))
    kind = ProviderRejected if 400 <= error.get("code", 500) < 500 else ProviderUnavailable
    return kind("qwen", str(error.get("message", error)))
