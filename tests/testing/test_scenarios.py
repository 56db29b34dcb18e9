"""Scenario files: read with care, tried out in variations, and judged by what is true of the call."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agentvoice import Agent, TurnState
from agentvoice.cli.locate import locate
from agentvoice.errors import UsageError
from agentvoice.interfaces import Message, ToolCall
from agentvoice.testing.expectations import unmet
from agentvoice.testing.lexicon import Lexicon
from agentvoice.testing.scenarios import Answer, Expect, read_scenarios
from agentvoice.testing.script import BargesIn, Says, WaitsForAgent, says, waits_for_agent
from agentvoice.testing.simulate import simulate
from agentvoice.testing.variations import _answer, have, try_out
from agentvoice.testing.weather import Weather
from agentvoice.tools import tool

pytestmark = pytest.mark.anyio

EXAMPLE = Path(__file__).parents[2] / "examples/scenarios/booking.yaml"


class Receptionist(Agent):
    greeting = "Good evening, how may I help you?"

    @tool
    async def book(self, party: int) -> str:
        """Book a table."""
        self.call.note(party=party)
        return "booked"


FILE = """\
agent: agents.py:Receptionist
answers:
  - {when: table, tool: book, arguments: {party: 4}}
  - {after: book, say: "Wonderful, let me see, there we are: your table is booked."}
scenarios:
  - name: A table
    variations: 3
    vary: {words_per_s: [2, 4], barge_in_s: [0.3, 0.8], hearing_s: [0.1, 0.3]}
    caller:
      - wait_for_agent
      - say: A table for four.
      - backchannel: Right.
      - cough
      - wait_for_agent: {words: is booked}
      - hang_up
    expect:
      heard: [how may I help, Your table is BOOKED]
      notes: {party: 4}
      tools: [{book: {party: 4}}]
      turns: [completed, completed]
      hung_up_by: caller
      answers_within_s: 2
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "some.yaml"
    path.write_text(text)
    return path


def test_a_file_is_read_whole_and_its_agent_is_found_beside_it(tmp_path: Path) -> None:
    (case,) = read_scenarios(write(tmp_path, FILE))

    assert case.agent == f"{tmp_path}/agents.py:Receptionist"
    assert case.line == 6
    assert [type(step) for step in case.steps][:3] == [WaitsForAgent, Says, BargesIn]
    assert case.scenario.vary.barge_in_s == (0.3, 0.8)


def test_the_example_can_be_read() -> None:
    assert len(read_scenarios(EXAMPLE)) == 4


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            ("hung_up_by: caller", "hangs_up: caller"),
            r"line 21: 'hangs_up' is not known here \(known: heard, not_heard",
        ),
        (("variations: 3", "variation: 3"), r"line 7: 'variation' is not known here \(known: name, caller, variations"),
        (("variations: 3", "variations: 0"), r"line 7: 'variations' has to be greater than 0, not 0"),
        (("variations: 3", "variations: many"), r"line 7: 'variations' has to be a valid integer.*, not 'many'"),
        (("[2, 4]", "[4, 2]"), r"line 8: 'words_per_s' goes from the smaller to the larger"),
        (("  - name: A table\n    var", "  - var"), r"line 6: 'name' is missing"),
        (("      - cough", "      - sneeze"), r"line 13: no step that is known"),
        (("[completed, completed]", "[done]"), r"line 20: 'turns' has to be 'completed', 'interrupted' or 'failed'"),
        (("agent: agents.py:Receptionist\n", ""), r"line 5: which agent\?"),
        (("scenarios:", "scenes:"), r"line 5: 'scenes' is not known here"),
        ((FILE, "- say: Hello."), r"line 1: has to be a valid dictionary"),
        ((FILE, ""), r"line 1: has to be a valid dictionary"),
        ((FILE, "scenarios: ["), "is not YAML"),
    ],
)
def test_a_mistake_is_one_line_with_its_place(tmp_path: Path, change: tuple[str, str], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint) as raised:
        read_scenarios(write(tmp_path, FILE.replace(*change)))

    assert len(str(raised.value).splitlines()) == 1


@pytest.mark.parametrize("number", range(4))
async def test_the_example_passes(number: int) -> None:
    case = read_scenarios(EXAMPLE)[number]

    assert (await try_out(case, locate(case.agent), number)).failures == []


async def test_every_variation_is_as_expected_and_each_is_another_call(tmp_path: Path) -> None:
    (case,) = read_scenarios(write(tmp_path, FILE))
    tried = [await try_out(case, Receptionist, seed) for seed in range(3)]

    assert [(each.failures, each.seed) for each in tried] == [([], 0), ([], 1), ([], 2)]
    assert len({each.account for each in tried}) == 3
    assert (await try_out(case, Receptionist, 1)).account == tried[1].account


async def test_each_expectation_that_is_not_met_is_told(tmp_path: Path) -> None:
    (case,) = read_scenarios(write(tmp_path, FILE))
    call = await have(case, Receptionist, 0)

    def told(**expected: Any) -> str:
        (sentence,) = unmet(Expect.model_validate(expected), call)
        return sentence

    assert "'a parrot' was not heard" in told(heard=["a parrot"])
    assert "'good evening' was too late heard" in told(heard=["is booked", "good evening"])
    assert told(not_heard=["table is booked"]).startswith("'table is booked' was heard")
    assert told(turns=["completed", "failed"]) == "the turns were completed, completed, and not completed, failed"
    assert told(prompts=["", "A desk."]) == "the turns answered ['', 'A table for four.'], and not ['', 'A desk.']"
    assert told(notes={"party": 5}) == "the agent noted party=4, and not 5"
    assert told(hung_up_by="agent") == "the caller hung up, and not the agent"
    assert told(tools=[]) == "the tools that ran were book(party=4), and not none"
    assert told(tools=["cancel"]) == "the tools that ran were book(party=4), and not cancel()"
    assert "s after the caller, and not within 0.1 s" in told(answers_within_s=0.1)
    assert unmet(Expect(), call) == []


async def test_what_must_never_happen_is_told_unasked(tmp_path: Path) -> None:
    (case,) = read_scenarios(write(tmp_path, FILE))
    call = await have(case, Receptionist, 0)
    bad = replace(
        call,
        stale_frames=3,
        holes=[1.0],
        overrun_s=2.0,
        complaints=["in vain"],
        turns=[replace(call.turns[0], heard="Something else altogether", outcome=TurnState.FAILED, reason="broken")],
    )

    told = unmet(Expect(holes=0), bad)

    assert told == [
        "turn s1 failed: broken",
        "in vain",
        "3 frames were heard of speech that was cut off",
        "the agent's speech had 1 gaps: at 1.00 s",
        "of turn s1 'Good evening, how may I help you?' was heard, and the agent believes 'Something else altogether'",
        "the call outlived its hang-up by 2.0 s",
    ]


async def test_a_call_that_breaks_is_a_failure_of_its_scenario(tmp_path: Path) -> None:
    class Broken(Receptionist):
        def __init__(self) -> None:
            raise RuntimeError("no agent today")

    (case,) = read_scenarios(write(tmp_path, FILE))
    tried = await try_out(case, Broken, 0)

    assert tried.failures == ["the call broke: RuntimeError: no agent today"]


async def test_a_model_without_a_fitting_answer_sees(tmp_path: Path) -> None:
    text = FILE.replace("A table for four.", "Are you open?").replace("{words: is booked}", "")
    (case,) = read_scenarios(write(tmp_path, text))

    assert "I see." in (await have(case, Receptionist, 0)).heard


async def test_a_fast_talker_is_understood_on_a_line_that_loses_frames() -> None:
    said = "I would like to book a table for two, tonight at seven."
    for seed in range(5):
        call = await simulate(
            Receptionist(),
            [waits_for_agent(), says(said), waits_for_agent()],
            lexicon=Lexicon(words_per_s=4),
            weather=Weather(loss=0.02, jitter_s=0.06, seed=seed),
        )
        assert [turn.prompt for turn in call.turns] == ["", said]


def test_an_answer_may_call_a_tool_with_nothing_said() -> None:
    assert _answer([Answer(tool="book")], [Message("user", "Hello.")]) == [ToolCall("call-1", "book", "{}")]
