"""The contract of cleaners notices what it is there to notice."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from time import thread_time

import pytest

from agentvoice.framing import Framed
from agentvoice.testing.contracts.cleaner import check_cleaner
from agentvoice.testing.lexicon import Lexicon


def speech(rate: int) -> bytes:
    """Words at a rate, with silences, of a length that is no whole number of pieces."""
    return bytes(rate // 5 * 2) + Lexicon().say("a table for two please", sample_rate=rate)


class Faithful:
    """`Cleaning` that changes nothing, and is 10 ms late."""

    delay_s = 0.01

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._framed = Framed(2 * (sample_rate // 100), self.frame)

    def clean(self, pcm: bytes) -> bytes:
        return self._framed(pcm)

    def played(self, pcm: bytes) -> None:
        pass

    def frame(self, frame: bytes) -> bytes:
        return frame


class Cleaner:
    def __init__(self, cleaning: Callable[[int], Faithful], rates: tuple[int, ...] = (8000, 16000)) -> None:
        self._cleaning = cleaning
        self._rates = rates

    def prepare(self) -> None:
        pass

    def cleaning(self, sample_rate: int) -> Faithful:
        if sample_rate not in self._rates:
            raise ValueError(sample_rate)
        return self._cleaning(sample_rate)


def test_a_cleaner_that_changes_nothing_keeps_the_contract() -> None:
    check_cleaner(lambda: Cleaner(Faithful), speech=speech)


class Short(Faithful):
    def clean(self, pcm: bytes) -> bytes:
        return super().clean(pcm)[:-2]


class Boastful(Faithful):
    delay_s = 0.0


class Tardy(Faithful):
    delay_s = 0.2


class Hissing(Faithful):
    def frame(self, frame: bytes) -> bytes:
        return array("h", [sample | 32 for sample in array("h", frame)]).tobytes()


class Deaf(Faithful):
    def frame(self, frame: bytes) -> bytes:
        return bytes(len(frame))


class Scrambling(Faithful):
    """Turns each half second around."""

    def __init__(self, sample_rate: int) -> None:
        super().__init__(sample_rate)
        self._framed = Framed(sample_rate, lambda half: array("h", reversed(array("h", half))).tobytes())


class Patchy(Faithful):
    """Frames begin anew with each piece."""

    def clean(self, pcm: bytes) -> bytes:
        return bytes(min(len(pcm), 2 * (self._rate // 100))) + pcm[: max(0, len(pcm) - 2 * (self._rate // 100))]


class Shared(Faithful):
    """All calls are the one that began last."""

    _last: Framed

    def __init__(self, sample_rate: int) -> None:
        super().__init__(sample_rate)
        Shared._last = self._framed

    def clean(self, pcm: bytes) -> bytes:
        return self._last(pcm)


class OneSided(Faithful):
    """Lets nothing through while the far end plays."""

    _playing = False

    def played(self, pcm: bytes) -> None:
        self._playing = any(pcm)

    def frame(self, frame: bytes) -> bytes:
        return bytes(len(frame)) if self._playing else frame


class Slow(Faithful):
    def frame(self, frame: bytes) -> bytes:
        began = thread_time()
        while thread_time() < began + 0.003:
            pass
        return frame


@pytest.mark.parametrize(
    ("cleaning", "complaint"),
    [
        (Short, "as much comes out as went in"),
        (Boastful, "`delay_s` is true"),
        (Tardy, r"at most 0.1 s late"),
        (Hissing, "silence stays silence"),
        (Deaf, "as loud as it was"),
        (Scrambling, "speech is as it was"),
        (Patchy, "in what pieces"),
        (Shared, "calls do not hear others"),
        (OneSided, "while something else is played"),
        (Slow, "far less than a frame"),
    ],
)
def test_a_cleaner_is_told_what_is_wrong_with_it(cleaning: Callable[[int], Faithful], complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        check_cleaner(lambda: Cleaner(cleaning), speech=speech)


def test_a_rate_that_it_does_not_know_has_to_be_refused() -> None:
    with pytest.raises(AssertionError, match="refused with a ValueError"):
        check_cleaner(lambda: Cleaner(Faithful, rates=(8000, 11025, 16000)), speech=speech)
