"""How many contexts, on which sockets."""

from random import Random

from agentvoice.tts.backoff import Backoff
from agentvoice.tts.governor import Governor, Limits


def test_sockets_fill_up_one_after_the_other() -> None:
    governor = Governor(Limits(per_socket=2, total=5, sockets=3))
    assert governor.place("a") is None
    up_at_first = governor.is_up
    for socket in range(3):
        governor.socket_up(socket)
    assert (up_at_first, governor.is_up) == (False, True)
    assert [governor.place(name) for name in "abcdef"] == [0, 0, 1, 1, 2, None]
    governor.release("b")
    governor.release("nobody")
    assert governor.place("f") == 0
    assert governor.used == 5


def test_nothing_is_placed_on_a_socket_that_is_down() -> None:
    governor = Governor(Limits())
    governor.socket_up(0)
    governor.socket_down(0)
    assert governor.place("a") is None


def test_as_many_sockets_are_wanted_as_the_contexts_need() -> None:
    governor = Governor(Limits(per_socket=2, total=5, sockets=3))

    def wanted(waiting: int) -> int:
        return sum(governor.wants(socket, waiting=waiting) for socket in range(5))

    assert [wanted(waiting) for waiting in (0, 1, 2, 3, 4, 5, 6, 99)] == [1, 1, 1, 2, 2, 3, 3, 3]


def test_attempts_come_at_once_and_then_ever_later() -> None:
    backoff = Backoff(Random(1), first_s=0.1, factor=2, most_s=1)
    delays = [backoff.next() for _ in range(7)]
    assert delays[0] == 0
    for delay, most in zip(delays[1:], [0.1, 0.2, 0.4, 0.8, 1, 1], strict=True):
        assert most / 2 <= delay <= most
    backoff.reset()
    assert backoff.next() == 0
