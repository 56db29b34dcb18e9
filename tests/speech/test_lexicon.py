"""What is read instead of what is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from agentvoice.errors import UsageError
from agentvoice.speech.lexicon import Lexicon, Lexicons, Reading

LEXICON = Lexicon(
    {
        "ACME": "ack me",
        "San  Jose": "San Hozay",
        "New York": "Nyork",
        "q.d.": "once daily",
        "hush": "",
        "chair": "<<tʃ|ɛ|h|r>>",
    }
)


def read(text: str) -> list[tuple[str, str]]:
    return [(" ".join(reading.written), " ".join(reading.spoken)) for reading in LEXICON.read(text)]


@pytest.mark.parametrize(
    ("text", "readings"),
    [
        ("Call ACME.", [("Call", "Call"), ("ACME.", "ack me.")]),
        ("acme's (Acme)", [("acme's", "ack me's"), ("(Acme)", "(ack me)")]),
        ("ACME/ACME", [("ACME/ACME", "ack me/ack me")]),
        ("to San\nJose, now", [("to", "to"), ("San", "San"), ("Jose,", "Hozay,"), ("now", "now")]),
        ("(New York)", [("(New York)", "(Nyork)")]),
        ("San Joseph", [("San", "San"), ("Joseph", "Joseph")]),
        ("one q.d.", [("one", "one"), ("q.d.", "once daily")]),
        ("I <<m|ɛ|t>>, <<ˈ>>", [("I", "I"), ("<<m|ɛ|t>>,", "met,"), ("<<ˈ>>", "")]),
        ("a chair", [("a", "a"), ("chair", "chehr")]),
        ("<<q.d.>>", [("<<q.d.>>", "kd")]),
        ("hush now", [("hush", ""), ("now", "now")]),
        ("pacmen acmes", [("pacmen", "pacmen"), ("acmes", "acmes")]),
    ],
)
def test_an_entry_is_read_and_what_stands_around_it_stays(text: str, readings: list[tuple[str, str]]) -> None:
    assert read(text) == readings


@given(st.lists(st.sampled_from(["ACME", "San", "Jose", "q.d.", "hush", "word", "…", "a\u2028b"])))
def test_every_word_is_written_once_in_order(words: list[str]) -> None:
    text = " ".join(words)
    assert [word for reading in LEXICON.read(text) for word in reading.written] == text.split()


def test_without_entries_everything_is_itself() -> None:
    assert list(Lexicon({}).read("a b")) == [Reading(("a",), ("a",)), Reading(("b",), ("b",))]


def test_a_file_has_entries_for_every_text_and_dictionaries_by_name(tmp_path: Path) -> None:
    path = tmp_path / "names.toml"
    path.write_text('ACME = "ack me"\n[medicine]\n"q.d." = "once daily"\nacme = "akmey"\n')
    lexicons = Lexicons.load(path)
    assert "medicine" in lexicons
    assert "law" not in lexicons
    for name, spoken in ((None, ("ack", "me", "q.d.")), ("law", ("ack", "me", "q.d.")), ("medicine", ("akmey",))):
        read = [word for reading in lexicons.find(name).read("ACME q.d.") for word in reading.spoken]
        assert tuple(read)[: len(spoken)] == spoken


@pytest.mark.parametrize("content", ["ACME", "ACME = 5", '"" = "ack me"', '[names]\nACME = ["ack"]'])
def test_a_file_that_is_none_is_one_line_with_the_way_out(tmp_path: Path, content: str) -> None:
    path = tmp_path / "names.toml"
    path.write_text(content)
    with pytest.raises(UsageError, match=r'"ack me"$') as refused:
        Lexicons.load(path)
    assert "\n" not in str(refused.value)
    with pytest.raises(UsageError, match="No such file"):
        Lexicons.load(tmp_path / "nothing.toml")
