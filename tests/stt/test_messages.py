"""The recognition sockets' messages: what one end says, the other reads."""

from __future__ import annotations

import pytest

from agentvoice.stt.messages import (
    Close,
    CommandRejected,
    Configure,
    Connected,
    Done,
    Finalize,
    FlushDone,
    Heard,
    Strange,
    TurnEagerEnd,
    TurnEnd,
    TurnResume,
    TurnStart,
    TurnUpdate,
    Words,
    parse_command,
    parse_heard,
    parse_turn_command,
    render_command,
    render_heard,
    render_turn_command,
)
from agentvoice.tts.messages import Failure
from agentvoice.utterance import HeardWord


@pytest.mark.parametrize(
    "heard",
    [
        Connected(),
        Words(" for two", True, 1.5, "en", (HeardWord("for", 0.1, 0.3), HeardWord("two", 0.3, 0.6))),
        Words("a", is_final=False),
        FlushDone(),
        Done(),
        TurnStart(),
        TurnUpdate("a table"),
        TurnEagerEnd("a table"),
        TurnResume(),
        TurnEnd("a table"),
        Failure(None, 400, "Invalid request", "no", None, "r"),
    ],
)
def test_what_the_server_says_is_what_the_client_reads(heard: Heard) -> None:
    assert parse_heard(render_heard(heard, request_id="r", version="2026-08-14")) == heard


def test_errors_of_2025_have_a_message_and_nothing_else() -> None:
    assert parse_heard('{"type":"error","message":"bad audio"}') == Failure(None, 500, "", "bad audio")
    older = render_heard(Failure(None, 400, "T", "m"), request_id="r", version="2025-04-16")
    assert '"error":"T: m"' in older


@pytest.mark.parametrize("message", ["", "[]", '{"type":7}', '{"type":"new.thing"}', b"\xff\xfe"])
def test_what_makes_no_sense_is_strange_and_nothing_worse(message: str | bytes) -> None:
    assert isinstance(parse_heard(message), Strange)


def test_clients_of_both_years_close() -> None:
    assert parse_command(render_command(Close())) == parse_command(render_command(Close(), older=True)) == Close()
    assert parse_command(render_command(Finalize())) == Finalize()


def test_commands_of_turns_are_json() -> None:
    wanted = Configure(end_threshold=0.3, end_timeout_ms=900)
    assert parse_turn_command(render_turn_command(wanted)) == wanted
    assert parse_turn_command(render_turn_command(Close())) == Close()
    assert parse_turn_command('{"type":"config","turn":{"start_threshold":1,"new":true}}') == Configure(1)


@pytest.mark.parametrize("message", ["close", "{}", '{"type":"config","turn":{"end_threshold":"low"}}', "[1]"])
def test_other_commands_are_rejected(message: str) -> None:
    with pytest.raises(CommandRejected):
        parse_turn_command(message)
