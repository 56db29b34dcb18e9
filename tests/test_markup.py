"""Markup on its way through: beside the words, never among them."""

import pytest
from hypothesis import given, settings, strategies as st

from agentvoice.audio import TELEPHONE
from agentvoice.commands import OpenContext, SpeakText, TurnClosed
from agentvoice.conversation import Conversation
from agentvoice.events import (
    AudioReceived,
    ContextDone,
    ContextFailed,
    SayRequested,
    SpeechStarted,
    SpeechStopped,
    TextProduced,
    Transcript,
    WordsReceived,
)
from agentvoice.markup import NO_MARKUP, Markup, Piece, WordTimes, resume
from agentvoice.speakable import is_spoken, speakable
from agentvoice.text import Pieces
from agentvoice.tts.dialect import ContextProtocol

ALL = ContextProtocol.markup


def split(text: str, *, markup: Markup = ALL, size: int = 3) -> list[Piece]:
    """Return the pieces of a text that comes in tokens of `size` characters."""
    pieces = Pieces(markup)
    out = [piece for at in range(0, len(text), size) for piece in pieces.feed(text[at : at + size])]
    return out + pieces.finish()


def wire(text: str, *, markup: Markup = ALL) -> str:
    return "".join(piece.wire() for piece in split(text, markup=markup))


@pytest.mark.parametrize(
    "text",
    [
        'Hello. <break time="1.5s"/>How are you?',
        '<speed ratio="1.0"/>Slowly now. <volume ratio="0.5"/>And <emotion value="angry"/>quietly.',
        "Your code is <spell>AB 1.2-C</spell>.",
        "It is <<m|ɛ|t>> again.",
        "How funny [laughter]",
        "How funny! [laughter] And <SPEED ratio='1.2' />fast.",
    ],
)
def test_what_the_provider_understands_goes_out_as_it_was_written(text: str) -> None:
    assert wire(text) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('Hello. <break time="1.5s"/>How are you?', "Hello. How are you?"),
        ('<speed ratio="1.0"/>Slowly. <emotion value="sad"/>Now.', "Slowly. Now."),
        ("Your code is <spell>AB 1.2-C</spell>.", "Your code is AB 1.2-C."),
        ("It is <<m|ɛ|t>> again.", "It is mɛt again."),
        ("How funny! [laughter]", "How funny!"),
    ],
)
def test_the_words_are_the_same_without_it(text: str, words: str) -> None:
    assert "".join(split(text)) == words
    assert ALL.words(wire(text)).replace("  ", " ").rstrip() == words


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ('Hello. <break time="1.5s"/>How are you?', "Hello. How are you?"),
        ("Your code is <spell>AB-1</spell>.", "Your code is AB-1."),
        ("It is <<m|ɛ|t>> again.", "It is mɛt again."),
        ("<blink>No</blink> <prosody rate='slow'>such</prosody> thing.", "No such thing."),
    ],
)
def test_what_the_provider_does_not_know_is_left_out(text: str, spoken: str) -> None:
    assert wire(text, markup=NO_MARKUP) == spoken


@pytest.mark.parametrize(
    ("text", "out"),
    [
        ("<blink>No</blink> such thing.", "No such thing."),
        ("[home](https://x.org) and [laughs] [1].", "home and laughs."),
        ("<spell>never closed", "never closed"),
        ("<spell>" + "a b " * 100, "a b " * 99 + "a b"),
        ("<spell> ( </spell>nothing <spell>(AB)</spell>", "nothing <spell>(AB)</spell>"),
        ("<<a b>> and 1 << 2 <<c", "<<a b>> and 1 << 2 <<c"),
        ('Half a <break time="\ud800"/>pair <spell>A\ud800</spell>.', "Half a pair <spell>A</spell>."),
        ("</speed>Plain.", "Plain."),
        ('The end.<break time="1s"/><speed ratio="2"/>', "The end."),
        ("[laughter]", ""),
    ],
)
def test_what_only_looks_like_markup_is_text(text: str, out: str) -> None:
    assert wire(text) == out


def test_markup_counts_for_no_word_and_begins_no_piece_of_its_own() -> None:
    pieces = split('<speed ratio="1.1"/><break time="1s"/>One two three four five. <break time="2s"/>Six.')

    assert pieces == ["One two three four ", "five. ", "Six."]
    assert [piece.wire() for piece in pieces] == [
        '<speed ratio="1.1"/><break time="1s"/>One two three four ',
        "five. ",
        '<break time="2s"/>Six.',
    ]


def test_what_is_spelt_is_not_cut_in_two() -> None:
    assert split("Take <spell>A B C D E F G H</spell> now please.") == ["Take A B C D E F G H ", "now please."]
    pieces = Pieces(ALL)
    pieces.feed("Take <spell>A B")
    assert pieces.feed(" C</spell>") == []
    assert [piece.wire() for piece in pieces.flush()] == ["Take "]
    assert [piece.wire() for piece in pieces.finish()] == ["<spell>A B C</spell>"]


TAGS = ['<break time="1.5s"/>', '<speed ratio="1.0"/>', "<spell>", "</spell>", "<<m|ɛ|t>>", "[laughter]", "<b>", "<<"]
TEXTS = st.lists(
    st.sampled_from([*list(" .,!?。」\"'()*_`<>[]|\n\tabcX019あ👍"), *TAGS, "<spell>A-1 b</spell>"]), max_size=40
).map("".join)


@given(TEXTS, st.lists(st.tuples(st.integers(1, 9), st.booleans()), min_size=1, max_size=20))
@settings(deadline=None)
def test_markup_never_changes_the_words_nor_breaks(text: str, reads: list[tuple[int, bool]]) -> None:
    pieces, out, at, turn = Pieces(ALL), [], 0, 0
    while at < len(text):
        size, pause = reads[turn % len(reads)]
        out += pieces.feed(text[at : at + size])
        out += pieces.flush() if pause else []
        at, turn = at + size, turn + 1
    out += pieces.finish()

    assert speakable(text, ALL).startswith("".join(out))
    assert all(any(map(is_spoken, piece)) for piece in out)
    for piece in out:
        for insert in piece.inserts:
            assert 0 <= insert.start <= insert.end <= len(piece)
            assert insert.wire in piece.wire()
            if not insert.wire.startswith("<<"):  # a word of that name, by its sounds
                assert insert.wire.count("<spell>") == insert.wire.count("</spell>")
    if not any(pause for _, pause in reads):
        assert "".join(out) == speakable(text, ALL)
        assert [piece.wire() for piece in out] == [piece.wire() for piece in split(text, size=max(1, len(text)))]


# ------------------------------------------------------------------ going on in another context


def test_a_new_context_is_told_again_what_holds() -> None:
    pieces = split('<speed ratio="1.2"/>One two. <speed ratio="0.8"/>Three <volume ratio="2"/>four. Five.')
    words = "".join(pieces)

    assert resume(pieces, words.index("two")) == (
        '<speed ratio="1.2"/>two. <speed ratio="0.8"/>Three <volume ratio="2"/>four. Five.'
    )
    assert resume(pieces, words.index("Five")) == '<speed ratio="0.8"/><volume ratio="2"/>Five.'
    assert resume(split("It is <spell>A B</spell>."), len("It is A ")) == "B."


def say(text: str) -> tuple[Conversation, list[str]]:
    """Return a conversation that says this, and what went out for it."""
    conversation = Conversation("k", TELEPHONE, markup=ALL)
    return conversation, sent(conversation.receive(SayRequested("s1", text), now=0.0))


def sent(commands: object) -> list[str]:
    assert isinstance(commands, list)
    return [command.text for command in commands if isinstance(command, SpeakText)]


def test_a_succession_keeps_the_markup_and_the_heard_text_has_none() -> None:
    conversation, out = say('<speed ratio="1.2"/>One two three. <break time="1s"/>Four <emotion value="sad"/>five.')
    assert out == ['<speed ratio="1.2"/>One two three. ', '<break time="1s"/>Four <emotion value="sad"/>five.']
    conversation.receive(AudioReceived("k-1", bytes(8000)), now=0.1)
    conversation.receive(WordsReceived("k-1", (("One", 0.0, 0.4), ("two", 0.4, 0.9))), now=0.1)

    commands = conversation.receive(ContextFailed("k-1", "socket lost", retryable=True), now=0.2)

    assert sent(commands) == [
        '<speed ratio="1.2"/>three. <break time="1s"/>Four <emotion value="sad"/>five.',
    ]
    conversation.receive(AudioReceived("k-2", bytes(8000)), now=0.3)
    conversation.receive(ContextDone("k-2"), now=0.3)
    commands = []
    while not any(isinstance(command, TurnClosed) for command in commands):
        commands += conversation.handle_timer(now=conversation.deadline)
    (closed,) = (command for command in commands if isinstance(command, TurnClosed))
    assert closed.heard is not None
    assert closed.heard.text == "One two three. Four five."


def test_a_context_that_expired_is_succeeded_by_one_that_sounds_the_same() -> None:
    conversation = Conversation("k", TELEPHONE, markup=ALL)
    for at, event in ((0.0, SpeechStarted(0.0)), (0.5, SpeechStopped(0.5)), (0.6, Transcript("Go.", final=True))):
        conversation.receive(event, now=at)
    commands = list(conversation.handle_timer(now=2.0))
    turn = conversation.turn
    assert turn is not None
    commands = [*conversation.receive(TextProduced(turn.id, '<speed ratio="1.2"/>One two three. F'), now=2.0)]
    assert sent(commands) == ['<speed ratio="1.2"/>One two three. ']
    conversation.receive(AudioReceived(turn.context_id, bytes(8000)), now=2.1)
    conversation.receive(ContextDone(turn.context_id), now=2.1)

    commands = [*conversation.receive(TextProduced(turn.id, "our five. Six"), now=4.0)]

    assert any(isinstance(command, OpenContext) for command in commands)
    assert sent(commands) == ['<speed ratio="1.2"/>Four five. ']


# ------------------------------------------------------------------ coming back


@pytest.mark.parametrize(
    ("echoed", "words"),
    [
        ("Good morning.", "Good morning."),
        ('Hello. <break time="1s"/> How', "Hello. How"),
        ('<speed ratio="1.2"/>Hello there.', "Hello there."),
        ("Code <spell>A B-1</spell>.", "Code A B-1."),
        ("<<m|ɛ|t>> him [laughter]", "mɛt him"),
        ("1 <2 x<y [1] <unknown a>", "1 <2 x<y [1] <unknown a>"),
    ],
)
def test_markup_that_a_provider_echoes_is_no_word(echoed: str, words: str) -> None:
    at_once, one_by_one = WordTimes(ALL), WordTimes(ALL)
    timed = tuple((word, at / 4, at / 4 + 0.2) for at, word in enumerate(echoed.split()))

    assert [word for word, _, _ in at_once.of(timed)] == words.split()
    assert [spoken for each in timed for spoken in one_by_one.of((each,))] == list(at_once.of(timed))
