"""The plugin: a model that is loaded once, and one detector for each call. What it needs is imported with the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from agentvoice.assets import ensure

from ._weights import MODEL, WEIGHTS

if TYPE_CHECKING:
    from ._desk import Desk
    from ._detector import Detector

RATES: Final = (8000, 16000)


class Silero:
    """`VoiceActivity` by Silero v6."""

    def __init__(self) -> None:
        self._desks: Mapping[int, Desk] = {}

    def prepare(self) -> None:
        """Load the model: a file of 2 MB, fetched once into the user's cache."""
        if self._desks:
            return
        from ._desk import Desk  # noqa: PLC0415 - takes a third of a second
        from ._model import Model  # noqa: PLC0415 - as above

        model = Model(ensure(WEIGHTS) / MODEL.name)
        self._desks = {rate: Desk(model, rate) for rate in RATES}

    def detector(self, sample_rate: int) -> Detector:
        """Return a fresh detector for PCM of 8000 or 16000 Hz.

        Raises:
            ValueError: the model knows no other sample rates.
        """
        from ._detector import Detector  # noqa: PLC0415 - as above

        if sample_rate not in RATES:
            raise ValueError(f"sample_rate is {sample_rate}, and Silero hears {' or '.join(map(str, RATES))}; resample")
        self.prepare()
        return Detector(self._desks[sample_rate], sample_rate)
