"""A test in virtual time that touches the world outside is told so."""

import gc
import time
import warnings
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest

from agentvoice.testing.guard import guarded

pytest_plugins = ("pytester",)

HEAD = """
    import datetime, socket, threading, time
    from datetime import datetime as Moment
    from time import monotonic as now
    import anyio, anyio.to_thread, pytest
    pytestmark = pytest.mark.anyio
"""
PLUGIN = (
    "-p",
    "no:agentvoice",
    "-p",
    "agentvoice.testing.pytest_plugin",
    "-p",
    "no:cacheprovider",
    "--agentvoice-clock",
)


def run(pytester: pytest.Pytester, test: str) -> pytest.RunResult:
    pytester.makepyfile(HEAD + test)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # who was stopped on the way to a connection leaves its socket
        result = pytester.runpytest_inprocess(*PLUGIN, "-p", "no:unraisableexception")
        gc.collect()
    return result


@pytest.mark.parametrize(
    ("touch", "named"),
    [
        ("socket.create_connection(('127.0.0.1', 9))", "getaddrinfo"),
        ("socket.socket().connect(('127.0.0.1', 9))", "a real socket (socket.connect)"),
        ("await anyio.connect_tcp('127.0.0.1', 9)", "a real socket"),
        ("await anyio.create_tcp_listener(local_host='127.0.0.1')", "a "),
        ("threading.Thread(target=print).start()", "a thread (Thread.start)"),
        ("await anyio.to_thread.run_sync(print)", "a thread (to_thread.run_sync)"),
        ("time.time()", "the wall clock (time.time)"),
        ("time.monotonic()", "the wall clock (time.monotonic)"),
        ("now()", "the wall clock (time.monotonic)"),
        ("time.sleep(0)", "the wall clock (time.sleep)"),
        ("datetime.datetime.now()", "the wall clock (datetime.now)"),
        ("Moment.now(datetime.timezone.utc)", "the wall clock (datetime.now)"),
        ("datetime.datetime.utcnow()", "the wall clock (datetime.utcnow)"),
        ("Moment.today()", "the wall clock (date.today)"),
        ("datetime.date.today()", "the wall clock (date.today)"),
    ],
)
def test_what_virtual_time_cannot_stand_fails_the_test_by_name(
    pytester: pytest.Pytester, touch: str, named: str
) -> None:
    result = run(
        pytester,
        f"""
    async def test_it():
        try:
            {touch}
        except Exception:
            pass  # as somebody's error handling would
    """,
    )

    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines([f"*virtual time touches*{named}*in *; *mark it `real_time`, `sockets` or `speech`*"])


def test_who_says_so_may_touch_it(pytester: pytest.Pytester) -> None:
    run(
        pytester,
        """
    def touch():
        with socket.create_server(("127.0.0.1", 0)):
            time.sleep(0)
            assert (Moment.now() - datetime.datetime.now()).total_seconds() < 1
            threading.Thread(target=time.time).start()

    async def test_with_the_fixture(unguarded):
        touch()

    @pytest.mark.sockets
    async def test_in_real_time():
        touch()

    def test_without_a_loop():
        touch()
    """,
    ).assert_outcomes(passed=4)


def test_tools_may_look_at_the_clock_all_the_time(pytester: pytest.Pytester) -> None:
    run(
        pytester,
        """
    import email.utils, logging, tempfile

    async def test_logging(caplog):
        logging.warning("the record has a time")
        assert email.utils.localtime()  # it asks datetime.now
        assert caplog.records[0].created > 0

    async def test_measuring():
        assert time.perf_counter() > 0
    """,
    ).assert_outcomes(passed=4)


@pytest.mark.anyio
async def test_afterwards_everything_is_as_it_was(unguarded) -> None:
    assert time.time() > 1e9


def test_afterwards_calendars_are_as_they_were_though_types_remember_their_methods() -> None:
    before = datetime.now(UTC)
    with guarded():
        for look in (partial(datetime.now, UTC), date.today):
            with pytest.raises(pytest.fail.Exception, match="the wall clock"):
                look()

    assert datetime.now(UTC) >= before
    assert date.today() >= before.date() - timedelta(days=1)  # noqa: DTZ011 - the very thing
