"""Variations of a scenario: a seed decides everything that may differ, and the same seed always decides the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from agentvoice.agent import Agent
from agentvoice.interfaces import Message, Thought, ToolCall

from .expectations import delays, unmet
from .hearing import ScriptedRecognizer
from .lexicon import Lexicon
from .llm import ScriptedModel
from .scenarios import Answer, Case, Range
from .script import BargesIn, Step
from .simulate import simulate
from .simulated import SimulatedCall
from .tts import ScriptedSpeech
from .weather import Weather


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of one variation. Plain values: it may come from another process."""

    name: str
    path: str
    line: int
    seed: int
    failures: Sequence[str]
    account: str = field(repr=False)
    """The call, line by line."""
    seconds: float
    answers_s: Sequence[float]
    """How long each answer took."""

    @property
    def passed(self) -> bool:
        """Whether all was as expected."""
        return not self.failures


async def try_out(case: Case, agent: Callable[[], Agent], seed: int) -> Tried:
    """Have one variation of a call; return what became of it."""
    scenario = case.scenario
    try:
        call = await have(case, agent, seed)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this scenario's
        failure = f"the call broke: {type(error).__name__}: {error}"
        return Tried(scenario.name, str(case.path), case.line, seed, [failure], "", 0.0, [])
    failures = unmet(scenario.expect, call)
    answers = list(delays(call).values())
    return Tried(scenario.name, str(case.path), case.line, seed, failures, str(call), call.seconds, answers)


async def have(case: Case, agent: Callable[[], Agent], seed: int) -> SimulatedCall:
    """Have one variation of a call."""
    vary, random = case.scenario.vary, Random(seed)

    def pick(between: Range | None, usual: float) -> float:
        chance = random.random()  # drawn even where it decides nothing: what is added later changes nothing else
        return usual if between is None else between[0] + chance * (between[1] - between[0])

    lexicon = Lexicon(words_per_s=pick(vary.words_per_s, 3.0))
    speech = ScriptedSpeech(seed=seed, latency_s=pick(vary.speech_s, 0.1), real_time_factor=pick(vary.speech_rate, 0.1))
    recognizer = ScriptedRecognizer(lexicon.hear, latency_s=pick(vary.hearing_s, 0.1))
    model = ScriptedModel(
        lambda messages: _answer(case.answers, messages),
        lambda messages: _form(case.answers, messages),
        latency_s=pick(vary.model_s, 0.1),
    )
    weather = Weather(
        jitter_s=pick(vary.jitter_s, 0.0),
        loss=pick(vary.loss, 0.0),
        late_marks_s=pick(vary.late_marks_s, 0.0),
        lost_marks=pick(vary.lost_marks, 0.0),
        seed=seed,
    )
    steps = [_cut_in(step, lambda usual: pick(vary.barge_in_s, usual)) for step in case.steps]
    return await simulate(
        agent(),
        steps,
        speech=speech,
        recognizer=recognizer,
        lexicon=lexicon,
        llm=model,
        weather=weather,
        parameters=case.scenario.parameters,
        seed=seed,
    )


def _cut_in(step: Step, after: Callable[[float], float]) -> Step:
    return replace(step, after_s=after(step.after_s)) if isinstance(step, BargesIn) and not step.at_word else step


def _answer(answers: Sequence[Answer], messages: Sequence[Message]) -> Sequence[Thought]:
    """Return what the model says: the first of the answers that fits."""
    last = messages[-1]
    tool = _tool(messages) if last.role == "tool" else ""
    for answer in answers:
        if answer.form is not None and not (answer.say or answer.tool):
            continue
        fits = answer.after == tool if tool else not answer.after and answer.when.lower() in last.content.lower()
        if fits:
            said: list[Thought] = [answer.say] if answer.say else []
            if answer.tool:
                said.append(ToolCall(f"call-{len(messages)}", answer.tool, json.dumps(dict(answer.arguments))))
            return said
    return ["I see."]


def _form(answers: Sequence[Answer], messages: Sequence[Message]) -> Mapping[str, Any]:
    said = " ".join(message.content for message in messages).lower()
    return next((answer.form for answer in answers if answer.form is not None and answer.when.lower() in said), {})


def _tool(messages: Sequence[Message]) -> str:
    """Return which tool the last message is the result of."""
    calls = (call for message in messages for call in message.tool_calls if call.id == messages[-1].tool_call_id)
    return next((call.name for call in calls), "?")
