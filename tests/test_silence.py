"""When nobody says anything."""

import math

from agentvoice.silence import Silence


def test_silence_counts_when_it_has_lasted() -> None:
    silence = Silence(5.0)
    silence.observe(quiet=True, now=1.0)

    assert silence.deadline == 6.0
    assert silence.handle_timer(now=5.9) == 0
    assert silence.handle_timer(now=6.0) == 1
    assert silence.handle_timer(now=11.0) == 2


def test_silence_that_goes_on_does_not_begin_again() -> None:
    silence = Silence(5.0)
    silence.observe(quiet=True, now=1.0)
    silence.observe(quiet=True, now=3.0)

    assert silence.deadline == 6.0


def test_whoever_takes_the_floor_ends_it() -> None:
    silence = Silence(5.0)
    silence.observe(quiet=True, now=1.0)
    silence.observe(quiet=False, now=3.0)

    assert silence.deadline == math.inf
    assert silence.handle_timer(now=9.0) == 0


def test_the_agents_own_words_do_not_make_the_next_silence_the_first() -> None:
    silence = Silence(5.0)
    silence.observe(quiet=True, now=0.0)
    silence.handle_timer(now=5.0)
    silence.observe(quiet=False, now=5.0)
    silence.observe(quiet=True, now=8.0)

    assert silence.handle_timer(now=13.0) == 2
    silence.answered()
    assert silence.handle_timer(now=18.0) == 1
