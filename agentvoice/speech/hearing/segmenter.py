"""From a stream of audio to the stretches of it in which somebody speaks. Time is counted in samples, not by a clock.

So it makes no difference how fast a client sends, and a file is understood as a call is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from agentvoice.events import SpeechStarted, SpeechStopped
from agentvoice.segment_recognition import PRE_ROLL_S
from agentvoice.voice_gate import Sensitivity, VoiceGate

Stretch: TypeAlias = SpeechStarted | SpeechStopped | bytes
"""What happens: somebody begins to speak, audio of that, somebody falls silent."""


class Segmenter:
    """One stream. Pure. Give it small pieces: what begins or ends does so at the edge of one."""

    def __init__(self, sample_rate: int, window_s: float, sensitivity: Sensitivity) -> None:
        """`window_s` is how much audio each probability is about."""
        self._bytes_per_second: Final = 2 * sample_rate
        self._window_s = window_s
        self._fed = 0
        self._judged_s = 0.0
        self._before: deque[bytes] = deque()
        self._before_size = 0
        self.began_at = 0.0
        """When the first audio of the latest stretch was spoken, in seconds of the stream."""
        self.use(sensitivity)

    def use(self, sensitivity: Sensitivity) -> None:
        """Change what counts as speech. Only while nobody speaks."""
        self._gate = VoiceGate(sensitivity)
        kept_s = PRE_ROLL_S + sensitivity.speech_s + 2 * self._window_s
        self._before_limit = round(kept_s * self._bytes_per_second)

    @property
    def heard_s(self) -> float:
        """How much audio there was so far."""
        return self._fed / self._bytes_per_second

    @property
    def speaking(self) -> bool:
        """Whether somebody speaks."""
        return self._gate.speaking

    def receive(self, pcm: bytes, probabilities: Sequence[float]) -> Iterator[Stretch]:
        """Take audio, and the probabilities of speech of the windows that it completes. Exhaust the iterator."""
        self._fed += len(pcm)
        if self._gate.speaking:
            yield pcm
        else:
            self._remember(pcm)
        for probability in probabilities:
            start, self._judged_s = self._judged_s, self._judged_s + self._window_s
            match self._gate.receive(probability, start=start, end=self._judged_s):
                case SpeechStarted() as started:
                    yield started
                    yield from self._recall()
                case SpeechStopped() as stopped:
                    yield stopped
                case _:
                    pass

    def end(self) -> Iterator[SpeechStopped]:
        """Take it that whoever speaks has finished."""
        if (stopped := self._gate.starve(self.heard_s)) is not None:
            yield stopped

    def _remember(self, pcm: bytes) -> None:
        self._before.append(pcm)
        self._before_size += len(pcm)
        while self._before_size - len(self._before[0]) >= self._before_limit:
            self._before_size -= len(self._before.popleft())

    def _recall(self) -> Iterator[bytes]:
        self.began_at = self.heard_s - self._before_size / self._bytes_per_second
        yield b"".join(self._before)
        self._before.clear()
        self._before_size = 0
