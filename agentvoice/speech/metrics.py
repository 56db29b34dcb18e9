"""Counters of a speech server, and their text for Prometheus (exposition format 0.0.4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Upper bounds of the first-audio histogram, in seconds."""


@dataclass(slots=True)
class Metrics:
    """What has happened since the start. Increment the members."""

    sockets: int = 0
    """Open now."""
    contexts: int = 0
    """Live now."""
    refused: Counter[int] = field(default_factory=Counter)
    """Errors sent, by status code."""
    ended: Counter[str] = field(default_factory=Counter)
    """Contexts ended, by how: `done`, `cancelled`."""
    overlooked: Counter[str] = field(default_factory=Counter)
    """Requests that were spoken without something that they asked for, by what it was: `emotion`, `voice`, ..."""
    audio_bytes: int = 0
    chunks: int = 0
    first_audio: Counter[float] = field(default_factory=Counter)
    first_audio_sum: float = 0.0

    def heard(self, seconds: float) -> None:
        """Count how long a context waited for its first audio."""
        bucket = next((bound for bound in _BUCKETS if seconds <= bound), float("inf"))
        self.first_audio[bucket] += 1
        self.first_audio_sum += seconds

    def text(self) -> str:
        """Return it all as Prometheus reads it."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        yield from _metric("sockets", "gauge", "Sockets open now.", {"": self.sockets})
        yield from _metric("contexts", "gauge", "Contexts live now.", {"": self.contexts})
        ended = {f'{{how="{how}"}}': count for how, count in sorted(self.ended.items())}
        yield from _metric("contexts_ended_total", "counter", "Contexts that ended.", ended)
        refused = {f'{{status="{status}"}}': count for status, count in sorted(self.refused.items())}
        yield from _metric("errors_total", "counter", "Errors sent.", refused)
        overlooked = {f'{{what="{what}"}}': count for what, count in sorted(self.overlooked.items())}
        yield from _metric("overlooked_total", "counter", "Requests spoken without what they asked for.", overlooked)
        yield from _metric("audio_bytes_total", "counter", "Audio sent, in bytes.", {"": self.audio_bytes})
        yield from _metric("chunks_total", "counter", "Chunks of audio sent.", {"": self.chunks})
        below = 0
        histogram: dict[str, float] = {}
        for bound in (*_BUCKETS, float("inf")):
            below += self.first_audio[bound]
            histogram[f'_bucket{{le="{"+Inf" if bound == float("inf") else bound}"}}'] = below
        histogram |= {"_sum": self.first_audio_sum, "_count": below}
        yield from _metric(
            "first_audio_seconds", "histogram", "From a context's first text to its first audio.", histogram
        )


def _metric(name: str, kind: str, says: str, values: Mapping[str, float]) -> Iterator[str]:
    yield f"# HELP agentvoice_speech_{name} {says}"
    yield f"# TYPE agentvoice_speech_{name} {kind}"
    for labels, value in values.items():
        yield f"agentvoice_speech_{name}{labels} {value}"
