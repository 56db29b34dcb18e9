"""Contexts, without I/O: where each stands, what is sent next, and what is made of what a provider says."""

import math

import pytest

from agentvoice.audio import TELEPHONE, AudioFormat, Encoding
from agentvoice.errors import LocalProtocolError
from agentvoice.events import AudioReceived, ContextDone, ContextFailed, PhonemesReceived, WordsReceived
from agentvoice.markup import Markup
from agentvoice.tts.contexts import Contexts
from agentvoice.tts.governor import Limits
from agentvoice.tts.lifecycle import TRANSITIONS, State, Step
from agentvoice.tts.wire import (
    Cancel,
    Chunk,
    Done,
    Failure,
    FlushDone,
    Generate,
    GenerationConfig,
    PhonemeTimestamps,
    Request,
    Timestamps,
    Unknown,
    UnknownMember,
)
from agentvoice.voicing import Voicing

WIDE = AudioFormat(Encoding.S16LE, 24000)
TEMPLATE = Generate(context_id="", transcript="", model_id="m", max_buffer_delay_ms=0)


def speech(*, sockets: int = 1, **limits: float) -> Contexts:
    """Return contexts whose sockets are up."""
    contexts = Contexts(TEMPLATE, Limits(**limits), voicing=Voicing("v"))  # type: ignore[arg-type]
    for socket in range(sockets):
        contexts.socket_up(socket, now=0.0)
    return contexts


def speaking(*ids: str, contexts: Contexts | None = None, finish: bool = False, now: float = 0.0) -> Contexts:
    """Return contexts to which text was sent."""
    contexts = contexts or speech()
    for context_id in ids:
        contexts.open(context_id, TELEPHONE)
        contexts.send(context_id, "Hello. ", now=now)
        if finish:
            contexts.finish(context_id, now=now)
    sent(contexts, now=now)
    return contexts


def sent(contexts: Contexts, socket: int = 0, *, now: float = 0.0) -> list[Request]:
    """Let the writer of a socket take everything."""
    out = []
    while (request := contexts.next_request(socket, now=now)) is not None:
        out.append(request)
    return out


def words(requests: list[Request]) -> list[tuple[str, str, bool]]:
    return [(r.context_id, r.transcript, r.continue_) for r in requests if isinstance(r, Generate)]


# ------------------------------------------------------------------ text


def test_a_request_says_everything_that_the_first_one_must() -> None:
    contexts = speech()
    contexts.open("a", TELEPHONE)
    contexts.send("a", "Hello. ", now=0)

    assert sent(contexts) == [
        Generate(
            context_id="a",
            transcript="Hello. ",
            continue_=True,
            model_id="m",
            voice_id="v",
            max_buffer_delay_ms=0,
            output=TELEPHONE,
        )
    ]


def test_a_context_sounds_as_it_was_opened_to_and_the_others_as_all_do() -> None:
    everybody = Voicing("ann", "en", speed=1.1, pronunciation_dict_id="names")
    contexts = Contexts(TEMPLATE, voicing=everybody)
    contexts.socket_up(0, now=0.0)
    contexts.open("plain", TELEPHONE)
    contexts.open("other", WIDE, Voicing("bob", "de", volume=0.8, emotion="calm"))
    for context_id in ("plain", "other"):
        contexts.send(context_id, "Hello. ", now=0)
        contexts.send(context_id, "And again. ", now=0)

    plain, other, *more = sent(contexts)
    assert isinstance(plain, Generate)
    assert isinstance(other, Generate)
    assert (plain.voice_id, plain.language, plain.output) == ("ann", "en", TELEPHONE)
    assert (plain.generation, plain.pronunciation_dict_id) == (GenerationConfig(1.1, 1.0), "names")
    assert (other.voice_id, other.language, other.output) == ("bob", "de", WIDE)
    assert (other.generation, other.pronunciation_dict_id) == (GenerationConfig(1.1, 0.8, "calm"), "names")
    assert [(r.voice_id, r.output) for r in more if isinstance(r, Generate)] == [("ann", TELEPHONE), ("bob", WIDE)]


def test_the_last_text_says_that_it_is_the_last_when_that_is_known_in_time() -> None:
    contexts = speech()
    contexts.open("a", TELEPHONE)
    contexts.send("a", "One. ", now=0)
    contexts.send("a", "Two.", now=0)
    contexts.finish("a", now=0)

    assert words(sent(contexts)) == [("a", "One. ", True), ("a", "Two.", False)]


def test_a_late_finish_goes_out_by_itself() -> None:
    contexts = speaking("a")
    contexts.finish("a", now=1)

    assert words(sent(contexts)) == [("a", "", False)]
    assert sent(contexts) == []


def test_text_without_sound_goes_with_the_next() -> None:
    contexts = speech()
    contexts.open("a", TELEPHONE)
    contexts.send("a", "… ", now=0)
    assert sent(contexts) == []
    contexts.send("a", "well. ", now=0)
    contexts.send("a", "—", now=0)
    contexts.finish("a", now=0)

    assert words(sent(contexts)) == [("a", "… well. ", False)]


def test_a_context_that_never_had_text_is_done_and_costs_nothing() -> None:
    contexts = speech()
    contexts.open("a", TELEPHONE)
    contexts.send("a", " ", now=0)

    assert contexts.finish("a", now=0) == [ContextDone("a")]
    assert sent(contexts) == []


def test_contexts_take_turns_so_that_a_chapter_does_not_hold_up_a_yes() -> None:
    contexts = speech()
    contexts.open("chapter", TELEPHONE)
    contexts.open("yes", TELEPHONE)
    for at in range(3):
        contexts.send("chapter", f"{at}. ", now=0)
    contexts.send("yes", "Yes.", now=0)

    assert [c for c, _, _ in words(sent(contexts))] == ["chapter", "yes", "chapter", "chapter"]


def test_a_cancel_overtakes_everything_and_drops_its_own_text() -> None:
    contexts = speaking("a", "b")
    contexts.send("b", "b1. ", now=0)
    contexts.send("a", "a1. ", now=0)
    contexts.send("a", "a2. ", now=0)

    assert contexts.cancel("a", now=0) == []
    assert contexts.has_requests(0)
    requests = sent(contexts)
    assert requests[0] == Cancel("a")
    assert words(requests) == [("b", "b1. ", True)]
    assert contexts.counts["cancels"] == 1


def test_a_cancel_before_the_first_text_left_is_no_business_of_the_provider() -> None:
    contexts = speech()
    contexts.open("a", TELEPHONE)
    contexts.send("a", "Hello. ", now=0)
    contexts.cancel("a", now=0)

    assert sent(contexts) == []


def test_the_ended_take_no_more() -> None:
    contexts = speaking("a")
    contexts.cancel("a", now=0)
    assert sent(contexts) == [Cancel("a")]

    for context_id in ("a", "nobody"):
        assert contexts.send(context_id, "More.", now=0) == []
        assert contexts.finish(context_id, now=0) == []
        assert contexts.cancel(context_id, now=0) == []
    assert sent(contexts) == []


def test_an_id_is_used_once() -> None:
    contexts = speaking("a")
    with pytest.raises(LocalProtocolError, match="needs an id of its own"):
        contexts.open("a", TELEPHONE)
    contexts.receive(0, Done("a"), now=0)
    with pytest.raises(LocalProtocolError):
        contexts.open("a", TELEPHONE)


# ------------------------------------------------------------------ what the provider says


def test_messages_reach_their_context() -> None:
    contexts = speaking("a", "b", finish=True)

    assert contexts.receive(0, Chunk("a", b"1"), now=0) == [AudioReceived("a", b"1")]
    assert contexts.receive(0, Chunk("b", b"2"), now=0) == [AudioReceived("b", b"2")]
    assert contexts.receive(0, Timestamps("a", (("Hi", 0.0, 0.2),)), now=0) == [WordsReceived("a", (("Hi", 0.0, 0.2),))]
    heard = (("h", 0.0, 0.1), ("aɪ", 0.1, 0.2))
    assert contexts.receive(0, PhonemeTimestamps("a", heard), now=0) == [PhonemesReceived("a", heard)]
    assert contexts.receive(0, FlushDone("a", 0), now=0) == []
    assert contexts.receive(0, FlushDone("a", 7), now=0) == []
    assert contexts.receive(0, Done("a"), now=0) == [ContextDone("a")]
    assert contexts.receive(0, Done("b"), now=0) == [ContextDone("b")]


def test_nothing_is_said_about_a_cancelled_context() -> None:
    contexts = speaking("a")
    contexts.cancel("a", now=0)

    for late in (Chunk("a", b"1"), Timestamps("a", ()), Done("a"), Chunk("a", b"1"), Done("a")):
        assert contexts.receive(0, late, now=0.1) == []
    assert contexts.counts["late"] == 5


def test_what_is_not_understood_or_not_ours_is_counted() -> None:
    contexts = speaking("a", contexts=speech(sockets=2))

    assert contexts.receive(0, Unknown(None, None, 9), now=0) == []
    assert contexts.receive(0, Unknown("a", "weather", 9), now=0) == []
    assert contexts.receive(0, UnknownMember("a", "watermark"), now=0) == []
    assert contexts.receive(0, UnknownMember("stranger", "watermark"), now=0) == []
    assert contexts.receive(0, Chunk("stranger", b"1"), now=0) == []
    assert contexts.receive(1, Chunk("a", b"1"), now=0) == []
    assert contexts.counts["unknown"] == 2
    assert contexts.counts["UnknownMember"] == 2
    assert contexts.counts["unaddressed"] == 1
    assert contexts.counts["foreign"] == 2


def test_confirmed_flushes_mean_nothing_to_us_from_whatever_number_they_count() -> None:
    contexts = speaking("a", finish=True)

    for flush in (FlushDone("a", 0), FlushDone("a", 1), FlushDone("a", 1), FlushDone("a"), FlushDone("b", 2)):
        assert contexts.receive(0, flush, now=0) == []
    assert contexts.receive(0, Done("a"), now=0) == [ContextDone("a")]


def test_a_late_end_ends_nothing_else() -> None:
    contexts = speaking("a")
    contexts.cancel("a", now=0)
    sent(contexts)
    speaking("b", contexts=contexts, finish=True)

    assert contexts.receive(0, Done("a"), now=0.1) == []
    assert contexts.receive(0, Done("a"), now=0.1) == []
    assert contexts.receive(0, Chunk("b", b"1"), now=0.2) == [AudioReceived("b", b"1")]
    assert contexts.receive(0, Done("b"), now=0.3) == [ContextDone("b")]


def test_a_message_about_a_context_that_was_not_begun_is_foreign() -> None:
    contexts = speech()
    contexts.open("a", TELEPHONE)
    contexts.send("a", "Hello. ", now=0)

    assert contexts.receive(0, Done("a"), now=0) == []
    assert words(sent(contexts)) == [("a", "Hello. ", True)]


def test_an_error_ends_its_context_and_no_other() -> None:
    contexts = speaking("a", "b")

    failure = Failure("a", 404, "Voice not found", "no such voice", "voice_not_found")
    assert contexts.receive(0, failure, now=0) == [ContextFailed("a", "Voice not found: no such voice", False)]
    assert contexts.receive(0, Chunk("b", b"2"), now=0) == [AudioReceived("b", b"2")]


def test_an_error_without_a_context_is_about_the_only_one_that_it_can_be_about() -> None:
    contexts = speaking("a", "b", "c")
    contexts.cancel("c", now=0)
    failure = Failure(None, 500, "Internal error", "")

    assert contexts.receive(0, failure, now=0) == []
    contexts.receive(0, Chunk("a", b"1"), now=0)
    assert contexts.receive(0, failure, now=0) == [ContextFailed("b", "Internal error", True)]


def test_an_early_end_is_an_end_when_nothing_was_owed() -> None:
    contexts = speaking("a")
    contexts.receive(0, Chunk("a", b"1"), now=0)

    assert contexts.receive(0, Done("a"), now=1) == [ContextDone("a")]


@pytest.mark.parametrize("on_its_way", [True, False])
def test_an_early_end_that_crossed_more_text_is_a_failure_that_a_successor_mends(*, on_its_way: bool) -> None:
    contexts = speaking("a")
    contexts.receive(0, Chunk("a", b"1"), now=0)
    contexts.send("a", "More. ", now=1)
    if on_its_way:
        sent(contexts)

    (failed,) = contexts.receive(0, Done("a"), now=1)
    assert isinstance(failed, ContextFailed)
    assert failed.retryable
    assert sent(contexts) == [Cancel("a")]  # the provider may have taken it for a new one


def test_an_end_that_crossed_our_finish_is_an_end() -> None:
    contexts = speaking("a")
    contexts.receive(0, Chunk("a", b"1"), now=0)
    contexts.finish("a", now=1)
    sent(contexts)

    assert contexts.receive(0, Done("a"), now=1) == [ContextDone("a")]


def test_an_end_in_answer_to_text_that_was_never_spoken_is_a_failure_though_the_finish_went_out_after_it() -> None:
    contexts = speaking("a")
    contexts.finish("a", now=1)
    sent(contexts, now=1)

    reason = "the provider ended the context before its text was spoken"
    assert contexts.receive(0, Done("a"), now=2) == [ContextFailed("a", reason, retryable=True)]


def test_word_times_of_nothing_but_markup_are_no_word_times() -> None:
    contexts = Contexts(TEMPLATE, markup=Markup(points=frozenset({"break"})))
    contexts.socket_up(0, now=0.0)
    speaking("a", contexts=contexts)

    assert contexts.receive(0, Timestamps("a", (('<break time="1s"/>', 0.0, 1.0),)), now=0) == []
    spoken = Timestamps("a", (("Hello.", 1.0, 1.5), ('<break time="1s"/>', 1.5, 2.5)))
    assert contexts.receive(0, spoken, now=0) == [WordsReceived("a", (("Hello.", 1.0, 1.5),))]


def test_everything_that_was_sent_and_received_is_counted_by_kind() -> None:
    contexts = speaking("a", "b", contexts=speech(sockets=2))
    for _ in range(2):
        contexts.receive(0, Chunk("a", b"1"), now=0)
        contexts.receive(0, Failure(None, 500, "Internal error", ""), now=0)
    for context_id in ("c", "d"):
        speaking(context_id, contexts=contexts)
        contexts.cancel(context_id, now=0)
    sent(contexts)

    counts = contexts.counts
    assert (counts["sockets"], counts["requests"], counts["cancels"]) == (2, 4, 2)
    assert (counts["Chunk"], counts["Failure"], counts["unaddressed"]) == (2, 2, 2)


def test_the_dead_are_not_remembered_for_ever() -> None:
    contexts = speech()
    for number in range(5000):
        speaking(str(number), contexts=contexts, finish=True)
        contexts.receive(0, Chunk(str(number), b"1"), now=0)
        contexts.receive(0, Done(str(number)), now=0)
    contexts.receive(0, Done("4999"), now=0)
    contexts.receive(0, Done("0"), now=0)

    assert contexts.counts["late"] == 1
    assert contexts.counts["foreign"] == 1


# ------------------------------------------------------------------ time


def test_a_provider_that_goes_silent_is_noticed() -> None:
    contexts = speaking("a", contexts=speech(stall_s=8))

    assert contexts.deadline == 8
    assert contexts.handle_timer(now=7.9) == []
    assert contexts.handle_timer(now=8) == [ContextFailed("a", "the provider said nothing for 8 s", True)]
    assert sent(contexts) == [Cancel("a")]
    assert contexts.is_hung(0)


def test_a_stalled_context_does_not_condemn_a_socket_on_which_others_speak() -> None:
    contexts = speaking("a", "b", contexts=speech(stall_s=8))
    contexts.receive(0, Chunk("b", b"1"), now=5)

    assert [event.context_id for event in contexts.handle_timer(now=8)] == ["a"]
    assert not contexts.is_hung(0)


def test_a_context_that_owes_nothing_may_be_silent() -> None:
    contexts = speaking("a")
    contexts.receive(0, Chunk("a", b"1"), now=0)
    assert contexts.deadline == math.inf

    contexts.finish("a", now=100)
    sent(contexts, now=100)
    assert contexts.deadline == 108
    contexts.receive(0, Chunk("a", b"1"), now=103)
    assert contexts.deadline == 111


# ------------------------------------------------------------------ places


def test_a_cancelled_context_keeps_its_place_while_it_talks() -> None:
    contexts = speaking("a", contexts=speech(total=1, linger_s=0.5, linger_most_s=2))
    contexts.cancel("a", now=0)
    speaking("b", contexts=contexts)
    assert sent(contexts) == []

    for now in (0.4, 0.8, 1.2, 1.6, 1.9):
        contexts.receive(0, Chunk("a", b"1"), now=now)
        assert contexts.handle_timer(now=now) == []
    assert contexts.deadline == 2  # and not longer
    contexts.handle_timer(now=2)
    assert words(sent(contexts)) == [("b", "Hello. ", True)]


def test_a_cancelled_context_that_ends_gives_up_its_place_at_once() -> None:
    contexts = speaking("a", contexts=speech(total=1))
    contexts.cancel("a", now=0)
    speaking("b", contexts=contexts)
    contexts.receive(0, Done("a"), now=0.1)

    assert words(sent(contexts)) == [("b", "Hello. ", True)]


def test_a_silent_cancelled_context_gives_up_its_place_soon() -> None:
    contexts = speaking("a", contexts=speech(total=1, linger_s=0.5))
    contexts.cancel("a", now=0)
    speaking("b", contexts=contexts)
    contexts.handle_timer(now=0.5)

    assert words(sent(contexts)) == [("b", "Hello. ", True)]


def test_the_cap_of_the_account_holds_over_all_sockets_and_counts_those_who_talk_on() -> None:
    contexts = speaking("a", "b", "c", contexts=speech(sockets=2, per_socket=2, total=3))
    assert words(sent(contexts, 1)) == [("c", "Hello. ", True)]
    contexts.cancel("a", now=0)
    speaking("d", contexts=contexts)
    assert (sent(contexts), sent(contexts, 1)) == ([], [])  # there is room on a socket, but not in the account

    contexts.receive(0, Done("a"), now=0.1)
    assert words(sent(contexts)) == [("d", "Hello. ", True)]


def test_who_waits_too_long_for_a_place_is_told_why() -> None:
    contexts = speaking("a", contexts=speech(total=1, wait_s=5, stall_s=99))
    contexts.open("b", TELEPHONE)
    assert contexts.deadline == 99
    contexts.send("b", "Hello. ", now=1)
    contexts.send("b", "More. ", now=2)
    assert contexts.deadline == 6

    assert contexts.handle_timer(now=6) == [
        ContextFailed("b", "no place at the provider for 5 s (1 of 1 contexts in use)", retryable=False)
    ]


def test_too_many_who_wait_are_refused_at_once() -> None:
    contexts = speaking("a", "b", contexts=speech(total=1, waiting=1))
    contexts.open("c", TELEPHONE)

    assert contexts.send("c", "Hello. ", now=0) == [
        ContextFailed("c", "1 contexts are waiting already (1 of 1 contexts in use)", retryable=False)
    ]


def test_one_who_waits_may_cancel() -> None:
    contexts = speaking("a", "b", contexts=speech(total=1))
    contexts.cancel("b", now=0)
    contexts.receive(0, Chunk("a", b"1"), now=0)
    contexts.receive(0, Done("a"), now=0)

    assert sent(contexts) == []


def test_the_end_of_one_in_the_same_moment_is_the_chance_of_another() -> None:
    contexts = speaking("a", contexts=speech(total=1, linger_s=5, wait_s=5))
    contexts.cancel("a", now=0)
    speaking("b", contexts=contexts)

    assert contexts.handle_timer(now=5) == []
    assert words(sent(contexts)) == [("b", "Hello. ", True)]


# ------------------------------------------------------------------ sockets


def test_a_full_socket_calls_for_another() -> None:
    contexts = Contexts(TEMPLATE, Limits(per_socket=1, sockets=2))
    contexts.socket_up(0, now=0)
    assert contexts.wants(0)
    assert not contexts.wants(1)
    speaking("a", "b", contexts=contexts)
    assert contexts.wants(1)
    assert not contexts.wants(2)

    contexts.socket_up(1, now=0)
    assert words(sent(contexts, 1)) == [("b", "Hello. ", True)]
    contexts.receive(0, Done("a"), now=0)
    assert contexts.wants(1)  # b is there
    contexts.receive(0, Failure("a", 500, "x", ""), now=0)
    contexts.receive(1, Failure("b", 500, "x", ""), now=0)
    assert not contexts.wants(1)


def test_text_waits_for_a_socket() -> None:
    contexts = Contexts(TEMPLATE)
    speaking("a", contexts=contexts, finish=True)
    assert sent(contexts) == []
    contexts.socket_up(0, now=1)

    assert words(sent(contexts)) == [("a", "Hello. ", False)]


def test_a_lost_socket_fails_what_had_begun_and_keeps_what_had_not() -> None:
    contexts = speaking("a", "dead")
    contexts.cancel("dead", now=0)
    contexts.open("b", TELEPHONE)
    contexts.send("b", "Mine. ", now=0)
    contexts.open("idle", TELEPHONE)

    assert contexts.socket_lost(0, "connection lost", now=1) == [ContextFailed("a", "connection lost", True)]
    assert not contexts.has_requests(0)
    assert contexts.next_request(0, now=1) is None
    contexts.socket_up(0, now=2)
    assert words(sent(contexts)) == [("b", "Mine. ", True)]


def test_a_lost_socket_is_silent_when_nothing_lived_on_it() -> None:
    assert speech().socket_lost(0, "1000 connection idle timeout", now=300) == []


def test_what_had_not_begun_gives_up_its_place_on_a_lost_socket_and_does_not_wait_for_ever() -> None:
    contexts = speech(total=1, wait_s=5)
    contexts.open("a", TELEPHONE)
    contexts.send("a", "Hello. ", now=0)
    contexts.socket_lost(0, "connection lost", now=1)

    assert contexts.handle_timer(now=5.9) == []
    contexts.socket_up(0, now=5.9)
    assert words(sent(contexts)) == [("a", "Hello. ", True)]  # the only place there is was free again

    contexts.cancel("a", now=6)
    contexts.receive(0, Done("a"), now=6)
    contexts.open("b", TELEPHONE)
    contexts.send("b", "Hello. ", now=6)
    contexts.socket_lost(0, "connection lost", now=7)
    assert [event.context_id for event in contexts.handle_timer(now=12)] == ["b"]


def test_a_socket_that_takes_the_number_of_one_that_hung_does_not_hang() -> None:
    contexts = speaking("a", contexts=speech(stall_s=8))
    contexts.handle_timer(now=8)
    contexts.socket_lost(0, "given up", now=8)
    contexts.socket_up(0, now=9)

    assert not contexts.is_hung(0)


def test_a_socket_that_never_came_up_may_be_lost_all_the_same() -> None:
    assert speech().socket_lost(1, "connection lost", now=0) == []


def test_a_socket_has_requests_while_text_or_a_cancel_waits_for_it_and_not_otherwise() -> None:
    contexts = speech(sockets=2)
    assert not contexts.has_requests(0)
    contexts.open("a", TELEPHONE)
    contexts.send("a", "Hello. ", now=0)
    assert contexts.has_requests(0)
    assert not contexts.has_requests(1)

    sent(contexts)
    assert not contexts.has_requests(0)
    contexts.cancel("a", now=0)
    assert contexts.has_requests(0)
    assert not contexts.has_requests(1)


def test_one_who_waits_for_a_socket_is_told_what_is_wrong_with_it() -> None:
    contexts = Contexts(TEMPLATE, Limits(wait_s=5))
    speaking("a", contexts=contexts)
    assert contexts.refused("cannot connect", for_good=False) == []

    assert contexts.handle_timer(now=5) == [
        ContextFailed("a", "no place at the provider for 5 s (no connection: cannot connect)", retryable=False)
    ]


def test_nobody_waits_for_a_provider_that_will_have_none_of_us() -> None:
    contexts = Contexts(TEMPLATE)
    speaking("a", contexts=contexts)
    contexts.open("idle", TELEPHONE)

    assert contexts.refused("check the API key", for_good=True) == [ContextFailed("a", "check the API key", False)]
    contexts.socket_up(0, now=0)
    assert contexts.refused("too many sockets", for_good=True) == []


def test_what_was_wrong_with_a_socket_is_forgotten_once_one_is_up() -> None:
    contexts = Contexts(TEMPLATE, Limits(wait_s=5))
    contexts.refused("cannot connect", for_good=False)
    contexts.socket_up(0, now=0)
    contexts.socket_lost(0, "connection lost", now=0)
    speaking("a", contexts=contexts)

    (failed,) = contexts.handle_timer(now=5)
    assert failed == ContextFailed("a", "no place at the provider for 5 s (no connection)", retryable=False)


def test_a_socket_that_never_came_up_is_named_so() -> None:
    contexts = Contexts(TEMPLATE, Limits(wait_s=5))
    speaking("a", contexts=contexts)
    (failed,) = contexts.handle_timer(now=5)
    assert failed == ContextFailed("a", "no place at the provider for 5 s (no connection)", retryable=False)


def test_closing_ends_everything() -> None:
    contexts = speaking("a", "b")
    contexts.cancel("b", now=0)
    contexts.open("c", TELEPHONE)

    assert contexts.close() == [ContextFailed(each, "speech was shut down", retryable=False) for each in ("a", "c")]
    assert contexts.deadline == math.inf


# ------------------------------------------------------------------ the table


def test_the_table_has_every_arrow_that_the_picture_has() -> None:
    assert set(TRANSITIONS) == {
        (State.OPEN, Step.FINISH),
        (State.OPEN, Step.CANCEL),
        (State.OPEN, Step.END),
        (State.FINISHED, Step.CANCEL),
        (State.FINISHED, Step.END),
        (State.LINGERING, Step.END),
    }
    assert State.DEAD not in {state for state, _ in TRANSITIONS}
