"""One segment of speech on its way through a decoder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

import numpy as np
import soxr

from agentvoice.events import Transcript

from ._decoder import SAMPLE_RATE, Decoder
from ._shelf import Shelf


class Closed(Exception):
    """Nobody waits for this segment any more."""


class Segment:
    """Understands one segment. `understand` is for worker threads, one call at a time; `close` is for any."""

    def __init__(self, shelf: Shelf, sample_rate: int) -> None:
        self._shelf = shelf
        self._sample_rate = sample_rate
        self._resample: Callable[[bytes, bool], bytes]
        self._decoder: Decoder | None = None
        self._lock = Lock()  # held for moments only
        self._at_work = self._closed = False

    def understand(self, pcm: bytes, *, last: bool) -> Transcript:
        """Take signed 16-bit little-endian PCM, whole samples; return what the segment says so far, or after the `last`
        at all. Blocks for a fifth of its length, and a fresh segment's for another 0.1 s.

        Raises:
            Closed: it was closed meanwhile.
            ProviderUnavailable: Kaldi has given up.
        """
        with self._working() as decoder:
            decoder.hear(self._resample(pcm, last))
            return decoder.finish() if last else decoder.partial()

    def close(self) -> None:
        """Give the decoder back; a thread that works with it does so when it is done. Returns at once."""
        with self._lock:
            self._closed = True
            if not self._at_work:
                self._give_back()

    @contextmanager
    def _working(self) -> Iterator[Decoder]:
        with self._lock:
            if self._closed:
                raise Closed
            self._at_work = True
        try:
            if self._decoder is None:
                self._decoder, self._resample = self._shelf.take(), _resampler(self._sample_rate)
            yield self._decoder
        except BaseException:
            self._decoder = None  # nobody knows what state it is in
            raise
        finally:
            self._done()

    def _done(self) -> None:
        with self._lock:
            self._at_work = False
            if self._closed:
                self._give_back()

    def _give_back(self) -> None:
        if self._decoder is not None:
            self._shelf.put_back(self._decoder)
            self._decoder = None


def _resampler(sample_rate: int) -> Callable[[bytes, bool], bytes]:
    """Return what makes PCM of `sample_rate` that of the model. It is told whether that was the last.

    Kaldi itself makes less of more, but not more of less. The best quality holds 66 ms back until the last; any other
    leaves mirror images above 4 kHz, where the model hears consonants: in 8 kHz telephone speech that costs words.
    """
    if sample_rate == SAMPLE_RATE:
        return lambda pcm, _: pcm
    stream = soxr.ResampleStream(sample_rate, SAMPLE_RATE, 1, dtype="int16", quality="HQ")
    return lambda pcm, last: stream.resample_chunk(np.frombuffer(pcm, "<i2"), last=last).tobytes()
