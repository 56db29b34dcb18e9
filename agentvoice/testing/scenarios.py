"""Scenarios: calls and what is expected of them, in YAML, for people who write no programs.

    agent: ../telephony.py:Receptionist
    answers:
      - {when: table, say: "Of course, a table for two. May I have your name?"}
    scenarios:
      - name: A caller changes her mind
        variations: 20
        vary: {barge_in_s: [0.5, 2]}
        caller:
          - wait_for_agent
          - say: I would like a table for two.
          - barge_in: No, wait, make it four.
          - hang_up
        expect:
          heard: [May I have your name]
          turns: [completed, interrupted, completed]

A mistake is told in one line, with its place and what is known there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from agentvoice.errors import UsageError

from .script import Step, read_step

MOST_VARIATIONS: Final = 10_000

Range = tuple[NonNegativeFloat, NonNegativeFloat]
"""From, to; each variation takes a number between them."""


class _Part(BaseModel):
    """A mapping whose keys are known."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _only_what_is_known(cls, given: Any) -> Any:
        for key in given if isinstance(given, dict) else ():
            if key not in cls.model_fields:
                known = ", ".join(cls.model_fields)
                raise PydanticCustomError("unknown", "'{key}' is not known here (known: {known})", _context(key, known))
        return given


def _context(key: object, known: str) -> dict[str, Any]:
    return {"key": str(key), "known": known}


class Answer(_Part):
    """What the language model answers, where the agent asks one. The first that fits is taken."""

    when: str = ""
    """Words that the caller has just used; none for whatever else is said."""
    after: str = ""
    """The tool whose result has just come; such an answer fits nothing else."""
    say: str = ""
    tool: str = ""
    """A tool to ask for, after what is said."""
    arguments: Mapping[str, Any] = Field(default_factory=dict)
    form: Mapping[str, Any] | None = None
    """What a form is filled in with, where the agent has one filled in."""


class Vary(_Part):
    """What differs between the variations of a scenario. What is not named stays at its usual value."""

    words_per_s: Range | None = None
    """How fast the caller talks."""
    speech_s: Range | None = None
    """How long the voice takes to begin."""
    speech_rate: Range | None = None
    """How long the voice takes for a second of audio; beyond 1 it cannot keep up."""
    hearing_s: Range | None = None
    """How long recognition takes."""
    model_s: Range | None = None
    """How long the language model takes to begin. Only where `answers` are given."""
    barge_in_s: Range | None = None
    """After how many seconds of the agent's speech the caller cuts in; also `after_s` of nods and coughs."""
    jitter_s: Range | None = None
    """By how much the network delays at the most."""
    loss: Range | None = None
    """The share of frames that the network loses."""
    late_marks_s: Range | None = None
    lost_marks: Range | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for name, value in self:
            if value is not None and value[0] > value[1]:
                raise PydanticCustomError("order", "'{key}' goes from the smaller to the larger", {"key": name})
        return self


class Expect(_Part):
    """What has to be so after the call."""

    heard: Sequence[str] = ()
    """Texts that the caller heard, in this order. Case and punctuation do not count."""
    not_heard: Sequence[str] = ()
    turns: Sequence[Literal["completed", "interrupted", "failed"]] | None = None
    """How each of the agent's turns ended."""
    prompts: Sequence[str] | None = None
    """What the caller was understood to say, turn by turn; empty where the agent spoke of its own accord."""
    hung_up_by: Literal["agent", "caller"] | None = None
    notes: Mapping[str, Any] = Field(default_factory=dict)
    """Facts that the agent noted; there may be more."""
    tools: Sequence[str | Mapping[str, Mapping[str, Any]]] | None = None
    """Tools that ran, in their order: names, or `name: {argument: value}`."""
    answers_within_s: PositiveFloat | None = None
    """From the end of the caller's words to the agent's first sound, for every answer."""
    stale_frames: NonNegativeInt = 0
    """Frames of speech that was cut off already."""
    holes: NonNegativeInt | None = None
    """Gaps in the agent's speech, at the most."""
    words_wrong: NonNegativeInt = 1
    """Words that the agent believes were heard and were not, or the other way round, in any turn, at the most."""
    complaints: bool = False
    """Whether the caller may have waited for something in vain."""
    judge: str = ""
    """What a language model has to find true of the conversation. It is asked once a scenario, if there is one."""


class Scenario(_Part):
    """A call, in some variations, and what is expected of each."""

    name: Annotated[str, Field(min_length=1)]
    caller: Annotated[Sequence[Any], Field(min_length=1)]
    """Steps, as in a caller's script."""
    variations: Annotated[PositiveInt, Field(le=MOST_VARIATIONS)] = 1
    vary: Vary = Vary()
    expect: Expect = Expect()
    agent: str = ""
    """Another one than the file's."""
    answers: Sequence[Answer] = ()
    """Before the file's."""
    parameters: Mapping[str, str] = Field(default_factory=dict)
    """What the carrier passes on from the TwiML."""


class ScenarioFile(_Part):
    """A file of them."""

    agent: str = ""
    """MODULE:AGENT. A path is relative to this file."""
    answers: Sequence[Answer] = ()
    scenarios: Annotated[Sequence[Scenario], Field(min_length=1)]


class Case(_Part):
    """One scenario, with everything that it takes from its file."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    path: Path
    line: int
    scenario: Scenario
    steps: Sequence[Step]
    agent: str
    answers: Sequence[Answer]


def read_scenarios(path: Path) -> Sequence[Case]:
    """Read a file of scenarios.

    Raises:
        UsageError: it cannot be read, or is none; the message names the line.
    """
    import yaml  # noqa: PLC0415 - only where scenarios are read

    try:
        text = path.read_text(encoding="utf-8")
        node, content = yaml.compose(text, yaml.SafeLoader), yaml.safe_load(text)
    except OSError as error:
        raise UsageError(f"cannot read the scenarios {path}: {error.strerror}") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UsageError(f"{path}, line {line}, is not YAML: {error.problem}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise UsageError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    try:
        file = ScenarioFile.model_validate(content)
    except ValidationError as error:
        lines = [_mistake(path, node, each) for each in error.errors(include_url=False)]
        raise UsageError("\n".join(dict.fromkeys(lines))) from error
    return [_case(path, file, node, number) for number in range(len(file.scenarios))]


def _case(path: Path, file: ScenarioFile, node: Any, number: int) -> Case:
    scenario = file.scenarios[number]
    place = ("scenarios", number)
    agent = scenario.agent or file.agent
    if not agent:
        raise UsageError(f"{path}, line {_line(node, place)}: which agent? add 'agent: MODULE:AGENT' to the file")
    steps = [
        read_step(step, f"{path}, line {_line(node, (*place, 'caller', at))}", path.parent)
        for at, step in enumerate(scenario.caller)
    ]
    return Case(
        path=path,
        line=_line(node, place),
        scenario=scenario,
        steps=steps,
        agent=_beside(path, agent),
        answers=[*scenario.answers, *file.answers],
    )


def _beside(path: Path, agent: str) -> str:
    """Return what names an agent, its path made relative to the working directory."""
    place, colon, name = agent.partition(":")
    return f"{path.parent / place}{colon}{name}" if place.endswith(".py") or "/" in place else agent


def _mistake(path: Path, node: Any, error: Mapping[str, Any]) -> str:
    place = tuple(error["loc"])
    if error["type"] == "unknown":
        return f"{path}, line {_line(node, (*place, error['ctx']['key']))}: {error['msg']}"
    where = f"{path}, line {_line(node, place)}"
    if error["type"] == "missing":
        return f"{where}: '{place[-1]}' is missing"
    if error["type"] == "order":
        return f"{where}: {error['msg']}"
    named = [str(part) for part in place if isinstance(part, str) and "[" not in part]
    given = "" if isinstance(error["input"], dict | list) else f", not {error['input']!r}"
    what = error["msg"].removeprefix("Input ").replace("should", "has to")
    return f"{where}: {f'{named[-1]!r} ' if named else ''}{what}{given}"


def _line(node: Any, place: Sequence[object]) -> int:
    """Return the line in which a part of the file begins, as far as there is such a part."""
    line = node.start_mark.line + 1 if node is not None else 1
    for part in place:
        if isinstance(part, int) and isinstance(node.value, list) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
            continue
        pairs = node.value if isinstance(node.value, list) else []
        found = next((pair for pair in pairs if isinstance(pair, tuple) and pair[0].value == part), None)
        if found is None:
            break
        line, node = found[0].start_mark.line + 1, found[1]
    return line
