"""The plugin: a model that is loaded once, and one detector for each call. What it needs is imported with the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agentvoice.assets import ensure

from ._weights import MODEL, WEIGHTS

if TYPE_CHECKING:
    from ._detector import Detector
    from ._model import Model

RATES: Final = (8000, 16000)


class Silero:
    """`VoiceActivity` by Silero v6."""

    def __init__(self) -> None:
        self._model: Model | None = None

    def prepare(self) -> None:
        """Load the model: a file of 2 MB, fetched once into the user's cache."""
        from ._model import Model  # noqa: PLC0415 - takes a third of a second

        self._model = self._model or Model(ensure(WEIGHTS) / MODEL.name)

    def detector(self, sample_rate: int) -> Detector:
        """Return a fresh detector for PCM of 8000 or 16000 Hz.

        Raises:
            ValueError: the model knows no other sample rates.
        """
        from ._detector import Detector  # noqa: PLC0415 - as above

        if sample_rate not in RATES:
            raise ValueError(f"sample_rate is {sample_rate}, and Silero hears {' or '.join(map(str, RATES))}; resample")
        self.prepare()
        assert self._model is not None  # noqa: S101 - `prepare` has just seen to it
        return Detector(self._model, sample_rate)
