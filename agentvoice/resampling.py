"""PCM of one sample rate as PCM of another, as it streams; by soxr, which the extra `speech` brings."""

from __future__ import annotations

from typing import Any

from .errors import UsageError


class Resampler:
    """One stream of signed 16-bit little-endian PCM, from one sample rate to another."""

    def __init__(self, rate_in: int, rate_out: int) -> None:
        """Rates are samples per second.

        Raises:
            UsageError: soxr is not installed.
        """
        try:
            import numpy as np  # noqa: PLC0415 - an extra, and only for lines of unusual rates
            import soxr  # noqa: PLC0415 - as above
        except ModuleNotFoundError as error:
            raise UsageError(
                f"the line carries {rate_in} Hz, which has to be resampled; try: pip install 'agentvoice[speech]'"
            ) from error
        self._from_bytes: Any = lambda pcm: np.frombuffer(pcm, "<i2")
        quality = "MQ" if rate_in > rate_out else "QQ"  # nothing to filter out, and more would hold 70 ms back
        self._stream = soxr.ResampleStream(rate_in, rate_out, 1, dtype="int16", quality=quality)

    def __call__(self, pcm: bytes) -> bytes:
        """Take PCM of any length, whole samples; return what is ready.

        The first sample that comes out is the first that went in; 15 ms, or none, are held back for the next piece.
        """
        return bytes(self._stream.resample_chunk(self._from_bytes(pcm)).tobytes())
