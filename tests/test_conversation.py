"""No loop, no clock, no mock: events go in with their time, and what comes out is compared."""

import math
from collections.abc import Sequence
from typing import Any

import pytest

from agentvoice.audio import TELEPHONE
from agentvoice.commands import (
    AnswerTool,
    BargeInDecided,
    CancelContext,
    ClearPlayout,
    Command,
    ContextSucceeded,
    Evidence,
    FinishContext,
    HangUp,
    JudgePause,
    LimitNear,
    OpenContext,
    ProtectedHeard,
    SendAudio,
    SendMark,
    SilenceFell,
    SpeakText,
    Spent,
    StaleDropped,
    StartReply,
    StartTool,
    StopReply,
    TurnChanged,
    TurnClosed,
    TurnOpened,
    TurnState,
    UtteranceEnded,
)
from agentvoice.conversation import Conversation
from agentvoice.events import (
    AudioReceived,
    BargeIn,
    BargeInKind,
    CallerTurnEnded,
    CallerTurnLikely,
    CallerTurnResumed,
    CallerTurnStarted,
    CallStarted,
    ContextDone,
    ContextFailed,
    Event,
    HandedOff,
    HangUpRequested,
    HungUp,
    KeyPressed,
    MarkReturned,
    PhonemesReceived,
    PlayRequested,
    ReplyFailed,
    ReplyMended,
    SayRequested,
    SpeechStarted,
    SpeechStopped,
    StopRequested,
    TextEnded,
    TextPaused,
    TextProduced,
    TokensUsed,
    ToolEnded,
    ToolOutcome,
    ToolRequested,
    Transcript,
    Transfer,
    WordsReceived,
)
from agentvoice.history import CUTTING_IN
from agentvoice.interfaces import Message
from agentvoice.interruption import Policy
from agentvoice.manners import Floor, Manners
from agentvoice.turn import Turn
from agentvoice.utterance import HeardWord
from agentvoice.voicing import Voicing

ONSET, CONFIRM, RETRACT = (
    BargeIn(kind, "voice") for kind in (BargeInKind.ONSET, BargeInKind.CONFIRM, BargeInKind.RETRACT)
)
SECOND = b"\0" * 8000


class Scene:
    """A conversation, its clock, and everything that it said to do."""

    def __init__(self, **options: Any) -> None:
        manners = options.pop("manners", Manners(speculate=False))
        self.conversation = Conversation("k", TELEPHONE, manners=manners, **options)
        self.now = 0.0
        self.log: list[Command] = []

    def at(self, now: float, *events: Event) -> list[Command]:
        """Let time pass until `now`, then let these things happen. Return what was decided about them."""
        while (deadline := self.conversation.deadline) <= now:
            self.now = max(self.now, deadline)
            self._note(self.conversation.handle_timer(now=self.now))
        self.now = now
        before = len(self.log)
        for event in events:
            self._note(self.conversation.receive(event, now=now))
        return self.log[before:]

    def _note(self, commands: Sequence[Command]) -> None:
        self.log += commands

    def caller_says(self, text: str, start: float, stop: float) -> None:
        """The caller speaks, and is understood; the utterance is over half a second later."""
        self.at(start, SpeechStarted(start))
        self.at(stop + 0.2, SpeechStopped(stop))
        self.at(stop + 0.3, Transcript(text, final=True))
        self.at(stop + 0.5)

    def agent_writes(self, text: str, seconds: float = 2.0) -> None:
        """The agent produces the turn's text, and the provider delivers its audio with the words' times."""
        turn = self.turn
        self.at(self.now, TextProduced(turn.id, text), TextEnded(turn.id))
        self.agent_audio(seconds, text)

    def agent_audio(self, seconds: float, text: str = "") -> None:
        """The provider delivers the audio of the turn's text."""
        turn = self.turn
        words = (text or turn.spoken).split()
        each = seconds / len(words)
        times = tuple((word, i * each, (i + 1) * each) for i, word in enumerate(words))
        context_id = turn.context_id
        self.at(
            self.now,
            AudioReceived(context_id, b"\0" * int(seconds * 8000)),
            WordsReceived(context_id, times),
            ContextDone(context_id),
        )

    def line_plays(self, until: float) -> None:
        """The far end plays what it was sent, and reports its marks, until then."""
        began = self.turn.timeline["first_frame_out"]
        opened = max(i for i, command in enumerate(self.log) if isinstance(command, TurnOpened))
        returned: set[str] = set()
        while True:
            due = [
                (began + int(command.name.split("/")[1]) / 8000, command.name)
                for command in self.log[opened:]
                if isinstance(command, SendMark) and command.name not in returned
            ]
            at, name = min(due, default=(math.inf, ""))
            at = max(at, self.now)
            if at > until and self.conversation.deadline > until:
                break
            if at <= self.conversation.deadline:
                returned.add(name)
                self.at(at, MarkReturned(name))
            else:
                self.at(min(until, max(self.now, self.conversation.deadline)))
        self.at(until)

    @property
    def turn(self) -> Turn:
        assert self.conversation.turn is not None
        return self.conversation.turn

    def of(self, kind: type[Command]) -> list[Any]:
        return [command for command in self.log if isinstance(command, kind)]

    @property
    def closed(self) -> list[tuple[str, TurnState, str | None]]:
        """Every turn that ended: which, how, and what was heard of it."""
        return [(c.turn_id, c.outcome, c.heard.text if c.heard else None) for c in self.of(TurnClosed)]


def answering(text: str = "Of course, a table for two it is.", **options: Any) -> Scene:
    """The caller has asked, and the agent's answer has begun to be heard at 2.5 s."""
    scene = Scene(**options)
    scene.caller_says("A table for two.", 1.0, 2.0)
    scene.agent_writes(text)
    return scene


def test_an_utterance_opens_a_turn_with_a_context_of_its_own() -> None:
    scene = Scene()

    scene.caller_says("A table for two.", 1.0, 2.0)

    assert scene.log == [
        UtteranceEnded("A table for two.", 1.0, 2.0),
        TurnOpened("t1", "k-1", "A table for two."),
        OpenContext("k-1", "t1"),
        TurnChanged("t1", TurnState.THINKING),
        StartReply("t1"),
    ]
    assert scene.turn.history == [Message("user", "A table for two.")]
    assert scene.conversation.floor is Floor.PENDING


def test_a_turn_that_was_played_to_its_end_is_complete_and_is_history() -> None:
    scene = answering()
    assert scene.conversation.floor is Floor.AGENT

    scene.line_plays(5.0)

    assert scene.closed == [("t1", TurnState.COMPLETED, "Of course, a table for two it is.")]
    assert [entry.text for entry in scene.conversation.history.entries] == [
        "A table for two.",
        "Of course, a table for two it is.",
    ]
    assert scene.conversation.floor is Floor.OPEN
    assert scene.of(CancelContext) == []
    assert scene.conversation.holes == 0


def test_the_timeline_is_in_order() -> None:
    scene = answering()
    scene.line_plays(5.0)

    timeline = scene.of(TurnClosed)[0].timeline
    steps = [
        "caller_stopped",
        "utterance_final",
        "opened",
        "first_token",
        "first_text_sent",
        "first_audio_received",
        "first_frame_out",
        "heard_until",
    ]
    assert sorted(timeline, key=lambda step: (timeline[step], steps.index(step))) == steps


def test_barge_in_silences_the_line_before_anything_else() -> None:
    scene = answering()
    scene.line_plays(3.6)

    commands = scene.at(3.6, CONFIRM)

    assert commands[:3] == [ClearPlayout(), TurnOpened("t2", "k-2", ""), OpenContext("k-2", "t2")]
    kinds = [type(command) for command in commands[3:]]
    assert kinds == [TurnChanged, StopReply, CancelContext, TurnClosed, BargeInDecided]
    assert commands[5] == CancelContext("k-1")
    assert scene.closed == [("t1", TurnState.INTERRUPTED, "Of course, a table")]
    assert scene.turn.state is TurnState.OPEN


def test_an_interrupted_turn_enters_the_history_as_heard_before_what_interrupted_it() -> None:
    scene = answering()
    scene.line_plays(3.6)
    scene.at(3.6, SpeechStarted(3.5), CONFIRM)
    scene.at(4.5, SpeechStopped(4.3), Transcript("No, for four.", final=True))
    scene.at(5.0)

    assert scene.turn.id == "t2"
    assert scene.turn.history == [
        Message("user", "A table for two."),
        Message("assistant", "Of course, a table"),
        Message("user", CUTTING_IN + "No, for four."),
    ]


def test_nothing_of_an_older_context_is_heard_after_the_interruption() -> None:
    scene = answering()
    scene.line_plays(3.0)
    scene.at(3.0, CONFIRM)

    commands = scene.at(
        3.1,
        AudioReceived("k-1", SECOND),
        WordsReceived("k-1", (("late", 0.0, 0.1),)),
        PhonemesReceived("k-1", (("l", 0.0, 0.1),)),
        ContextDone("k-1"),
    )

    assert commands == [StaleDropped("k-1", 8000), *3 * [StaleDropped("k-1", 0)]]
    assert scene.at(3.2, ContextFailed("k-1", "gone", retryable=True), MarkReturned("k-1/9600")) == []
    assert scene.turn.live


def test_phonemes_decide_nothing() -> None:
    scene = answering()

    assert scene.at(2.6, PhonemesReceived("k-1", (("g", 0.0, 0.1),))) == []


def test_text_of_a_turn_that_is_over_goes_nowhere() -> None:
    scene = answering()
    scene.line_plays(3.0)
    scene.at(3.0, CONFIRM)

    assert scene.at(3.1, TextProduced("t1", " And more."), TextEnded("t1"), ReplyFailed("t1", "late")) == []


def test_a_cough_holds_and_then_the_agent_goes_on_with_the_very_next_frame() -> None:
    scene = answering()
    scene.line_plays(3.0)
    sent = sum(len(command.audio) for command in scene.of(SendAudio))

    assert scene.at(3.0, ONSET) == [BargeInDecided("t1", "held", "voice"), TurnChanged("t1", TurnState.HELD)]
    scene.at(3.4)
    assert sum(len(command.audio) for command in scene.of(SendAudio)) == sent
    commands = scene.at(3.4, RETRACT)
    assert commands[:2] == [BargeInDecided("t1", "resumed", "voice"), TurnChanged("t1", TurnState.SPEAKING)]
    assert isinstance(commands[2], SendAudio)
    scene.at(9.0)

    assert sum(len(command.audio) for command in scene.of(SendAudio)) == 16000
    assert scene.closed[0][1] is TurnState.COMPLETED


def test_a_turn_whose_last_frame_was_out_when_it_was_held_completes() -> None:
    scene = answering()
    scene.line_plays(4.4)
    scene.at(4.4, ONSET)

    scene.line_plays(4.6)

    assert scene.closed == [("t1", TurnState.COMPLETED, "Of course, a table for two it is.")]


def test_an_interruption_before_the_first_frame_withdraws_the_turn_and_leaves_no_trace() -> None:
    scene = Scene()
    scene.caller_says("A table for two.", 1.0, 2.0)
    scene.at(2.6, TextProduced("t1", "Of course. "))
    scene.at(2.7, SpeechStarted(2.7), ONSET)

    commands = scene.at(3.6, BargeIn(BargeInKind.ONSET, "words", "and make it late"))

    assert ClearPlayout() not in commands
    assert CancelContext("k-1") in commands
    assert scene.closed == [("t1", TurnState.WITHDRAWN, None)]
    assert [entry.role for entry in scene.conversation.history.entries] == ["user"]


def test_words_that_come_late_are_those_that_the_turn_answers_and_no_barge_in() -> None:
    scene = Scene()
    scene.caller_says("A table for two.", 1.0, 2.0)

    assert scene.at(2.6, BargeIn(BargeInKind.ONSET, "words", "A table for two.")) == []


def test_a_caller_who_goes_on_before_the_answer_is_heard_gets_one_answer_to_all_of_it() -> None:
    scene = Scene()
    scene.caller_says("A table for two.", 1.0, 2.0)

    scene.caller_says("Tonight.", 2.6, 3.0)
    scene.at(4.0)  # a caller who was cut in on is given longer

    assert scene.closed == [("t1", TurnState.WITHDRAWN, None)]
    assert scene.turn.history == [Message("user", "A table for two. Tonight.")]


def test_a_turn_knows_the_utterances_that_it_answers() -> None:
    scene = Scene(manners=Manners())
    scene.at(1.0, SpeechStarted(1.0))
    scene.at(2.2, SpeechStopped(2.0))
    scene.at(2.3, Transcript("For two.", final=True, confidence=0.8, words=(HeardWord("For", 1.1, 1.4),)))
    assert scene.turn.utterances == (), "nobody knows yet whether it has ended"

    scene.at(2.5)

    (utterance,) = scene.turn.utterances
    assert (utterance.text, utterance.started_at, utterance.ended_at) == ("For two.", 1.0, 2.0)
    assert (utterance.confidence, utterance.words) == (0.8, (HeardWord("For", 1.1, 1.4),))


def test_a_recogniser_that_knows_turns_may_guess_and_take_it_back_with_no_trace() -> None:
    scene = Scene(manners=Manners())
    scene.at(1.0, CallerTurnStarted("A table", 1.0))
    scene.at(2.0, CallerTurnLikely("A table for two."))
    assert scene.turn.prompt == "A table for two."
    assert not scene.turn.confirmed

    scene.at(2.2, CallerTurnResumed())
    scene.at(3.0, CallerTurnEnded("A table for two. Tonight."))

    assert [(state, heard) for _, state, heard in scene.closed] == [(TurnState.WITHDRAWN, None)]
    assert scene.turn.history == [Message("user", "A table for two. Tonight.")]


def test_a_listener_s_words_are_no_utterance_to_answer() -> None:
    scene = answering()
    scene.caller_says("Mm-hm.", 2.6, 2.9)
    scene.line_plays(6.0)

    assert scene.closed == [("t1", TurnState.COMPLETED, "Of course, a table for two it is.")]
    assert scene.conversation.turn is None


def test_an_utterance_that_did_not_interrupt_is_answered_when_the_turn_is_over() -> None:
    scene = answering()
    scene.caller_says("Four.", 2.6, 2.9)
    assert scene.turn.id == "t1"

    scene.line_plays(4.6)

    assert scene.turn.id == "t2"
    assert scene.turn.prompt == "Four."
    assert scene.turn.history[-1] == Message("user", "Four.")


def test_a_notice_that_must_be_heard_is_heard_and_what_was_said_meanwhile_is_answered_after_it() -> None:
    scene = Scene()
    scene.at(0.0, SayRequested("s1", "This call is recorded.", interruptible=False))
    scene.caller_says("Hello, anybody there?", 0.1, 0.4)
    assert scene.turn.id == "s1"
    scene.at(1.0, AudioReceived("k-1", SECOND), ContextDone("k-1"), CONFIRM)

    scene.line_plays(2.5)

    assert scene.closed == [("s1", TurnState.COMPLETED, "This call is recorded.")]
    assert scene.turn.prompt == "Hello, anybody there?"


def test_what_is_to_be_said_is_said_one_after_the_other() -> None:
    scene = Scene()
    commands = scene.at(0.0, SayRequested("s1", "Good evening."), SayRequested("s2", "How are you?"))

    assert TurnOpened("s1", "k-1", "") in commands
    assert SpeakText("k-1", "Good evening.") in commands
    assert FinishContext("k-1") in commands
    assert len(scene.of(TurnOpened)) == 1

    scene.at(0.1, AudioReceived("k-1", SECOND), ContextDone("k-1"))
    scene.line_plays(1.2)
    assert scene.turn.id == "s2"


def test_hanging_up_waits_for_the_last_word_to_be_played() -> None:
    scene = answering("Goodbye.")
    scene.at(2.6, HangUpRequested())
    scene.line_plays(4.4)
    assert scene.of(HangUp) == []

    scene.line_plays(4.6)

    assert scene.log[-1] == HangUp()
    assert scene.conversation.closed


def test_hanging_up_with_nothing_to_say_happens_at_once() -> None:
    assert Scene().at(1.0, HangUpRequested()) == [HangUp()]


def test_an_interruption_revokes_the_hang_up() -> None:
    scene = answering("Goodbye.")
    scene.at(2.6, HangUpRequested())
    scene.line_plays(3.0)
    scene.at(3.0, CONFIRM)

    scene.at(20.0)

    assert scene.of(HangUp) == []


def test_a_goodbye_that_was_only_guessed_at_hangs_up_nothing() -> None:
    scene = speculating()
    scene.agent_writes("Goodbye.", 1.0)
    scene.at(2.3, HangUpRequested())

    scene.at(2.4, SpeechStarted(2.35))
    scene.at(2.8, SpeechStopped(2.6), Transcript("", final=True))
    scene.at(2.9, SpeechStopped(2.6))

    assert scene.of(HangUp) == []


def test_a_reply_may_hang_up_without_a_word() -> None:
    scene = Scene()
    scene.caller_says("Goodbye.", 1.0, 2.0)
    scene.at(2.6, HangUpRequested(), TextEnded("t1"))

    assert scene.log[-1] == HangUp()


def test_a_caller_who_hangs_up_ends_everything() -> None:
    scene = answering()
    scene.line_plays(3.0)

    scene.at(3.0, HungUp())

    assert scene.closed == [("t1", TurnState.INTERRUPTED, "Of course,")]
    assert CancelContext("k-1") in scene.log
    assert scene.conversation.closed
    assert scene.at(3.1, CONFIRM) == []
    assert scene.conversation.handle_timer(now=99.0) == []


def test_a_caller_who_hangs_up_before_anything_was_said_leaves_nothing() -> None:
    scene = Scene()
    assert scene.at(1.0, HungUp()) == []
    assert scene.conversation.closed


def test_a_reply_with_no_text_is_no_turn() -> None:
    scene = Scene()
    scene.caller_says("Hm, well then.", 1.0, 2.0)

    scene.at(2.6, TextEnded("t1"))

    assert scene.closed == [("t1", TurnState.WITHDRAWN, None)]
    assert scene.conversation.floor is Floor.OPEN


def test_a_reply_that_breaks_down_fails_its_turn_and_no_other() -> None:
    scene = answering()
    scene.line_plays(3.0)

    commands = scene.at(3.0, ReplyFailed("t1", "boom"))

    assert commands[0] == ClearPlayout()
    assert scene.of(TurnClosed)[0].reason == "boom"
    assert scene.closed[0][:2] == ("t1", TurnState.FAILED)
    scene.caller_says("Hello?", 4.0, 4.5)
    assert scene.turn.id == "t2"


def test_a_lost_context_is_succeeded_and_speaks_what_was_not_heard() -> None:
    scene = Scene()
    scene.caller_says("A table for two.", 1.0, 2.0)
    scene.at(2.5, TextProduced("t1", "Of course, a table for two it is."), TextEnded("t1"))
    scene.at(2.6, AudioReceived("k-1", SECOND), WordsReceived("k-1", (("Of", 0.0, 0.4), ("course,", 0.4, 0.9))))

    commands = scene.at(2.7, ContextFailed("k-1", "socket lost", retryable=True))

    assert commands[:4] == [
        ContextSucceeded("t1", "k-1", "k-2", len("Of course,")),
        OpenContext("k-2", "t1"),
        SpeakText("k-2", "a table for two it is."),
        FinishContext("k-2"),
    ]
    assert scene.at(2.8, AudioReceived("k-1", SECOND)) == [StaleDropped("k-1", 8000)]
    scene.at(2.9, AudioReceived("k-2", SECOND), ContextDone("k-2"))
    scene.line_plays(6.0)
    assert scene.closed == [("t1", TurnState.COMPLETED, "Of course, a table for two it is.")]


def test_contexts_that_bring_no_sound_are_not_tried_for_ever() -> None:
    scene = Scene()
    scene.at(0.0, SayRequested("s1", "Good evening."))
    for context in ("k-1", "k-2", "k-3"):
        scene.at(0.1, ContextFailed(context, "no", retryable=True))

    assert scene.closed == [("s1", TurnState.FAILED, None)]


def test_what_the_provider_rejects_is_not_tried_again() -> None:
    scene = Scene()
    scene.at(0.0, SayRequested("s1", "Good evening."))

    scene.at(0.1, ContextFailed("k-1", "no such voice", retryable=False))

    assert scene.closed == [("s1", TurnState.FAILED, None)]


def test_a_context_lost_after_its_last_sound_needs_no_successor_text() -> None:
    scene = Scene()
    scene.at(0.0, SayRequested("s1", "Good evening."))
    scene.at(0.1, AudioReceived("k-1", SECOND), WordsReceived("k-1", (("Good", 0.0, 0.4), ("evening.", 0.4, 0.9))))

    commands = scene.at(0.2, ContextFailed("k-1", "socket lost", retryable=True))
    scene.line_plays(2.0)

    assert not any(isinstance(command, SpeakText) for command in commands)
    assert scene.closed == [("s1", TurnState.COMPLETED, "Good evening.")]


def test_a_context_that_the_provider_ended_early_is_succeeded_when_more_text_comes() -> None:
    scene = Scene()
    scene.caller_says("Tell me more.", 1.0, 2.0)
    scene.at(2.5, TextProduced("t1", "One moment please. H"), AudioReceived("k-1", SECOND), ContextDone("k-1"))
    scene.at(3.4)

    scene.at(3.5, TextProduced("t1", "ere it is. "), TextEnded("t1"))

    assert ContextSucceeded("t1", "k-1", "k-2", len("One moment please. ")) in scene.log
    assert "".join(c.text for c in scene.of(SpeakText) if c.context_id == "k-2").strip() == "Here it is."
    assert FinishContext("k-2") in scene.log


def test_a_context_that_ended_early_with_nothing_more_to_say_is_enough() -> None:
    scene = Scene()
    scene.caller_says("Tell me more.", 1.0, 2.0)
    scene.at(2.5, TextProduced("t1", "One moment please."))
    scene.at(3.3, AudioReceived("k-1", SECOND), ContextDone("k-1"))
    scene.at(3.4, TextEnded("t1"))
    scene.line_plays(5.0)

    assert scene.closed == [("t1", TurnState.COMPLETED, "One moment please.")]


def test_text_that_stops_in_mid_sentence_is_spoken_all_the_same() -> None:
    scene = Scene()
    scene.caller_says("Tell me more.", 1.0, 2.0)
    scene.at(2.5, TextProduced("t1", "Well l"))
    assert scene.of(SpeakText) == []

    scene.at(3.3)

    assert "".join(c.text for c in scene.of(SpeakText)).strip() == "Well"


def test_noise_that_cut_the_agent_lets_it_take_up_what_was_cut() -> None:
    scene = answering()
    scene.line_plays(3.4)
    scene.at(3.4, SpeechStarted(3.3), ONSET)
    scene.at(4.5)  # it lasted: the agent yields
    assert scene.closed[0][1] is TurnState.INTERRUPTED
    scene.at(5.0, SpeechStopped(4.8), Transcript("", final=True))

    scene.at(9.0)

    assert scene.turn.id == "t2"
    assert "".join(c.text for c in scene.of(SpeakText) if c.context_id == "k-2") == "table for two it is."


def test_the_agent_waits_while_the_caller_still_speaks() -> None:
    scene = answering()
    scene.line_plays(3.4)
    scene.at(3.4, SpeechStarted(3.3), ONSET)
    scene.at(9.0)

    assert scene.turn.state is TurnState.OPEN


def test_whoever_stopped_the_agent_on_purpose_is_not_talked_over() -> None:
    scene = answering()
    scene.line_plays(3.4)
    scene.at(3.4, CONFIRM)
    scene.at(9.0)

    assert scene.conversation.turn is None
    assert scene.conversation.floor is Floor.OPEN
    assert {command.context_id for command in scene.of(SpeakText)} == {"k-1"}


def test_a_cut_that_is_taken_back_by_nobody_leaves_nothing_waiting() -> None:
    scene = answering()
    scene.line_plays(3.4)
    scene.at(3.4, CONFIRM, HungUp())

    assert scene.conversation.turn is None


def test_keys_decide_nothing_by_themselves() -> None:
    assert Scene().at(1.0, KeyPressed("5")) == []


def test_the_floor_is_the_caller_s_while_the_caller_speaks() -> None:
    scene = Scene()
    scene.at(1.0, SpeechStarted(1.0))

    assert scene.conversation.floor is Floor.CALLER


def speculating() -> Scene:
    """The caller has probably finished; the answer is under way behind a closed gate."""
    scene = Scene(manners=Manners())
    scene.at(1.0, SpeechStarted(1.0))
    scene.at(2.2, SpeechStopped(2.0))
    scene.at(2.25, Transcript("A table for two.", final=True))
    return scene


def test_a_probable_end_starts_an_answer_that_is_not_heard_until_it_is_certain() -> None:
    scene = speculating()
    scene.agent_writes("Of course.", 1.0)
    assert scene.of(SendAudio) == []
    assert scene.conversation.history.entries == []

    scene.at(2.5)

    assert scene.of(SendAudio)
    assert len(scene.of(StartReply)) == 1
    assert [entry.text for entry in scene.conversation.history.entries] == ["A table for two."]


def test_an_answer_to_what_was_not_the_end_leaves_no_trace() -> None:
    scene = speculating()
    scene.agent_writes("Of course.", 1.0)

    commands = scene.at(2.4, SpeechStarted(2.35))

    assert [type(command) for command in commands] == [TurnChanged, StopReply, CancelContext, TurnClosed]
    assert scene.closed == [("t1", TurnState.WITHDRAWN, None)]
    assert scene.of(SendAudio) == []
    assert scene.conversation.history.entries == []


def test_a_guess_is_replaced_when_the_words_turn_out_otherwise() -> None:
    scene = speculating()
    scene.at(2.3, SpeechStarted(2.28))
    scene.at(2.9, SpeechStopped(2.7))
    scene.at(3.0, Transcript("Tonight.", final=True))

    scene.at(3.5)

    assert [opened.prompt for opened in scene.of(TurnOpened)] == ["A table for two.", "A table for two. Tonight."]
    assert scene.turn.confirmed
    assert scene.turn.id == "t2"


def test_the_words_that_a_guess_answers_do_not_interrupt_it() -> None:
    scene = speculating()
    scene.agent_writes("Of course.", 1.0)

    assert scene.at(2.3, ONSET, BargeIn(BargeInKind.ONSET, "words", "A table for two."), RETRACT) == []
    scene.at(2.5)
    assert scene.of(SendAudio)
    assert scene.at(2.6, ONSET)[0] == BargeInDecided("t1", "held", "voice")


def test_what_interrupted_is_guessed_at_too() -> None:
    scene = answering(manners=Manners())
    scene.line_plays(3.0)
    scene.at(3.0, SpeechStarted(2.9), ONSET)
    scene.at(3.95, SpeechStopped(3.8), RETRACT, Transcript("For four people.", final=True))
    assert scene.turn.id == "t1"

    scene.at(4.01, BargeIn(BargeInKind.ONSET, "words", "For four people."))

    assert scene.turn.prompt == "For four people."
    assert scene.turn.history[-1] == Message("user", CUTTING_IN + "For four people.")
    scene.at(5.0)
    assert scene.turn.confirmed


def test_the_evidence_says_how_well_it_is_known() -> None:
    scene = answering(has_marks=False)
    scene.at(3.5, CONFIRM)

    assert scene.of(TurnClosed)[0].heard.evidence is Evidence.CLOCK_AND_WORDS


@pytest.mark.parametrize("ending", ["completed", "cut"])
def test_a_hundred_turns_leave_nothing_behind_but_the_history(ending: str) -> None:
    scene = Scene(manners=Manners(speculate=False, silence_s=math.inf))
    for n in range(100):
        start = n * 10.0
        scene.caller_says("Go on then.", start + 1, start + 2)
        scene.agent_writes("Of course.", 1.0)
        scene.line_plays(start + (3.0 if ending == "cut" else 6.0))
        if ending == "cut":
            scene.at(start + 3.0, CONFIRM)
            scene.at(start + 6.0)

    assert scene.conversation.turn is None
    assert scene.conversation.deadline == math.inf
    assert len(scene.conversation.history.entries) == 200


def test_a_guess_at_what_interrupted_that_the_agent_may_not_make_is_not_made() -> None:
    scene = answering()  # manners without speculation
    scene.at(2.6, SpeechStarted(2.6))
    scene.at(3.2, SpeechStopped(3.0), Transcript("For four people.", final=True), CONFIRM)

    assert scene.turn.state is TurnState.OPEN


def test_a_timer_that_comes_early_decides_nothing() -> None:
    scene = answering()
    assert scene.conversation.handle_timer(now=2.5) == []


def test_sound_that_nobody_asked_for_is_not_heard() -> None:
    scene = answering()
    scene.line_plays(3.0)
    scene.at(3.0, CONFIRM)

    assert scene.at(3.1, AudioReceived("k-2", SECOND), ContextDone("k-2"))[0] == StaleDropped("k-2", 8000)
    scene.at(20.0)
    assert scene.conversation.turn is None


def test_text_after_its_end_is_not_spoken() -> None:
    scene = answering()

    assert not any(isinstance(command, SpeakText) for command in scene.at(2.6, TextProduced("t1", " And more.")))


def test_a_noise_while_nobody_speaks_is_nothing() -> None:
    scene = Scene()
    scene.at(1.0, SpeechStarted(1.0), CONFIRM)
    scene.at(1.5, SpeechStopped(1.3), Transcript("", final=True))
    scene.at(9.0)

    assert scene.log == []
    assert scene.conversation.floor is Floor.OPEN


def test_a_fresh_turn_that_fails_leaves_nothing_to_recover() -> None:
    scene = answering()
    scene.line_plays(3.0)
    scene.at(3.0, CONFIRM)
    scene.at(3.1, ReplyFailed("t2", "nobody home"))
    scene.at(9.0)

    assert scene.conversation.turn is None


def test_a_context_lost_between_two_sentences_is_succeeded_and_waits_for_the_next() -> None:
    scene = Scene()
    scene.caller_says("Tell me more.", 1.0, 2.0)
    scene.at(2.5, TextProduced("t1", "One moment. H"))
    words = (("One", 0.0, 0.4), ("moment.", 0.4, 0.9))
    scene.at(2.6, AudioReceived("k-1", SECOND), WordsReceived("k-1", words))

    commands = scene.at(2.7, ContextFailed("k-1", "socket lost", retryable=True))
    assert [type(command) for command in commands] == [ContextSucceeded, OpenContext]

    scene.at(2.8, TextProduced("t1", "ere it is."), TextEnded("t1"))
    assert [c.text for c in scene.of(SpeakText) if c.context_id == "k-2"] == ["Here it is."]


# ------------------------------------------------------------------ protected stretches

NOTICE = "This call is recorded."


def noticing(*, marks: bool = True) -> Scene:
    """The agent answers at 2.5 s with a notice of two seconds that has to be heard, then with two more of its own."""
    scene = Scene(has_marks=marks)
    scene.caller_says("A table for two.", 1.0, 2.0)
    turn = scene.turn
    scene.at(2.5, TextProduced(turn.id, NOTICE + " ", protected=True), TextProduced(turn.id, "How may I help?"))
    scene.at(2.5, TextEnded(turn.id))
    words = f"{NOTICE} How may I help?".split()
    times = tuple((word, n / 2, (n + 1) / 2) for n, word in enumerate(words))
    scene.at(2.5, AudioReceived(turn.context_id, SECOND * 4), WordsReceived(turn.context_id, times))
    scene.at(2.5, ContextDone(turn.context_id))
    return scene


def test_a_protected_stretch_is_heard_to_its_end_whoever_cuts_in() -> None:
    scene = noticing()
    scene.line_plays(3.0)
    assert scene.at(3.0, SpeechStarted(3.0), CONFIRM) == []
    scene.line_plays(4.6)

    assert scene.of(ProtectedHeard) == [ProtectedHeard("t1", NOTICE, Evidence.MARKS_AND_WORDS)]
    [closed] = scene.of(TurnClosed)
    assert (closed.outcome, closed.heard.text, closed.unheard) == (TurnState.INTERRUPTED, NOTICE, "How may I help?")
    assert closed.timeline["silenced"] == pytest.approx(4.5)


def test_what_follows_a_protected_stretch_can_be_interrupted() -> None:
    scene = noticing()
    scene.line_plays(4.7)
    scene.at(4.7, ONSET, CONFIRM)

    [closed] = scene.of(TurnClosed)
    assert closed.heard.text == NOTICE


def test_a_signal_that_is_taken_back_during_a_protected_stretch_comes_to_nothing() -> None:
    scene = noticing()
    scene.line_plays(3.0)
    scene.at(3.0, SpeechStarted(3.0), ONSET)
    scene.at(3.5, SpeechStopped(3.5), RETRACT)
    scene.line_plays(7.0)

    assert scene.closed == [("t1", TurnState.COMPLETED, f"{NOTICE} How may I help?")]
    assert scene.of(BargeInDecided) == []


def test_a_protected_stretch_that_has_not_begun_protects_nothing_yet() -> None:
    scene = Scene()
    scene.caller_says("A table for two.", 1.0, 2.0)
    turn = scene.turn
    scene.at(2.5, TextProduced(turn.id, "How nice. "), TextProduced(turn.id, NOTICE, protected=True))
    scene.at(2.5, TextEnded(turn.id))
    words = f"How nice. {NOTICE}".split()
    times = tuple((word, n / 2, (n + 1) / 2) for n, word in enumerate(words))
    scene.at(2.5, AudioReceived(turn.context_id, SECOND * 3), WordsReceived(turn.context_id, times))
    scene.line_plays(2.8)
    scene.at(2.8, CONFIRM)

    assert scene.closed[0][1] is TurnState.INTERRUPTED
    assert scene.of(ProtectedHeard) == []


def test_on_a_line_without_marks_the_clock_tells_when_a_protected_stretch_was_heard() -> None:
    scene = noticing(marks=False)
    scene.at(3.0, SpeechStarted(3.0), CONFIRM)
    scene.at(5.0)

    assert scene.of(ProtectedHeard) == [ProtectedHeard("t1", NOTICE, Evidence.CLOCK_AND_WORDS)]
    assert scene.closed[0][1] is TurnState.INTERRUPTED


def test_dots_that_nobody_hears_do_not_keep_a_protected_stretch_open() -> None:
    scene = Scene()
    scene.caller_says("A table for two.", 1.0, 2.0)
    scene.at(2.5, TextProduced("t1", f"{NOTICE} "), TextProduced("t1", NOTICE, protected=True))
    scene.at(3.5, TextProduced("t1", " ...", protected=True), TextEnded("t1"))
    scene.agent_audio(3.0)
    scene.line_plays(8.0)

    assert [(heard.turn_id, heard.text) for heard in scene.of(ProtectedHeard)] == [("t1", NOTICE)]


def test_a_protected_opening_is_not_withdrawn_before_its_first_frame() -> None:
    scene = Scene()
    scene.caller_says("Hello?", 1.0, 2.0)
    turn = scene.turn
    scene.at(2.5, TextProduced(turn.id, NOTICE, protected=True), TextEnded(turn.id))
    scene.at(2.6, CONFIRM)

    assert scene.turn.id == "t1"


def test_a_say_that_may_not_be_interrupted_tells_that_it_was_heard() -> None:
    scene = Scene()
    scene.at(0.0, SayRequested("s1", NOTICE, interruptible=False))
    scene.agent_audio(2.0)
    scene.line_plays(1.0)
    scene.at(1.0, SpeechStarted(1.0), CONFIRM)
    scene.line_plays(3.0)

    assert scene.of(ProtectedHeard) == [ProtectedHeard("s1", NOTICE, Evidence.MARKS_AND_WORDS)]
    assert scene.closed == [("s1", TurnState.COMPLETED, NOTICE)]


def test_an_utterance_made_during_a_protected_stretch_is_answered_when_the_rest_is_cut() -> None:
    scene = noticing()
    scene.line_plays(2.6)
    scene.at(2.6, SpeechStarted(2.6), ONSET)
    scene.at(3.2, BargeIn(BargeInKind.ONSET, "words", "no wait"))
    scene.line_plays(3.4)
    scene.at(3.4, SpeechStopped(3.4))
    scene.at(3.4, Transcript("No, wait, make it four.", final=True))
    scene.line_plays(4.6)

    assert scene.closed[0][1] is TurnState.INTERRUPTED
    assert scene.turn.prompt == "No, wait, make it four."
    assert [entry.text for entry in scene.conversation.history.entries] == [
        "A table for two.",
        NOTICE,
        "No, wait, make it four.",
    ]


# ------------------------------------------------------------------ fillers, silence, limits

PATIENT = Manners(speculate=False, filler="One moment, please. ", filler_s=1.0)


def test_a_late_answer_is_announced_by_a_filler() -> None:
    scene = Scene(manners=PATIENT)
    scene.caller_says("A table for two.", 1.0, 2.0)
    scene.at(3.6)
    scene.at(4.0, TextProduced("t1", "Of course."), TextEnded("t1"))

    assert "".join(command.text for command in scene.of(SpeakText)) == "One moment, please. Of course."
    assert scene.turn.generated == "One moment, please. Of course."
    assert scene.turn.timeline["first_token"] == 4.0


def test_an_answer_in_time_needs_no_filler() -> None:
    scene = Scene(manners=PATIENT)
    scene.caller_says("A table for two.", 1.0, 2.0)
    scene.at(3.0, TextProduced("t1", "Of course."))
    scene.at(6.0)

    assert "".join(command.text for command in scene.of(SpeakText)) == "Of course."


def test_the_agent_is_told_of_silence_and_how_often_it_fell() -> None:
    scene = Scene(manners=Manners(silence_s=5.0))
    scene.at(1.0, CallStarted())
    scene.at(12.0)

    assert scene.of(SilenceFell) == [SilenceFell(1), SilenceFell(2)]


def test_a_caller_who_answers_makes_the_next_silence_the_first() -> None:
    scene = Scene(manners=Manners(speculate=False, silence_s=5.0))
    scene.at(0.0, CallStarted())
    scene.at(5.5)
    scene.caller_says("Still here.", 6.0, 7.0)
    scene.at(7.5, TextEnded("t1"))
    scene.at(13.0)

    assert scene.of(SilenceFell) == [SilenceFell(1), SilenceFell(1)]


def test_it_is_not_silent_while_somebody_has_the_floor() -> None:
    scene = answering()
    scene.line_plays(3.0)
    scene.at(3.0, SpeechStarted(3.0))
    scene.at(30.0)

    assert scene.of(SilenceFell) == []


def test_a_call_ends_when_it_has_lasted_as_long_as_it_may_and_says_so_before() -> None:
    scene = Scene(manners=Manners(call_s=60.0, warn_s=20.0, silence_s=math.inf))
    scene.at(10.0, CallStarted())
    scene.at(100.0)

    assert scene.log == [LimitNear(20.0), HangUp()]
    assert scene.conversation.closed
    assert scene.conversation.deadline == math.inf


# ------------------------------------------------------------------ sounds, stops, hand-offs, transfers


def test_a_sound_is_played_in_a_turn_that_needs_no_context() -> None:
    scene = Scene()
    scene.at(0.0, PlayRequested("s1", SECOND, "Ding dong."))
    scene.line_plays(2.0)

    assert scene.of(OpenContext) == scene.of(SpeakText) == []
    assert sum(len(command.audio) for command in scene.of(SendAudio)) == 8000
    assert scene.closed == [("s1", TurnState.COMPLETED, "Ding dong.")]


def test_a_turn_that_is_not_wanted_any_more_ends_at_once() -> None:
    scene = Scene()
    scene.at(0.0, PlayRequested("s1", SECOND * 60), SayRequested("s2", "Hello."), SayRequested("s3", "Bye."))
    scene.line_plays(1.0)
    scene.at(1.0, StopRequested("s3"), StopRequested("s1"))

    [closed] = scene.of(TurnClosed)
    assert (closed.turn_id, closed.outcome, closed.reason) == ("s1", TurnState.INTERRUPTED, "stopped")
    assert ClearPlayout() in scene.log
    assert scene.turn.id == "s2"
    scene.at(1.0, StopRequested("s2"), StopRequested("s9"))
    assert scene.conversation.turn is None


def test_another_agent_takes_over_with_its_own_instructions_and_voice() -> None:
    scene = Scene(instructions="Be kind.")
    scene.at(0.0, HandedOff("Sales", "Be brief.", Voicing(voice="bass")))
    scene.caller_says("A table for two.", 1.0, 2.0)

    assert scene.turn.history[0] == Message("system", "Be brief.")
    assert [command.voicing for command in scene.of(OpenContext)] == [Voicing(voice="bass")]


def test_a_hand_off_while_a_turn_waits_gives_it_a_context_in_the_new_voice() -> None:
    scene = answering()
    scene.line_plays(3.0)
    scene.at(3.0, SpeechStarted(3.0), CONFIRM)
    before = scene.turn.context_id
    decided = scene.at(3.1, HandedOff("Sales", "Be brief.", Voicing(voice="bass")))

    after = scene.turn.context_id
    assert decided == [
        CancelContext(before),
        ContextSucceeded("t2", before, after, 0),
        OpenContext(after, "t2", Voicing(voice="bass")),
    ]


def test_a_transfer_comes_after_the_last_word() -> None:
    scene = answering()
    scene.at(2.6, HangUpRequested(Transfer("+15550100", "wants a table")))
    scene.line_plays(6.0)

    assert scene.log[-1] == HangUp(Transfer("+15550100", "wants a table"))


# ------------------------------------------------------------------ echo


def test_what_the_line_sends_back_of_the_agent_s_own_words_interrupts_nobody() -> None:
    scene = answering("Of course, a table for two people at seven this evening.", manners=Manners(speculate=False))
    scene.line_plays(3.2)
    scene.at(3.2, SpeechStarted(3.2), ONSET)
    scene.at(3.6, BargeIn(BargeInKind.ONSET, "words", "of course a table"))
    scene.line_plays(4.2)
    scene.at(4.2, SpeechStopped(4.2), RETRACT)
    scene.at(4.3, Transcript("Of course a table for two.", final=True))
    scene.line_plays(9.0)

    assert [decided.decision for decided in scene.of(BargeInDecided)] == ["held", "resumed"]
    assert scene.closed == [("t1", TurnState.COMPLETED, "Of course, a table for two people at seven this evening.")]
    assert [entry.role for entry in scene.conversation.history.entries] == ["user", "assistant"]


def test_the_echo_of_a_turn_s_last_words_is_no_answer() -> None:
    scene = answering("Of course, a table for two people it is.")
    scene.line_plays(4.3)
    scene.at(4.3, SpeechStarted(4.3), ONSET)
    scene.at(4.35, RETRACT)
    scene.line_plays(4.8)
    scene.at(4.9, SpeechStopped(4.9), Transcript("two people it is", final=True))
    scene.at(6.0)

    assert [turn_id for turn_id, *_ in scene.closed] == ["t1"]
    assert scene.conversation.turn is None


def test_a_caller_who_repeats_what_the_agent_has_said_is_answered() -> None:
    scene = answering("Of course, a table for two people it is.")
    scene.line_plays(5.0)
    scene.caller_says("A table for two people.", 6.0, 7.0)

    assert scene.turn.prompt == "A table for two people."


def test_a_policy_may_take_an_echo_for_the_caller() -> None:
    manners = Manners(interruption=Policy(hears_echo=True), speculate=False)
    scene = answering("Of course, a table for two people at seven this evening.", manners=manners)
    scene.line_plays(3.2)
    scene.at(3.2, SpeechStarted(3.2), BargeIn(BargeInKind.ONSET, "words", "of course a table"))

    assert scene.closed[0][1] is TurnState.INTERRUPTED


def test_what_the_agent_wants_to_say_does_not_wait_for_a_caller_who_says_nothing() -> None:
    scene = answering()
    scene.line_plays(3.0)
    scene.at(3.0, BargeIn(BargeInKind.CONFIRM, "keys"), SayRequested("s1", "You pressed a key."))

    assert scene.turn.id == "s1"
    assert scene.closed[1] == ("t2", TurnState.WITHDRAWN, None)


# ------------------------------------------------------------------ what a call costs


def test_a_call_that_has_cost_as_much_as_it_may_says_so_once() -> None:
    scene = answering(manners=Manners(speculate=False, most_tokens=100, most_characters=20))
    scene.at(2.6, TokensUsed("t1", read=80, written=30), TokensUsed("t1", read=80, written=30))
    scene.line_plays(6.0)

    assert scene.of(Spent) == [Spent("tokens"), Spent("characters")]


# ------------------------------------------------------------------ what the model asks for


def test_a_tool_that_a_turn_asks_for_is_run_and_its_result_is_told() -> None:
    scene = Scene()
    scene.caller_says("A table for two.", 1.0, 2.0)
    asked = scene.at(2.6, ToolRequested("t1", "c1", "book", "{}"))
    told = scene.at(2.8, ToolEnded("c1", ToolOutcome.DONE, "booked"))

    assert (asked, told) == ([StartTool("c1", "book")], [AnswerTool("c1", "booked")])


def test_what_a_turn_asks_for_that_is_over_is_not_run() -> None:
    scene = answering()
    scene.line_plays(6.0)

    assert scene.at(6.0, ToolRequested("t1", "c1", "book", "{}")) == []


def test_what_a_model_did_that_then_broke_down_is_not_done_again_for_the_next_turn() -> None:
    scene = Scene()
    scene.caller_says("A table for two.", 1.0, 2.0)
    scene.at(2.6, ToolRequested("t1", "c1", "book", "{}"), ToolEnded("c1", ToolOutcome.DONE, "booked"))
    scene.at(2.6, ReplyMended("t1", "gone"))
    scene.agent_writes("I beg your pardon?")
    scene.line_plays(6.0)
    scene.caller_says("A table for two.", 7.0, 8.0)

    [answer] = scene.at(8.6, ToolRequested(scene.turn.id, "c2", "book", "{}"))

    assert isinstance(answer, AnswerTool)
    assert answer.result.startswith("booked")


def test_the_words_before_a_pause_are_spoken_without_waiting_for_their_sentence() -> None:
    scene = Scene()
    scene.caller_says("A table for two.", 1.0, 2.0)
    scene.at(2.6, TextProduced("t1", "Let me see "))
    assert scene.of(SpeakText) == []

    scene.at(2.6, TextPaused("t1"))

    assert [spoken.text for spoken in scene.of(SpeakText)] == ["Let me "]  # the last word may go on


def test_a_pause_is_judged_where_a_model_can_be_asked() -> None:
    scene = Scene(judged_pauses=True)
    scene.at(1.0, SpeechStarted(1.0))
    scene.at(2.2, SpeechStopped(2.0))

    assert JudgePause("For two.") in scene.at(2.3, Transcript("For two.", final=True))
