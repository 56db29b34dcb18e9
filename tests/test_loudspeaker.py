from agentvoice.loudspeaker import Loudspeaker

RATE = 100


def tone(samples: int, value: int = 1) -> bytes:
    return value.to_bytes(2, "little") * samples


def test_what_is_sent_is_played_at_once() -> None:
    speaker = Loudspeaker(RATE)
    speaker.send(tone(50), now=10.0)

    assert speaker.played(100, at=9.75) == tone(25, 0) + tone(50) + tone(25, 0)


def test_what_is_sent_ahead_is_played_after_what_was_sent_before() -> None:
    speaker = Loudspeaker(RATE)
    speaker.send(tone(50, 1), now=10.0)
    speaker.send(tone(50, 2), now=10.1)

    assert speaker.played(100, at=10.0) == tone(50, 1) + tone(50, 2)


def test_between_two_turns_it_is_silent() -> None:
    speaker = Loudspeaker(RATE)
    speaker.send(tone(10, 1), now=10.0)
    speaker.send(tone(10, 2), now=10.5)

    assert speaker.played(60, at=10.0) == tone(10, 1) + tone(40, 0) + tone(10, 2)


def test_what_was_cleared_is_not_played() -> None:
    speaker = Loudspeaker(RATE)
    speaker.send(tone(100), now=10.0)
    speaker.clear(now=10.25)

    assert speaker.played(100, at=10.0) == tone(25) + tone(75, 0)


def test_a_clear_before_anything_was_sent_does_nothing() -> None:
    speaker = Loudspeaker(RATE)
    speaker.clear(now=10.0)

    assert speaker.played(10, at=10.0) == tone(10, 0)


def test_an_hour_leaves_no_more_than_the_last_seconds() -> None:
    speaker = Loudspeaker(RATE)
    for number in range(36_000):
        speaker.send(tone(10, number % 100), now=10.0 + number / 10)

    assert len(speaker._tape) < 2 * 3 * RATE
    assert speaker.played(10, at=10.0 + 3599.9) == tone(10, 35_999 % 100)


def test_after_a_long_silence_it_begins_anew() -> None:
    speaker = Loudspeaker(RATE)
    speaker.send(tone(10), now=10.0)
    speaker.send(tone(10), now=5000.0)

    assert speaker.played(10, at=5000.0) == tone(10)
    assert len(speaker._tape) == 20
