"""What of a text can be spoken."""

import pytest

from agentvoice.markup import Markup
from agentvoice.speakable import Speakable, speakable


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("**Bold**, *slanted*, __both__ and ~~gone~~.", "Bold, slanted, both and gone."),
        ("un**believ**able", "unbelievable"),
        ("2 * 3 = 6, 2*3 = 6, ~5 minutes, snake_case, a__b", "2 * 3 = 6, 2*3 = 6, ~5 minutes, snake_case, a__b"),
        ("* one\n* two\n- three\n+ four\n• five", "one\ntwo\nthree\nfour\nfive"),
        ("-5 degrees\n+1 for that\n#1 of all", "-5 degrees\n+1 for that\n#1 of all"),
        ("Well - yes = no > maybe #9", "Well - yes = no > maybe #9"),
        ("# Title\n\n## Part\n> quoted\n>> twice", "Title\nPart\nquoted\ntwice"),
        ("above\n\n---\n\nbelow\n***\nend\n===", "above\nbelow\nend"),
        ("Say `hello` to ``them``.", "Say hello to them."),
        ("Before\n```python\nx = '`'\n```\nafter ````x\n```` ```never closed", "Before\nafter"),
        ("[our page](https://x.y/(z)?a=b) and ![a fig](fig.png) [1][^2] [3](u).", "our page and a fig."),
        ("[note] and a[0]b ]( x [12", "note and ab ( x 12"),
        ("| a | b |\n|---|:-:|\n| 1 | 2 |", "a b\n1 2"),
        ("I <3 you, 1 < 2 > 0, x<y", "I <3 you, 1 < 2 > 0, x<y"),
        ("<p class='x'>Hi <b>there</b><br/></p><!-- no --><|im_end|>", "Hi there"),
        ('<speed ratio="1.5"/>Quick. <Think>hm, 1 < 2</think>Done. <think>open', "Quick. Done."),
        ("Mail <anna@x.org> or <https://x.org/a_b>.", "Mail anna@x.org or https://x.org/a_b."),
        ("<a href='x' ", "<a href='x'"),
        ("<nobody\ncloses", "<nobody\ncloses"),
        ("\\*not slanted\\* C:\\dir \\", "*not slanted* C:dir"),
        ("Wow! Really![x]", "Wow! Reallyx"),
        ("Done 👍🏽. Family 👨‍👩‍👧 and 🇩🇪 flag 1️⃣ ❤️", "Done. Family and flag 1"),
        ("20 °C, 5 € & 50 %, naïve café", "20 °C, 5 € & 50 %, naïve café"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("a\u200b\u202eb\x00c\ud83d", "abc"),
        ("  two\t blanks \u00a0 and\r\n\r\n lines  ", "two blanks and\nlines"),
        ("Hello. :-) — …", "Hello."),
        ("... “Yes” — no", "... “Yes” — no"),
        ("はい。（", "はい。"),
        ("---", ""),
        ("-", ""),
        ("(see [the (long) page](u", "(see the (long) page(u"),
    ],
)
def test_spoken(written: str, spoken: str) -> None:
    assert speakable(written) == spoken
    stream = Speakable()
    assert "".join(map(stream.feed, written)) + stream.finish() == spoken


def test_words_come_out_at_once() -> None:
    stream = Speakable()
    assert stream.feed("Hello, wor") == "Hello, wor"
    assert stream.feed("ld! ") == "ld!"
    assert stream.feed("How") == " How"


def test_what_only_began_like_a_tag_or_a_link_is_given_back() -> None:
    assert speakable("<" + "a" * 300) == "<" + "a" * 300
    assert speakable("[x](" + "u" * 3000) == "x(" + "u" * 3000


def test_what_only_began_like_a_link_has_its_tags_left_out() -> None:
    assert speakable("[laughter](<b>A-1 b") == "laughter(A-1 b"
    assert speakable("<spell>[laughter](<spell>A-1 b</spell>", Markup(spans=frozenset({"spell"}))) == "laughter(A-1 b"


def test_what_only_began_like_sounds_hides_no_tag() -> None:
    assert speakable("<<<b>yes") == "<<yes"
    assert speakable("<<<<m|ɛ|t>>") == "<<mɛt"
