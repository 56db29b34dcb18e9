"""One call's audio on its way through WebRTC's audio processing module, in frames of 10 ms."""

from __future__ import annotations

from typing import Final

from livekit.rtc import AudioFrame, AudioProcessingModule

from agentvoice.framing import Framed

_ECHO_S: Final = 0.008
_NOISE_S: Final = 0.006
_RAISED_S: Final = 0.003
"""How late the module is (measured): when it cancels echo, suppresses noise, and has to raise 8 kHz to 16 kHz."""


class Processing:
    """The state of cleaning one call's audio. A frame of 10 ms takes 0.1 ms, on the spot."""

    def __init__(self, sample_rate: int, *, echo: bool, noise: bool) -> None:
        self._rate = sample_rate
        self._echo = echo
        self._size = 2 * (sample_rate // 100)
        self.delay_s = 0.01 + echo * _ECHO_S + noise * _NOISE_S + (sample_rate < 16000) * _RAISED_S
        self._module = AudioProcessingModule(echo_cancellation=echo, noise_suppression=noise, high_pass_filter=True)
        self._far = bytearray()  # what was played, from where the next frame begins
        self._near = 0  # bytes of the caller's that wait for their frame to be whole
        self._framed = Framed(self._size, self._process)

    def clean(self, pcm: bytes) -> bytes:
        """Take PCM of any length; return as much, `delay_s` late."""
        self._near += len(pcm)
        missing = self._near - len(self._far)  # of a frame that nobody told what was played with it
        self._far += bytes(max(0, missing))
        out = self._framed(pcm)
        self._near %= self._size
        return out

    def played(self, pcm: bytes) -> None:
        """Take what the far end's loudspeaker played meanwhile. The module finds out by itself how late its echo is."""
        self._far += pcm

    def _process(self, frame: bytes) -> bytes:
        if self._echo:
            self._module.process_reverse_stream(self._frame(self._far[: self._size]))
            self._module.set_stream_delay_ms(0)
        del self._far[: self._size]
        near = self._frame(bytearray(frame))
        self._module.process_stream(near)
        return bytes(near.data.cast("b"))

    def _frame(self, pcm: bytearray) -> AudioFrame:
        return AudioFrame(pcm, self._rate, 1, self._size // 2)
