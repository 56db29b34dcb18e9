"""A whole call in memory: a scripted caller, a carrier, and the real code between them and a voice of tones.

    call = await simulate(Receptionist(), caller=[says("Good evening."), barges_in("Wait!", at_word=5), pauses(3)])
    assert call.turns[1].heard == "Bella Vista, how may I"
    assert call.stale_frames == 0

In virtual time (`clock`, `fixtures`) minutes of it pass in a moment, on asyncio and on trio. One seed decides
everything that is left to chance.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from random import Random
from typing import Any

from anyio import create_task_group, fail_after
from anyio.lowlevel import checkpoint

from agentvoice.agent import Agent
from agentvoice.audio import TELEPHONE, linear_to_mulaw
from agentvoice.blocking import in_thread
from agentvoice.call import Call
from agentvoice.clock import current_time
from agentvoice.commands import Command, TurnChanged, TurnClosed, TurnOpened, TurnState
from agentvoice.events import Event
from agentvoice.host import Host
from agentvoice.interfaces import (
    EndOfTurn,
    LanguageModel,
    MessageStream,
    SpeechRecognizer,
    TurnRecognizer,
    VoiceActivity,
)
from agentvoice.llm import NO_MODEL
from agentvoice.server.transport import TwilioTransport
from agentvoice.speech.tone import ToneEngine
from agentvoice.streams import memory_pair
from agentvoice.trace.log import Header, TraceWriter
from agentvoice.trace.observer import Observer
from agentvoice.tts.connection import ContextSynthesizer
from agentvoice.tts.governor import Limits
from agentvoice.voicing import Voicing

from .caller import Caller
from .carrier import Carrier
from .hearing import LoudnessActivity, ScriptedRecognizer
from .instant import InstantInbox
from .lexicon import Lexicon
from .packets import SIMULATED, Packing
from .phone import CALL_SID, PhoneCall
from .provenance import Provenance
from .script import Step
from .simulated import SimulatedCall, SimulatedTurn
from .tts import ScriptedSpeech
from .weather import FAIR, Weather

_MEDIA = '{"event":"media"'
"""How a message of audio begins."""
LONGEST_S = 3600.0
"""No simulated call lasts longer: one that would has lost its way."""


async def simulate(
    agent: Agent,
    caller: Sequence[Step],
    *,
    speech: ScriptedSpeech | None = None,
    recognizer: SpeechRecognizer | TurnRecognizer | None = None,
    end_of_turn: EndOfTurn | None = None,
    lexicon: Lexicon | None = None,
    vad: VoiceActivity | None = None,
    llm: LanguageModel = NO_MODEL,
    weather: Weather = FAIR,
    packing: Packing = SIMULATED,
    limits: Limits | None = None,
    trace: bool = True,
    parameters: Mapping[str, str] | None = None,
    seed: int = 0,
) -> SimulatedCall:
    """Have a call between `agent` and a caller who follows a script; return what became of it.

    The caller speaks in tones, those of the `lexicon`, which the recogniser understands unless another one is given.
    `parameters` are those of the carrier's start message. Without `trace` nothing is logged, which is quicker.

    Raises:
        TimeoutError: the call did not end within an hour of its own time.
    """
    lexicon = lexicon or Lexicon()
    speech = speech or ScriptedSpeech(seed=seed)
    carrier = Carrier(weather=weather)
    provenance = Provenance(carrier, _WordsOf(speech))
    phone = PhoneCall(
        Caller(caller, speak=lambda text: _coded(lexicon.say(text)), said=lambda: provenance.heard),
        carrier,
        provenance.words_heard,
        packing,
    )
    log, kept = _Turns(), _Kept()
    calls: list[Call] = []

    def observe(call: Call) -> Sequence[Observer]:
        calls.append(call)
        return (TraceWriter(kept, _header(call)), provenance, log) if trace else (provenance, log)

    in_thread.set(_at_once)
    near, far = memory_pair()
    async with ContextSynthesizer(
        speech.connect, voicing=Voicing("tone"), limits=limits, random=Random(seed)
    ) as synthesizer:
        host = Host(
            lambda: agent,
            synthesizer=synthesizer,
            vad=vad or LoudnessActivity(),
            recognizer=recognizer or ScriptedRecognizer(lexicon.hear),
            end_of_turn=end_of_turn,
            llm=llm,
            observe=observe,
            inbox=InstantInbox,
        )
        with fail_after(LONGEST_S):
            async with create_task_group() as group:
                group.start_soon(_answer, host, _Tapped(far, provenance))
                await phone.hold(near, parameters=parameters)
                await near.aclose()
                hung_up = current_time()
        overrun_s = current_time() - hung_up
    turns = [SimulatedTurn.of(*turn, provenance.played(turn[1].turn_id), phone.started_at) for turn in log.turns]
    return SimulatedCall(
        turns=[turn for turn in turns if turn.outcome is not TurnState.WITHDRAWN],
        withdrawn=[turn for turn in turns if turn.outcome is TurnState.WITHDRAWN],
        said=phone.caller.lines,
        complaints=phone.caller.complaints,
        history=calls[0].history.entries if calls else (),
        notes=calls[0].notes if calls else {},
        stale_frames=provenance.stale_frames,
        holes=[
            hole for _, closed in log.turns for hole in provenance.holes(closed.turn_id, log.held(phone.started_at))
        ],
        clears=phone.clears,
        seconds=phone.seconds,
        hung_up_by=phone.hung_up_by,
        overrun_s=overrun_s,
        trace=kept.getvalue(),
        phone=phone,
    )


async def _at_once(function: Callable[[], Any]) -> Any:
    """Run what blocks here and now: in virtual time a thread looks idle, and the clock would leap past it."""
    await checkpoint()
    return function()


async def _answer(host: Host, stream: _Tapped) -> None:
    """Do with a stream what the server does."""
    try:
        line = await TwilioTransport.answer(stream)
        await host.take(line, call_id=CALL_SID, parameters=line.parameters)
    finally:
        await stream.aclose()


def _header(call: Call) -> Header:
    return Header(call_id=call.id, started_at=current_time(), agent=type(call.agent).__name__, settings=call.settings)


class _Tapped:
    """The agent's end of the line, on which all audio that goes out is noted."""

    def __init__(self, stream: MessageStream, provenance: Provenance) -> None:
        self._stream = stream
        self._provenance = provenance
        self.receive = stream.receive
        self.aclose = stream.aclose

    async def send(self, message: str) -> None:
        """Send one text message; see `MessageStream.send`."""
        if message.startswith(_MEDIA):
            self._provenance.went_out()
        await self._stream.send(message)


class _Turns:
    """An `Observer` that keeps how each turn began and ended, and when playout was held."""

    def __init__(self) -> None:
        self._open: dict[str, TurnOpened] = {}
        self._moves: list[tuple[float, TurnState]] = []
        self.turns: list[tuple[TurnOpened, TurnClosed]] = []

    def received(self, now: float, event: Event | None) -> None:
        """Nothing to keep."""

    def held(self, zero: float) -> Sequence[tuple[float, float]]:
        """Return from when until when, in seconds since `zero`."""
        later = [*self._moves[1:], (math.inf, TurnState.FAILED)]
        spans = zip(self._moves, later, strict=False)
        return [(at - zero, until - zero) for (at, state), (until, _) in spans if state is TurnState.HELD]

    def decided(self, now: float, commands: Sequence[Command]) -> None:
        """Keep what is about turns."""
        for command in commands:
            match command:
                case TurnOpened(turn_id):
                    self._open[turn_id] = command
                case TurnChanged(_, state):
                    self._moves.append((now, state))
                case TurnClosed(turn_id):
                    self.turns.append((self._open.pop(turn_id), command))
                case _:
                    pass

    def closed(self) -> None:
        """Nothing follows."""


class _Kept(io.StringIO):
    """A file in memory, that can be read after it was closed."""

    def close(self) -> None:
        """Keep what was written."""


class _WordsOf:
    """Where the words of each context are in its audio, by what was asked of the voice, not by what it told."""

    def __init__(self, speech: ScriptedSpeech) -> None:
        self._speech = speech

    def __call__(self, context_id: str) -> Sequence[tuple[str, int, int]]:
        with suppress(KeyError):
            return _words(tuple([request.transcript for request in self._speech.named(context_id).requests]))
        return []


@lru_cache(maxsize=256)
def _words(texts: tuple[str, ...]) -> Sequence[tuple[str, int, int]]:
    words, at = [], 0
    for text in texts:
        began = at
        for piece in ToneEngine().synthesize(text, voice="tone", speed=1.0, sample_rate=TELEPHONE.sample_rate):
            words += [
                (word.word, began + TELEPHONE.size(word.start_s), began + TELEPHONE.size(word.end_s))
                for word in piece.words
            ]
            at += len(piece.pcm) // 2
    return words


_coded = lru_cache(maxsize=256)(linear_to_mulaw)
