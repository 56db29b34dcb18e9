"""A call that was never made: the real conversation, driven in pure time by a caller, a voice, a model and a line.

Nothing here waits or touches a socket; what was played is known by construction.
"""

import heapq
import io
import itertools
import json
import math
import random
import wave
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agentvoice.audio import TELEPHONE, linear_to_mulaw, mulaw_to_linear
from agentvoice.commands import (
    CancelContext,
    ClearPlayout,
    FinishContext,
    HangUp,
    SendAudio,
    SendMark,
    SpeakText,
    StartReply,
    StopReply,
)
from agentvoice.conversation import Conversation
from agentvoice.events import (
    AudioReceived,
    BargeIn,
    BargeInKind,
    ContextDone,
    Event,
    HangUpRequested,
    MarkReturned,
    SayRequested,
    SpeechStarted,
    SpeechStopped,
    TextEnded,
    TextProduced,
    Transcript,
    WordsReceived,
)
from agentvoice.manners import Manners
from agentvoice.trace.codec import Keep
from agentvoice.trace.folder import complete
from agentvoice.trace.log import Header, TraceWriter, read_trace

RATE = 8000
START = 5125.5  # what the monotonic clock shows when the call begins
T0 = START - 0.35  # ... and when the caller's recording does

GREETING = "Good evening, this is the Blue Fig. How may I help you?"
REPLIES = [
    (
        "Of course. A table for two at half past seven. I can offer you the corner by the window, which is quiet, "
        "or one of the tables on the terrace."
    ),
    "Certainly, four people at half past seven. May I have a name for the booking?",
    "Thank you, Mrs. Reed. Your table is booked, and we look forward to seeing you. Goodbye!",
]
CALLER = [  # when the caller begins, and what they say
    (5.3, "Hello, I would like to book a table for two tonight, please."),
    (14.2, "No, wait, make it four people."),
    (23.4, "It is Reed, Anna Reed."),
    (33.2, "Goodbye!"),
]


def spoken(words: str) -> list[tuple[str, float, float]]:
    """Place words as a voice would."""
    at, placed = 0.06, []
    for word in words.split():
        end = at + 0.1 + 0.05 * len(word)
        placed.append((word, round(at, 3), round(end, 3)))
        at = end + (0.28 if word[-1] in ".?!" else 0.16 if word[-1] == "," else 0.03)
    return placed


def voice(words: list[tuple[str, float, float]], seconds: float, pitch: float, seed: int) -> array:
    """Something that looks like speech, if it does not sound like it."""
    chance, pcm = random.Random(seed), array("h", bytes(2 * round(seconds * RATE)))
    for word, start, end in words:
        loud, glide = chance.uniform(5000, 11000), chance.uniform(0.85, 1.15)
        syllables = max(1, round(len(word) / 3))
        first, last = round(start * RATE), min(len(pcm), round(end * RATE))
        for at in range(first, last):
            x = (at - first) / (last - first)
            shape = math.sin(math.pi * x) ** 0.4 * (0.45 + 0.55 * abs(math.sin(math.pi * syllables * x)))
            phase = 2 * math.pi * pitch * glide * at / RATE
            wave_ = (
                math.sin(phase) + 0.6 * math.sin(2 * phase) + 0.4 * math.sin(5 * phase) + chance.uniform(-0.35, 0.35)
            )
            pcm[at] = int(loud * shape * wave_ / 2.2)
    return pcm


@dataclass
class MadeUpCall:
    """What a call leaves."""

    trace_lines: list[str]
    wav: bytes
    truth: dict

    @property
    def trace(self):
        return read_trace(self.trace_lines)


@dataclass
class Simulation:
    """Everything around the conversation. Times are seconds since the call began."""

    greeting: str = GREETING
    replies: list[str] = field(default_factory=lambda: list(REPLIES))
    caller: list[tuple[float, str]] = field(default_factory=lambda: list(CALLER))
    coughs: list[float] = field(default_factory=list)
    hang_up_after: int = 3
    core: Callable[..., Conversation] = Conversation
    keep: Keep = Keep.WORDS

    def run(self) -> MadeUpCall:
        self.log = io.StringIO()
        keep_open = self.log
        keep_open.close = lambda: None  # type: ignore[method-assign]
        manners = Manners(speculate=False, silence_s=math.inf)
        settings = {"manners": manners}
        header = Header(call_id="demo-1", started_at=START, agent="Receptionist", keep=self.keep, settings=settings)
        self.writer = TraceWriter(self.log, header)
        self.conversation = self.core("demo-1", TELEPHONE, manners=manners)
        self.queue: list[tuple[float, int, Event | Callable[[float], None]]] = []
        self.order = itertools.count()
        self.now = 0.0
        self.replied: set[str] = set()
        self.stopped: set[str] = set()
        self.voices: dict[str, dict] = {}
        self.play_end = 0.0
        self.played: list[tuple[float, bytes]] = []
        self.marks: list[tuple[float, str]] = []
        self.clears: list[float] = []
        self.caller_track: list[tuple[float, list, float]] = []
        self.at(0.4, SayRequested("s1", self.greeting))
        for start, text in self.caller:
            self._say(start, text)
        for start in self.coughs:
            self.at(start + 0.12, SpeechStarted(START + start), BargeIn(BargeInKind.ONSET, "voice"))
            self.at(start + 0.55, SpeechStopped(START + start + 0.25), BargeIn(BargeInKind.RETRACT, "voice"))
            self.at(start + 0.65, Transcript("", final=True))
            self.caller_track.append((start, [("khm", 0.0, 0.25)], 0.25))
        self._loop()
        self.writer.closed()
        return MadeUpCall(self.log.getvalue().splitlines(), self._wav(), self._truth())

    def at(self, when: float, *events: Event | Callable[[float], None]) -> None:
        for event in events:
            heapq.heappush(self.queue, (when, next(self.order), event))

    def _say(self, start: float, text: str) -> None:
        words = spoken(text)
        length = words[-1][2]
        self.caller_track.append((start, words, length))
        self.at(start + 0.16, SpeechStarted(START + start + 0.05), BargeIn(BargeInKind.ONSET, "voice"))
        for step in range(1, int(length / 0.4) + 1):
            known = " ".join(word for word, _, end in words if end < step * 0.4)
            if known:
                partial = Transcript(known, final=False)
                self.at(start + step * 0.4 + 0.12, partial, BargeIn(BargeInKind.ONSET, "words", known))
        self.at(start + length + 0.25, SpeechStopped(START + start + length), BargeIn(BargeInKind.RETRACT, "voice"))
        self.at(start + length + 0.36, Transcript(text, final=True, confidence=0.93))

    def _loop(self) -> None:
        while (self.queue or self.conversation.deadline < math.inf) and not self.conversation.closed:
            ring = self.conversation.deadline - START
            if self.queue and self.queue[0][0] <= ring:
                self.now, _, event = heapq.heappop(self.queue)
                if callable(event):
                    event(self.now)
                    continue
                self._step(event)
            else:
                self.now = max(self.now, ring)
                self._step(None)

    def _step(self, event: Event | None) -> None:
        now = START + self.now
        if event is None:
            now = max(now, self.conversation.deadline)
            commands = self.conversation.handle_timer(now=now)
        else:
            commands = self.conversation.receive(event, now=now)
        self.writer.received(now, event)
        self.writer.decided(now, commands)
        for command in commands:
            self._perform(command)

    def _perform(self, command) -> None:
        match command:
            case StartReply(turn_id) if self.replies:
                self.at(self.now + 0.24, lambda now: self._reply(turn_id, self.replies.pop(0)))
            case StopReply(turn_id):
                self.stopped.add(turn_id)
            case SpeakText(context_id, text):
                self._speak(context_id, text)
            case FinishContext(context_id):
                self.at(self.voices[context_id]["ready"] + 0.01, ContextDone(context_id))
            case CancelContext(context_id):
                self.queue = [item for item in self.queue if getattr(item[2], "context_id", "") != context_id]
                heapq.heapify(self.queue)
            case SendAudio(_, audio):
                start = max(self.now, self.play_end)
                self.play_end = start + len(audio) / RATE
                self.played.append((start, audio))
            case SendMark(name):
                self.marks.append((self.play_end, name))
                self.at(self.play_end + 0.004, lambda now, name=name: self._mark(name))
            case ClearPlayout():
                self.clears.append(self.now + 0.002)
                self._clear()
            case HangUp():
                pass

    def _reply(self, turn_id: str, text: str) -> None:
        words = text.split(" ")
        for number, word in enumerate(words):
            self.at(self.now + 0.035 * number, lambda now, word=word, n=number: self._token(turn_id, word, n))
        self.at(self.now + 0.035 * len(words), lambda now: turn_id in self.stopped or self._step(TextEnded(turn_id)))
        if len(self.replies) == 3 - self.hang_up_after:
            self.at(self.now + 1.0, HangUpRequested())

    def _token(self, turn_id: str, word: str, number: int) -> None:
        if turn_id not in self.stopped:
            self._step(TextProduced(turn_id, (" " if number else "") + word))

    def _speak(self, context_id: str, text: str) -> None:
        state = self.voices.setdefault(context_id, {"ready": self.now + 0.15, "made": 0.0, "n": 0})
        words = spoken(text)
        if not words:
            return
        length = math.ceil((words[-1][2] + 0.12) / 0.02) * 0.02
        audio = linear_to_mulaw(voice(words, length, 118, len(text)).tobytes())
        ready = max(state["ready"], self.now + 0.12)
        base = state["made"]
        for n, at in enumerate(range(0, len(audio), 800)):
            begun = [(w, round(base + s, 3), round(base + e, 3)) for w, s, e in words if at <= s * RATE < at + 800]
            when = ready + 0.025 * n
            if begun:
                self.at(when, WordsReceived(context_id, tuple(begun)))
            self.at(when, AudioReceived(context_id, audio[at : at + 800]))
        state["ready"], state["made"] = ready + 0.025 * len(audio) / 800, base + length

    def _mark(self, name: str) -> None:
        if any(mark == name for _, mark in self.marks):
            self.marks = [item for item in self.marks if item[1] != name]
            self._step(MarkReturned(name))

    def _clear(self) -> None:
        cut = self.now + 0.012
        kept = [(start, audio[: max(0, round((cut - start) * RATE))]) for start, audio in self.played]
        self.played, self.play_end = [item for item in kept if item[1]], cut
        for _, name in self.marks:
            self.at(self.now + 0.006, lambda now, name=name: self._mark(name))

    def _wav(self) -> bytes:
        length = round((self.now + START - T0 + 0.4) * RATE)
        left, right = array("h", bytes(2 * length)), array("h", bytes(2 * length))
        for number, (start, words, seconds) in enumerate(self.caller_track):
            _put(left, start, voice(words, seconds, 205, number))
        for start, audio in self.played:
            _put(right, start, array("h", mulaw_to_linear(audio)))
        both = array("h", bytes(4 * length))
        both[0::2], both[1::2] = left, right
        out = io.BytesIO()
        with wave.open(out, "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(both.tobytes())
        return out.getvalue()

    def _truth(self) -> dict:
        offset = START - T0
        lines = [
            {
                "text": " ".join(word for word, _, _ in words),
                "start_s": start + offset,
                "end_s": start + length + offset,
            }
            for start, words, length in self.caller_track
        ]
        played = [[start + offset, start + offset + len(audio) / RATE] for start, audio in self.played]
        return {
            "t0": T0,
            "said": lines,
            "played": played,
            "clears": [at + offset for at in self.clears],
            "complaints": [],
        }


def _put(track: array, start: float, pcm: array) -> None:
    at = round((start + START - T0) * RATE)
    track[at : at + len(pcm)] = pcm[: max(0, len(track) - at)]


@pytest.fixture(scope="session")
def simulation() -> type[Simulation]:
    """For a call of one's own: `simulation(caller=[...]).run()`."""
    return Simulation


@pytest.fixture(scope="session")
def booking() -> MadeUpCall:
    """A booking: a greeting, an answer that is cut, a new answer, a goodbye. About 33 seconds."""
    return Simulation().run()


@pytest.fixture
def left(booking: MadeUpCall, tmp_path: Path) -> Path:
    """The folder in which the booking has left its files."""
    save(booking, tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def completed(booking: MadeUpCall, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same folder with its page and its report, made once: not to be changed."""
    folder = tmp_path_factory.mktemp("completed")
    save(booking, folder)
    complete(folder, png=False)
    return folder


def save(call: MadeUpCall, folder: Path) -> None:
    """Leave a call's files in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "trace.jsonl").write_text("\n".join(call.trace_lines) + "\n")
    (folder / "call.wav").write_bytes(call.wav)
    (folder / "caller.json").write_text(json.dumps(call.truth))
