"""The far end in these tests plays what it is sent, in real time, and reports marks with no delay."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from agentvoice.audio import TELEPHONE
from agentvoice.commands import Evidence, HeardText, SendAudio, SendMark
from agentvoice.playout import Playout

TEXT = "one two three four five"
WORDS = [("one", 0.0, 0.3), ("two", 0.3, 0.6), ("three", 0.6, 1.0), ("four", 1.0, 1.4), ("five", 1.4, 1.9)]


class FarEnd:
    """A line that plays at once, and in order, whatever it is sent."""

    def __init__(self, playout: Playout) -> None:
        self.playout = playout
        self.now = 10.0
        self.played_until = 0.0  # the instant when the buffer runs dry
        self.sent: list[tuple[float, int]] = []  # when, how many bytes
        self.marks: list[tuple[float, str]] = []  # due when, which
        self.returns_marks = True

    def poll(self) -> None:
        for command in self.playout.poll(now=self.now):
            match command:
                case SendAudio(_, audio):
                    self.sent.append((self.now, len(audio)))
                    self.played_until = max(self.played_until, self.now) + len(audio) / 8000
                case SendMark(name):
                    self.marks.append((max(self.played_until, self.now), name))

    def run(self, until: float) -> None:
        """Let time pass, waking the playout when it wants to be."""
        while True:
            due = min([at for at, _ in self.marks], default=math.inf) if self.returns_marks else math.inf
            at = min(max(self.playout.deadline, self.now), due, until)
            self.now = max(self.now, at)
            while self.returns_marks and self.marks and self.marks[0][0] <= self.now:
                self.playout.mark_returned(self.marks.pop(0)[1], now=self.now)
            self.poll()
            if self.now >= until:
                return
            if self.playout.finished(now=self.now):
                self.now = until

    def heard(self) -> HeardText | None:
        return self.playout.heard(TEXT, now=self.now)


def speaking(seconds: float = 2.0, *, words: bool = True, marks: bool = True, ended: bool = True) -> FarEnd:
    playout = Playout(TELEPHONE, has_marks=marks)
    playout.begin("c1")
    playout.feed(b"\0" * int(seconds * 8000))
    if words:
        playout.place(WORDS)
    if ended:
        playout.end()
    return FarEnd(playout)


def test_audio_goes_ahead_of_its_time_by_the_lead_and_no_more() -> None:
    line = speaking(10, words=False)

    line.run(15.0)

    ahead, total = [], 0
    for at, size in line.sent:
        total += size
        ahead.append(total / 8000 - (at - 10.0))
    assert max(ahead) == pytest.approx(0.2, abs=0.001)
    assert min(ahead) >= 0.1
    assert line.playout.holes == 0


@pytest.mark.parametrize("lead_s", [0.04, 0.06, 0.2, 1.0])
def test_however_long_the_lead_is_half_of_it_is_always_there(lead_s: float) -> None:
    playout = Playout(TELEPHONE, lead_s=lead_s)
    playout.begin("c1")
    playout.feed(bytes(80_000))
    line = FarEnd(playout)

    line.run(15.0)

    total, left = 0, dict[float, float]()
    for at, size in line.sent:
        left.setdefault(at, total / 8000 - (at - 10.0))
        total += size
    assert list(left.values())[1:] == pytest.approx([lead_s / 2] * (len(left) - 1), abs=0.001)
    assert playout.holes == 0


def test_messages_are_as_large_as_the_marks_allow() -> None:
    line = speaking(10, words=False, marks=False)

    line.run(15.0)

    assert {size for _, size in line.sent[1:]} == {800}  # 100 ms, after the first 200 ms


def test_a_stall_is_caught_up_not_passed_on() -> None:
    line = speaking(10, words=False)
    line.run(12.0)
    line.now += 0.15  # the process did not run for so long
    line.poll()

    assert line.playout.holes == 0
    assert line.played_until - line.now == pytest.approx(0.2, abs=0.02)


def test_a_provider_that_is_late_makes_a_hole_and_the_schedule_goes_on_from_there() -> None:
    line = speaking(0.5, words=False, ended=False)
    line.run(12.0)
    line.playout.feed(b"\0" * 8000)
    line.run(12.01)

    assert line.playout.holes == 1
    assert line.played_until == pytest.approx(12.2, abs=0.02)


def test_a_frame_is_not_torn_but_the_last_one_may_be_short() -> None:
    line = speaking(0.055, words=False, ended=False)
    line.poll()
    assert [size for _, size in line.sent] == [320]

    line.playout.end()
    line.poll()
    assert [size for _, size in line.sent] == [320, 120]


def test_marks_go_out_at_word_ends_and_every_200_ms_where_no_word_ends_soon() -> None:
    line = speaking(2.0)
    line.returns_marks = False
    line.run(12.5)

    positions = [int(name.split("/")[1]) / 8000 for _, name in line.marks]
    assert positions == [0.2, 0.3, 0.6, 1.0, 1.4, 1.6, 1.9, 2.0]

    early = FarEnd(Playout(TELEPHONE))
    early.playout.begin("c1")
    early.playout.feed(bytes(2400))
    early.playout.place([("I", 0.0, 0.1), ("am", 0.1, 0.3)])
    early.returns_marks = False
    early.run(10.2)
    assert early.marks[0][1] == "c1/800"

    line = speaking(2.0, words=False)
    line.returns_marks = False
    line.run(12.5)
    positions = [int(name.split("/")[1]) / 8000 for _, name in line.marks]
    assert max(b - a for a, b in pairwise([0.0, *positions])) <= 0.2001


def test_a_hold_stops_at_once_and_resumes_from_the_very_next_frame() -> None:
    line = speaking(2.0, words=False)
    line.run(10.5)
    sent = sum(size for _, size in line.sent)
    line.playout.hold()
    line.run(11.5)
    assert sum(size for _, size in line.sent) == sent

    line.playout.resume()
    line.run(14.0)
    assert sum(size for _, size in line.sent) == 16000
    assert line.playout.holes == 0
    assert line.heard() == HeardText(TEXT, 2.0, Evidence.MARKS, 0.0, complete=True)


@pytest.mark.parametrize(
    ("at", "text"), [(0.29, ""), (0.3, "one"), (0.59, "one"), (0.61, "one two"), (1.41, "one two three four")]
)
def test_with_marks_and_word_times_the_heard_text_is_exact(at: float, text: str) -> None:
    line = speaking()
    line.run(10.0 + at)

    heard = line.heard()

    assert heard is not None
    assert heard.text == text
    assert heard.evidence is (Evidence.MARKS_AND_WORDS if at > 0.2 else Evidence.CLOCK_AND_WORDS)
    assert abs(heard.seconds - at) <= heard.bound_s
    assert not heard.complete


def test_a_turn_is_complete_when_the_last_frame_was_played_not_sent() -> None:
    line = speaking()
    line.run(11.95)
    assert not line.playout.finished(now=line.now)

    line.run(12.0)
    assert line.playout.finished(now=line.now)
    assert line.heard() == HeardText(TEXT, 2.0, Evidence.MARKS_AND_WORDS, 0.0, complete=True)


def test_a_last_mark_that_never_comes_back_is_not_waited_for_for_ever() -> None:
    line = speaking()
    line.returns_marks = False
    line.run(13.99)
    assert not line.playout.finished(now=line.now)

    assert line.playout.finished(now=14.0)
    heard = line.playout.heard(TEXT, now=14.0)
    assert heard is not None
    assert heard.evidence is Evidence.CLOCK_AND_WORDS


def test_a_line_without_marks_is_judged_by_the_clock() -> None:
    line = speaking(marks=False, words=False)
    line.run(11.0)

    heard = line.heard()
    assert heard is not None
    assert (heard.evidence, heard.seconds) == (Evidence.CLOCK, pytest.approx(1.0))
    assert heard.text == "one two"  # half the audio, down to a whole word
    line.run(12.0)
    assert line.playout.finished(now=line.now)
    assert line.marks == []


def test_without_word_times_and_without_an_end_the_text_goes_by_what_people_say_in_a_second() -> None:
    line = speaking(1.2, words=False, ended=False)
    line.run(11.0)

    heard = line.heard()
    assert heard is not None
    assert heard.text == "one two three"  # 15 characters


def test_a_line_that_promises_marks_and_returns_none_is_judged_by_the_clock_once_they_are_overdue() -> None:
    line = speaking()
    line.returns_marks = False
    line.run(11.5)

    heard = line.heard()
    assert heard is not None
    assert heard.evidence is Evidence.CLOCK_AND_WORDS
    assert heard.text == "one"  # to the first mark that may still be on its way
    assert heard.seconds < 1.5


def test_nothing_played_is_nothing_heard() -> None:
    line = speaking()
    assert line.heard() is None

    line.poll()
    assert line.heard() is None


def test_marks_of_a_turn_that_is_over_mean_nothing() -> None:
    line = speaking()
    line.run(10.5)
    line.playout.begin("c2")
    line.playout.feed(b"\0" * 16000)
    line.poll()

    line.playout.mark_returned("c1/2400", now=10.5)

    assert line.playout.heard(TEXT, now=10.5) is None


def test_a_mark_that_was_lost_on_the_way_is_made_up_for_by_a_later_one() -> None:
    line = speaking()
    line.returns_marks = False
    line.run(10.7)
    line.playout.mark_returned("c1/4800", now=10.7)

    heard = line.heard()
    assert heard is not None
    assert heard.text == "one two"


def test_a_lost_context_is_succeeded_from_the_word_where_it_stopped() -> None:
    line = speaking(1.2, ended=False)  # "four" was not delivered whole
    line.run(10.1)

    offset = line.playout.succeed("c2", TEXT, delivered=False)
    assert TEXT[offset:] == " four five"
    assert line.playout.backlog_s == pytest.approx(0.7)  # up to the end of "three", 0.3 s of it is out

    line.playout.feed(b"\0" * 8000)
    line.playout.place([("four", 0.0, 0.4), ("five", 0.4, 0.9)])
    line.playout.end()
    line.run(14.0)
    assert line.playout.heard(TEXT, now=14.0) == HeardText(TEXT, 2.0, Evidence.MARKS_AND_WORDS, 0.0, complete=True)


def test_a_context_that_ended_early_but_delivered_everything_is_succeeded_from_its_end() -> None:
    line = speaking(ended=False)

    assert line.playout.succeed("c2", TEXT, delivered=True) == len(TEXT)
    assert line.playout.backlog_s == 2.0


def test_a_lost_context_without_word_times_is_succeeded_from_what_was_handed_over() -> None:
    line = speaking(1.0, words=False, ended=False)
    line.run(10.8)

    offset = line.playout.succeed("c2", TEXT, delivered=False)

    assert TEXT[offset:] == "three four five" or TEXT[offset:] == "four five"
    assert line.playout.backlog_s == 0


def test_a_provider_that_writes_a_word_otherwise_does_not_lose_the_place() -> None:
    playout = Playout(TELEPHONE)
    playout.begin("c1")
    playout.feed(b"\0" * 16000)
    playout.place([("At", 0.0, 0.2), ("seven", 0.2, 0.5), ("tonight.", 0.5, 1.0), ("three", 1.0, 1.2)])
    line = FarEnd(playout)
    text = "At 7 tonight. 3"
    line.run(10.55)

    heard = playout.heard(text, now=line.now)
    assert heard is not None
    assert heard.text == "At 7"
    line.run(11.3)
    heard = playout.heard(text, now=line.now)
    assert heard is not None
    assert heard.text == text


@given(
    pieces=st.lists(st.tuples(st.integers(1, 4000), st.floats(0, 0.5)), min_size=1, max_size=20),
    cut=st.floats(0.01, 6),
)
def test_every_byte_is_handed_over_once_in_order_however_it_arrives(
    pieces: list[tuple[int, float]], cut: float
) -> None:
    playout = Playout(TELEPHONE)
    playout.begin("c1")
    line = FarEnd(playout)
    out = bytearray()
    original = playout.poll

    def poll(*, now: float) -> list[SendAudio | SendMark]:
        commands = original(now=now)
        out.extend(b"".join(command.audio for command in commands if isinstance(command, SendAudio)))
        return commands

    playout.poll = poll  # type: ignore[method-assign]
    everything = bytes(i % 251 for i in range(sum(size for size, _ in pieces)))
    at = 0
    for size, gap in pieces:
        playout.feed(everything[at : at + size])
        at += size
        line.run(line.now + gap)
    playout.end()
    line.run(line.now + cut)
    assert everything.startswith(bytes(out))
    line.run(line.now + 100)
    assert bytes(out) == everything
    assert playout.finished(now=line.now)


def test_nothing_is_reached_before_anything_was_handed_over() -> None:
    line = speaking()

    assert line.playout.reached(TEXT, now=line.now) == 0


def test_all_is_reached_once_all_was_played() -> None:
    line = speaking()
    line.run(line.now + 5)

    assert line.playout.reached(TEXT, now=line.now) == len(TEXT)


def test_a_clock_that_begins_at_nought_is_a_clock_like_any_other() -> None:
    line = speaking(marks=False)
    line.now = 0.0
    line.run(1.05)

    heard = line.heard()
    assert heard is not None
    assert (heard.text, heard.seconds) == ("one two three", pytest.approx(1.05))

    line = speaking()
    line.now = 0.0
    line.returns_marks = False
    line.run(0.15)
    heard = line.heard()
    assert heard is not None
    assert heard.seconds == pytest.approx(0.15)
    line.run(1.5)
    heard = line.heard()
    assert heard is not None
    assert heard.text == "one"  # marks that should be back by now will not come


def test_with_every_mark_back_it_is_known_to_the_sample() -> None:
    line = speaking(words=False)
    line.poll()
    line.playout.hold()  # after the first 200 ms, and their mark
    line.run(11.0)

    heard = line.heard()
    assert heard is not None
    assert (heard.seconds, heard.bound_s) == (0.2, 1 / 8000)


def test_before_a_mark_that_is_awaited_everything_may_have_been_played_but_the_last_sample() -> None:
    line = speaking()
    line.returns_marks = False
    line.run(10.65)
    line.playout.mark_returned("c1/2400", now=10.3)

    heard = line.heard()
    assert heard is not None
    assert (heard.text, heard.seconds) == ("one", (4800 - 1) / 8000)  # the next mark is at the end of the next word
    assert heard.bound_s == pytest.approx(0.3)


def test_after_a_mark_that_was_late_the_clock_goes_on_from_when_it_came() -> None:
    line = speaking()
    line.returns_marks = False
    line.run(10.9)
    line.playout.mark_returned("c1/4800", now=10.9)  # the line holds 300 ms of audio back

    heard = line.playout.heard(TEXT, now=10.95)
    assert heard is not None
    assert heard.seconds == pytest.approx(0.65)


def test_a_quick_voice_is_judged_by_its_own_speed_once_its_end_is_known() -> None:
    line = speaking(1.0, words=False, marks=False)
    line.run(10.6)

    heard = line.heard()
    assert heard is not None
    assert heard.text == "one two three"  # three fifths of it, at 23 characters a second


def test_a_word_of_which_the_end_may_be_missing_was_not_heard() -> None:
    line = speaking(1.2, words=False, ended=False)
    line.run(10.85)

    heard = line.heard()
    assert heard is not None
    assert heard.text == "one two"  # twelve characters, and "three" ends with the thirteenth


def test_all_that_came_was_heard_though_nobody_said_that_it_was_the_end() -> None:
    line = speaking(2.0, words=False, ended=False)
    line.run(12.5)

    heard = line.heard()
    assert heard is not None
    assert (heard.text, heard.complete) == (TEXT, False)


@pytest.mark.parametrize(
    ("text", "words", "count", "heard"),
    [
        ("to be or not to be", "to be or not to be", 5, "to be or not to"),
        ("half-past seven", "half- past seven", 1, "half-"),
        ("half-past seven", "half- past seven", 2, "half-past"),
        ("3 of us, at a quarter to eight in the evening, all three", "three of us,", 1, "3"),
    ],
    ids=["the same word twice", "a word in two", "and its second half", "a word that stands there again, far off"],
)
def test_the_place_in_the_text_is_found_by_the_words_in_their_order(
    text: str, words: str, count: int, heard: str
) -> None:
    playout = Playout(TELEPHONE)
    playout.begin("c1")
    playout.feed(b"\0" * 16000)
    playout.place([(word, 0.3 * n, 0.3 * (n + 1)) for n, word in enumerate(words.split())])
    line = FarEnd(playout)
    line.run(10.0 + 0.3 * count + 0.05)

    known = playout.heard(text, now=line.now)
    assert known is not None
    assert known.text == heard


def test_what_is_handed_over_says_of_which_context_it_is() -> None:
    line = speaking(0.4, words=False, ended=False)
    sent = line.playout.poll(now=10.0)
    line.playout.succeed("c2", TEXT, delivered=False)
    line.playout.feed(b"\0" * 3200)
    sent += line.playout.poll(now=10.2)

    assert [command.context_id for command in sent if isinstance(command, SendAudio)] == ["c1", "c2"]


def test_a_line_is_trusted_to_return_marks_unless_it_is_said_not_to() -> None:
    playout = Playout(TELEPHONE)
    playout.begin("c1")
    playout.feed(b"\0" * 1600)
    playout.end()

    assert playout.poll(now=0.0)[-1] == SendMark("c1/1600")


def test_without_words_there_is_a_mark_every_200_ms_and_none_in_between() -> None:
    line = speaking(1.0, words=False)
    line.returns_marks = False
    line.run(12.0)

    assert [name for _, name in line.marks] == ["c1/1600", "c1/3200", "c1/4800", "c1/6400", "c1/8000"]


def test_the_last_mark_goes_out_once() -> None:
    line = speaking(1.0)
    line.returns_marks = False
    line.run(12.0)
    sent = len(line.marks)
    line.poll()

    assert len(line.marks) == sent
    assert line.marks[-1][1] == "c1/8000"


def test_every_hole_counts_and_audio_that_comes_as_the_line_runs_dry_makes_none() -> None:
    line = speaking(0.5, words=False, ended=False)
    line.run(10.5)
    line.playout.feed(b"\0" * 4000)
    line.poll()
    assert line.playout.holes == 0

    for _ in range(2):
        line.run(line.now + 1.0)
        line.playout.feed(b"\0" * 800)
        line.poll()
    assert line.playout.holes == 2


def test_what_came_in_pieces_counts_whole() -> None:
    playout = Playout(TELEPHONE)
    playout.begin("c1")
    for _ in range(3):
        playout.feed(b"\0" * 3200)
    playout.place(WORDS[:2])
    playout.place(WORDS[2:])

    offset = playout.succeed("c2", TEXT, delivered=False)

    assert TEXT[offset:] == " four five"
    assert playout.backlog_s == pytest.approx(1.0)  # "one two three" of the 1.2 s that came


def test_a_turn_whose_last_mark_was_lost_ended_by_the_clock_whatever_came_back_before() -> None:
    line = speaking()
    line.run(11.0)
    line.returns_marks = False
    line.run(14.1)

    heard = line.heard()
    assert heard is not None
    assert (heard.complete, heard.evidence) == (True, Evidence.CLOCK_AND_WORDS)


def test_what_was_heard_lately_begins_so_long_ago_and_ends_with_the_word_that_is_being_spoken() -> None:
    line = speaking()
    assert line.playout.lately(TEXT, now=line.now, seconds=1.0) == ""
    line.run(11.5)

    assert line.playout.lately(TEXT, now=line.now, seconds=0.7) == " three four five"
    assert line.playout.lately(TEXT, now=line.now, seconds=9.0) == TEXT
