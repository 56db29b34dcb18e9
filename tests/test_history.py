from agentvoice.commands import Evidence, HeardText
from agentvoice.history import CUTTING_IN, History
from agentvoice.interfaces import Message


def heard(text: str, *, complete: bool = True) -> HeardText:
    return HeardText(text, 1.0, Evidence.MARKS_AND_WORDS, 0.0, complete)


def test_what_was_heard_is_what_the_model_sees() -> None:
    history = History("Be brief.")
    history.add_turn("t1", heard("Good evening."))
    history.add_utterance("A table for two.")

    assert history.messages() == [
        Message("system", "Be brief."),
        Message("assistant", "Good evening."),
        Message("user", "A table for two."),
    ]


def test_a_turn_that_was_cut_is_followed_by_a_plain_sign() -> None:
    history = History()
    history.add_turn("t1", heard("Your table for", complete=False))

    assert history.messages() == [Message("assistant", "Your table for")]
    assert history.messages(prompt="No, wait.") == [
        Message("assistant", "Your table for"),
        Message("user", f"{CUTTING_IN}No, wait."),
    ]
    history.add_utterance("No, wait.")
    history.add_utterance("Make it four.")
    assert history.messages()[1] == Message("user", f"{CUTTING_IN}No, wait. Make it four.")


def test_words_that_the_agent_takes_up_again_are_one_contribution() -> None:
    history = History()
    history.add_turn("t1", heard("Your table for", complete=False))
    history.add_turn("t2", heard("two is free."))

    assert history.messages() == [Message("assistant", "Your table for two is free.")]


def test_nothing_heard_is_nothing_recorded() -> None:
    history = History()
    history.add_turn("t1", None)
    history.add_turn("t2", heard("", complete=False))

    assert history.entries == []


def test_neighbours_of_one_role_are_joined() -> None:
    history = History()
    history.add_utterance("A table for two.")
    history.add_utterance("Tonight.")

    assert history.messages(prompt="At seven.") == [Message("user", "A table for two. Tonight. At seven.")]


def test_a_prompt_that_may_come_to_nothing_is_shown_but_not_kept() -> None:
    history = History()

    assert history.messages(prompt="Hello?") == [Message("user", "Hello?")]
    assert history.entries == []
