"""What becomes of an error at the edge of the process: a line, and an exit code."""

from __future__ import annotations

import pytest

from agentvoice.cli import boundary
from agentvoice.errors import AssetUnavailable, ProviderUnavailable, UsageError

NO_PORT = UsageError("port 1 is in use; choose another")
NO_VOICE = ProviderUnavailable("speech", "cannot connect")


def leave(error: BaseException | None, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    def app(given: list[str], *, prog_name: str) -> None:
        assert "--debug" not in given
        if error is not None:
            raise error

    monkeypatch.setattr(boundary, "app", app)
    return boundary.run(["serve", *arguments])


@pytest.mark.parametrize(
    ("error", "code", "lines"),
    [
        (None, 0, []),
        (SystemExit(2), 2, []),
        (SystemExit(None), 0, []),
        (NO_PORT, 2, ["port 1 is in use; choose another"]),
        (AssetUnavailable("no voice"), 2, ["no voice"]),
        (UsageError("A: wrong\nB: wrong"), 2, ["A: wrong", "B: wrong"]),
        (NO_VOICE, 1, ["speech: cannot connect"]),
        (KeyboardInterrupt(), 130, []),
        (ExceptionGroup("", [ExceptionGroup("", [NO_PORT])]), 2, ["port 1 is in use; choose another"]),
        (ExceptionGroup("", [NO_VOICE, NO_PORT]), 1, ["speech: cannot connect", "port 1 is in use; choose another"]),
        (ExceptionGroup("", [NO_VOICE, NO_VOICE]), 1, ["speech: cannot connect"]),
        (BaseExceptionGroup("", [NO_VOICE, KeyboardInterrupt()]), 130, []),
        (KeyError("x"), 1, ["KeyError: 'x' (unexpected; --debug shows where it is from)"]),
    ],
)
def test_an_error_is_a_line_each_and_a_code(
    error: BaseException | None,
    code: int,
    lines: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert leave(error, monkeypatch) == code
    assert capsys.readouterr().err.splitlines() == lines


def test_debug_may_stand_anywhere_and_shows_where_it_came_from(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert leave(NO_PORT, monkeypatch, "x.py", "--debug", "--port", "1") == 2
    told = capsys.readouterr().err
    assert "Traceback" in told
    assert told.splitlines()[-1] == "port 1 is in use; choose another"
