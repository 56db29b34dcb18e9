"""Tools in whole calls: what a model asks for is run, said, told and cut as declared."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from threading import get_ident
from typing import Annotated, Any, Literal

import pytest
from anyio import Event, create_task_group, sleep, sleep_forever
from pydantic import BaseModel, Field

from agentvoice import TELEPHONE, Agent, Conversation, Turn
from agentvoice.commands import AnswerTool, StartTool, StopTool
from agentvoice.errors import ProviderUnavailable, ToolError, UsageError
from agentvoice.events import OnInterrupt, SayRequested, ToolEnded, ToolOutcome, ToolRequested
from agentvoice.history import Fact, ToolUse
from agentvoice.interfaces import Message, Thought, ToolCall, ToolSpec, Usage
from agentvoice.llm import closing
from agentvoice.testing.llm import ScriptedModel
from agentvoice.testing.script import Step, barges_in, hangs_up, pauses, says, waits_for_agent
from agentvoice.testing.simulate import simulate
from agentvoice.testing.simulated import SimulatedCall
from agentvoice.tools import Tool, Toolbox, Verdict, approval, tool
from agentvoice.tools.declaration import tools_of
from agentvoice.tools.rounds import MOST_ROUNDS
from agentvoice.tools.running import Running
from agentvoice.trace.log import read_trace
from agentvoice.trace.replay import replay

pytestmark = pytest.mark.anyio


def asks(name: str, arguments: str = "{}", call_id: str = "c1") -> ToolCall:
    return ToolCall(call_id, name, arguments)


def model(*answers: str | Sequence[Thought]) -> ScriptedModel:
    """Return a model that gives these answers, one after the other, and writes down what it was shown."""
    left, shown = list(answers), list[Sequence[Message]]()

    def answer(messages: Sequence[Message]) -> str | Sequence[Thought]:
        shown.append(list(messages))
        return left.pop(0) if left else "Is there anything else?"

    scripted = ScriptedModel(answer)
    scripted.shown = shown  # type: ignore[attr-defined]
    return scripted


def shown(llm: Any) -> list[Sequence[Message]]:
    return list(llm.shown)


def results(call: SimulatedCall) -> list[str | None]:
    return [entry.result for entry in call.history if isinstance(entry, ToolUse)]


def facts(call: SimulatedCall) -> list[str]:
    return [entry.text for entry in call.history if isinstance(entry, Fact)]


def said(call: SimulatedCall) -> list[str]:
    return [turn.heard for turn in call.turns]


def question(silence_s: float = 0.9) -> Sequence[Step]:
    return [says("Is there a table for two?"), waits_for_agent(silence_s=silence_s, limit_s=120), hangs_up()]


ONE_QUESTION = question()


class Table(BaseModel):
    number: int
    by_the_window: bool


class Restaurant(Agent):
    """What is run is written down."""

    def __init__(self) -> None:
        self.log: list[str] = []

    @tool
    async def book(self, party: int, when: Literal["lunch", "dinner"] = "dinner") -> Table:
        """Book a table.

        Nobody comes to lunch.

        Args:
            party: How many people come,
                children included.
            when: Which meal.

        Returns:
            Which table it is.
        """
        self.log.append(f"book {party} {when}")
        await sleep(0.1)
        return Table(number=7, by_the_window=party == 2)

    @tool(pure=True, name="free_tables")
    def free(self) -> list[int]:
        """Which tables are free."""
        self.log.append("free")
        return [3, 7]


# ------------------------------------------------------------------ what a model is told of a tool


def test_a_docstring_and_types_become_what_the_model_is_told() -> None:
    book, free = Toolbox([each for each in tools_of(Restaurant()) if isinstance(each, Tool)]).specs

    assert (book.name, book.description) == ("book", "Book a table. Nobody comes to lunch.")
    assert book.parameters == {
        "type": "object",
        "properties": {
            "party": {"type": "integer", "description": "How many people come, children included."},
            "when": {
                "type": "string",
                "enum": ["lunch", "dinner"],
                "default": "dinner",
                "description": "Which meal.",
            },
        },
        "required": ["party"],
        "additionalProperties": False,
    }
    assert (free.name, free.parameters["properties"]) == ("free_tables", {})


def test_annotations_may_say_more_than_types() -> None:
    @tool
    async def book(
        party: Annotated[int, Field(ge=1, le=12)],
        *,
        copy: bool = False,
        at: Table | None = None,
        rest: dict[str, int] | None = None,
    ) -> None:
        """Book.

        Args:
            All but the first may be left out.
            copy: Whether they want it in writing.
        """

    [made] = tools_of(type("Some", (), {"tools": [book]})())
    assert isinstance(made, Tool)
    assert made.spec.parameters["properties"]["party"] == {"type": "integer", "minimum": 1, "maximum": 12}
    assert made.spec.parameters["properties"]["copy"]["description"] == "Whether they want it in writing."
    assert made.spec.parameters["properties"]["rest"]["anyOf"][0]["additionalProperties"] == {"type": "integer"}
    assert made.spec.parameters["$defs"]["Table"]["properties"]["number"] == {"type": "integer"}


def test_a_decorated_method_is_still_a_method() -> None:
    restaurant = Restaurant()
    assert restaurant.free() == [3, 7]


def test_what_a_subclass_takes_away_is_no_tool() -> None:
    class Closed(Restaurant):
        book = None  # type: ignore[assignment]

    assert [each.spec.name for each in tools_of(Closed()) if isinstance(each, Tool)] == ["free_tables"]


@pytest.mark.parametrize(("pure", "declared"), [(True, OnInterrupt.CANCEL), (False, OnInterrupt.FINISH_AND_TELL)])
def test_what_changes_nothing_is_cancelled_and_anything_else_finishes_and_tells(
    *, pure: bool, declared: OnInterrupt
) -> None:
    @tool(pure=pure)
    async def look() -> None:
        """Look."""

    [made] = tools_of(type("Some", (), {"tools": [look]})())
    assert isinstance(made, Tool)
    assert made.on_interrupt is declared


def test_a_mistake_shows_where_the_tool_is_declared() -> None:
    with pytest.raises(UsageError, match=r"tool f: a model cannot fill in \*rest"):

        @tool
        async def f(*rest: int) -> None: ...

    with pytest.raises(UsageError, match="tool g: name 'Later' is not defined; its types have to be defined"):

        @tool
        async def g(one: "Later") -> None: ...  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(UsageError, match=r"tool h: .* give its parameters simpler types"):

        @tool
        async def h(one: Event) -> None: ...

    with pytest.raises(UsageError, match="tool i: a function that is not async runs in a thread, which cannot be canc"):

        @tool(on_interrupt="cancel")
        def i() -> None: ...

    with pytest.raises(UsageError, match="cannot be told to 'explode' on_interrupt; say one of 'cancel', 'finish'"):

        @tool(on_interrupt="explode")  # type: ignore[call-overload, untyped-decorator]
        async def j() -> None: ...


def test_of_two_tools_with_one_name_the_agents_own_counts() -> None:
    async def book() -> None:
        """Book somewhere else."""

    class Other(Restaurant):
        tools = (book,)

    specs = Toolbox([each for each in tools_of(Other()) if isinstance(each, Tool)]).specs
    assert [spec.description for spec in specs if spec.name == "book"] == ["Book a table. Nobody comes to lunch."]


# ------------------------------------------------------------------ rounds


async def test_a_model_asks_is_given_the_result_and_speaks_of_it() -> None:
    agent = Restaurant()
    llm = model(["One moment.", asks("book", '{"party": 2}')], "It is table seven, by the window.")

    call = await simulate(agent, ONE_QUESTION, llm=llm)

    assert agent.log == ["book 2 dinner"]
    assert said(call) == ["One moment. It is table seven, by the window."]
    request, result = shown(llm)[1][-2:]
    assert request == Message("assistant", "One moment.", [asks("book", '{"party": 2}')])
    assert result == Message("tool", '{"number":7,"by_the_window":true}', tool_call_id="c1")
    assert [entry.role for entry in call.history] == ["user", "tool", "assistant"]
    assert replay(read_trace(call.trace.splitlines())).difference is None


async def test_tools_asked_for_at_once_run_side_by_side() -> None:
    agent = Restaurant()
    llm = model([asks("book", '{"party": 2}', "a"), asks("book", '{"party": 4}', "b"), asks("free_tables", "", "c")])

    call = await simulate(agent, ONE_QUESTION, llm=llm)

    assert sorted(agent.log) == ["book 2 dinner", "book 4 dinner", "free"]
    events = [step.event for step in read_trace(call.trace.splitlines()).steps]
    at = {type(event).__name__: index for index, event in enumerate(events)}
    assert at["ToolRequested"] < at["ToolEnded"]
    assert [message.role for message in shown(llm)[1]][-4:] == ["assistant", "tool", "tool", "tool"]
    assert results(call)[2] == "[3,7]"


async def test_one_request_that_comes_twice_is_run_once() -> None:
    agent = Restaurant()
    await simulate(agent, ONE_QUESTION, llm=model([asks("book", '{"party": 2}'), asks("book", '{"party": 2}')]))
    assert agent.log == ["book 2 dinner"]


async def test_a_model_that_numbers_its_requests_anew_in_every_message_is_understood() -> None:
    agent = Restaurant()
    llm = model([asks("book", '{"party": 2}')], [asks("book", '{"party": 4}')], [asks("free_tables", "", "")])

    call = await simulate(agent, ONE_QUESTION, llm=llm)

    assert agent.log == ["book 2 dinner", "book 4 dinner", "free"]
    assert [entry.call.id for entry in call.history if isinstance(entry, ToolUse)] == ["c1", "c1-2", "call"]


async def test_a_model_that_never_stops_asking_is_told_to_answer() -> None:
    agent = Restaurant()
    llm = model(*[[asks("free_tables")] for _ in range(MOST_ROUNDS + 5)])

    await simulate(agent, ONE_QUESTION, llm=llm)

    assert len(agent.log) == MOST_ROUNDS - 1
    assert shown(llm)[MOST_ROUNDS][-1].content == "error: no more tools for this answer; tell the caller what you know"


async def test_a_reply_of_ones_own_may_let_the_model_use_tools_and_speak_around_it() -> None:
    class Polite(Restaurant):
        async def reply(self, turn: Turn) -> AsyncIterator[str]:
            yield "Certainly. "
            async for text in self.think(turn):
                yield text

    call = await simulate(Polite(), ONE_QUESTION, llm=model([asks("book", '{"party": 2}')], "Table seven."))
    assert said(call) == ["Certainly. Table seven."]


async def test_a_reply_that_leaves_before_the_answer_has_its_tool_cancelled_before_it_runs() -> None:
    class Hasty(Restaurant):
        async def reply(self, turn: Turn) -> AsyncIterator[str]:
            async with closing(self.think(turn)) as thoughts:
                async for text in thoughts:
                    yield text
                    return

    agent = Hasty()
    call = await simulate(agent, ONE_QUESTION, llm=model(["Yes. ", asks("book", '{"party": 2}')]))
    assert said(call) == ["Yes."]
    assert agent.log == []


async def test_a_reply_that_leaves_a_tool_behind_before_it_may_run_has_it_cancelled() -> None:
    class Hasty(Agent):
        @tool(meanwhile="One moment.", slow_s=0.01)
        async def book(self) -> None:
            self.call.note(booked=True)

        async def reply(self, turn: Turn) -> AsyncIterator[str]:
            async with closing(self.think(turn)) as thoughts:
                async for text in thoughts:
                    yield text
                    return

    call = await simulate(Hasty(), ONE_QUESTION, llm=model([asks("book")]))
    assert said(call) == ["One moment."]
    assert results(call) == ["cancelled: no longer wanted"]
    assert "booked" not in call.notes


async def test_what_a_round_costs_is_passed_on() -> None:
    agent = Restaurant()
    call = await simulate(agent, ONE_QUESTION, llm=model([asks("free_tables"), Usage(10, 2)], ["Seven.", Usage(20, 1)]))
    assert said(call) == ["Seven."]
    assert call.notes["tokens"] == {"answers": 2, "read": 30, "written": 3, "remembered": 0}


# ------------------------------------------------------------------ tools from a source


class Kitchen:
    """A source of tools that fails at first, and then takes its time."""

    def __init__(self, *, fails: int = 0, seconds: float = 0.0) -> None:
        self.fails = fails
        self.seconds = seconds

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Sequence[Tool]]:
        await sleep(self.seconds)
        self.fails -= 1
        if self.fails >= 0:
            raise OSError("no gas")

        async def work(agent: object, arguments: str) -> str:
            return "cooked"

        yield [Tool(spec=ToolSpec("cook", "Cook.", {"type": "object"}), work=work)]


@pytest.mark.parametrize(
    ("kitchen", "result"),
    [
        (Kitchen(seconds=2), "cooked"),
        (Kitchen(fails=1), "cooked"),  # it was opened again while the caller spoke
        (Kitchen(fails=1000), "error: there is no tool 'cook'; there is: none"),
        (Kitchen(seconds=100), "error: there is no tool 'cook'; there is: none"),
    ],
)
async def test_tools_may_come_from_a_source_and_the_call_goes_on_without_it(kitchen: Kitchen, result: str) -> None:
    class Host(Agent):
        tools = (kitchen,)

    call = await simulate(Host(), question(), llm=model([asks("cook")], "Dinner is ready."))
    assert results(call) == [result]
    assert said(call) == ["Dinner is ready."]


# ------------------------------------------------------------------ what goes wrong is told to the model


async def told(agent: Agent, *asked: ToolCall) -> list[str | None]:
    return results(await simulate(agent, ONE_QUESTION, llm=model(list(asked))))


async def test_arguments_that_do_not_fit_are_told_so_that_the_model_can_mend_them() -> None:
    agent = Restaurant()
    assert await told(
        agent,
        asks("book", '{"party": "many"}', "a"),
        asks("book", "{}", "b"),
        asks("book", '{"party": 2, "when": "tea", "smoking": true}', "c"),
        asks("book", '{"party": 2', "d"),
    ) == [
        "error: party: Input should be a valid integer, unable to parse string as an integer",
        "error: party: Field required",
        "error: when: Input should be 'lunch' or 'dinner'; smoking: Extra inputs are not permitted",
        "error: Invalid JSON: EOF while parsing an object at line 1 column 11",
    ]
    assert agent.log == []


async def test_a_name_that_is_none_is_answered_with_what_there_is() -> None:
    assert await told(Restaurant(), asks("cook")) == ["error: there is no tool 'cook'; there is: book, free_tables"]
    assert await told(Agent(), asks("cook")) == ["error: there is no tool 'cook'; there is: none"]


async def test_what_a_tool_raises_is_told_shortly() -> None:
    class Broken(Agent):
        @tool
        async def refuse(self) -> None:
            raise ToolError("the kitchen is closed")

        @tool
        async def fail(self) -> None:
            raise RuntimeError("x" * 1000)

    refused, failed = await told(Broken(), asks("refuse", call_id="a"), asks("fail", call_id="b"))
    assert refused == "error: the kitchen is closed"
    assert failed is not None
    assert failed.startswith("error: RuntimeError: xxx")
    assert len(failed) == 200


async def test_a_tool_that_takes_too_long_is_given_up() -> None:
    class Slow(Agent):
        @tool(limit_s=2, pure=True)
        async def look(self) -> None:
            await sleep_forever()

        @tool(limit_s=3)
        async def book(self) -> None:
            await sleep_forever()

    assert await told(Slow(), asks("look", call_id="a"), asks("book", call_id="b")) == [
        "error: no answer within 2 s",
        "error: no answer within 3 s; whether it was done is not known",
    ]


async def test_results_are_told_as_json_and_texts_as_they_are() -> None:
    class Several(Agent):
        @tool
        async def text(self) -> str:
            return "as it is"

        @tool
        async def nothing(self) -> None: ...

        @tool
        async def when(self) -> dict[str, datetime]:
            return {"at": datetime(2026, 1, 2, 19, 30)}  # noqa: DTZ001

    assert await told(
        Several(), asks("text", call_id="a"), asks("nothing", call_id="b"), asks("when", call_id="c")
    ) == [
        "as it is",
        "done",
        '{"at":"2026-01-02T19:30:00"}',
    ]


async def test_a_plain_function_is_a_tool_when_the_agent_names_it() -> None:
    def weather(town: str) -> str:
        """Tell the weather."""
        return f"rain in {town}"

    class Forecaster(Agent):
        tools = (weather,)

    assert await told(Forecaster(), asks("weather", '{"town": "Graz"}')) == ["rain in Graz"]


@pytest.mark.real_time
async def test_a_function_that_blocks_runs_in_a_thread_and_the_loop_goes_on() -> None:
    class Blocking(Agent):
        @tool
        def block(self) -> str:
            time.sleep(0.05)
            return str(get_ident())

    [made] = [each for each in tools_of(Blocking()) if isinstance(each, Tool)]
    assert await made.work(Blocking(), "{}") != str(get_ident())


# ------------------------------------------------------------------ while a slow one runs


class Slow(Agent):
    seconds = 3.0

    @tool(pure=True, meanwhile="Let me check that.", slow_s=0.4)
    async def check(self) -> str:
        await sleep(self.seconds)
        return "there is one"


async def test_something_is_said_while_a_slow_tool_runs_and_heard_before_it_is_done() -> None:
    call = await simulate(Slow(), question(5), llm=model([asks("check")], "There is one."))

    assert said(call) == ["Let me check that. There is one."]
    [turn] = call.turns
    assert turn.timeline["first_frame_out"] - turn.timeline["utterance_final"] < 1.0


async def test_a_quick_tool_needs_no_such_words() -> None:
    class Quick(Slow):
        seconds = 0.1

    assert said(await simulate(Quick(), ONE_QUESTION, llm=model([asks("check")], "There is one."))) == ["There is one."]


async def test_nothing_is_added_when_the_model_has_said_something_itself() -> None:
    call = await simulate(Slow(), question(5), llm=model(["I will look. ", asks("check")], "There is one."))
    assert said(call) == ["I will look. There is one."]
    [turn] = call.turns
    assert turn.timeline["first_text_sent"] - turn.timeline["first_token"] < 0.2  # it does not wait for more


async def test_a_fast_tool_result_never_overtakes_the_text_being_spoken() -> None:
    before = "Let me see what we have this evening for the two of you, I will have it in a moment."
    llm = model([before, asks("free_tables")], "Table three is free.")

    call = await simulate(Restaurant(), ONE_QUESTION, llm=llm)

    assert said(call) == [f"{before} Table three is free."]
    assert call.turns[0].played == said(call)[0]


# ------------------------------------------------------------------ barge-in, as declared


class Bookings(Agent):
    """Writes down what was begun and what was done."""

    def __init__(self) -> None:
        self.log: list[str] = []

    async def _work(self, name: str) -> str:
        self.log.append(f"{name} begun")
        await sleep(4)
        self.log.append(f"{name} done")
        return f"{name} is done"

    @tool(on_interrupt="cancel")
    async def query(self) -> str:
        return await self._work("query")

    @tool(on_interrupt="finish")
    async def log_it(self) -> str:
        return await self._work("log_it")

    @tool(on_interrupt="finish_and_tell")
    async def book(self) -> str:
        return await self._work("book")


TALK = "I am going to do that for you now, which will take me a little while, so please stay on the line with me. "
CUT_IN = [
    says("Please do it."),
    barges_in("Wait a moment please!", at_word=5),
    waits_for_agent(),
    pauses(5),
    says("And now?"),
    waits_for_agent(),
    hangs_up(),
]


async def test_a_tool_may_be_cancelled_with_its_turn() -> None:
    agent, llm = Bookings(), model([TALK, asks("query")])
    call = await simulate(agent, CUT_IN, llm=llm)

    assert agent.log == ["query begun"]
    assert results(call) == ["cancelled: the caller interrupted"]
    assert facts(call) == []
    assert Message("tool", "cancelled: the caller interrupted", tool_call_id="c1") in shown(llm)[-1]


async def test_a_tool_that_is_cancelled_before_it_begins_does_not_begin() -> None:
    class Instant(Agent):
        @tool
        async def strike(self) -> None:
            self.log.append("struck")

        log: list[str] = []  # noqa: RUF012

    agent, delivered = Instant(), list[Any]()
    async with create_task_group() as group:
        running = Running("k", delivered.append)
        running.begin(group, agent)
        with running.ask(Turn("t1", "c"), agent, await running.toolbox(agent), [asks("strike")], round=1):
            running.perform(StartTool("c1", "strike"))
            running.perform(StopTool("c1"))
            running.perform(StopTool("c9"))
            running.perform(AnswerTool("c9", "whose?"))
        await running.finish()

    assert agent.log == []
    assert delivered[-1] == ToolEnded("c1", ToolOutcome.CANCELLED, "cancelled")


async def test_a_tool_may_finish_without_a_word() -> None:
    agent = Bookings()
    call = await simulate(agent, CUT_IN, llm=model([TALK, asks("log_it")]))

    assert agent.log == ["log_it begun", "log_it done"]
    assert facts(call) == []


async def test_a_tool_may_finish_and_tell_and_the_next_turn_knows() -> None:
    agent, llm = Bookings(), model([TALK, asks("book")])
    call = await simulate(agent, CUT_IN, llm=llm)

    assert agent.log == ["book begun", "book done"]
    assert facts(call) == ["Meanwhile book({}) was done: book is done"]
    assert Message("system", facts(call)[0]) in shown(llm)[-1]
    assert replay(read_trace(call.trace.splitlines())).difference is None


async def test_a_tool_that_has_to_finish_has_a_second_after_the_caller_hung_up() -> None:
    class Quick(Agent):
        def __init__(self) -> None:
            self.log: list[str] = []

        @tool
        async def book(self) -> None:
            await sleep(1.3)
            self.log.append("booked")

        @tool
        async def endless(self) -> None:
            await sleep_forever()

    for name, log in {"book": ["booked"], "endless": []}.items():
        agent = Quick()
        call = await simulate(agent, [says("Please do it."), pauses(1.5), hangs_up()], llm=model([asks(name)]))
        assert agent.log == log
        assert call.overrun_s <= 1.0


def test_what_a_turn_asks_for_that_is_over_already_is_not_run() -> None:
    conversation = Conversation("c", TELEPHONE)
    request = ToolRequested("t1", "c1", "book", "{}")
    assert conversation.receive(request, now=0.0) == []

    conversation.receive(SayRequested("s1", "Good evening."), now=1.0)
    assert conversation.turn is not None
    assert StartTool("c1", "book") not in conversation.receive(request, now=1.0)
    assert conversation.history.entries == []


# ------------------------------------------------------------------ what goes wrong elsewhere (field failures)


class Counter(Agent):
    """Counts what it books, in a table."""

    def __init__(self) -> None:
        self.bookings: list[int] = []

    @tool
    async def book(self, party: int) -> str:
        await sleep(2)
        self.bookings.append(party)
        return f"booked for {party}"

    @tool
    async def hang_up(self) -> None:
        self.call.hang_up()


async def test_a_tool_call_of_a_discarded_answer_does_not_run_and_hangs_up_nothing() -> None:
    """pipecat 4997: the caller goes on speaking, so the answer is discarded, and its tool call with it."""

    def answer(messages: Sequence[Message]) -> str | Sequence[Thought]:
        return "Good." if "not yet" in messages[-1].content else [asks("hang_up")]

    call = await simulate(
        Counter(),
        [says("Goodbye."), pauses(0.35), says("No, not yet, there is something else."), waits_for_agent(), hangs_up()],
        llm=ScriptedModel(answer, token_s=0.001),
    )

    assert call.hung_up_by == "caller"
    assert len(call.withdrawn) >= 1
    assert results(call) == []
    assert "hang_up" in call.trace  # it was asked for
    assert '"out":"StartTool"' not in call.trace


async def test_an_interrupted_tool_is_not_in_progress_for_ever() -> None:
    """pipecat 5779: the model must not be shown a tool without a result."""
    llm = model([TALK, asks("book", '{"party": 2}')])
    call = await simulate(Counter(), CUT_IN, llm=llm)

    assert None not in results(call)
    for messages in shown(llm):
        asked = [each.id for message in messages for each in message.tool_calls]
        assert asked == [message.tool_call_id for message in messages if message.role == "tool"]


async def test_a_tool_does_not_run_twice_after_a_barge_in_and_book_twice() -> None:
    """livekit/agents 3702: the model asks for the same again, because it has not heard that it was done."""
    agent = Counter()
    again = asks("book", '{ "party" : 2 }', "c2")
    llm = model([TALK, asks("book", '{"party": 2}')], [again], "It is booked.")

    call = await simulate(agent, CUT_IN, llm=llm)

    assert agent.bookings == [2]
    assert results(call)[1] == "booked for 2 (from when it was asked before the interruption; not done again)"


async def test_what_was_done_before_the_model_broke_down_is_not_done_again() -> None:
    agent = Counter()
    answers = iter(
        [[asks("book", '{"party": 2}', "c1")], None, [asks("book", '{"party": 2}', "c2")], ["It is booked."]]
    )

    def answer(_: Sequence[Message]) -> Sequence[Thought]:
        if (given := next(answers)) is None:
            raise ProviderUnavailable("model", "overloaded")
        return given

    script = [says("A table for two."), pauses(6), says("Hello?"), waits_for_agent(silence_s=4), hangs_up()]
    call = await simulate(agent, script, llm=ScriptedModel(answer))

    assert agent.bookings == [2]
    assert said(call) == [agent.apology, "It is booked."]


async def test_a_speculative_reply_leaks_neither_into_the_history_nor_into_the_callers_ear() -> None:
    call = await simulate(
        Counter(),
        [says("A table for two."), pauses(0.35), says("No, for four people."), waits_for_agent(), hangs_up()],
        llm=ScriptedModel(lambda messages: [f"You said {messages[-1].content} ", asks("free")], token_s=0.001),
    )

    [answer] = call.turns
    assert len(call.withdrawn) >= 1
    assert answer.prompt == "A table for two. No, for four people."
    assert [entry.text for entry in call.history if entry.role == "user"] == [answer.prompt]
    assert call.phone.carrier is not None
    assert answer.heard == answer.played
    assert call.stale_frames == 0


# ------------------------------------------------------------------ a person decides


def manager(*, verdict: bool | Verdict | None) -> type[Agent]:
    async def ask(agent: Agent, request: str) -> Any:
        agent.call.note(asked=request)
        await sleep(3)
        if verdict is None:
            await sleep_forever()
        return verdict

    class Managed(Agent):
        tools = (approval(ask, limit_s=20),)

    return Managed


@pytest.mark.parametrize(
    ("verdict", "result"),
    [
        (True, "approved"),
        (False, "refused"),
        (Verdict(approved=True, words="but only inside"), "approved: but only inside"),
        (None, "not approved: nobody answered within 20 s"),
    ],
)
async def test_a_person_is_asked_and_what_they_say_is_told(*, verdict: bool | Verdict | None, result: str) -> None:
    llm = model([asks("ask_for_approval", '{"request": "May a dog come in?"}')], "I have asked.")
    call = await simulate(manager(verdict=verdict)(), question(25), llm=llm)

    assert results(call) == [result]
    assert call.notes == {"asked": "May a dog come in?"}
    assert said(call) == ["One moment please, I have to ask somebody. I have asked."]


async def test_a_person_is_shown_what_the_model_wrote_even_if_it_is_not_what_it_was_asked_for() -> None:
    call = await simulate(manager(verdict=True)(), ONE_QUESTION, llm=model([asks("ask_for_approval", "the dog?")]))
    assert call.notes == {"asked": "the dog?"}
