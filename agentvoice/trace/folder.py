"""A call's folder: from what it left there to what people look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def pictures(source: Path, *, png: bool = True) -> Sequence[Path]:
    """Draw the trace at `source`, with the sound beside it if there is any; return what was written.

    The sound is a file named like the trace, or the far end's `call.wav` with its account, `caller.json`. What is
    written is a page that needs nothing else, and, with `png`, a picture of it; both are named like the trace.

    Raises:
        UsageError: it is no trace, a file is not what it should be, or the package that draws is missing.
    """
    found, score = _measured(source)
    made = {source.with_suffix(".html"): page(found, score).encode()}
    if png:
        made[source.with_suffix(".png")] = rasterise(picture(compose(heading(found), score)))
    for path, data in made.items():
        path.write_bytes(data)
    return list(made)


def complete(folder: Path, *, notes: Mapping[str, Any] | None = None, png: bool = True) -> Report:
    """Read the trace in a folder, and the recording and the caller's account where there are any; write what follows.

    That is `report.json`, `timeline.html` and, with `png`, `timeline.png` and `timeline-dark.png`. `notes` are what the
    agent found worth keeping.

    Raises:
        UsageError: there is no trace, a file is not what it should be, or the package that draws is missing.
    """
    found, score = _measured(folder / TRACE, notes)
    (folder / "report.json").write_bytes(found.json())
    (folder / "timeline.html").write_text(page(found, score), encoding="utf-8")
    if png:
        drawing = compose(heading(found), score)
        for name, scheme in PICTURES.items():
            (folder / name).write_bytes(rasterise(picture(drawing, scheme)))
    return found


def _measured(source: Path, notes: Mapping[str, Any] | None = None) -> tuple[Report, Score]:
    trace = read_trace(source)
    truth, recording = source.with_name(TRUTH), source.with_name(RECORDING)
    if (own := source.with_suffix(".wav")).exists():  # made at this end: it begins when the call does
        truth, recording = source.with_suffix(".none"), own
    account = read_truth(truth) if truth.exists() else None
    sound = read_recording(recording) if recording.exists() else None
    measured = measure(tell(trace, zero=account.t0 if account else None), sound, account)
    return report(measured, notes), Score(measured.observed(), sound)
