"""Edge: a host with all its parts, as the settings name them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import anyio
from anyio import create_task_group

from agentvoice.agent import Agent
from agentvoice.clock import current_time
from agentvoice.errors import PluginNotFound, UsageError
from agentvoice.host import Host
from agentvoice.interfaces import LanguageModel, SpeechEngine, Synthesizer
from agentvoice.llm import NO_MODEL
from agentvoice.plugins import load
from agentvoice.settings import Settings
from agentvoice.streams import connect_websocket
from agentvoice.trace.codec import Keep
from agentvoice.trace.log import Header, TraceWriter
from agentvoice.trace.observer import Observer
from agentvoice.trace.tape import Tape
from agentvoice.tts.connection import ContextSynthesizer
from agentvoice.tts.messages import CURRENT_VERSION
from agentvoice.voicing import Voicing

if TYPE_CHECKING:
    from agentvoice.call import Call


@asynccontextmanager
async def open_host(
    agent: type[Agent], settings: Settings, *, observe: Callable[[Call], Sequence[Observer]] | None = None
) -> AsyncIterator[Host]:
    """Load everything that calls of this agent need; it is ready for the first one inside the context.

    `observe` names those who watch a call; without it a trace is written where the settings say so.

    Raises:
        UsageError: a part is not installed, or a model cannot be had. Found out before anything is loaded.
        ProviderError: the speech server refuses, or does not answer.
    """
    vad, recognizer = load("vad", settings.vad)(), load("recognizer", settings.recognizer)()
    end_of_turn = load("end_of_turn", settings.end_of_turn)() if settings.end_of_turn else None
    cleaner = load("cleaner", settings.cleaner)() if settings.cleaner else None
    llm = load_llm(agent, settings.llm)
    async with (
        _synthesizer(settings) as synthesizer,
        Host(
            _as_set(agent, settings),
            synthesizer=synthesizer,
            vad=vad,
            recognizer=recognizer,
            end_of_turn=end_of_turn,
            cleaner=cleaner,
            llm=llm,
            observe=observe or partial(_observe, settings),
        ) as host,
    ):
        yield host


def load_llm(agent: type[Agent], name: str) -> LanguageModel:
    """Return the agent's own language model; else load the one that is named.

    An agent that writes its replies can do without the default one.
    """
    if agent.llm is not NO_MODEL:
        return agent.llm
    try:
        model: LanguageModel = load("llm", name)()
    except PluginNotFound:
        if agent.reply is Agent.reply or name != Settings.model_fields["llm"].default:
            raise
        return NO_MODEL
    return model


def _as_set(agent: type[Agent], settings: Settings) -> Callable[[], Agent]:
    """Return what makes an agent whose manners are those of its class, except where the settings say otherwise."""
    tuned: type[Agent] = type(agent.__name__, (agent,), {"manners": settings.manners(agent.manners)})
    return tuned


@asynccontextmanager
async def _synthesizer(settings: Settings) -> AsyncIterator[Synthesizer]:
    tts = settings.tts
    if tts.plugin:
        async with load("synthesizer", tts.plugin)(voicing=tts.voicing) as synthesizer:
            yield synthesizer
        return
    key = {"X-API-Key": tts.api_key.get_secret_value()} if tts.api_key else {}
    async with _speech_server(settings) as (url, voice, model):
        connect = partial(connect_websocket, url, headers={"Cartesia-Version": CURRENT_VERSION, **key})
        voicing = Voicing(voice, tts.language).over(tts.voicing)
        async with ContextSynthesizer(connect, model=model, voicing=voicing) as synthesizer:
            yield synthesizer


@asynccontextmanager
async def _speech_server(settings: Settings) -> AsyncIterator[tuple[str, str, str]]:
    """Return URL, voice and model: of where the settings say, or of a server of our own beside us."""
    tts = settings.tts
    if tts.url:
        if not tts.voice:
            raise UsageError(f"{tts.url} has to be told with which voice to speak; set AGENTVOICE_TTS__VOICE to its id")
        yield "ws" + tts.url.removeprefix("http") if tts.url.startswith("http") else tts.url, tts.voice, tts.model
        return
    from agentvoice.speech.serve import serve  # noqa: PLC0415  # an extra

    engine: SpeechEngine = load("engine", settings.engine)()
    ready = anyio.Event()
    ports: list[int] = []

    def on_ready(port: int) -> None:
        ports.append(port)
        ready.set()

    async with create_task_group() as group:
        group.start_soon(partial(serve, engine, port=0, models=(settings.engine,), on_ready=on_ready))
        await ready.wait()
        yield f"ws://127.0.0.1:{ports[0]}/tts/websocket", tts.voice or engine.voices[0].id, settings.engine
        group.cancel_scope.cancel()


def _observe(settings: Settings, call: Call) -> Sequence[Observer]:
    if settings.trace_dir is None:
        return ()
    name = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in call.id) or "call"
    about = replace(header(call), keep=Keep.WORDS if settings.trace_words else Keep.SHAPE)
    writer = TraceWriter.create(settings.trace_dir / f"{name}.jsonl", about)
    if not settings.trace_audio:
        return (writer,)
    tape = Tape(settings.trace_dir / f"{name}.wav", call.audio, started_at=about.started_at)
    call.taps = (tape.heard,)
    return writer, tape


def header(call: Call) -> Header:
    """Return what a trace says of a call that begins now."""
    return Header(
        call_id=call.id,
        started_at=current_time(),
        audio=call.audio,
        agent=type(call.agent).__name__,
        has_marks=call.has_marks,
        settings=call.settings,
    )
