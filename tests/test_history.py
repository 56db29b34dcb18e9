from agentvoice.budget import Budget, count_roughly
from agentvoice.commands import Evidence, HeardText
from agentvoice.history import CUTTING_IN, NOT_YET, History, ToolUse
from agentvoice.interfaces import Message, ToolCall


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


# ------------------------------------------------------------------ tools and facts

BOOK = ToolCall("c1", "book", '{"party": 2}')


def test_a_tool_and_its_result_are_one_entry() -> None:
    history = History()
    history.add_utterance("A table for two.")
    history.add_tool_use("t1", BOOK)
    assert history.messages()[1:] == [Message("assistant", "", (BOOK,)), Message("tool", NOT_YET, tool_call_id="c1")]

    history.add_result("c1", "table seven")
    history.add_result("c1", "table eight")
    history.add_result("c9", "whose?")
    assert history.entries[1:] == [ToolUse(BOOK, "table seven", "t1")]
    assert history.messages()[2] == Message("tool", "table seven", tool_call_id="c1")


def test_what_one_message_asked_for_is_shown_as_one_message() -> None:
    history = History()
    calls = [ToolCall(f"c{number}", "look", "{}") for number in range(4)]
    for number, call in enumerate(calls):
        history.add_tool_use("t1" if number < 3 else "t2", call, round=1 + number // 2, result="x")

    assert [message.tool_calls for message in history.messages() if message.role == "assistant"] == [
        (calls[0], calls[1]),
        (calls[2],),
        (calls[3],),
    ]


def test_a_fact_is_known_from_when_it_comes_up_and_no_words_are_taken_for_a_cut() -> None:
    history = History()
    history.add_turn("t1", heard("Your table for", complete=False))
    history.add_fact("The caller has a dog.")
    history.add_fact("It is small.")
    history.add_utterance("No, wait.")

    assert history.messages()[1:] == [
        Message("system", "The caller has a dog. It is small."),
        Message("user", f"{CUTTING_IN}No, wait."),
    ]


# ------------------------------------------------------------------ the budget


def a_long_call(budget: Budget) -> History:
    history = History("Be brief.", budget=budget)
    for number in range(10):
        history.add_utterance(f"Question {number}?")
        history.add_tool_use(f"t{number}", ToolCall(f"c{number}", "look", "{}"), result="x" * 40)
        history.add_turn(f"t{number}", heard(f"Answer {number}."))
    history.add_utterance("Goodbye.")
    return history


def test_a_long_call_is_fitted_to_the_budget_and_nothing_is_forgotten() -> None:
    history = a_long_call(Budget(max_tokens=100, keep=0.8))
    messages = history.messages()

    assert messages[0] == Message("system", "Be brief.")
    assert messages[-1].content.endswith("Goodbye.")
    assert sum(count_roughly(message.content) for message in messages) <= 100
    asked = [call.id for message in messages for call in message.tool_calls]
    assert asked == [message.tool_call_id for message in messages if message.role == "tool"]
    assert len(history.entries) == 31


def test_what_the_caller_said_last_is_shown_even_when_nothing_fits() -> None:
    history = a_long_call(Budget(max_tokens=0))
    assert history.messages() == [Message("system", "Be brief."), Message("user", "Goodbye.")]
    assert history.messages(prompt="Hello?") == [Message("system", "Be brief."), Message("user", "Hello?")]


def test_what_was_left_out_stays_out_so_that_a_prompt_cache_is_of_use() -> None:
    history = a_long_call(Budget(max_tokens=150, keep=0.5))
    before = history.messages()
    history.add_turn("t11", heard("Goodbye."))
    history.add_utterance("One more thing.")

    assert history.messages()[: len(before)] == before
    assert history.tokens <= 150


def test_tokens_may_be_counted_by_a_function_of_ones_own() -> None:
    history = History(budget=Budget(count=lambda text: len(text.split())))
    history.add_utterance("A table for two.")
    history.add_tool_use("t1", BOOK, result="table seven")
    assert history.tokens == 4 + 5


# ------------------------------------------------------------------ summaries


def test_nothing_is_to_be_summarised_unless_the_budget_asks_for_it() -> None:
    assert a_long_call(Budget(max_tokens=10)).overlong() == []
    assert a_long_call(Budget(max_tokens=10_000, summarise=True)).overlong() == []


def test_the_older_half_is_shown_as_its_summary() -> None:
    history = a_long_call(Budget(max_tokens=200, summarise=True))
    older = history.overlong()
    history.add_turn("t11", heard("Goodbye."))  # the call goes on while somebody summarises
    history.summarise(older, "They asked a lot.")

    assert 10 <= len(older) <= 20
    messages = history.messages()
    assert messages[:2] == [Message("system", "Be brief."), Message("system", "They asked a lot.")]
    assert "Question 9?" in [message.content for message in messages]
    assert "Question 0?" not in [message.content for message in messages]
    assert history.overlong() == []
    assert len(history.entries) == 32
