"""Text in pieces to speak: where they end, and that nothing of the text is lost."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings, strategies as st

from agentvoice.speakable import is_spoken, speakable
from agentvoice.text import FIRST_WORDS, LONGEST, Pieces


def split(text: str, size: int = 1) -> Sequence[str]:
    pieces = Pieces()
    out = [piece for at in range(0, len(text), size) for piece in pieces.feed(text[at : at + size])]
    return out + pieces.finish()


def after_the_start(text: str) -> list[str]:
    """Split a text of which something was spoken already."""
    first, *rest = split("Well. " + text)
    assert first == "Well. "
    return rest


def test_the_first_piece_goes_out_after_four_words() -> None:
    pieces = Pieces()
    assert pieces.feed("I would be happy") == []
    assert pieces.feed(" t") == ["I would be happy "]
    assert FIRST_WORDS == 4


def test_the_first_piece_goes_out_after_three_words_that_a_comma_ends() -> None:
    assert split("Of course not, it is open today.")[0] == "Of course not, "


def test_the_first_piece_goes_out_with_the_first_sentence_when_that_is_shorter() -> None:
    assert split("Yes! We have a table for you.")[0] == "Yes! "


def test_later_pieces_are_sentences_with_their_space() -> None:
    assert after_the_start("We have a table for you tonight. Is half past seven all right? Lovely!") == [
        "We have a table for you tonight. ",
        "Is half past seven all right? ",
        "Lovely!",
    ]


@pytest.mark.parametrize(
    "sentence",
    [
        "It is Dr. Smith who called.",
        "Bring fruit, e.g. Apples and pears.",
        "See Mrs. Reed at St. James.",
        "It costs 3.50 or 4.20 for two.",
        "We open at 7.30 p.m. on weekdays.",
        "We open at 7 p.m. on weekdays.",
        "The code is No. 5 of the list.",
        "It was J. S. Bach who wrote it.",
        "1. Apples are red.",
        "Go to https://example.com/a.b?c=d. or not at all.",
        "Write to anna.reed@example.co.uk for details.",
        "Well... perhaps it is so.",
        "Well… perhaps it is so.",
        "“Really?” she said.",
        '"Stop!" he cried.',
        "It weighs approx. Twelve kilos.",
        "The U.S. 5 dollar bill.",
        "Version v1.2.3 of acme.py runs.",
    ],
)
def test_this_is_one_sentence(sentence: str) -> None:
    assert after_the_start(sentence) == [sentence]


@pytest.mark.parametrize(
    "sentences",
    [
        ["It costs 30. ", "We take cards."],
        ["We close at 9 p.m. ", "Then we sleep."],
        ["So do I. ", "Then we go."],
        ["Well... ", "Perhaps."],
        ["“Really?” ", "She left."],
        ["He said “no.” ", "Then he left."],
        ["i understand. ", "how are you?"],
        ["what? ", "no way!"],
        ["(It is open.) ", "Come in."],
        ["It is at example.com. ", "Have a look."],
        ["First line\n", "second line"],
        ["今日はいい天気です。", "散歩に行きましょう！", "はい？", "いいえ"],
        ["「はい。」", "彼は笑った。"],
        ["「はい。」と彼は言った。", "終わり。"],
        ["他说：“好。”", "然后走了。"],
        ["مرحبا كيف حالك اليوم؟ ", "أنا بخير."],
        ["שלום לכולם. ", "מה שלומך?"],
        ["नमस्ते। ", "आप कैसे हैं?"],
    ],
)
def test_these_are_sentences_of_their_own(sentences: list[str]) -> None:
    assert after_the_start("".join(sentences)) == sentences


def test_nobody_pauses_within_a_name_or_a_time() -> None:
    assert split("This is your Dr. Smith speaking now.")[0] == "This is your Dr. Smith "
    assert split("We are open 7.30 to nine today.")[0] == "We are open 7.30 to "
    assert split("We are open from 7 p.m. today on.")[0] == "We are open from "


def test_chinese_begins_at_a_clause_since_it_has_no_spaces() -> None:
    assert split("您好先生，我可以帮您预订今晚的桌子。谢谢")[0] == "您好先生，"
    assert after_the_start("您好先生，我可以帮您。") == ["您好先生，我可以帮您。"]


def test_a_sentence_without_end_is_split_at_a_clause_or_at_a_word() -> None:
    words = "and so it goes on " * 40
    pieces = after_the_start(words)
    assert all(len(piece) <= LONGEST * 5 // 4 + 20 for piece in pieces)
    assert all(piece.endswith(" ") for piece in pieces[:-1])
    clauses = after_the_start("and so it goes on, " * 40)
    assert all(piece.endswith(", ") for piece in clauses[:-1])
    assert max(map(len, after_the_start("一二三四五六七，" * 80))) < LONGEST * 5 // 4


def test_a_piece_is_never_punctuation_alone() -> None:
    assert split("... !!! — Hello there. — ??? Yes.") == ["... !!! — Hello there. ", "— ??? Yes."]
    assert split("はい。（") == ["はい。"]
    assert split("...") == []
    assert split("") == []
    assert split("“…”  ") == []


def test_a_pause_sends_the_words_that_are_whole() -> None:
    pieces = Pieces()
    assert pieces.feed("Let me") == []
    assert pieces.flush() == ["Let "]
    assert pieces.flush() == []
    assert pieces.feed(" check that.") == []
    assert pieces.flush() == ["me check that."]
    assert pieces.feed(" One moment") == []
    assert pieces.flush() == [" One "]
    assert pieces.finish() == ["moment"]


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("It costs 3.", ["It costs "]),
        ("It costs 3,", ["It costs "]),
        ("Fruit, e.", ["Fruit, "]),
        ("Let me see,", ["Let me see,"]),
        ("At 7 p.m.", ["At 7 p.m."]),
        ("No.”", ["No.”"]),
        ("今日は。", ["今日は。"]),
        ("Hel", []),
        ("", []),
    ],
)
def test_a_pause_does_not_cut_what_may_go_on(text: str, sent: list[str]) -> None:
    pieces = Pieces()
    assert pieces.feed(text) + pieces.flush() == sent


def test_what_is_left_after_a_pause_is_not_sent_when_it_has_no_sound() -> None:
    pieces = Pieces()
    assert pieces.feed("Well.") + pieces.flush() == ["Well."]
    assert pieces.feed("..") + pieces.finish() == []


TEXTS = st.lists(
    st.sampled_from(
        [*list(" .,!?…。、」”\"'()*_`#~-<>[]|\\:/\n\tabcXYZ019éあ中ש👍&"), "Dr.", "e.g. ", "7.30", "```", "<b>", "](x)"]
    )
    | st.characters(codec="utf-8"),
    max_size=60,
).map("".join)


@given(TEXTS, st.lists(st.integers(1, 9), min_size=1, max_size=20))
@settings(deadline=None)
def test_the_pieces_do_not_depend_on_where_the_tokens_fell(text: str, sizes: list[int]) -> None:
    pieces, out, rest, turn = Pieces(), [], text, 0
    while rest:
        size = sizes[turn % len(sizes)]
        out += pieces.feed(rest[:size])
        rest, turn = rest[size:], turn + 1
    out += pieces.finish()

    assert out == split(text, size=len(text) or 1)
    assert "".join(out) == speakable(text)
    assert all(any(map(is_spoken, piece)) for piece in out)


@given(TEXTS, st.lists(st.booleans(), min_size=1, max_size=10))
@settings(deadline=None)
def test_pauses_lose_no_word(text: str, pauses: list[bool]) -> None:
    pieces, out = Pieces(), []
    for at, character in enumerate(text):
        out += pieces.feed(character)
        if pauses[at % len(pauses)]:
            out += pieces.flush()
    out += pieces.finish()

    whole, said = speakable(text), "".join(out)
    assert whole.startswith(said)
    assert not any(map(is_spoken, whole[len(said) :]))
    assert all(any(map(is_spoken, piece)) for piece in out)


def test_two_words_that_end_a_clause_are_enough_to_begin_with() -> None:
    pieces = Pieces()

    assert pieces.feed("Of course, a table") == ["Of course, "]


def test_within_the_first_sentence_each_piece_may_be_twice_as_long_as_the_one_before() -> None:
    text = "I can offer you a quiet table for two people by the window at seven this evening, or at nine. Yes."

    assert split(text) == [
        "I can offer you ",
        "a quiet table for two people by the ",
        "window at seven this evening, or at nine. ",
        "Yes.",
    ]
