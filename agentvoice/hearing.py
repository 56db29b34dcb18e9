"""Hearing: the caller's audio becomes speech events and transcripts. The edge around `VoiceGate` and `Segments`.

Two paths that never wait for each other: audio → voice activity → `SpeechStarted`, `SpeechStopped`, at once; and
segments of speech → recogniser → `Transcript`, as it can. A recogniser that stalls or breaks delays no barge-in.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import Final

import anyio
from anyio import CancelScope, create_task_group, current_time, sleep

from .audio import AudioFormat, Encoding, to_linear
from .errors import ProviderRejected, UsageError
from .events import CallerAudio, Event, SpeechStarted, SpeechStopped, Transcript
from .interfaces import Listening, SpeechRecognizer, VoiceDetector
from .logger import Logger
from .segments import Finalize, Segments
from .sequencer import Sequencer, Stretch
from .voice_gate import ORDINARY, Sensitivity, VoiceGate

log = Logger(__name__)

BACKLOG_S: Final = 5.0
"""Audio that may wait for voice activity detection; the oldest is dropped beyond."""
STARVED_S: Final = 0.5
"""With no audio for so long, the caller is taken to be silent."""
PRE_ROLL_S: Final = 0.3
"""Audio before the onset that the recogniser is given too: soft consonants precede what voice activity hears."""
RETRY_S: Final = (0.0, 0.25, 0.5, 1.0, 2.0, 5.0)
"""How long to wait before a broken recogniser is opened again; the last for ever after."""


class Hearing:
    """Listens to one call: `feed` it what the line receives, and `run` it."""

    def __init__(
        self,
        detector: VoiceDetector,
        recognizer: SpeechRecognizer,
        audio: AudioFormat,
        deliver: Callable[[Event], None],
        *,
        sensitivity: Sensitivity = ORDINARY,
    ) -> None:
        """`audio` is what the line carries; events are handed to `deliver`, from the event loop."""
        self._detector = detector
        self._recognizer = recognizer
        self._audio = audio
        self._deliver = deliver
        self._inbox: deque[tuple[CallerAudio, float]] = deque()
        self._waiting = 0  # bytes in the inbox
        self._arrived = anyio.Event()
        self._arrived_at = -math.inf
        self._sequencer = Sequencer(audio)
        self._gate = VoiceGate(sensitivity)
        self._pcm = AudioFormat(Encoding.S16LE, audio.sample_rate)
        self._segments = Segments(bytes_per_second=self._pcm.bytes_per_second)
        self._pre_roll: deque[bytes] = deque()
        self._pre_roll_size = 0
        self._pre_roll_limit = self._pcm.size(PRE_ROLL_S + sensitivity.speech_s + 2 * detector.window_s)
        self._fed_s = 0.0  # audio that the detector has had, and what it has judged of it
        self._judged_s = 0.0
        self._heard_until = 0.0
        self._detector_failed = False
        self._pourable = anyio.Event()
        self._session = CancelScope()
        self._failures = 0
        self.dropped = 0
        """Frames dropped because voice activity detection could not keep up."""

    def feed(self, event: CallerAudio) -> None:
        """Take audio as it arrives. Never waits."""
        self._arrived_at = current_time()
        self._inbox.append((event, self._arrived_at))
        self._waiting += len(event.audio)
        while self._waiting > self._audio.size(BACKLOG_S):
            self._waiting -= len(self._inbox.popleft()[0].audio)
            self.dropped += 1
        self._arrived.set()

    async def run(self) -> None:
        """Listen until cancelled."""
        try:
            async with create_task_group() as group:
                group.start_soon(self._listen)
                group.start_soon(self._recognise)
        finally:
            missed = {
                "dropped_frames": self.dropped,
                "lost_s": round(self._sequencer.lost / self._audio.sample_rate, 3),
                "repeated_frames": self._sequencer.repeated,
                "unrecognised_s": round(self._pcm.seconds(self._segments.lost), 3),
            }
            if any(missed.values()):
                log.warning("hearing_missed", **missed)

    # ------------------------------------------------------------------ voice activity

    async def _listen(self) -> None:
        while True:
            while self._inbox:
                frame, arrived_at = self._inbox.popleft()
                self._waiting -= len(frame.audio)
                for stretch in self._sequencer.receive(frame, now=arrived_at):
                    await self._hear(stretch)
            self._arrived = anyio.Event()
            with CancelScope(deadline=self._deadline):
                await self._arrived.wait()
            self._handle_timer(current_time())

    async def _hear(self, stretch: Stretch) -> None:
        pcm = to_linear(stretch.audio, self._audio.encoding)
        if self._gate.speaking:
            self._segments.add(pcm)
            self._pourable.set()
        else:
            self._keep(pcm)
        began_at = stretch.at - self._fed_s  # when the detector's first sample would have been spoken
        self._fed_s += self._pcm.seconds(len(pcm))
        self._heard_until = began_at + self._fed_s
        try:
            probabilities = await self._detector.feed(pcm)
        except Exception:
            if not self._detector_failed:
                log.exception("voice_activity_failed")
            self._detector_failed = True
            return
        for probability in probabilities:
            start, self._judged_s = self._judged_s, self._judged_s + self._detector.window_s
            self._tell(self._gate.receive(probability, start=began_at + start, end=began_at + self._judged_s))

    def _keep(self, pcm: bytes) -> None:
        self._pre_roll.append(pcm)
        self._pre_roll_size += len(pcm)
        while self._pre_roll_size - len(self._pre_roll[0]) >= self._pre_roll_limit:
            self._pre_roll_size -= len(self._pre_roll.popleft())

    def _tell(self, event: SpeechStarted | SpeechStopped | None) -> None:
        match event:
            case SpeechStarted():
                self._segments.begin(b"".join(self._pre_roll))
                self._pre_roll.clear()
                self._pre_roll_size = 0
            case SpeechStopped(at):
                self._segments.end(at)
            case None:
                return
        self._deliver(event)
        self._pourable.set()

    # ------------------------------------------------------------------ what time decides

    @property
    def _deadline(self) -> float:
        starved_at = self._arrived_at + STARVED_S if self._gate.speaking else math.inf
        return min(starved_at, self._segments.deadline, self._segments.stalled_at)

    def _handle_timer(self, now: float) -> None:
        if self._gate.speaking and now >= self._arrived_at + STARVED_S:
            self._tell(self._gate.starve(self._heard_until))
        for transcript in self._segments.handle_timer(now=now):
            log.warning("transcript_overdue", characters=len(transcript.text))
            self._deliver(transcript)
        if now >= self._segments.stalled_at:
            log.warning("recognizer_stalled", owed=self._segments.owed)
            self._segments.rewind()
            self._session.cancel()

    # ------------------------------------------------------------------ recognition

    async def _recognise(self) -> None:
        """Keep a recogniser open. Speech waits while there is none, and is given again to the next one."""
        while True:
            try:
                with CancelScope() as self._session:
                    await self._follow()
            except Exception as error:
                log.exception("recognizer_failed", failures=self._failures)
                if _is_hopeless(error):
                    return
            self._segments.rewind()
            await sleep(RETRY_S[min(self._failures, len(RETRY_S) - 1)])
            self._failures += 1

    async def _follow(self) -> None:
        """Pour segments into one recogniser, and deliver what it says, until it ends."""
        async with self._recognizer.listen(self._audio.sample_rate) as listening, create_task_group() as group:
            group.start_soon(self._pour, listening)
            async for transcript in listening.transcripts:
                self._failures = 0
                self._report(self._segments.receive(transcript))
            log.warning("recognizer_closed")
            group.cancel_scope.cancel()

    def _report(self, transcript: Transcript | None) -> None:
        if transcript is not None:
            self._deliver(transcript)

    async def _pour(self, listening: Listening) -> None:
        while True:
            while (piece := self._segments.take()) is not None:
                if isinstance(piece, Finalize):
                    await listening.finalize()
                else:
                    await listening.feed(piece)
            self._pourable = anyio.Event()
            await self._pourable.wait()


def _is_hopeless(error: Exception) -> bool:
    """Whether opening the recogniser again cannot help."""
    hopeless = (ProviderRejected, UsageError)
    if isinstance(error, ExceptionGroup):
        return error.subgroup(hopeless) is not None
    return isinstance(error, hopeless)
