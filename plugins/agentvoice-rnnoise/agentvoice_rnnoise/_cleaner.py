"""The plugin: a library that is loaded once, and a state for each call. What it needs is imported with the library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agentvoice.assets import ensure
from agentvoice.errors import AssetUnavailable

from ._weights import ASSETS, LIBRARIES, MACHINE

if TYPE_CHECKING:
    from ._cleaning import Denoising
    from ._library import Library

RATES: Final = (8000, 16000)


class RNNoise:
    """`AudioCleaner` by RNNoise."""

    def __init__(self) -> None:
        self._library: Library | None = None

    def prepare(self) -> None:
        """Load the library: 15 MB, fetched once into the user's cache.

        Raises:
            AssetUnavailable: it cannot be fetched, or there is none for this machine.
        """
        from ._library import Library  # noqa: PLC0415 - needs numpy, which takes a tenth of a second

        if self._library is None:
            if not ASSETS:
                known = ", ".join(" ".join(machine) for machine in LIBRARIES)
                raise AssetUnavailable(f"there is no RNNoise for {' '.join(MACHINE)} (but for {known}); set no cleaner")
            (asset,) = ASSETS
            self._library = Library(ensure(asset) / asset.files[0].name)

    def cleaning(self, sample_rate: int) -> Denoising:
        """Return what cleans one call's audio, PCM of 8000 or 16000 Hz.

        Raises:
            ValueError: it is of another rate.
        """
        from ._cleaning import Denoising  # noqa: PLC0415 - as above

        if sample_rate not in RATES:
            raise ValueError(f"sample_rate is {sample_rate}, and RNNoise is given 8000 or 16000 here; resample")
        self.prepare()
        assert self._library is not None  # noqa: S101 - `prepare` has just seen to it
        return Denoising(self._library, sample_rate)
