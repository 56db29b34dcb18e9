"""What a call has to be like, and in how far it is: sentences, each of which says what was expected and what was."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agentvoice.history import ToolUse

from .scenarios import Expect
from .simulated import SimulatedCall


def unmet(expect: Expect, call: SimulatedCall) -> Sequence[str]:
    """Return what is not as it was expected; nothing if all is."""
    return [
        *_heard(expect, call),
        *_turns(expect, call),
        *_facts(expect, call),
        *_tools(expect, call),
        *_sound(expect, call),
    ]


def _plain(text: str) -> str:
    return " ".join("".join(filter(str.isalnum, word)).lower() for word in text.split())


def _heard(expect: Expect, call: SimulatedCall) -> Iterator[str]:
    heard = f" {_plain(call.heard)} "
    rest = heard
    for text in expect.heard:
        before, found, after = rest.partition(f" {_plain(text)} ")
        if not found:
            where = "too late" if f" {_plain(text)} " in heard else "not"
            yield f"{text!r} was {where} heard; what was heard is {call.heard!r}"
        rest = f" {after}" if found else before
    for text in expect.not_heard:
        if f" {_plain(text)} " in heard:
            yield f"{text!r} was heard: {call.heard!r}"


def _turns(expect: Expect, call: SimulatedCall) -> Iterator[str]:
    outcomes = [str(turn.outcome) for turn in call.turns]
    if expect.turns is not None and outcomes != list(expect.turns):
        yield f"the turns were {_list(outcomes)}, and not {_list(expect.turns)}"
    prompts = [turn.prompt for turn in call.turns]
    if expect.prompts is not None and list(map(_plain, prompts)) != list(map(_plain, expect.prompts)):
        yield f"the turns answered {prompts}, and not {list(expect.prompts)}"
    for turn in call.turns:
        if turn.reason and (expect.turns is None or "failed" not in expect.turns):
            yield f"turn {turn.id} failed: {turn.reason}"


def _facts(expect: Expect, call: SimulatedCall) -> Iterator[str]:
    for name, value in expect.notes.items():
        noted = call.notes.get(name)
        if noted != value:
            yield f"the agent noted {name}={noted!r}, and not {value!r}"
    if expect.hung_up_by is not None and call.hung_up_by != expect.hung_up_by:
        yield f"the {call.hung_up_by} hung up, and not the {expect.hung_up_by}"
    if not expect.complaints:
        yield from call.complaints


def _tools(expect: Expect, call: SimulatedCall) -> Iterator[str]:
    if expect.tools is None:
        return
    used = [(use.call.name, json.loads(use.call.arguments or "{}")) for use in call.history if isinstance(use, ToolUse)]
    wanted = [(each, {}) if isinstance(each, str) else next(iter(each.items())) for each in expect.tools]
    fits = len(used) == len(wanted) and all(
        name == other and _includes(arguments, some)
        for (name, arguments), (other, some) in zip(used, wanted, strict=False)
    )
    if not fits:
        yield f"the tools that ran were {_calls(used)}, and not {_calls(wanted)}"


def _includes(arguments: Mapping[str, Any], some: Mapping[str, Any]) -> bool:
    return all(arguments.get(name) == value for name, value in some.items())


def _sound(expect: Expect, call: SimulatedCall) -> Iterator[str]:
    if call.stale_frames > expect.stale_frames:
        yield f"{call.stale_frames} frames were heard of speech that was cut off"
    if expect.holes is not None and len(call.holes) > expect.holes:
        yield f"the agent's speech had {len(call.holes)} gaps: at {_list(f'{at:.2f} s' for at in call.holes)}"
    for turn in call.turns:
        if turn.words_wrong > expect.words_wrong:
            yield f"of turn {turn.id} {turn.played!r} was heard, and the agent believes {turn.heard!r}"
    if expect.answers_within_s is not None:
        for turn_id, seconds in delays(call).items():
            if seconds > expect.answers_within_s:
                limit = f"{expect.answers_within_s:g} s"
                yield f"turn {turn_id} was first heard {seconds:.2f} s after the caller, and not within {limit}"
    if call.overrun_s > 1:
        yield f"the call outlived its hang-up by {call.overrun_s:.1f} s"


def delays(call: SimulatedCall) -> Mapping[str, float]:
    """Return how long each turn that answered took, from the caller's last sound to the agent's first, in seconds."""
    return {
        turn.id: turn.timeline["first_frame_out"] - turn.timeline["caller_stopped"]
        for turn in call.turns
        if {"first_frame_out", "caller_stopped"} <= turn.timeline.keys()
    }


def _list(things: Any) -> str:
    return ", ".join(map(str, things)) or "none"


def _calls(calls: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    return _list(f"{name}({', '.join(f'{key}={value!r}' for key, value in some.items())})" for name, some in calls)
