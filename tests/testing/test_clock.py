import os

import anyio
import pytest
from anyio import create_task_group, current_time, fail_after, move_on_after, sleep, sleep_until

from agentvoice.testing.clock import JumpingLoop, virtual

pytest_plugins = ("pytester",)


@pytest.mark.anyio
async def test_an_hour_passes_in_a_moment_and_exactly() -> None:
    began = current_time()
    await sleep(3600)

    assert current_time() - began == pytest.approx(3600, abs=1e-6)


@pytest.mark.anyio
async def test_sleepers_wake_in_the_order_of_their_times() -> None:
    woken: list[tuple[str, float]] = []
    began = current_time()

    async def sleeper(name: str, seconds: float) -> None:
        await sleep(seconds)
        woken.append((name, round(current_time() - began, 6)))

    async with create_task_group() as group:
        for name, seconds in (("c", 30.0), ("a", 0.02), ("b", 1.5)):
            group.start_soon(sleeper, name, seconds)

    assert woken == [("a", 0.02), ("b", 1.5), ("c", 30.0)]


@pytest.mark.anyio
async def test_the_clock_does_not_move_while_somebody_works() -> None:
    began = current_time()
    for _ in range(1000):
        await anyio.lowlevel.checkpoint()

    assert current_time() == began


@pytest.mark.anyio
async def test_a_deadline_passes_exactly_when_nothing_comes_before_it() -> None:
    began = current_time()
    with move_on_after(2.5) as scope:
        await anyio.Event().wait()

    assert scope.cancelled_caught
    assert current_time() - began == pytest.approx(2.5, abs=1e-6)


@pytest.mark.anyio
async def test_nobody_wakes_before_the_time_however_near_it_is_and_whoever_else_works() -> None:
    async def work() -> None:
        for _ in range(20):
            await anyio.lowlevel.checkpoint()

    await sleep(28.173)
    async with create_task_group() as group:
        group.start_soon(work)
        due = current_time() + 1e-10
        await sleep(1e-10)
        assert current_time() >= due


@pytest.mark.anyio
async def test_a_schedule_of_frames_does_not_drift() -> None:
    began = current_time()
    with fail_after(7200):
        for number in range(1, 30_001):
            await sleep_until(began + number * 0.02)

    assert current_time() - began == pytest.approx(600, abs=1e-6)


ONE_TEST = """
    import anyio, pytest

    @pytest.mark.anyio
    async def test_waiting():
        await anyio.sleep(120)

    @pytest.mark.anyio
    @pytest.mark.real_time
    async def test_the_wall_clock():
        began = anyio.current_time()
        await anyio.sleep(0.01)
        assert anyio.current_time() > 1  # the machine has been up for longer than virtual time
"""


def run(pytester: pytest.Pytester, *options: str) -> pytest.RunResult:
    pytester.makepyfile(ONE_TEST)
    plugin = ("-p", "agentvoice.testing.pytest_plugin")
    return pytester.runpytest_inprocess("-p", "no:agentvoice", *plugin, "-p", "no:cacheprovider", *options)


def test_trio_can_still_be_run_on_a_real_clock_of_its_own() -> None:
    name, options = virtual("trio")
    anyio.run(anyio.sleep, 1, backend=name, backend_options=options)

    anyio.run(anyio.sleep, 0, backend="trio")


def test_the_installed_plugin_runs_a_test_twice_in_virtual_time_where_asked_to(pytester: pytest.Pytester) -> None:
    result = run(pytester, "-v", "--timeout=60", "--agentvoice-clock")

    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["*test_waiting?asyncio? PASSED*", "*test_waiting?trio? PASSED*"])
    result.stdout.fnmatch_lines(["*test_the_wall_clock?asyncio-real? PASSED*"])


def test_the_configuration_can_ask_for_it_too(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nagentvoice_clock = true\n")

    run(pytester).assert_outcomes(passed=3)


def test_the_installed_plugin_leaves_everybody_else_s_clock_alone(pytester: pytest.Pytester) -> None:
    result = run(pytester, "--collect-only", "-q")

    result.stdout.no_fnmatch_line("*asyncio-real*")


def test_the_installed_plugin_brings_whole_calls_too(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import pytest
        from agentvoice import Agent
        from agentvoice.testing.script import waits_for_agent

        class Receptionist(Agent):
            greeting = "Good evening."

        @pytest.mark.anyio
        async def test_the_greeting_is_heard(simulate):
            call = await simulate(Receptionist(), [waits_for_agent()])
            assert call.turns[0].heard == "Good evening."
    """)
    plugin = ("-p", "no:agentvoice", "-p", "agentvoice.testing.pytest_plugin", "-p", "no:cacheprovider")

    pytester.runpytest_inprocess(*plugin, "--agentvoice-clock").assert_outcomes(passed=2)


@pytest.mark.anyio
async def test_what_a_file_has_to_say_is_heard_before_the_clock_moves() -> None:
    source, sink = os.pipe()
    began, heard = current_time(), list[float]()

    async def listen() -> None:
        await anyio.wait_readable(source)
        heard.append(current_time() - began)

    try:
        async with create_task_group() as group:
            group.start_soon(listen)
            await sleep(5)
            os.write(sink, b"!")
            await sleep(5)
    finally:
        os.close(source)
        os.close(sink)

    assert heard == [5]


def test_timers_of_one_instant_ring_in_the_order_in_which_they_were_set() -> None:
    def main() -> list[int]:
        loop, rung = JumpingLoop(), list[int]()
        for number in range(50):
            loop.call_at(1.0, rung.append, number)
        loop.call_at(1.0, loop.stop)
        loop.run_forever()
        loop.close()
        return rung

    assert main() == list(range(50))


def test_deadlines_that_are_not_met_do_not_pile_up() -> None:
    loop = JumpingLoop()
    for _ in range(10_000):
        loop.call_at(3600.0, loop.stop).cancel()
    waiting = len(loop._timers)
    loop.call_at(0.5, loop.stop)
    loop.run_forever()
    assert loop.time() == 0.5
    loop.close()

    assert waiting < 1000
