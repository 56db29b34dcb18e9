"""One speech socket, decided: every rule of the context protocol's server side, without a socket."""

from __future__ import annotations

import json
from collections import deque
from itertools import pairwise
from typing import Any

import pytest

from agentvoice.audio import AudioFormat, Encoding
from agentvoice.errors import LocalProtocolError
from agentvoice.interfaces import PhonemeTime, WordTime
from agentvoice.speech.contexts import TRANSITIONS, Context, ContextEvent, ContextState, Job
from agentvoice.speech.convert import Spoken, speak
from agentvoice.speech.decisions import Close, Decision, Overlook, Send, Stop, Synthesize
from agentvoice.speech.lexicon import Lexicon, Lexicons
from agentvoice.speech.limits import Limits, Slots
from agentvoice.speech.repertoire import Repertoire
from agentvoice.speech.session import SpeechSession
from agentvoice.speech.tone import GAP_S, ToneEngine, seconds
from agentvoice.speech.voices import VoiceDirectory
from agentvoice.tts.wire import (
    Chunk,
    Done,
    Failure,
    FlushDone,
    Generate,
    PhonemeTimestamps,
    Reply,
    Timestamps,
)

PLAIN: dict[str, Any] = {
    "context_id": "a",
    "model_id": "sonic-3",
    "voice": "tone",
    "output_format": {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 8000},
    "add_timestamps": True,
}
FORMAT = AudioFormat(Encoding.S16LE, 8000)


class Client:
    """Both ends of a socket, and an engine, without any of them."""

    def __init__(
        self,
        version: str = "2026-03-01",
        *,
        limits: Limits | None = None,
        slots: Slots | None = None,
        lexicons: Lexicons | None = None,
    ) -> None:
        self.engine = ToneEngine()
        self.now = 0.0
        self.jobs: deque[Job] = deque()
        self.waiting: deque[Send] = deque()
        self.closes: list[Close] = []
        self.overlooked: list[str] = []
        self.spoken: list[str] = []
        self.slots = slots or Slots(100)
        self.session = SpeechSession(
            version=version,
            connection_id="socket",
            repertoire=Repertoire(VoiceDirectory(self.engine.voices), lexicons),
            slots=self.slots,
            limits=limits or Limits(),
            now=0.0,
        )

    def carry_out(self, decisions: list[Decision]) -> None:
        for decision in decisions:
            match decision:
                case Synthesize(job):
                    self.jobs.append(job)
                case Stop(key, forget):
                    self.jobs = deque(job for job in self.jobs if job.key != key)
                    if forget:
                        self.waiting = deque(send for send in self.waiting if send.key != key)
                case Send():
                    self.waiting.append(decision)
                case Close():
                    self.closes.append(decision)
                case Overlook(what):
                    self.overlooked.append(what)

    def say(self, transcript: str = "", context_id: str = "a", **members: Any) -> None:
        self.send(json.dumps(PLAIN | {"transcript": transcript, "context_id": context_id} | members))

    def more(self, transcript: str = "", context_id: str = "a", **members: Any) -> None:
        self.say(transcript, context_id, **{"continue": True} | members)

    def cancel(self, context_id: str = "a") -> None:
        self.send(json.dumps({"context_id": context_id, "cancel": True}))

    def send(self, message: str | bytes) -> None:
        self.carry_out(self.session.receive(message, now=self.now))

    def work(self, jobs: int = 10_000) -> None:
        """Let the engine speak."""
        for _ in range(min(jobs, len(self.jobs))):
            if not self.jobs:
                return
            job = self.jobs.popleft()
            self.spoken.append(job.utterance.text)
            for spoken in speak(self.engine, job.utterance):
                self.carry_out(self.session.spoken(job, spoken, step_ms=1.0))
            self.carry_out(self.session.finished(job))

    def read(self) -> list[Reply]:
        """Take everything that has been sent."""
        replies = []
        while self.waiting:
            send = self.waiting.popleft()
            replies.append(send.reply)
            self.carry_out(self.session.sent(send, now=self.now))
        return replies

    def hear(self) -> list[Reply]:
        self.work()
        return self.read()

    def wait(self, seconds: float) -> None:
        until = self.now + seconds
        while self.session.deadline <= until:
            self.now = self.session.deadline
            self.carry_out(self.session.handle_timer(now=self.now))
        self.now = until


def words(replies: list[Reply]) -> list[str]:
    return [word for reply in replies if isinstance(reply, Timestamps) for word, _, _ in reply.words]


def audio(replies: list[Reply]) -> bytes:
    return b"".join(reply.audio for reply in replies if isinstance(reply, Chunk))


def kinds(replies: list[Reply]) -> list[str]:
    """The types of the messages, without what there is many of."""
    return [type(reply).__name__ for reply in replies if not isinstance(reply, Chunk | Timestamps | PhonemeTimestamps)]


def failure(replies: list[Reply]) -> Failure:
    [found] = [reply for reply in replies if isinstance(reply, Failure)]
    return found


@pytest.fixture
def client() -> Client:
    return Client()


# ------------------------------------------------------------------ a text, spoken


def test_one_text_is_spoken_and_done(client: Client) -> None:
    client.say("Good morning, Ann.")
    replies = client.hear()
    assert words(replies) == ["Good", "morning,", "Ann."]
    assert kinds(replies) == ["Done"]
    assert isinstance(replies[-1], Done)
    spoken = sum(seconds(word) for word in ("Good", "morning,", "Ann."))
    assert FORMAT.seconds(len(audio(replies))) == pytest.approx(spoken, abs=0.001)
    assert client.session.live == 0


def test_a_done_is_a_message_of_its_own_and_every_chunk_has_audio(client: Client) -> None:
    client.say("A rather long word: incomprehensibilities.")
    replies = client.hear()
    chunks = [reply for reply in replies if isinstance(reply, Chunk)]
    assert all(0 < len(chunk.audio) <= FORMAT.size(0.5) for chunk in chunks)
    assert all(chunk.step_ms == 1.0 for chunk in chunks)


def test_no_chunk_is_larger_than_the_real_services(client: Client) -> None:
    client.say(
        "incomprehensibilities", output_format={"container": "raw", "encoding": "pcm_f32le", "sample_rate": 48000}
    )
    chunks = [reply for reply in client.hear() if isinstance(reply, Chunk)]
    assert max(len(chunk.audio) for chunk in chunks) == 16384


@pytest.mark.parametrize("encoding", ["pcm_f32le", "pcm_s16le", "pcm_mulaw", "pcm_alaw"])
@pytest.mark.parametrize("rate", [8000, 16000, 22050, 24000, 44100, 48000])
def test_every_format_of_the_protocol_is_spoken(client: Client, encoding: str, rate: int) -> None:
    client.say("one two", output_format={"container": "raw", "encoding": encoding, "sample_rate": rate})
    lasts = AudioFormat(Encoding(encoding), rate).seconds(len(audio(client.hear())))
    assert lasts == pytest.approx(seconds("one") + seconds("two"), abs=0.001)


def test_words_are_told_only_to_who_asks(client: Client) -> None:
    client.say("Hello.", add_timestamps=False)
    assert words(client.hear()) == []


def test_phonemes_are_told_to_who_asks(client: Client) -> None:
    client.say("Ah, oh.", add_phoneme_timestamps=True, add_timestamps=False)
    found = [part for reply in client.hear() if isinstance(reply, PhonemeTimestamps) for part in reply.phonemes]
    assert [phoneme for phoneme, _, _ in found] == ["a", "h", "o", "h"]
    assert all(start <= end for _, start, end in found)
    assert all(end <= start for (_, _, end), (_, start, _) in pairwise(found))


def test_the_engines_own_phonemes_are_told_where_it_knows_them(client: Client) -> None:
    client.more("Hi!", add_timestamps=False, add_phoneme_timestamps=True, max_buffer_delay_ms=0)
    client.hear()
    client.more("Oh!", add_timestamps=False, add_phoneme_timestamps=True, max_buffer_delay_ms=0)
    job = client.jobs.popleft()
    told = (PhonemeTime("ˈo", 0.01, 0.1), PhonemeTime("ʊ", 0.09, 0.2))
    client.carry_out(client.session.spoken(job, Spoken(bytes(3200), (WordTime("Oh!", 0.0, 0.2),), told), step_ms=1.0))
    [phonemes] = [reply.phonemes for reply in client.read() if isinstance(reply, PhonemeTimestamps)]
    began = round(seconds("Hi!"), 4)
    assert phonemes == (
        ("ˈo", pytest.approx(began + 0.01), pytest.approx(began + 0.1)),
        ("ʊ", pytest.approx(began + 0.1), pytest.approx(began + 0.2)),
    )


def test_chinese_and_japanese_are_told_character_by_character(client: Client) -> None:
    client.say("你好。 OK")
    assert words(client.hear()) == ["你", "好", "。", "OK"]


# ------------------------------------------------------------------ continuations


def test_texts_of_one_context_are_joined_verbatim(client: Client) -> None:
    for token in ("Good ", "mor", "ning, ", "A", "nn."):
        client.more(token)
    client.say("")
    replies = client.hear()
    assert client.spoken == ["Good morning, Ann."]
    assert kinds(replies) == ["Done"]


def test_the_word_clock_runs_from_the_start_of_the_context(client: Client) -> None:
    client.more("One two. ")
    first = client.hear()
    client.more("Three four. ")
    client.say("Five.")
    replies = first + client.hear()
    times = [time for reply in replies if isinstance(reply, Timestamps) for time in reply.words]
    assert [word for word, _, _ in times] == "One two. Three four. Five.".split()
    assert all(start <= end for _, start, end in times)
    assert all(end <= start for (_, _, end), (_, start, _) in pairwise(times))
    assert times[2][1] == pytest.approx(seconds("One") + seconds("two."), abs=0.001)


def test_words_never_overlap_whatever_an_engine_says(client: Client) -> None:
    client.say("One two three.")
    [job] = client.jobs
    told = (WordTime("One", 0.0, 0.5), WordTime("two", 0.3, 0.4), WordTime("three.", 0.7, 0.6))
    client.carry_out(client.session.spoken(job, Spoken(bytes(320), told), step_ms=1.0))
    times = [time for reply in client.read() if isinstance(reply, Timestamps) for time in reply.words]
    assert times == [("One", 0.0, 0.5), ("two", 0.5, 0.5), ("three.", 0.7, 0.7)]


def test_a_request_that_finished_is_continued_by_one_with_the_same_id(client: Client) -> None:
    client.say("One.")
    client.say("Two.")
    replies = client.hear()
    assert words(replies) == ["One.", "Two."]
    assert kinds(replies) == ["Done"]
    assert client.slots.taken == 0


def test_an_id_may_be_used_again_once_it_is_done(client: Client) -> None:
    client.say("One.")
    client.hear()
    client.say("Two.")
    replies = client.hear()
    assert words(replies) == ["Two."]
    assert kinds(replies) == ["Done"]


def test_contexts_do_not_mix(client: Client) -> None:
    client.more("One ", "a")
    client.more("Eins ", "b")
    client.say("two.", "a")
    client.say("zwei.", "b")
    replies = client.hear()
    assert [words([reply]) for reply in replies if isinstance(reply, Timestamps) and reply.context_id == "a"] == [
        ["One"],
        ["two."],
    ]
    assert {reply.context_id for reply in replies if isinstance(reply, Done)} == {"a", "b"}


# ------------------------------------------------------------------ buffering and flushing


def test_text_waits_for_three_seconds_unless_it_ends_a_sentence(client: Client) -> None:
    client.more("and then we")
    client.wait(2.9)
    assert client.hear() == []
    client.wait(0.2)
    assert words(client.hear()) == ["and", "then", "we"]


def test_a_sentence_does_not_wait(client: Client) -> None:
    client.more("Is it? Perhaps")
    assert words(client.hear()) == ["Is", "it?"]


def test_a_full_stop_waits_a_moment_for_what_makes_it_a_point(client: Client) -> None:
    client.more("It costs 3.")
    assert client.hear() == []
    client.more("14 euros! ")
    assert words(client.hear()) == ["It", "costs", "3.14", "euros!"]
    client.more("That is all.")
    client.wait(0.2)
    assert words(client.hear()) == ["That", "is", "all."]


def test_the_delay_is_the_clients_choice(client: Client) -> None:
    client.more("and then we", max_buffer_delay_ms=200)
    client.wait(0.25)
    assert words(client.hear()) == ["and", "then", "we"]


def test_finishing_ends_the_wait(client: Client) -> None:
    client.more("and then")
    client.say(" ")
    assert words(client.hear()) == ["and", "then"]


def test_without_a_delay_each_submission_is_spoken_at_once_and_flushed(client: Client) -> None:
    client.more("Hello there.", max_buffer_delay_ms=0)
    client.more("How are you", max_buffer_delay_ms=0)
    client.say("")
    replies = client.hear()
    assert client.spoken == ["Hello there.", "How are you"]
    assert words(replies) == "Hello there. How are you".split()
    assert kinds(replies) == ["FlushDone", "FlushDone", "Done"]


def test_the_versions_of_2024_are_told_only_of_flushes_that_they_asked_for() -> None:
    client = Client("2024-11-13")
    client.more("Hello there.", max_buffer_delay_ms=0)
    client.more("How are you", max_buffer_delay_ms=0)
    client.say("")
    assert kinds(client.hear()) == ["Done"]


def test_a_flush_speaks_what_waits_and_is_confirmed_after_it(client: Client) -> None:
    client.more("and then")
    client.more("", flush=True)
    client.more("we went")
    client.more("", flush=True)
    client.say("")
    replies = client.hear()
    assert client.spoken == ["and then", "we went"]
    assert kinds(replies) == ["FlushDone", "FlushDone", "Done"]
    flushes = [reply.flush_id for reply in replies if isinstance(reply, Chunk | FlushDone)]
    assert flushes == sorted(flushes)  # type: ignore[type-var]
    assert set(flushes) == {1, 2}


@pytest.mark.parametrize(("version", "first"), [("2024-11-13", 0), ("2024-06-10", 0), ("2025-04-16", 1), ("", 1)])
def test_flushes_are_counted_as_the_version_does(version: str, first: int) -> None:
    client = Client(version)
    client.more("Hello", flush=True)
    replies = client.hear()
    assert FlushDone("a", first) in replies
    assert {reply.flush_id for reply in replies if isinstance(reply, Chunk)} == {first}


def test_a_flush_of_nothing_is_confirmed(client: Client) -> None:
    client.more("Hello! ")
    client.hear()
    client.more("", flush=True)
    assert client.hear() == [FlushDone("a", 1)]


# ------------------------------------------------------------------ what finish and flush messages carry


def test_a_finish_message_may_carry_another_voice_model_and_format(client: Client) -> None:
    client.more("Hello")
    client.say("", model_id="x", voice={"embedding": [0.0] * 192}, output_format={"sample_rate": 1}, language="fr")
    replies = client.hear()
    assert words(replies) == ["Hello"]
    assert kinds(replies) == ["Done"]


@pytest.mark.parametrize(
    "changed",
    [
        {"model_id": "sonic-2"},
        {"voice": "tone-high"},
        {"language": "fr"},
        {"output_format": {"container": "raw", "encoding": "pcm_mulaw", "sample_rate": 8000}},
    ],
)
def test_a_text_that_changes_what_is_locked_ends_the_context(client: Client, changed: dict[str, Any]) -> None:
    client.more("Hello! ", language="en")
    client.more("Again! ", **changed)
    replies = client.hear()
    assert failure(replies).title == "Context has closed"
    assert failure(replies).context_id == "a"
    assert words(replies) == []
    assert client.session.live == client.slots.taken == 0


def test_delivery_may_change_within_a_context(client: Client) -> None:
    client.more("Hello! ", language=None)
    client.more("Hello! ", generation_config={"speed": 1.5}, language="en")
    times = [time for reply in client.hear() if isinstance(reply, Timestamps) for time in reply.words]
    lengths = [end - start for _, start, end in times]
    assert lengths[1] == pytest.approx(lengths[0] / 1.5, abs=0.001)


def test_volume_is_honoured(client: Client) -> None:
    client.say("Hello.")
    normal = audio(client.hear())
    client.say("Hello.", generation_config={"volume": 0.5})
    quiet = audio(client.hear())
    peaks = [max(memoryview(pcm).cast("h")) for pcm in (normal, quiet)]
    assert peaks[1] == pytest.approx(peaks[0] / 2, abs=1)


def test_duration_is_the_most_that_is_spoken(client: Client) -> None:
    client.more("one two three four five! ", duration=0.5)
    client.more("six! ", flush=True)
    client.say("seven.")
    replies = client.hear()
    assert FORMAT.seconds(len(audio(replies))) == pytest.approx(0.5)
    assert kinds(replies) == ["FlushDone", "Done"]


def test_text_after_the_duration_is_taken_and_not_spoken(client: Client) -> None:
    client.more("one two three! ", duration=0.1)
    client.hear()
    client.more("four! ", flush=True)
    client.say("five.")
    assert kinds(client.hear()) == ["FlushDone", "Done"]
    assert client.spoken == ["one two three!"]


def test_what_an_engine_says_after_the_duration_is_not_heard(client: Client) -> None:
    client.say("one two three! Four!", duration=0.1)
    [job, _] = client.jobs
    for _ in range(2):
        client.carry_out(client.session.spoken(job, Spoken(bytes(4000)), step_ms=0))
        client.carry_out(client.session.finished(job))
        client.carry_out(client.session.failed(job, "late"))
    assert kinds(client.read()) == ["Done"]


# ------------------------------------------------------------------ markup


def test_markup_is_honoured_and_never_spoken(client: Client) -> None:
    client.say('Hello <speed ratio="2.0"/>fast <break time="1s"/><emotion value="sad"/>friend [laughter] bye.')
    replies = client.hear()
    assert words(replies) == ["Hello", "fast", "friend", "bye."]
    spoken = seconds("Hello") + (seconds("fast") + seconds("friend") + seconds("bye.")) / 2
    assert FORMAT.seconds(len(audio(replies))) == pytest.approx(spoken + 1, abs=0.001)


def test_a_spelled_word_is_told_as_written_or_letter_by_letter(client: Client) -> None:
    client.say("Code <spell>AB-1</spell> please.")
    assert words(client.hear()) == ["Code", "AB-1", "please."]
    client.say("Code <spell>AB-1</spell> please.", use_normalized_timestamps=True)
    assert words(client.hear()) == ["Code", "A", "B", "1", "please."]


def test_a_dictionary_changes_what_is_read_and_not_what_is_told() -> None:
    lexicons = Lexicons({"ACME": "ack me"}, {"places": {"San Jose": "Hozay"}})
    client = Client(lexicons=lexicons)
    client.say("Call ACME. In San Jose, now!", pronunciation_dict_id="places")
    replies = client.hear()
    assert client.spoken == ["Call ack me.", "In Hozay, now!"]
    assert words(replies) == ["Call", "ACME.", "In", "San", "Jose,", "now!"]
    times = [time for reply in replies if isinstance(reply, Timestamps) for time in reply.words]
    end = sum(map(seconds, ("Call", "ack", "me."))) - GAP_S
    assert times[1][1:] == (pytest.approx(seconds("Call")), pytest.approx(end))
    assert times[3][2] == times[4][1]  # two written words share the time of the one that was read

    client.say("Call ACME in San Jose!", use_normalized_timestamps=True)
    assert words(client.hear()) == "Call ack me in San Jose!".split()


def test_who_asks_for_words_in_the_midst_of_a_sentence_is_told_the_right_ones() -> None:
    client = Client(lexicons=Lexicons({"ACME": "ack me"}))
    client.more("Call ACME now!", add_timestamps=False)
    [job] = client.jobs

    def speak(*words: str) -> None:
        told = tuple(WordTime(word, 0.0, 0.1) for word in words)
        client.carry_out(client.session.spoken(job, Spoken(bytes(3200), told), step_ms=1.0))

    speak("Call", "ack")
    client.more("Yes!")
    speak("me", "now!")
    assert words(client.read()) == ["ACME", "now!"]


def test_phonemes_are_read_as_letters_and_told_as_they_were_sent(client: Client) -> None:
    client.more("We <<m|ɛ|", max_buffer_delay_ms=500)
    client.say("t>> him.")
    replies = client.hear()
    assert client.spoken == ["We met him."]
    assert words(replies) == ["We", "<<m|ɛ|t>>", "him."]


def test_an_engine_that_says_more_words_than_it_was_given_does_no_harm() -> None:
    client = Client(lexicons=Lexicons({"Hi": "Hello"}))
    client.say("Hi!")
    told = (WordTime("Hello!", 0, 0.1), WordTime("there", 0.1, 0.2))
    client.carry_out(client.session.spoken(client.jobs[0], Spoken(bytes(3200), told), step_ms=1.0))
    assert words(client.read()) == ["Hi!"]


@pytest.mark.parametrize(
    ("members", "overlooked"),
    [
        ({"transcript": "Hi!"}, []),
        ({"generation_config": {"emotion": "Neutral"}, "language": "en-GB", "normalization": "auto"}, []),
        ({"generation_config": {"emotion": "angry"}}, ["emotion"]),
        ({"transcript": 'Ha <emotion value="joking"/> [laughter] <<m|ɛ|t>>!'}, ["emotion", "sound"]),
        ({"pronunciation_dict_id": "places"}, []),
        ({"pronunciation_dict_id": "pdict_123"}, ["pronunciation_dict"]),
        ({"normalization": "off"}, ["normalization"]),
        ({"voice": {"mode": "embedding", "embedding": [0.1] * 192}}, ["voice"]),
        ({"voice": "6ccbfb76-1fc6-48f7-b71d-91ac6298247b", "language": "de"}, ["voice", "language"]),
        ({"locale": "pt-BR", "voice": "any"}, ["language"]),
    ],
)
def test_what_is_asked_for_and_not_to_be_had_is_counted(members: dict[str, Any], overlooked: list[str]) -> None:
    client = Client(lexicons=Lexicons({}, {"places": {}}))
    client.say(**{"transcript": "Hi!"} | members)
    assert client.overlooked == overlooked
    assert audio(client.hear())


def test_a_tag_that_is_cut_over_two_inputs_is_still_a_tag(client: Client) -> None:
    client.more('Well. <speed ratio="1.')
    client.more('0"/>Then we go! ')
    assert words(client.hear()) == ["Well.", "Then", "we", "go!"]


# ------------------------------------------------------------------ cancel


def test_a_cancel_is_followed_by_silence(client: Client) -> None:
    client.more("One two three. Four five six. ")
    client.work(jobs=1)
    client.cancel()
    assert client.hear() == []
    assert client.spoken == ["One two three."]
    assert client.session.live == client.slots.taken == 0


def test_a_cancel_reaches_what_was_spoken_but_waits_for_a_slow_client(client: Client) -> None:
    client.say("One two three.")
    client.work()
    client.cancel()
    assert client.read() == []
    assert client.slots.taken == 0


def test_what_crosses_a_cancel_is_ignored(client: Client) -> None:
    client.more("One. ")
    client.cancel()
    client.more("Two. ")
    client.say("")
    client.say("Three.", model_id="")
    client.cancel()
    assert client.hear() == []


def test_speech_that_was_being_made_at_the_cancel_is_dropped(client: Client) -> None:
    client.more("One! ")
    [job] = client.jobs
    client.cancel()
    assert client.session.spoken(job, Spoken(bytes(320)), step_ms=0) == []
    assert client.session.finished(job) == []
    assert client.session.failed(job, "gone") == []


def test_cancelling_what_does_not_exist_is_silent(client: Client) -> None:
    client.cancel("never")
    client.say("Hello.")
    client.hear()
    client.cancel()
    assert client.hear() == []


def test_the_ids_of_dead_contexts_are_not_remembered_for_ever(client: Client) -> None:
    for n in range(5000):
        client.more("Hello", f"c{n}")
        client.cancel(f"c{n}")
    client.say("Again.", "c0")
    assert words(client.hear()) == ["Again."]


# ------------------------------------------------------------------ errors


@pytest.mark.parametrize("transcript", ["...", "?!", " - ", '"', '<break time="1s"/>', "<emotion value='sad'/>."])
def test_a_context_cannot_begin_with_punctuation_alone(client: Client, transcript: str) -> None:
    client.more(transcript)
    refused = failure(client.hear())
    assert refused.status_code == 400
    assert refused.context_id == "a"
    assert refused.title == "transcript empty or contains only punctuation"
    assert client.slots.taken == 0


def test_a_context_cannot_begin_with_nothing(client: Client) -> None:
    client.more("")
    assert "only punctuation" in failure(client.hear()).title


def test_punctuation_alone_is_fine_later(client: Client) -> None:
    client.more("Hello ", max_buffer_delay_ms=0)
    client.more("...", max_buffer_delay_ms=0)
    client.say("!", max_buffer_delay_ms=0)
    replies = client.hear()
    assert words(replies) == ["Hello"]
    assert kinds(replies) == ["FlushDone", "FlushDone", "FlushDone", "Done"]


def test_finishing_what_failed_or_never_was_has_no_second_error(client: Client) -> None:
    client.more("Hello", voice="nobody")
    assert failure(client.hear()).error_code == "voice_not_found"
    client.say("")
    client.say(" ")
    client.more("", flush=True)
    client.say("", "never")
    assert client.hear() == []


def test_a_context_that_failed_stays_closed(client: Client) -> None:
    client.more("Hello! ")
    client.more("Hello! ", voice="tone-high")
    client.hear()
    client.more("")
    client.more("And more. ")
    client.say("")
    assert client.hear() == []
    client.say("Hello.")
    assert failure(client.hear()).title == "Context has closed"


def test_a_refused_first_request_may_be_tried_again(client: Client) -> None:
    client.say("Hello.", output_format={"container": "raw", "encoding": "pcm_s16le", "sample_rate": 40})
    assert failure(client.hear()).error_code == "unsupported_audio_format"
    client.say("Hello.")
    assert words(client.hear()) == ["Hello."]


@pytest.mark.parametrize(
    ("members", "code"),
    [({"voice": "nobody"}, "voice_not_found"), ({"model_id": "whisper"}, "model_not_found")],
)
def test_what_does_not_exist_is_refused_with_its_code(client: Client, members: dict[str, Any], code: str) -> None:
    client.say("Hello.", **members)
    refused = failure(client.hear())
    assert (refused.status_code, refused.error_code) == (404, code)


@pytest.mark.parametrize("voice", ["any", {"embedding": [0.1] * 192}, "f786b574-daa5-4673-aa0c-cbe3e8534c02"])
def test_the_providers_own_voices_have_a_stand_in(client: Client, voice: object) -> None:
    client.say("Hello.", voice=voice)
    assert words(client.hear()) == ["Hello."]


def test_an_error_of_one_context_touches_no_other(client: Client) -> None:
    client.more("Hello! ", "good")
    client.say("Hello.", "bad", voice="nobody")
    client.send("no json at all")
    client.say("Bye.", "good")
    replies = client.hear()
    assert words(replies) == ["Hello!", "Bye."]
    assert [reply.context_id for reply in replies if isinstance(reply, Failure)] == ["bad", None]


def test_an_error_names_the_request(client: Client) -> None:
    client.say("Hello.", voice="nobody")
    assert failure(client.hear()).request_id == "socket:a:1"


def test_an_engine_that_breaks_ends_its_context_only(client: Client) -> None:
    client.more("One. Two. ")
    client.more("Other! ", "b")
    job = client.jobs[0]
    client.carry_out(client.session.failed(job, "out of breath"))
    replies = client.hear()
    assert failure(replies).status_code == 500
    assert failure(replies).context_id == "a"
    assert words(replies) == ["Other!"]


def test_too_many_contexts_are_refused_with_429_until_one_has_ended() -> None:
    client = Client(slots=Slots(2))
    client.more("Hello! ", "a")
    client.say("Hello!", "b")
    client.say("Hello!", "c")
    assert failure(client.read()).error_code == "concurrency_limited"
    client.work()
    client.say("Hello!", "c")
    assert failure(client.read()).status_code == 429
    client.say("Hello!", "c")
    assert words(client.hear()) == ["Hello!"]


def test_slots_are_shared_between_sockets_and_returned_when_one_closes() -> None:
    slots = Slots(1)
    one, other = Client(slots=slots), Client(slots=slots)
    one.more("Hello! ")
    other.say("Hello!")
    assert failure(other.hear()).status_code == 429
    one.carry_out(one.session.close())
    assert one.jobs == deque()
    other.say("Hello!")
    assert words(other.hear()) == ["Hello!"]


def test_text_that_nobody_could_speak_in_time_is_refused() -> None:
    client = Client(limits=Limits(waiting_characters=1000))
    for _ in range(30):
        client.more("Twenty characters, so. " * 2)
    assert failure(client.read()).title == "Too much text"


@pytest.mark.parametrize("version", ["2024-06-10", "2025-04-16"])
def test_old_versions_may_leave_the_context_unnamed(version: str) -> None:
    client = Client(version)
    client.say("Hello.", context_id=None)  # type: ignore[arg-type]
    replies = client.hear()
    assert words(replies) == ["Hello."]
    assert len({reply.context_id for reply in replies}) == 1


# ------------------------------------------------------------------ time


def test_an_open_context_expires_after_its_last_audio_was_sent() -> None:
    client = Client(limits=Limits(expiry_s=1.0))
    client.more("Hello! ")
    client.wait(3)
    client.work()
    client.wait(3)
    assert words(client.read()) == ["Hello!"]
    client.wait(0.9)
    assert client.read() == []
    client.wait(0.2)
    assert client.read() == [Done("a")]
    assert client.slots.taken == 0


def test_more_text_keeps_a_context_alive() -> None:
    client = Client(limits=Limits(expiry_s=1.0))
    for _ in range(3):
        client.more("Hello! ")
        client.hear()
        client.wait(0.9)
    assert kinds(client.read()) == []


def test_an_idle_socket_is_closed_after_five_minutes(client: Client) -> None:
    client.wait(299)
    client.say("Hello.")
    client.hear()
    client.wait(299.9)
    assert client.closes == []
    client.wait(0.2)
    assert client.closes == [Close(1000, "connection idle timeout")]
    client.wait(1000)
    assert client.session.deadline == float("inf")


def test_a_timer_that_comes_early_does_no_harm(client: Client) -> None:
    client.more("and then")
    assert client.session.handle_timer(now=1.0) == []
    client.more("Other", "b")
    client.wait(3.0)
    assert words(client.hear()) == ["and", "then", "Other"]


# ------------------------------------------------------------------ the table


ARROWS = [(state, event) for state in ContextState for event in ContextEvent]


@pytest.mark.parametrize(("state", "event"), ARROWS)
def test_a_context_follows_its_table_and_nothing_else(state: ContextState, event: ContextEvent) -> None:
    request = Generate(context_id="a", transcript="Hello", model_id="m", voice_id="v", output=FORMAT)
    context = Context(1, request, voice="v", output=FORMAT, lexicon=Lexicon({}), first_flush=1)
    context.state = state
    if after := TRANSITIONS.get((state, event)):
        context.move(event)
        assert after == str(context.state)
    else:
        with pytest.raises(LocalProtocolError, match=f"{state} cannot be {event}"):
            context.move(event)
