from agentvoice.backlog import IDLE_S, KEPT_S, Backlog

RATE = 100
SECOND = bytes(2 * RATE)


def backlog(seconds: int = 0) -> Backlog:
    """One that was given so many seconds of audio, from the instant 10 on."""
    kept = Backlog(RATE)
    for number in range(seconds):
        kept.add(SECOND, at=10.0 + number)
    return kept


def take_all(kept: Backlog) -> list[bytes]:
    return list(iter(kept.take, None))


def test_everything_is_taken_in_order_and_once() -> None:
    kept = Backlog(RATE)
    kept.add(b"ab", at=1.0)
    kept.add(b"cd", at=2.0)

    assert take_all(kept) == [b"ab", b"cd"]
    assert take_all(kept) == []
    assert kept.origin == 1.0


def test_a_new_recogniser_is_given_the_turn_that_was_under_way() -> None:
    kept = backlog(3)
    take_all(kept)
    kept.turn_goes_on()
    kept.add(SECOND, at=13.0)
    take_all(kept)

    kept.rewind()

    assert len(take_all(kept)) == 1 + int(IDLE_S), "the turn, and what just preceded the news of it"
    assert kept.origin == 12.0


def test_nothing_is_said_twice_of_a_turn_that_has_ended() -> None:
    kept = backlog(3)
    kept.turn_goes_on()
    take_all(kept)
    kept.turn_ended()

    kept.rewind()

    assert take_all(kept) == []


def test_what_was_not_taken_survives_the_end_of_a_turn() -> None:
    kept = backlog(1)
    take_all(kept)
    kept.add(b"ef", at=11.0)

    kept.turn_ended()

    assert take_all(kept) == [b"ef"]


def test_between_turns_a_moment_is_kept() -> None:
    kept = backlog(60)
    take_all(kept)

    kept.rewind()

    assert len(take_all(kept)) == int(IDLE_S)


def test_of_what_nobody_takes_the_oldest_is_lost_and_counted() -> None:
    kept = backlog(int(KEPT_S) + 5)

    assert kept.lost_s == 5.0
    assert len(take_all(kept)) == int(KEPT_S)


def test_what_was_taken_long_ago_is_forgotten_and_not_lost() -> None:
    kept = backlog(1)
    take_all(kept)
    kept.turn_goes_on()
    for number in range(int(KEPT_S) + 5):
        kept.add(SECOND, at=11.0 + number)
        take_all(kept)

    assert kept.lost_s == 0.0
