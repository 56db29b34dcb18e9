"""What listeners say, in many languages."""

import pytest

from agentvoice.errors import UsageError
from agentvoice.interruption import PHONE, Policy
from agentvoice.listening import LANGUAGES, count, tokens


@pytest.mark.parametrize(
    ("language", "backchannel", "stop", "sentence"),
    [
        ("en", "Mm-hm, I see.", "Stop!", "I would like another table"),
        ("de", "Ja genau, alles klar.", "Warten Sie!", "Ich hätte gern einen anderen Tisch"),
        ("fr", "D’accord, très bien.", "Attendez !", "Je voudrais une autre table"),
        ("es", "Sí, claro, muy bien.", "Un momento.", "Quiero otra mesa más grande"),
        ("it", "Sì, va bene.", "Mi scusi.", "Vorrei un altro tavolo"),
        ("pt", "Sim, está bem.", "Com licença.", "Eu queria outra mesa"),
        ("nl", "Ja, ik begrijp het.", "Een moment.", "Ik wil een andere tafel"),
        ("pl", "Tak, rozumiem.", "Przepraszam!", "Chciałbym inny stolik proszę"),
        ("hi", "जी हाँ, ठीक है।", "रुकिए!", "मुझे दूसरी मेज़ चाहिए"),
        ("ja", "はい、そうですね。", "ちょっと待って", "別のテーブルをお願いします"),
        ("zh", "嗯，好的。", "等一下", "我想要另一张桌子"),
    ],
)
def test_a_listener_is_told_from_somebody_who_wants_the_floor(
    language: str, backchannel: str, stop: str, sentence: str
) -> None:
    policy = PHONE.for_language(language)

    assert policy.is_backchannel(backchannel)
    assert not policy.interrupts(backchannel)
    assert policy.stops(stop)
    assert policy.interrupts(sentence)
    assert not policy.is_backchannel(sentence)


@pytest.mark.parametrize("written", ["mm-hm", "Mm-hmm.", "mhm", "mm hum"])
def test_the_sound_of_a_listener_is_known_however_a_recogniser_writes_it(written: str) -> None:
    assert PHONE.is_backchannel(written)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_both_stops_the_agent_and_only_shows_that_somebody_listens(language: str) -> None:
    assert not LANGUAGES[language].backchannels & LANGUAGES[language].stop_words


def test_users_add_words_of_their_own() -> None:
    policy = Policy().also(backchannels={"Jolly good"}, stop_words={"basta"})

    assert policy.is_backchannel("Jolly good, okay.")
    assert policy.stops("Basta!")
    assert policy.stops("Stop!")


def test_a_regional_code_is_its_language() -> None:
    assert PHONE.for_language("de-AT") == PHONE.for_language("de")


def test_a_language_that_is_not_known_says_which_are() -> None:
    with pytest.raises(UsageError, match="'xx' are not known, only those of en, de"):
        PHONE.for_language("xx")


def test_scripts_without_blanks_are_counted_by_half_words() -> None:
    assert count(tokens("等一下")) == 1.5
    assert count(tokens("wait a moment")) == 3


def test_the_longest_phrase_counts() -> None:
    assert Policy(backchannels=frozenset({"all", "all right"})).is_backchannel("All right, all.")
    assert not Policy(backchannels=frozenset({"all right"})).is_backchannel("All wrong.")
