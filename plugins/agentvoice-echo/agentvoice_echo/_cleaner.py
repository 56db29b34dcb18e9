"""The plugin: three settings of one module. What it needs is imported when it is prepared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ._cleaning import Processing

RATES: Final = (8000, 16000)


class Echo:
    """`AudioCleaner` that takes the agent's echo out of the line."""

    echo = True
    noise = False

    def prepare(self) -> None:
        """Load the library, which comes with the package: half a second."""
        self.cleaning(RATES[0])

    def cleaning(self, sample_rate: int) -> Processing:
        """Return what cleans one call's audio, PCM of 8000 or 16000 Hz.

        Raises:
            ValueError: it is of another rate.
        """
        from ._cleaning import Processing  # noqa: PLC0415 - takes half a second, for a WebRTC client and protobuf

        if sample_rate not in RATES:
            raise ValueError(f"sample_rate is {sample_rate}, and it has to be 8000 or 16000; resample")
        return Processing(sample_rate, echo=self.echo, noise=self.noise)


class EchoAndNoise(Echo):
    """`AudioCleaner` that takes the agent's echo and steady noise out of the line."""

    noise = True


class Noise(Echo):
    """`AudioCleaner` that takes steady noise out of the line, for a hundredth of a core."""

    echo = False
    noise = True
