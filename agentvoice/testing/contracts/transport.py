"""What every `Transport` has to keep. Its author brings both ends of a line: the transport, and the far one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from itertools import pairwise
from typing import Any, Final, Protocol

from anyio import Event, create_task_group, fail_after, sleep

from agentvoice.clock import current_time
from agentvoice.events import CallerAudio, HungUp, KeyPressed, LineEvent, MarkReturned
from agentvoice.interfaces import Transport
from agentvoice.server.outbox import Audio, Clear, Item, Mark

PATIENCE_S: Final = 10.0
LAST_SECOND: Final = 1.0
"""How long a line may take to end."""
_FRAMES: Final = 5


class FarEnd(Protocol):
    """The far end of a line under test."""

    async def receive(self) -> Item | None:
        """Wait for what the transport sends next; `None` when it has closed the line."""

    async def say(self, audio: bytes) -> None:
        """Send audio of the caller's, in the line's format: 20 ms."""

    async def give_back(self, mark: str) -> None:
        """Report a mark back. Not called where `has_marks` is false."""

    async def press(self, key: str) -> None:
        """Press a key. Not called where the check is told that there are none."""

    async def talk_nonsense(self) -> None:
        """Send what makes no sense on such a line."""

    async def hang_up(self) -> None:
        """End the call from this end."""


async def check_transport(
    make: Callable[[], AbstractAsyncContextManager[tuple[Transport, FarEnd]]], *, keys: bool = True
) -> None:
    """Check a transport. `make` returns what is entered to get a line that is open: both of its ends.

    Raises:
        AssertionError: the contract is broken; the message says where.
    """
    for check in (_check_order, _check_clear, _check_caller, _check_far_hang_up, _check_own_hang_up, _check_cancel):
        async with make() as (transport, far):
            await check(transport, far)
    if keys:
        async with make() as (transport, far):
            await _check_keys(transport, far)


def _sound(transport: Transport, number: int) -> bytes:
    """Return 20 ms of audio that differs from any other."""
    return bytes([number + 1]) * transport.audio.size(0.02)


async def _running(transport: Transport, do: Callable[[], Any]) -> None:
    async with create_task_group() as group:
        group.start_soon(transport.run)
        with fail_after(PATIENCE_S):
            await do()
        group.cancel_scope.cancel()


async def _received(far: FarEnd, until: Item) -> Sequence[Item | None]:
    """Return what arrives up to an item, or the end of the line."""
    items: list[Item | None] = []
    while not items or (items[-1] is not None and items[-1] != until):
        items.append(await far.receive())
    return items


def _audio(items: Sequence[Item | None]) -> bytes:
    return b"".join(item.audio for item in items if isinstance(item, Audio))


async def _check_order(transport: Transport, far: FarEnd) -> None:
    sounds = [_sound(transport, number) for number in range(_FRAMES)]
    for sound in sounds:
        transport.send_audio(sound)
    transport.send_mark("one")
    transport.send_audio(sounds[0])
    transport.send_mark("two")

    async def check() -> None:
        if not transport.has_marks:
            audio = b""
            while len(audio) < len(sounds[0]) * (_FRAMES + 1):
                audio += _audio([await far.receive()])
            assert audio == b"".join([*sounds, sounds[0]]), "audio arrives whole, and in order"
            return
        before, after = await _received(far, Mark("one")), await _received(far, Mark("two"))
        assert _audio(before) == b"".join(sounds), "audio arrives whole and in order, and a mark after what it follows"
        assert _audio(after) == sounds[0], "audio arrives after the mark before it"

    await _running(transport, check)


async def _check_clear(transport: Transport, far: FarEnd) -> None:
    for number in range(_FRAMES):
        transport.send_audio(_sound(transport, number))
        transport.send_mark(f"{number}")
    transport.clear()
    transport.send_audio(_sound(transport, 99))

    async def check() -> None:
        assert await far.receive() == Clear(), "a clear overtakes what is queued, and drops it, marks and all"
        assert _audio([await far.receive()]) == _sound(transport, 99), "what follows a clear is sent"

    await _running(transport, check)


async def _event(transport: Transport) -> LineEvent:
    return await transport.receive()


async def _check_caller(transport: Transport, far: FarEnd) -> None:
    async def check() -> None:
        await far.talk_nonsense()
        starts = []
        for number in range(_FRAMES):
            await far.say(_sound(transport, number))
            event = await _event(transport)
            assert isinstance(event, CallerAudio), f"nonsense is skipped, and audio is audio; it was {event}"
            assert event.audio == _sound(transport, number), "the caller's audio arrives whole, and in order"
            starts.append(event.start)
        step = transport.audio.size(0.02) // transport.audio.sample_bytes
        steps = [b - a for a, b in pairwise(starts)]
        assert steps == [step] * (_FRAMES - 1), f"audio counts its samples; they began at {starts}"
        if transport.has_marks:
            await far.give_back("a/160")
            assert await _event(transport) == MarkReturned("a/160"), "a mark comes back under its name"

    await _running(transport, check)


async def _check_keys(transport: Transport, far: FarEnd) -> None:
    async def check() -> None:
        for key in "5#":
            await far.press(key)
            assert await _event(transport) == KeyPressed(key), "a key that is pressed is told"

    await _running(transport, check)


async def _ends(transport: Transport, far: FarEnd, begin: Callable[[], Any]) -> tuple[Sequence[Item | None], HungUp]:
    """Run a line to its end, and return what the far end had of it."""
    hung_up: list[HungUp] = []
    items: list[Item | None] = []
    over, told = Event(), Event()

    async def listen() -> None:
        while not isinstance(event := await transport.receive(), HungUp):
            pass
        hung_up.append(event)
        told.set()

    async def hear() -> None:
        while (item := await far.receive()) is not None:
            items.append(item)

    async def run() -> None:
        await transport.run()
        over.set()

    async with create_task_group() as group:
        group.start_soon(run)
        group.start_soon(listen)
        group.start_soon(hear)
        await sleep(0.01)
        await begin()
        began = current_time()
        with fail_after(PATIENCE_S):
            await over.wait()
            assert current_time() - began <= LAST_SECOND, "a line that is hung up is over within a second"
            await told.wait()
        group.cancel_scope.cancel()
    return items, hung_up[0]


async def _check_far_hang_up(transport: Transport, far: FarEnd) -> None:
    _, hung_up = await _ends(transport, far, far.hang_up)
    assert hung_up.reason, "who hung up, or why the line is over, is told"
    transport.send_audio(_sound(transport, 0))
    transport.send_mark("late")
    transport.clear()
    transport.hang_up()
    with fail_after(PATIENCE_S):
        assert isinstance(await transport.receive(), HungUp), "after the end of a line nothing comes but its end"


async def _check_own_hang_up(transport: Transport, far: FarEnd) -> None:
    async def hang_up() -> None:
        transport.send_audio(_sound(transport, 7))
        transport.hang_up()

    items, _ = await _ends(transport, far, hang_up)
    assert _audio(items) == _sound(transport, 7), "what was queued is sent before the line is closed"


async def _check_cancel(transport: Transport, _: FarEnd) -> None:
    began = current_time()
    async with create_task_group() as group:
        group.start_soon(transport.run)
        group.start_soon(transport.receive)
        await sleep(0.01)
        group.cancel_scope.cancel()
    assert current_time() - began <= LAST_SECOND, "a line that is given up is given up at once"
