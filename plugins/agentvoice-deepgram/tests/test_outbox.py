from __future__ import annotations

from hypothesis import given, strategies as st

from agentvoice_deepgram._outbox import Outbox


def everything(outbox: Outbox) -> list[str | bytes]:
    messages = []
    while (message := outbox.take()) is not None:
        messages.append(message)
    return messages


def test_audio_is_gathered_until_it_is_worth_a_message() -> None:
    outbox = Outbox(8000, chunk_s=0.08)
    outbox.add(bytes(1000))
    assert everything(outbox) == []

    outbox.add(bytes(280))
    assert everything(outbox) == [bytes(1280)]


def test_what_has_piled_up_goes_in_messages_of_a_quarter_of_a_second() -> None:
    outbox = Outbox(8000, chunk_s=0.08)
    outbox.add(bytes(16000))
    assert everything(outbox) == [bytes(4000)] * 4


def test_words_come_after_all_audio_before_them_however_short_and_before_what_follows() -> None:
    outbox = Outbox(8000, chunk_s=0.08)
    outbox.add(b"ab")
    outbox.say("stop")
    outbox.add(bytes(1280))
    assert everything(outbox) == [b"ab", "stop", bytes(1280)]


def test_half_a_sample_waits_for_its_other_half_but_not_beyond_words() -> None:
    outbox = Outbox(8000, chunk_s=0)
    outbox.add(b"abc")
    outbox.add(b"d")
    outbox.add(b"e")
    outbox.say("stop")
    outbox.add(b"fg")
    assert everything(outbox) == [b"abcd", "stop", b"fg"]


def test_silence_is_put_between_samples() -> None:
    outbox = Outbox(8000, chunk_s=0)
    outbox.add(b"abc")
    outbox.silence(2 / 8000)
    outbox.add(b"d")
    assert everything(outbox) == [b"ab" + bytes(4) + b"cd"]


@given(st.lists(st.binary(max_size=9000) | st.just("say")))
def test_every_whole_sample_is_sent_once_and_nothing_empty_is(given: list[bytes | str]) -> None:
    outbox, expected = Outbox(8000, chunk_s=0.02), [b""]
    for each in [*given, "say"]:
        if isinstance(each, bytes):
            outbox.add(each)
            expected[-1] += each
        else:
            outbox.say(each)
            expected.append(b"")
    sent = [b""]
    for message in everything(outbox):
        assert message
        if isinstance(message, bytes):
            assert len(message) <= 4000
            sent[-1] += message
        else:
            sent.append(b"")

    assert sent == [audio[: len(audio) // 2 * 2] for audio in expected]
    assert outbox.added_s == sum(map(len, sent)) / 16000
