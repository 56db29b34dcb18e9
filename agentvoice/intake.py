"""What the line receives, as those who listen want it: in order, linear, at a rate that models know, and cleaned."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from .audio import AudioFormat, to_linear
from .events import CallerAudio, KeyPressed
from .interfaces import AudioCleaner
from .logger import Logger
from .loudspeaker import Loudspeaker
from .rate_check import RateCheck
from .resampling import Resampler
from .sequencer import Sequencer
from .tones import InBandKeys

log = Logger(__name__)

RATES: Final = (8000, 16000)
"""Sample rates that are left as they are; audio of any other is resampled to the higher one."""


@dataclass(frozen=True, slots=True)
class Sound:
    """Signed 16-bit little-endian PCM that follows what came before without a gap."""

    pcm: bytes = field(repr=False)
    at: float
    """When its first sample was spoken, in seconds on the call's clock."""


class Intake:
    """The way of one call's audio from the line to the listeners."""

    def __init__(self, audio: AudioFormat, cleaner: AudioCleaner | None = None, *, hears_keys: bool = False) -> None:
        """`audio` is what the line carries; `hears_keys` says that keys come as tones in it.

        Raises:
            UsageError: it has to be resampled, and soxr is not installed.
        """
        self.sample_rate = audio.sample_rate if audio.sample_rate in RATES else max(RATES)
        """That of the sound that comes out."""
        self._audio = audio
        self._rate_check = RateCheck(audio.sample_rate)
        self._sequencer = Sequencer(audio)
        self._linear = self._converter()
        self._keys = InBandKeys(self.sample_rate) if hears_keys else None
        self._cleaning = cleaner.cleaning(self.sample_rate) if cleaner else None
        self._loudspeaker = Loudspeaker(self.sample_rate)
        self._agent_linear = self._converter()
        self._came_s = 0.0
        self._went_s = 0.0

    def _converter(self) -> Callable[[bytes], bytes]:
        encoding = self._audio.encoding
        if self._audio.sample_rate == self.sample_rate:
            return lambda audio: to_linear(audio, encoding)
        resample = Resampler(self._audio.sample_rate, self.sample_rate)
        return lambda audio: resample(to_linear(audio, encoding))

    @property
    def missed(self) -> dict[str, float]:
        """What did not come as it should have."""
        return {
            "lost_s": round(self._sequencer.lost / self._audio.sample_rate, 3),
            "repeated_frames": self._sequencer.repeated,
        }

    # ------------------------------------------------------------------ the caller

    def arrived(self, frame: CallerAudio, *, now: float) -> None:
        """Take note of a frame at the moment when it arrives."""
        rate = self._rate_check.receive(len(frame.audio) // self._audio.sample_bytes, now=now)
        if rate is not None:
            log.warning("wrong_sample_rate", declared=self._audio.sample_rate, comes=rate)

    def receive(self, frame: CallerAudio, *, now: float) -> Iterator[Sound | KeyPressed]:
        """Take a frame that arrived at `now`; yield what can be heard because of it. Exhaust the iterator."""
        for stretch in self._sequencer.receive(frame, now=now):
            began_at = stretch.at - self._came_s
            self._came_s += self._audio.seconds(len(stretch.audio))
            pcm = self._linear(stretch.audio)
            if self._keys:
                yield from self._keys.receive(pcm)
            if pcm:
                sound = self._clean(Sound(pcm, began_at + self._went_s))
                self._went_s += len(pcm) / (2 * self.sample_rate)
                yield sound

    def _clean(self, sound: Sound) -> Sound:
        if self._cleaning is None:
            return sound
        self._cleaning.played(self._loudspeaker.played(len(sound.pcm) // 2, at=sound.at))
        return Sound(self._cleaning.clean(sound.pcm), sound.at - self._cleaning.delay_s)

    # ------------------------------------------------------------------ the agent, whose echo may come back

    def sent(self, audio: bytes, *, now: float) -> None:
        """Take what is sent to the far end now."""
        if self._cleaning:
            self._loudspeaker.send(self._agent_linear(audio), now=now)

    def cleared(self, *, now: float) -> None:
        """The far end forgets what it has not played."""
        if self._cleaning:
            self._loudspeaker.clear(now=now)
