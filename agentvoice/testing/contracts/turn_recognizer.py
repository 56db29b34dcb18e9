"""What every `TurnRecognizer` has to keep."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from anyio import create_task_group, fail_after, move_on_after, sleep
from anyio.abc import TaskGroup

from agentvoice.clock import current_time
from agentvoice.events import (
    CallerTurnEnded,
    CallerTurnEvent,
    CallerTurnLikely,
    CallerTurnResumed,
    CallerTurnStarted,
    Transcript,
)
from agentvoice.interfaces import Following, TurnRecognizer

FRAME_S: Final = 0.02
AT_ONCE_S: Final = 0.05
"""How long `feed` may take at most."""
PATIENCE_S: Final = 30.0
"""How long the end of a turn may take on the slowest machine."""


async def check_turn_recognizer(
    make: Callable[[], TurnRecognizer], *, speech: bytes, understood: Callable[[str], bool], sample_rate: int = 8000
) -> None:
    """Check a plugin, or a double. `understood(text)` tells whether that is what `speech`, some PCM, says.

    It is fed in real time, or in what stands for it in a test.

    Raises:
        AssertionError: the contract is broken; the message says where.
    """
    recognizer = make()
    recognizer.prepare()
    async with recognizer.follow(sample_rate) as following, create_task_group() as group:
        _speak(group, following, [bytes(sample_rate), speech, bytes(sample_rate)], sample_rate)
        for _ in range(2):
            await _check_turn(following, understood, audio_s=2 * (1 + len(speech) / 2 / sample_rate) + PATIENCE_S)
        group.cancel_scope.cancel()
    await _check_independence(recognizer, speech, understood, sample_rate)
    await _check_end(recognizer, speech, sample_rate)


def _speak(group: TaskGroup, following: Following, pieces: list[bytes], sample_rate: int) -> None:
    group.start_soon(_feed, following, pieces, sample_rate)


async def _feed(following: Following, pieces: list[bytes], sample_rate: int) -> None:
    """Say it twice, then be silent for ever, as a line is."""
    frame = 2 * round(FRAME_S * sample_rate)
    audio = b"".join(pieces * 2)
    while True:
        piece, audio = audio[:frame].ljust(frame, b"\0"), audio[frame:]
        began = current_time()
        await following.feed(piece)
        assert current_time() - began <= AT_ONCE_S, "feed returns at once"
        await sleep(FRAME_S)


async def _check_turn(following: Following, understood: Callable[[str], bool], *, audio_s: float) -> CallerTurnEnded:
    """Follow one turn from its start to its end; the order of what is said about it is that of the protocol."""
    began, likely = False, False
    with fail_after(audio_s):
        while True:
            event: CallerTurnEvent = await following.events.receive()
            match event:
                case CallerTurnStarted(at=at):
                    assert not began, "a turn starts once"
                    assert at is None or at >= 0, "times count from the first sample that was fed"
                    began = True
                case Transcript(final=final):
                    assert began, "words belong to a turn that has started"
                    assert not final, "what a turn comes to is said by its end"
                case CallerTurnLikely():
                    assert began, "only a turn that has started may have ended"
                    assert not likely, "a turn is likely to have ended once, until it is resumed"
                    likely = True
                case CallerTurnResumed():
                    assert likely, "only what was likely to have ended is resumed"
                    likely = False
                case CallerTurnEnded(text):
                    assert began, "only a turn that has started ends"
                    assert understood(text), f"speech is understood, also in a later turn; heard {text!r}"
                    return event


async def _check_independence(
    recognizer: TurnRecognizer, speech: bytes, understood: Callable[[str], bool], sample_rate: int
) -> None:
    async def call() -> None:
        async with recognizer.follow(sample_rate) as following, create_task_group() as group:
            _speak(group, following, [bytes(sample_rate), speech, bytes(sample_rate)], sample_rate)
            await _check_turn(following, understood, audio_s=len(speech) / sample_rate + PATIENCE_S)
            group.cancel_scope.cancel()

    async with create_task_group() as group:
        group.start_soon(call)
        group.start_soon(call)


async def _check_end(recognizer: TurnRecognizer, speech: bytes, sample_rate: int) -> None:
    ended = current_time()
    with move_on_after(PATIENCE_S) as patience:
        async with recognizer.follow(sample_rate) as following:
            await following.feed(speech)
            ended = current_time()
    assert not patience.cancelled_caught, "following ends when it is left, in the middle of a turn too"
    assert current_time() - ended <= 1.0, "following ends within a second, in the middle of a turn too"
