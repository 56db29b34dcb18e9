"""Hearing: the caller's audio becomes speech events and transcripts. The edge around `VoiceGate`.

Paths that never wait for each other: audio → voice activity → `SpeechStarted`, `SpeechStopped`, at once; audio →
recognition → `Transcript`, as it can; a pause → a model of turns → `EndOfTurnJudged`. A recogniser that stalls or
breaks delays no barge-in.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import Final

from anyio import CancelScope, create_task_group
from anyio.abc import TaskGroup

from .audio import AudioFormat
from .bell import Bell
from .clock import current_time
from .commands import ClearPlayout, JudgePause, SendAudio, UtteranceEnded
from .events import CallerAudio, EndOfTurnJudged, Event, SpeechStarted, SpeechStopped
from .intake import Intake, Sound
from .interfaces import HEARD_S, AudioCleaner, EndOfTurn, SpeechRecognizer, TurnRecognizer, VoiceActivity
from .logger import Logger
from .recognition import Recognition
from .segment_recognition import SegmentRecognition
from .turn_recognition import TurnRecognition
from .voice_gate import ORDINARY, Sensitivity, VoiceGate

log = Logger(__name__)

BACKLOG_S: Final = 5.0
"""Audio that may wait for voice activity detection; the oldest is dropped beyond."""
STARVED_S: Final = 0.5
"""With no audio for so long, the caller is taken to be silent."""


class Hearing:
    """Listens to one call: `feed` it what the line receives, `notice` what was decided, and `run` it."""

    def __init__(
        self,
        vad: VoiceActivity,
        recognizer: SpeechRecognizer | TurnRecognizer,
        audio: AudioFormat,
        deliver: Callable[[Event], None],
        *,
        sensitivity: Sensitivity = ORDINARY,
        end_of_turn: EndOfTurn | None = None,
        cleaner: AudioCleaner | None = None,
        hears_keys: bool = False,
    ) -> None:
        """`audio` is what the line carries; events are handed to `deliver`, from the event loop. With `hears_keys` the
        caller's keys are found in the audio.

        Raises:
            UsageError: the line's audio has to be resampled, and soxr is not installed.
        """
        self._audio = audio
        self._deliver = deliver
        self._intake = Intake(audio, cleaner, hears_keys=hears_keys)
        self._rate = self._intake.sample_rate
        self._detector = vad.detector(self._rate)
        self._gate = VoiceGate(sensitivity)
        self._end_of_turn = end_of_turn
        self._recognition = self._open(recognizer, sensitivity)
        self._inbox: deque[tuple[CallerAudio, float]] = deque()
        self._waiting, self._most_waiting = 0, audio.size(BACKLOG_S)  # bytes in the inbox
        self._arrived = Bell()
        self._arrived_at = -math.inf
        self._lately = bytearray()  # the caller's last seconds, for the model of turns
        self._fed_s = 0.0  # what the detector has had, and what it has judged of it
        self._judged_s = 0.0
        self._heard_until = 0.0
        self._detector_failed = self._end_of_turn_failed = False
        self._judging = CancelScope()
        self._group: TaskGroup
        self.dropped = 0
        """Frames dropped because voice activity detection could not keep up."""

    def _open(self, recognizer: SpeechRecognizer | TurnRecognizer, sensitivity: Sensitivity) -> Recognition:
        if isinstance(recognizer, TurnRecognizer):
            return TurnRecognition(recognizer, self._deliver, sample_rate=self._rate)
        noticed_after_s = sensitivity.speech_s + 2 * self._detector.window_s
        return SegmentRecognition(recognizer, self._deliver, sample_rate=self._rate, noticed_after_s=noticed_after_s)

    @property
    def judges(self) -> bool:
        """Whether there is a model that can be asked about a pause."""
        return self._end_of_turn is not None

    def feed(self, event: CallerAudio) -> None:
        """Take audio as it arrives. Never waits."""
        self._arrived_at = current_time()
        self._intake.arrived(event, now=self._arrived_at)
        self._inbox.append((event, self._arrived_at))
        self._waiting += len(event.audio)
        while self._waiting > self._most_waiting:
            self._waiting -= len(self._inbox.popleft()[0].audio)
            self.dropped += 1
        self._arrived.ring()

    def notice(self, decided: JudgePause | UtteranceEnded | SendAudio | ClearPlayout) -> None:
        """Take what the conversation has decided. Never waits."""
        match decided:
            case JudgePause(text):
                self._group.start_soon(self._judge, text)
            case UtteranceEnded():
                self._lately.clear()
            case SendAudio(_, audio):
                self._intake.sent(audio, now=current_time())
            case ClearPlayout():  # pragma: no branch - the last there is
                self._intake.cleared(now=current_time())

    async def run(self) -> None:
        """Listen until cancelled."""
        try:
            async with create_task_group() as self._group:
                self._group.start_soon(self._listen)
                self._group.start_soon(self._recognition.run)
        finally:
            missed = {
                "dropped_frames": self.dropped,
                **self._intake.missed,
                "unrecognised_s": round(self._recognition.lost_s, 3),
            }
            if any(missed.values()):
                log.warning("hearing_missed", **missed)

    # ------------------------------------------------------------------ voice activity

    async def _listen(self) -> None:
        while True:
            while self._inbox:
                frame, arrived_at = self._inbox.popleft()
                self._waiting -= len(frame.audio)
                for heard in self._intake.receive(frame, now=arrived_at):
                    if isinstance(heard, Sound):
                        await self._hear(heard)
                    else:
                        self._deliver(heard)
            await self._arrived.wait(until=self._deadline)
            self._handle_timer(current_time())

    async def _hear(self, sound: Sound) -> None:
        self._recognition.hear(sound.pcm, at=sound.at)
        self._remember(sound.pcm)
        began_at = sound.at - self._fed_s  # when the detector's first sample would have been spoken
        self._fed_s += len(sound.pcm) / (2 * self._rate)
        self._heard_until = began_at + self._fed_s
        try:
            probabilities = await self._detector.feed(sound.pcm)
        except Exception:
            if not self._detector_failed:
                log.exception("voice_activity_failed")
            self._detector_failed = True
            return
        window_s = self._detector.window_s
        for probability in probabilities:
            start = began_at + self._judged_s
            self._judged_s += window_s
            event = self._gate.receive(probability, start=start, end=start + window_s)
            if event is not None:
                self._tell(event)

    def _tell(self, event: SpeechStarted | SpeechStopped) -> None:
        match event:
            case SpeechStarted(at):
                self._judging.cancel()
                self._recognition.speech_started(at)
            case SpeechStopped(at):
                self._recognition.speech_stopped(at)
        self._deliver(event)

    # ------------------------------------------------------------------ what time decides

    @property
    def _deadline(self) -> float:
        starved_at = self._arrived_at + STARVED_S if self._gate.speaking else math.inf
        return min(starved_at, self._recognition.deadline)

    def _handle_timer(self, now: float) -> None:
        starved = self._gate.speaking and now >= self._arrived_at + STARVED_S
        if starved and (stopped := self._gate.starve(self._heard_until)) is not None:
            self._tell(stopped)
        self._recognition.handle_timer(now)

    # ------------------------------------------------------------------ a model of turns

    def _remember(self, pcm: bytes) -> None:
        if self._end_of_turn is not None:
            self._lately += pcm
            del self._lately[: -2 * round(HEARD_S * self._rate)]

    async def _judge(self, text: str) -> None:
        """Ask about the pause that the caller is making. The answer is worth nothing once there is speech again."""
        assert self._end_of_turn is not None  # noqa: S101 - otherwise nobody asks
        if self._gate.speaking:
            return
        try:
            with CancelScope() as self._judging:
                probability = await self._end_of_turn.judge(bytes(self._lately), self._rate, text)
                self._deliver(EndOfTurnJudged(probability))
        except Exception:
            if not self._end_of_turn_failed:
                log.exception("end_of_turn_failed")
            self._end_of_turn_failed = True
