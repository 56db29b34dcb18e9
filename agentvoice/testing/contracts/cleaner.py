"""What every `AudioCleaner` has to keep."""

from __future__ import annotations

import math
import sys
from array import array
from collections.abc import Callable, Sequence
from itertools import cycle, pairwise
from operator import mul
from time import thread_time
from typing import Final

from agentvoice.interfaces import AudioCleaner, Cleaning

RATES: Final = (8000, 16000)
UNEVEN: Final = (320, 1, 2, 0, 639, 77, 4096, 3)
"""Bytes in the pieces that a cleaner is given: half samples too."""
LATEST_S: Final = 0.1
"""What a caller's words may be late at most: more is heard in the conversation."""
TRUE_S: Final = 0.005
"""How exact `delay_s` has to be."""
STILL: Final = 16
"""Peak, of 32,768, that silence may have afterwards."""
LIKE: Final = 0.8
LIKE_WHILE_PLAYED: Final = 0.5
"""How much the loudness of cleaned speech has to go up and down as it did before: its correlation; and while the far
end plays something else, for which an echo canceller may take a part of it."""
CHANGE_DB: Final = 6.0
CHANGE_WHILE_PLAYED_DB: Final = 15.0
"""How much louder or fainter speech may have become; and while the far end plays something else."""
SHARE: Final = 0.25
"""Of a frame's length: what cleaning it may take at most."""
ATTEMPTS: Final = 5
"""The machine's own hiccups do not meet the same frame so many times; a cleaner's do."""
_FRAME_S: Final = 0.02
_HOP_S: Final = 0.001


def check_cleaner(make: Callable[[], AudioCleaner], *, speech: Callable[[int], bytes]) -> None:
    """Check a plugin, or a double. `speech(rate)` is about two seconds of PCM that is clear speech at that rate.

    Raises:
        AssertionError: the contract is broken; the message says where.
    """
    cleaner = make()
    cleaner.prepare()
    for rate in RATES:
        _check_rate(cleaner, rate, speech(rate))
    for rate in (0, 11025, 44100):
        try:
            cleaner.cleaning(rate)
        except ValueError:
            continue
        raise AssertionError(f"a sample rate of {rate} is refused with a ValueError, rather than cleaned wrongly")


def _check_rate(cleaner: AudioCleaner, rate: int, speech: bytes) -> None:
    silence = bytes(2 * round(0.3 * rate))
    cleaning = cleaner.cleaning(rate)
    assert 0 <= cleaning.delay_s <= LATEST_S, (
        f"what is cleaned is at most {LATEST_S} s late; it says {cleaning.delay_s}"
    )

    took_s = max(map(min, zip(*(_took_s(cleaner.cleaning(rate), speech, rate) for _ in range(ATTEMPTS)), strict=True)))
    assert took_s <= SHARE * _FRAME_S, (
        f"cleaning takes far less than a frame lasts; one of {1e3 * _FRAME_S:.0f} ms took {1e3 * took_s:.1f} ms"
    )

    still = _samples(_cleaned(cleaner.cleaning(rate), bytes(2 * rate)))
    assert max(map(abs, still)) <= STILL, "silence stays silence"

    at_once = _cleaned(cleaner.cleaning(rate), speech + silence)
    late = round(cleaning.delay_s * rate)
    first = _samples(at_once)[: max(0, late - round(TRUE_S * rate))]
    assert not first or max(map(abs, first)) <= STILL, "what comes out first, until the delay is over, is silence"
    _check_survival(speech, at_once, rate, like=LIKE, change_db=CHANGE_DB)
    found_s, _ = _lag(_loudness(speech, rate), _loudness(at_once, rate))
    assert abs(found_s - cleaning.delay_s) <= TRUE_S, (
        f"`delay_s` is true; it says {1e3 * cleaning.delay_s:.1f} ms, and it is {1e3 * found_s:.0f} ms"
    )

    pieces = _pieces(speech + silence)
    piecewise = _cleaned(cleaner.cleaning(rate), *pieces)
    assert _same(piecewise, at_once), "it does not matter in what pieces audio comes, half samples included"

    one, other = cleaner.cleaning(rate), cleaner.cleaning(rate)
    ours = b"".join(_with(other, reverse, one, piece) for piece, reverse in zip(pieces, pieces[::-1], strict=True))
    assert _same(ours, at_once), "calls do not hear others"

    talking = cleaner.cleaning(rate)
    far = _backwards(speech)
    _cleaned_beside(talking, far, bytes(len(speech)))
    both = _cleaned_beside(talking, far + silence, speech + silence)
    _check_survival(
        speech,
        both,
        rate,
        like=LIKE_WHILE_PLAYED,
        change_db=CHANGE_WHILE_PLAYED_DB,
        when=" while something else is played",
    )


def _check_survival(before: bytes, after: bytes, rate: int, *, like: float, change_db: float, when: str = "") -> None:
    change = 10 * math.log10((_energy(after) + 1) / (_energy(before) + 1))
    assert abs(change) <= change_db, f"speech is as loud as it was{when}; it is {change:+.1f} dB"
    _, found = _lag(_loudness(before, rate), _loudness(after, rate))
    assert found >= like, f"speech is as it was{when}; its loudness correlates by {found:.2f}"


# ------------------------------------------------------------------ how a cleaner is fed


def _cleaned(cleaning: Cleaning, *pieces: bytes) -> bytes:
    return b"".join(_played(cleaning, bytes(len(piece)), piece) for piece in pieces)


def _cleaned_beside(cleaning: Cleaning, far: bytes, near: bytes) -> bytes:
    pairs = zip(_pieces(far), _pieces(near), strict=True)
    return b"".join(_played(cleaning, theirs, ours) for theirs, ours in pairs)


def _played(cleaning: Cleaning, far: bytes, near: bytes) -> bytes:
    cleaning.played(far)
    out = cleaning.clean(near)
    assert len(out) == len(near), f"as much comes out as went in; {len(out)} bytes came for {len(near)}"
    return out


def _with(other: Cleaning, theirs: bytes, one: Cleaning, ours: bytes) -> bytes:
    """Clean a piece of each of two calls; return the second's."""
    _cleaned(other, theirs)
    return _cleaned(one, ours)


def _pieces(pcm: bytes) -> list[bytes]:
    pieces: list[bytes] = []
    at = 0
    for size in cycle(UNEVEN):
        if at >= len(pcm):
            return pieces
        pieces.append(pcm[at : at + size])
        at += size
    raise AssertionError  # pragma: no cover - a cycle has no end


def _took_s(cleaning: Cleaning, pcm: bytes, rate: int) -> list[float]:
    """Return how long each frame of the first half second keeps the thread busy."""
    size, took = 2 * round(_FRAME_S * rate), []
    for at in range(0, rate, size):
        frame = pcm[at : at + size]
        began = thread_time()
        _played(cleaning, frame, frame)
        took.append(thread_time() - began)
    return took


# ------------------------------------------------------------------ what is measured


def _samples(pcm: bytes) -> array[int]:
    samples = array("h", pcm)
    if sys.byteorder == "big":  # pragma: no cover
        samples.byteswap()
    return samples


def _backwards(pcm: bytes) -> bytes:
    samples = array("h", pcm)
    samples.reverse()
    return samples.tobytes()


def _same(ones: bytes, others: bytes) -> bool:
    if len(ones) != len(others):
        return False
    return all(abs(a - b) <= 2 for a, b in zip(_samples(ones), _samples(others), strict=True))


def _energy(pcm: bytes) -> float:
    samples = _samples(pcm)
    return float(sum(map(mul, samples, samples)))


def _loudness(pcm: bytes, rate: int) -> list[float]:
    """Return how loud each millisecond is: of the differences, which a filter against hum does not delay."""
    samples, hop = _samples(pcm), round(_HOP_S * rate)
    steps = [abs(after - before) for before, after in pairwise(samples)]
    return [float(sum(steps[at : at + hop])) for at in range(0, len(steps) - hop, hop)]


def _lag(before: Sequence[float], after: Sequence[float]) -> tuple[float, float]:
    """Return by how many seconds the second is later, and how like the first it is then, up to 1."""
    before = _centred([*before, *[0.0] * (len(after) - len(before))])
    after = _centred(after)
    size = math.sqrt(sum(map(mul, before, before)) * sum(map(mul, after, after))) or 1.0
    like, late = max((sum(map(mul, before, after[late:])) / size, late) for late in range(round(2 * LATEST_S / _HOP_S)))
    return late * _HOP_S, like


def _centred(values: Sequence[float]) -> list[float]:
    mean = sum(values) / len(values)
    return [value - mean for value in values]
