"""Logs, as they come out."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from agentvoice.logs import configure

log = structlog.get_logger("agentvoice.test")  # as the library has them: made before anything is configured


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    for name in ("uvicorn", "websockets", "asyncio", "httpx", "httpcore", "hpack"):
        logging.getLogger(name).setLevel(logging.NOTSET)


def lines(out: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_elsewhere_than_in_a_terminal_each_line_is_json_with_the_facts() -> None:
    configure(stream=(out := io.StringIO()))

    with structlog.contextvars.bound_contextvars(call_id="CA1"):
        log.info("barge_in", context_id="c1", heard_ms=640)

    [line] = lines(out)
    assert line.pop("timestamp")
    assert line == {"event": "barge_in", "call_id": "CA1", "context_id": "c1", "heard_ms": 640, "level": "info"}


def test_in_a_terminal_lines_are_coloured_and_readable() -> None:
    configure(stream=(out := Terminal()))

    log.info("barge_in", heard_ms=640)

    assert "barge_in" in out.getvalue()
    assert "\x1b[" in out.getvalue()
    assert not out.getvalue().startswith("{")


def test_pretty_in_a_file_has_no_colours() -> None:
    configure(stream=(out := io.StringIO()), format="pretty")

    log.info("barge_in")

    assert "barge_in" in out.getvalue()
    assert "\x1b[" not in out.getvalue()


def test_the_standard_librarys_loggers_come_out_the_same_way() -> None:
    configure(stream=(out := io.StringIO()))

    logging.getLogger("uvicorn.error").warning("hm %d", 7, extra={"color_message": "\x1b[1mhm"})

    [line] = lines(out)
    assert line.pop("timestamp")
    assert line == {"event": "hm 7", "level": "warning", "logger": "uvicorn.error"}


def test_uvicorns_chatter_is_for_debugging() -> None:
    configure(stream=(out := io.StringIO()))
    logging.getLogger("uvicorn.error").info("connection open")
    assert out.getvalue() == ""

    configure(stream=out, level="debug")
    logging.getLogger("uvicorn.error").info("connection open")
    assert lines(out)[0]["event"] == "connection open"


@pytest.mark.parametrize("style", ["json", "pretty"])
def test_a_traceback_is_shown_without_the_values_that_it_passed(style: str) -> None:
    configure(stream=(out := io.StringIO()), format=style)  # type: ignore[arg-type]

    def fail(key: str) -> None:
        raise ValueError(f"not a key of {len(key)} letters")

    secret = "sesame"
    try:
        fail(secret)
    except ValueError:
        log.exception("call_failed")

    assert "not a key of 6 letters" in out.getvalue()
    assert "Traceback" in out.getvalue()
    assert "'sesame'" not in out.getvalue()


def test_a_level_hides_what_is_below_it() -> None:
    configure(stream=(out := io.StringIO()), level="warning")

    log.info("turn")
    log.warning("carrier_nonsense")

    assert [line["event"] for line in lines(out)] == ["carrier_nonsense"]


def test_what_json_does_not_know_is_written_as_text() -> None:
    configure(stream=(out := io.StringIO()))

    log.info("x", thing={1, 2}.__class__)

    assert lines(out)[0]["thing"] == "<class 'set'>"
