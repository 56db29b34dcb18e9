"""Who may come in, which voices there are, what is counted, what waits to be sent: without a server."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from agentvoice.errors import UsageError
from agentvoice.interfaces import Voice
from agentvoice.speech.auth import Gate
from agentvoice.speech.decisions import Send
from agentvoice.speech.metrics import Metrics
from agentvoice.speech.origins import Origins
from agentvoice.speech.outbox import Outbox
from agentvoice.speech.serve import is_loopback
from agentvoice.speech.voices import VoiceDirectory, describe
from agentvoice.tts.wire import Chunk, Done

# ------------------------------------------------------------------ the gate


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({"authorization": "Bearer sk_car_1"}, {}),
        ({"authorization": "bearer  sk_car_1"}, {}),
        ({"x-api-key": "sk_car_1"}, {}),
        ({}, {"api_key": "sk_car_1"}),
        ({}, {"access_token": "sk_car_1"}),
        ({"x-api-key": "wrong"}, {"api_key": "sk_car_1"}),
    ],
)
def test_the_key_is_good_in_all_four_places(headers: dict[str, str], query: dict[str, str]) -> None:
    assert Gate("sk_car_1").admits(headers, query, now=0.0)


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({}, {}),
        ({"authorization": "Basic sk_car_1"}, {}),
        ({"authorization": "sk_car_1"}, {}),
        ({"x-api-key": ""}, {"api_key": "sk_car_2"}),
        ({"x-api-key": "sk_cär_1"}, {"access_token": "1.2.3"}),
        ({}, {"access_token": "1e99."}),
    ],
)
def test_nothing_else_is(headers: dict[str, str], query: dict[str, str]) -> None:
    assert not Gate("sk_car_1").admits(headers, query, now=0.0)


def test_keys_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """By `hmac.compare_digest` and nothing else: its time does not tell how much of a guess was right."""
    compared: list[tuple[bytes, bytes]] = []

    class Unequal(str):
        __slots__ = ()
        __hash__ = None  # type: ignore[assignment]

        def __eq__(self, other: object) -> bool:
            raise AssertionError("compared as text")

    monkeypatch.setattr("hmac.compare_digest", lambda a, b: compared.append((a, b)) is not None)
    assert not Gate(Unequal("sk_car_1")).admits({"x-api-key": Unequal("sk_car_2")}, {}, now=0.0)
    assert (b"sk_car_2", b"sk_car_1") in compared


def test_without_a_key_everybody_is_admitted() -> None:
    assert Gate(None).admits({}, {}, now=0.0)


def test_a_token_is_good_until_it_expires_and_only_where_it_was_made() -> None:
    gate = Gate("sk_car_1")
    token = gate.issue(60, now=100.0)
    assert gate.admits({"authorization": f"Bearer {token}"}, {}, now=159.9)
    assert not gate.admits({"authorization": f"Bearer {token}"}, {}, now=160.0)
    assert not Gate("sk_car_1").admits({}, {"access_token": token}, now=100.0)
    until, _, signature = token.rpartition(".")
    assert not gate.admits({}, {"access_token": f"{float(until) + 1}.{signature}"}, now=100.0)


# ------------------------------------------------------------------ voices

ANN, BO, CY = Voice("ann", "Ann", "en", "calm", gender="feminine"), Voice("bo", "Bo", "de-DE"), Voice("cy", "Cy", "en")
DIRECTORY = VoiceDirectory([ANN, BO, CY])


def page(version: str = "2026-03-01", **query: str) -> dict[str, object]:
    found = DIRECTORY.page(query, version=version, url="http://here/")
    assert isinstance(found, dict)
    return found | {"data": [voice["id"] for voice in found["data"]]}


@pytest.mark.parametrize(
    ("query", "ids", "more"),
    [
        ({}, ["ann", "bo", "cy"], False),
        ({"limit": "2"}, ["ann", "bo"], True),
        ({"limit": "2", "starting_after": "bo"}, ["cy"], False),
        ({"starting_after": "cy"}, [], False),
        ({"starting_after": "nobody"}, [], False),
        ({"limit": "1", "ending_before": "cy"}, ["bo"], True),
        ({"ending_before": "ann"}, [], False),
        ({"ending_before": "nobody"}, [], False),
        ({"limit": "0"}, ["ann"], True),
        ({"limit": "many"}, ["ann", "bo", "cy"], False),
        ({"language": "en"}, ["ann", "cy"], False),
        ({"language": "de"}, ["bo"], False),
        ({"q": "CALM"}, ["ann"], False),
        ({"gender": "feminine"}, ["ann"], False),
        ({"is_owner": "true"}, [], False),
        ({"is_owner": "false", "expand[]": "preview_file_url"}, ["ann", "bo", "cy"], False),
    ],
)
def test_the_list_is_paged_and_filtered(query: dict[str, str], ids: list[str], more: object) -> None:
    found = page(**query)
    assert [found["data"], found["has_more"]] == [ids, more]
    assert found["next_page"] == (ids[-1] if more else None)


def test_the_first_version_has_no_pages() -> None:
    found = DIRECTORY.page({"limit": "1"}, version="2024-06-10", url="")
    assert isinstance(found, list)
    assert [voice["id"] for voice in found] == ["ann", "bo", "cy"]


def test_voices_are_shown_as_the_version_shows_them() -> None:
    def shown(version: str) -> dict[str, object]:
        return describe(ANN, version=version, url="http://here/")

    assert shown("2026-08-14")["visibility"] == "public"
    assert shown("2026-08-14")["gender"] == "feminine"
    assert "is_public" not in shown("2026-08-14")
    assert shown("2025-04-16")["is_public"] is True
    assert shown("")["preview_file_url"] == "http://here/voices/ann/preview"


# ------------------------------------------------------------------ the outbox


def chunk(key: int, size: int = 100) -> Send:
    return Send(key, Chunk(f"c{key}", bytes(size)))


def test_contexts_take_turns() -> None:
    outbox = Outbox(room=1000)
    for send in (chunk(1), chunk(1, 50), chunk(1, 20), chunk(2), chunk(3)):
        outbox.put(send)
    assert [send.key for send in iter(outbox.take, None)] == [1, 2, 3, 1, 1]
    assert not outbox


def test_a_context_whose_client_reads_slowly_has_room_no_more() -> None:
    outbox = Outbox(room=150)
    outbox.put(chunk(1))
    assert outbox.has_room(1)
    outbox.put(chunk(1))
    assert not outbox.has_room(1)
    assert outbox.has_room(2)
    outbox.take()
    assert outbox.has_room(1)


def test_what_was_dropped_is_not_sent() -> None:
    outbox = Outbox(room=150)
    outbox.put(chunk(1, 500))
    outbox.put(chunk(2))
    outbox.drop(1)
    outbox.drop(7)
    assert outbox.has_room(1)
    assert [send.key for send in iter(outbox.take, None)] == [2]


@given(st.lists(st.integers(0, 3)))
def test_every_context_keeps_its_order(keys: list[int]) -> None:
    outbox = Outbox(room=1)
    sends = [Send(key, Done(str(n))) for n, key in enumerate(keys)]
    for send in sends:
        outbox.put(send)
    taken = list(iter(outbox.take, None))
    for key in range(4):
        assert [s for s in taken if s.key == key] == [s for s in sends if s.key == key]


# ------------------------------------------------------------------ metrics and addresses


def test_what_was_overlooked_is_among_the_metrics() -> None:
    metrics = Metrics()
    metrics.overlooked["emotion"] += 2
    assert 'agentvoice_speech_overlooked_total{what="emotion"} 2' in metrics.text()


@pytest.mark.parametrize(
    ("origin", "admitted"),
    [
        (None, True),
        ("http://localhost", True),
        ("https://127.0.0.1:8443", True),
        ("http://[::1]:3000", True),
        ("https://a.example", True),
        ("https://b.example", False),
        ("https://a.example.evil.example", False),
        ("http://localhost.evil.example", False),
        ("null", False),
        ("", False),
    ],
)
def test_without_a_key_pages_are_told_by_where_they_are_from(origin: str | None, admitted: object) -> None:
    assert Origins(["https://a.example"], everyone=False).admits(origin) is admitted
    assert Origins(everyone=True).admits(origin)
    assert Origins(["*"], everyone=False).admits(origin)


@pytest.mark.parametrize("origin", ["example.com", "https://example.com/path", "http://", ""])
def test_what_is_no_origin_is_refused(origin: str) -> None:
    with pytest.raises(UsageError, match="write it as https://example"):
        Origins([origin], everyone=False)


def test_metrics_are_text_for_prometheus() -> None:
    metrics = Metrics(sockets=2, audio_bytes=123_456_789)
    metrics.refused[429] += 1
    metrics.heard(0.004)
    metrics.heard(99.0)
    lines = metrics.text().splitlines()
    assert "agentvoice_speech_sockets 2" in lines
    assert "agentvoice_speech_audio_bytes_total 123456789" in lines
    assert 'agentvoice_speech_errors_total{status="429"} 1' in lines
    assert 'agentvoice_speech_first_audio_seconds_bucket{le="0.005"} 1' in lines
    assert 'agentvoice_speech_first_audio_seconds_bucket{le="+Inf"} 2' in lines
    assert "agentvoice_speech_first_audio_seconds_count 2" in lines


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("::1", True), ("[::1]", True), ("localhost", True), ("0.0.0.0", False), ("speech", False)],
)
def test_only_this_machine_is_told_from_everybody(host: str, loopback: object) -> None:
    assert is_loopback(host) is loopback
