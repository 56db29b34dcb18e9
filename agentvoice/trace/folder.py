"""A call's folder: from what it left there to what people look at."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from .log import read_trace
from .measure import measure
from .picture import compose, picture, rasterise
from .recording import read_recording
from .report import Report, report
from .score import Score
from .telling import tell
from .theme import Scheme
from .timeline import heading, page
from .truth import read_truth

TRACE: Final = "trace.jsonl"
RECORDING: Final = "call.wav"
TRUTH: Final = "caller.json"
PICTURES: Final[Mapping[str, Scheme]] = {"timeline.png": "light", "timeline-dark.png": "dark"}


def complete(folder: Path, *, notes: Mapping[str, Any] | None = None, png: bool = True) -> Report:
    """Read the trace in a folder, and the recording and the caller's account where there are any; write what follows.

    That is `report.json`, `timeline.html` and, with `png`, `timeline.png` and `timeline-dark.png`. `notes` are what the
    agent found worth keeping.

    Raises:
        UsageError: there is no trace, a file is not what it should be, or the package that draws is missing.
    """
    trace = read_trace(folder / TRACE)
    truth = read_truth(folder / TRUTH) if (folder / TRUTH).exists() else None
    recording = read_recording(folder / RECORDING) if (folder / RECORDING).exists() else None
    measured = measure(tell(trace, zero=truth.t0 if truth else None), recording, truth)
    found, score = report(measured, notes), Score(measured.observed(), recording)
    (folder / "report.json").write_bytes(found.json())
    (folder / "timeline.html").write_text(page(found, score), encoding="utf-8")
    if png:
        drawing = compose(heading(found), score)
        for name, scheme in PICTURES.items():
            (folder / name).write_bytes(rasterise(picture(drawing, scheme)))
    return found
