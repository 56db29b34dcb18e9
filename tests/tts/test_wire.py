"""The messages of the context protocol, as both ends read and write them."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, strategies as st

from agentvoice.audio import TELEPHONE, AudioFormat, Encoding
from agentvoice.tts import wire
from agentvoice.tts.wire import (
    Cancel,
    Chunk,
    Done,
    Failure,
    FlushDone,
    Generate,
    GenerationConfig,
    PhonemeTimestamps,
    Reply,
    RequestRejected,
    Timestamps,
    Unknown,
    UnknownMember,
    parse_request,
    parse_response,
    parse_responses,
    render_request,
    render_response,
)

VERSIONS = ["2024-06-10", "2024-11-13", "2025-04-16", "2025-11-04", "2026-03-01", "2026-08-14", "nonsense"]

PLAIN: dict[str, Any] = {
    "context_id": "t1",
    "model_id": "sonic-3",
    "transcript": "Good morning.",
    "voice": {"mode": "id", "id": "v1"},
    "output_format": {"container": "raw", "encoding": "pcm_mulaw", "sample_rate": 8000},
}


def request(version: str = "2026-03-01", /, **members: Any) -> Generate:
    parsed = parse_request(json.dumps(PLAIN | members), version)
    assert isinstance(parsed, Generate)
    return parsed


def refusal(version: str = "2026-03-01", /, **members: Any) -> Failure:
    with pytest.raises(RequestRejected) as caught:
        request(version, **members)
    assert caught.value.failure.status_code == 400
    return caught.value.failure


# ------------------------------------------------------------------ requests


def test_a_request_with_nothing_but_what_is_required_has_the_documented_defaults() -> None:
    assert request() == Generate(
        context_id="t1", transcript="Good morning.", model_id="sonic-3", voice_id="v1", output=TELEPHONE
    )
    assert request().continue_ is False


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("voice", ["v1", {"id": "v1"}, {"mode": "id", "id": "v1"}])
def test_every_shape_of_a_voice_is_understood_in_every_version(voice: object, version: str) -> None:
    assert request(version, voice=voice).voice_id == "v1"


@pytest.mark.parametrize("voice", [{"embedding": [0, 0.5]}, {"mode": "embedding", "embedding": [0, 0.5]}])
def test_a_voice_may_be_numbers(voice: object) -> None:
    assert request(voice=voice).embedding == (0.0, 0.5)
    assert request(voice=voice).voice_id is None


@pytest.mark.parametrize("voice", [None, "", {}, {"id": ""}, {"id": 5}, {"embedding": []}, 7])
def test_a_text_without_a_voice_is_refused(voice: object) -> None:
    assert refusal(voice=voice).error_code == "voice_not_found"


def test_numbers_that_are_none_make_no_voice() -> None:
    assert refusal(voice={"embedding": ["a"]}).context_id == "t1"


def test_null_stands_for_not_said() -> None:
    optional = (
        "continue flush language locale max_buffer_delay_ms add_timestamps add_phoneme_timestamps speed duration"
        " use_normalized_timestamps use_original_timestamps generation_config pronunciation_dict_id cancel"
    ).split()
    assert request(**dict.fromkeys(optional)) == request()


def test_members_that_do_not_exist_are_ignored() -> None:
    assert request(stream=True, from_the_future={"a": [1]}) == request()


def test_the_finish_message_of_an_sdk_may_carry_anything_else() -> None:
    finish = request(transcript=" ", model_id="other", voice=None, output_format={"sample_rate": 1})
    assert finish == Generate(context_id="t1", transcript=" ")


def test_a_cancel_may_be_printed_prettily() -> None:
    assert parse_request('{\n  "cancel": true,\n  "context_id": "t1"\n}') == Cancel("t1")


def test_cancel_is_only_ever_true() -> None:
    assert request(cancel=False) == request(cancel="yes") == request()


def test_a_request_may_come_in_a_binary_frame() -> None:
    assert parse_request(json.dumps(PLAIN).encode()) == request()


def test_old_versions_may_leave_the_context_to_the_server() -> None:
    nameless = json.dumps(PLAIN | {"context_id": None})
    assert parse_request(nameless, "2024-06-10", default_id="made-up").context_id == "made-up"
    with pytest.raises(RequestRejected, match="context_id is required"):
        parse_request(nameless)


@pytest.mark.parametrize(
    ("given", "speed"),
    [
        ({"generation_config": {"speed": 1.5}}, 1.5),
        ({"generation_config": {}}, 1.0),
        ({"speed": "slow"}, 0.8),
        ({"speed": "wrong"}, 1.0),
        ({"speed": []}, 1.0),
        ({"speed": "slow", "generation_config": {"speed": 1.1}}, 1.1),
        ({"speed": "slow", "generation_config": {"volume": 2}}, 0.8),
        ({"voice": {"id": "v1", "__experimental_controls": {"speed": 0.5, "emotion": ["joy"]}}}, 1.25),
        ({"voice": {"id": "v1", "__experimental_controls": {"speed": -5}}}, 0.6),
        ({"voice": {"id": "v1", "__experimental_controls": None}, "speed": "fast"}, 1.2),
    ],
)
def test_a_speed_is_found_where_any_version_puts_it(given: dict[str, Any], speed: float) -> None:
    generation = request(**given).generation
    assert generation is not None
    assert generation.speed == speed


def test_generation_settings_are_read() -> None:
    config = {"speed": 0.6, "volume": 0.5, "emotion": "Calm"}
    assert request(generation_config=config).generation == GenerationConfig(0.6, 0.5, "Calm")


@pytest.mark.parametrize("config", [{"speed": 0.59}, {"speed": 1.6}, {"volume": 0.4}, {"volume": 2.1}])
def test_generation_settings_out_of_range_are_refused(config: dict[str, float]) -> None:
    assert "must be between" in refusal(generation_config=config).message


@pytest.mark.parametrize(
    ("given", "normalized"),
    [
        ({}, None),
        ({"use_normalized_timestamps": False}, False),
        ({"use_original_timestamps": False}, True),
        ({"use_original_timestamps": True}, False),
        ({"use_original_timestamps": True, "use_normalized_timestamps": True}, True),
    ],
)
def test_the_old_name_for_written_words_has_the_opposite_sense(given: dict[str, Any], normalized: object) -> None:
    assert request(**given).use_normalized_timestamps is normalized


def test_phonemes_came_only_with_words_up_to_2024() -> None:
    assert request("2025-04-16", add_phoneme_timestamps=True).add_phoneme_timestamps
    assert not request("2024-11-13", add_phoneme_timestamps=True).add_phoneme_timestamps
    assert request("2024-11-13", add_phoneme_timestamps=True, add_timestamps=True).add_phoneme_timestamps


@pytest.mark.parametrize(
    ("output", "names"),
    [
        (None, "encoding"),
        ({"container": "wav", "encoding": "pcm_s16le", "sample_rate": 8000}, "container"),
        ({"container": "raw", "encoding": "pcm_s8", "sample_rate": 8000}, "encoding"),
        ({"container": "raw", "encoding": "pcm_s16le", "sample_rate": 40}, "sample_rate"),
        ({"container": "raw", "encoding": "pcm_s16le"}, "sample_rate"),
    ],
)
def test_an_output_format_that_the_protocol_does_not_have_is_refused(output: object, names: str) -> None:
    failure = refusal(output_format=output)
    assert failure.error_code == "unsupported_audio_format"
    assert names in failure.message


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"transcript": None}, "transcript is required"),
        ({"transcript": 5}, "transcript"),
        ({"model_id": ""}, "model_id is required"),
        ({"language": "en", "locale": "en-GB"}, "exclude each other"),
        ({"max_buffer_delay_ms": 5001}, "between 0 and 5000"),
        ({"max_buffer_delay_ms": -1}, "between 0 and 5000"),
        ({"duration": 0}, "duration"),
        ({"continue": "yes"}, "continue"),
        ({"output_format": "raw"}, "Expected `object`"),
    ],
)
def test_a_refusal_names_the_context_and_the_reason(members: dict[str, Any], says: str) -> None:
    failure = refusal(**members)
    assert failure.context_id == "t1"
    assert says in failure.message


@pytest.mark.parametrize(
    "message", ["", "hello", "[]", "5", "null", '{"context_id": "t1"', b"\xff\xfe", "[" * 10_000, '"\ud800"']
)
def test_what_is_no_request_is_refused_without_a_context(message: str | bytes) -> None:
    with pytest.raises(RequestRejected) as caught:
        parse_request(message)
    assert caught.value.failure.context_id is None
    assert caught.value.failure.message


def test_a_context_id_that_is_no_text_is_refused() -> None:
    with pytest.raises(RequestRejected) as caught:
        parse_request(json.dumps(PLAIN | {"context_id": 7}))
    assert caught.value.failure.context_id is None


def test_a_voice_is_written_as_the_version_wants_it() -> None:
    said = Generate(context_id="t1", transcript="Hi", model_id="m", voice_id="v1", output=TELEPHONE)
    assert json.loads(render_request(said))["voice"] == {"mode": "id", "id": "v1"}
    assert json.loads(render_request(said, "2026-08-14"))["voice"] == "v1"


def test_a_finish_is_short_and_says_that_nothing_follows() -> None:
    finish = Generate(context_id="t1", transcript="")
    assert json.loads(render_request(finish)) == {"context_id": "t1", "transcript": "", "continue": False}


def test_a_cancel_is_short() -> None:
    assert json.loads(render_request(Cancel("t1"))) == {"context_id": "t1", "cancel": True}


text = st.text(st.characters(codec="utf-8"), min_size=1)
speeds = st.floats(0.6, 1.5)
volumes = st.floats(0.5, 2.0)
formats = st.builds(AudioFormat, st.sampled_from(Encoding), st.sampled_from(wire.SAMPLE_RATES))
spoken = {
    "context_id": text,
    "transcript": text.filter(lambda t: bool(t.strip())),
    "continue_": st.booleans(),
    "flush": st.booleans(),
    "model_id": text,
    "output": formats,
    "language": st.none() | text,
    "max_buffer_delay_ms": st.none() | st.integers(0, 5000),
    "add_timestamps": st.booleans(),
    "add_phoneme_timestamps": st.booleans(),
    "use_normalized_timestamps": st.none() | st.booleans(),
    "generation": st.none() | st.builds(GenerationConfig, speeds, volumes, st.none() | text),
    "pronunciation_dict_id": st.none() | text,
    "normalization": st.none() | text,
    "duration": st.none() | st.floats(0.1, 1e6),
}
numbers = st.lists(st.floats(-1, 1), min_size=1, max_size=5).map(tuple)
requests = (
    st.builds(Generate, voice_id=text, **spoken)
    | st.builds(Generate, embedding=numbers, **spoken)
    | st.builds(Generate, context_id=text, transcript=st.sampled_from(["", " "]), continue_=st.booleans())
    | st.builds(Cancel, text)
)


@given(requests, st.sampled_from([v for v in VERSIONS if v >= "2025"]))
def test_a_server_reads_what_a_client_wrote(request: wire.Request, version: str) -> None:
    assert parse_request(render_request(request, version), version) == request


@given(st.recursive(st.none() | st.booleans() | st.floats() | text, lambda c: st.dictionaries(text, c) | st.lists(c)))
def test_any_json_is_a_request_or_a_refusal(given: object) -> None:
    for message in (json.dumps(given), json.dumps(PLAIN | {"voice": given}), json.dumps(PLAIN | {"speed": given})):
        with suppress(RequestRejected):
            parse_request(message)


# ------------------------------------------------------------------ responses

ids = text
intervals = st.lists(st.tuples(text, st.floats(0, 1e4), st.floats(0, 1e4))).map(tuple)
flush_ids = st.none() | st.integers(0, 99)
replies = st.one_of(
    st.builds(Chunk, ids, st.binary(min_size=1), st.floats(0, 1e4), flush_ids),
    st.builds(Timestamps, ids, intervals, flush_ids),
    st.builds(PhonemeTimestamps, ids, intervals, flush_ids),
    st.builds(FlushDone, ids, st.integers(0, 99)),
    st.builds(Done, ids),
    st.builds(Failure, st.none() | ids, st.integers(400, 599), text, text, st.none() | text, st.none() | text),
)


@given(replies)
def test_a_client_reads_what_a_server_wrote(reply: Reply) -> None:
    assert parse_response(render_response(reply)) == reply
    assert parse_response(render_response(reply).encode()) == reply


@given(replies, st.sampled_from(VERSIONS))
def test_every_message_says_its_type_its_context_its_status_and_whether_it_is_the_last(
    reply: Reply, version: str
) -> None:
    members = json.loads(render_response(reply, version))
    assert members["context_id"] == reply.context_id
    assert members["done"] is isinstance(reply, Done | Failure)
    assert isinstance(members["status_code"], int)
    assert isinstance(members["type"], str)


def test_a_chunk_has_what_the_strictest_client_needs() -> None:
    assert json.loads(render_response(Chunk("t1", b"\x00\xff", 11.8))) == {
        "type": "chunk",
        "context_id": "t1",
        "status_code": 206,
        "done": False,
        "data": "AP8=",
        "step_time": 11.8,
    }


def test_a_flush_is_confirmed_as_the_real_service_does() -> None:
    assert json.loads(render_response(FlushDone("t1", 2))) == {
        "type": "flush_done",
        "context_id": "t1",
        "status_code": 206,
        "done": False,
        "data": "",
        "flush_id": 2,
        "flush_done": True,
    }


def test_errors_have_members_of_their_own_since_2026() -> None:
    failure = Failure("t1", 404, "Voice not found", "no voice 'x'", "voice_not_found", "r1")
    assert json.loads(render_response(failure, "2026-03-01")) == {
        "type": "error",
        "context_id": "t1",
        "status_code": 404,
        "done": True,
        "error_code": "voice_not_found",
        "title": "Voice not found",
        "message": "no voice 'x'",
        "request_id": "r1",
    }


@pytest.mark.parametrize("version", ["2024-06-10", "2025-11-04", "nonsense", "2026-8-14"])
def test_errors_were_one_line_before_and_are_for_a_version_that_does_not_exist(version: str) -> None:
    failure = Failure("t1", 404, "Voice not found", "no voice 'x'", "voice_not_found")
    members = json.loads(render_response(failure, version))
    assert members["error"] == "Voice not found: no voice 'x'"
    assert "title" not in members
    assert parse_response(json.dumps(members)) == Failure("t1", 404, "Voice not found", "no voice 'x'")


@pytest.mark.parametrize(
    ("message", "failure"),
    [
        (
            '{"type":"error","context_id":"c","status_code":400,"done":true,"error":"invalid transcript"}',
            Failure("c", 400, "invalid transcript", ""),
        ),
        ('{"type":"error"}', Failure(None, 500, "", "")),
        ('{"error":"Internal: broken","done":true}', Failure(None, 500, "Internal", "broken")),
        (
            '{"type":"error","context_id":null,"status_code":"x","title":7,"message":[],"error_code":null}',
            Failure(None, 500, "", ""),
        ),
        (
            '{"type":"error","context_id":"c","status_code":429,"title":"T","message":"M","error":"T: M"}',
            Failure("c", 429, "T", "M"),
        ),
    ],
)
def test_every_shape_of_an_error_is_read(message: str, failure: Failure) -> None:
    assert parse_response(message) == failure


def test_the_seed_documents_name_for_word_times_is_understood() -> None:
    message = '{"type":"timestamp","context_id":"c","word_timestamps":{"words":["Hi"],"start":[0],"end":[1]}}'
    assert parse_response(message) == Timestamps("c", (("Hi", 0.0, 1.0),))


def test_word_times_of_unequal_length_are_cut_to_the_shortest() -> None:
    message = '{"type":"timestamps","context_id":"c","word_timestamps":{"words":["a","b"],"start":[0,1],"end":[1]}}'
    assert parse_response(message) == Timestamps("c", (("a", 0.0, 1.0),))


def test_what_nobody_depends_on_may_be_odd_or_absent() -> None:
    bare = '{"type":"chunk","context_id":"c","data":"AP8="}'
    odd = '{"type":"chunk","context_id":"c","data":"AP8=","step_time":"12","flush_id":"one","status_code":{},"x":[]}'
    assert parse_response(bare) == parse_response(odd) == Chunk("c", b"\x00\xff")
    assert parse_response('{"type":"flush_done","context_id":"c"}') == FlushDone("c", None)


@pytest.mark.parametrize(
    ("message", "context_id", "kind"),
    [
        ("", None, None),
        ("hello", None, None),
        (b"\x00\x01\xff", None, None),
        ("[]", None, None),
        ("[" * 10_000, None, None),
        ('{"x":' * 10_000, None, None),
        ('"\ud800"', None, None),
        ("{}", None, None),
        ('{"type":"chunk","context_id":"c","data":"not base64!"}', None, None),
        ('{"type":"chunk","context_id":"c","data":""}', "c", "chunk"),
        ('{"type":"chunk","data":"AP8="}', None, "chunk"),
        ('{"type":"done","context_id":null,"done":true}', None, "done"),
        ('{"type":"timestamps","context_id":"c","word_timestamps":null}', "c", "timestamps"),
        ('{"type":"phoneme_timestamps","context_id":"c"}', "c", "phoneme_timestamps"),
        ('{"type":"speech_to_come","context_id":"c","more":1}', "c", "speech_to_come"),
        ('{"context_id":"c","data":"AP8="}', "c", None),
    ],
)
def test_what_makes_no_sense_is_unknown(message: str | bytes, context_id: str | None, kind: str | None) -> None:
    assert parse_response(message) == Unknown(context_id, kind, len(message))


def test_a_member_that_no_version_has_does_no_harm_and_is_told_of() -> None:
    newer = '{"type":"chunk","context_id":"c","data":"AP8=","watermark":{"kind":1}}'
    response, extra = parse_responses(newer)
    assert response == parse_response(newer) == Chunk("c", b"\x00\xff")
    assert isinstance(extra, UnknownMember)
    assert extra.context_id == "c"
    assert "watermark" in extra.what
    assert parse_responses('{"type":"weather","context_id":"c","rain":1}') == (Unknown("c", "weather", 44),)
    assert parse_responses("{") == (Unknown(None, None, 1),)


@given(replies, st.sampled_from(VERSIONS))
def test_of_what_any_version_has_nothing_is_unknown(reply: Reply, version: str) -> None:
    assert len(parse_responses(render_response(reply, version))) == 1
    with_link = '{"type":"error","context_id":"c","status_code":400,"done":true,"title":"T","doc_url":"https://x.org"}'
    assert len(parse_responses(with_link)) == 1


def test_a_message_in_a_binary_frame_is_read_as_text() -> None:
    assert parse_responses(b'{"type":"done","context_id":"c","done":true}') == (Done("c"),)


def test_a_huge_message_is_read() -> None:
    audio = bytes(5_000_000)
    assert parse_responses(render_response(Chunk("c", audio))) == (Chunk("c", audio),)


@given(st.binary() | st.text())
def test_reading_a_response_never_fails(message: str | bytes) -> None:
    assert isinstance(parse_response(message), Unknown)


def test_flushes_are_counted_from_zero_by_the_versions_of_2024() -> None:
    assert [wire.first_flush_id(v) for v in VERSIONS] == [0, 0, 1, 1, 1, 1, 1]


def test_everything_that_is_promised_is_there() -> None:
    assert all(hasattr(wire, name) for name in wire.__all__)
