"""Tools under a storm of barge-ins: each run exactly as its declaration says, counted in a real SQLite file.

    python -m benchmarks.tools                       # 1,000 barge-ins
    python -m benchmarks.tools --barge-ins 10000 --backend trio

Callers give one order after the other, and cut in while the agent speaks and a tool runs, at a moment left to chance;
as often as not the model then asks for the same again. Whole calls, in virtual time. What was done is in the file; what
was asked, cut and withdrawn is in the traces of the calls; and the two have to agree.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random

import anyio

from agentvoice import Agent, tool
from agentvoice.commands import AnswerTool, StartTool, TurnClosed, TurnConfirmed, TurnState
from agentvoice.errands import ALREADY
from agentvoice.events import OnInterrupt, ToolEnded, ToolOutcome, ToolRequested
from agentvoice.history import Fact, ToolUse
from agentvoice.interfaces import Message, Thought, ToolCall
from agentvoice.testing.clock import virtual
from agentvoice.testing.llm import ScriptedModel
from agentvoice.testing.script import BargesIn, Step, hangs_up, pauses, says, waits_for_agent
from agentvoice.testing.simulate import simulate
from agentvoice.testing.simulated import SimulatedCall
from agentvoice.trace.log import read_trace

A_CALL = 100
"""Barge-ins in one call."""
LONGEST_S = 2.0
"""The longest that a tool takes."""
TALK = (
    "I am going to do that for you now, which may well take me a little while, so please stay on the line with me "
    "until it is done, and do not hesitate to tell me if there is anything else. "
)
DECLARED = {"query": OnInterrupt.CANCEL, "note": OnInterrupt.FINISH, "book": OnInterrupt.FINISH_AND_TELL}


class Desk(Agent):
    """Carries out orders, each in two steps that a cancellation may fall between."""

    def __init__(self, file: Path, random: Random) -> None:
        self._file = sqlite3.connect(file, isolation_level=None)
        self._file.execute("PRAGMA synchronous = OFF")  # what is counted is rows, not disks
        self._file.execute("CREATE TABLE IF NOT EXISTS run (id INTEGER PRIMARY KEY, tool TEXT, number INT, done INT)")
        self._random = random

    @tool(on_interrupt="cancel")
    async def query(self, number: int) -> str:
        return await self._run("query", number)

    @tool(on_interrupt="finish")
    async def note(self, number: int) -> str:
        return await self._run("note", number)

    @tool(on_interrupt="finish_and_tell")
    async def book(self, number: int) -> str:
        return await self._run("book", number)

    @tool(pure=True)
    async def look(self, number: int) -> str:
        return await self._run("look", number)

    async def _run(self, name: str, number: int) -> str:
        begun = "INSERT INTO run (tool, number, done) VALUES (?, ?, 0) RETURNING id"
        [(row,)] = self._file.execute(begun, (name, number))
        await anyio.sleep(self._random.uniform(0, LONGEST_S))
        self._file.execute("UPDATE run SET done = 1 WHERE id = ?", (row,))
        return f"{name} {number} is done"


def orders(random: Random) -> ScriptedModel:
    """Return a model that does what it is told, and as often as not again what it was cut off doing."""
    asked: list[tuple[str, str]] = []
    decided: dict[tuple[int, str], tuple[str, str]] = {}  # a guess is thought over only if it was wrong

    def answer(messages: Sequence[Message]) -> Sequence[Thought]:
        last = messages[-1].content
        if messages[-1].role == "tool":
            return ["That is done. Is there anything else that I can do for you this evening, or is that all for now?"]
        here = (len(messages), last)
        if here not in decided:
            number = json.dumps({"number": len(decided)})
            again = asked and random.random() < 0.5
            decided[here] = asked[-1] if again else (random.choice(["query", "note", "book", "look"]), number)
            asked.append(decided[here])
        return [TALK, ToolCall("", *decided[here])]

    return ScriptedModel(answer, token_s=0.002)


@dataclass
class Count:
    """What happened in a storm, and what should not have."""

    barge_ins: int = 0
    calls: int = 0
    call_s: float = 0.0
    asked: int = 0
    withdrawn: int = 0
    """Requests of withdrawn turns, which were never run."""
    shared: int = 0
    """Requests that were answered by what had been done before."""
    runs: Counter[str] = field(default_factory=Counter)
    """Runs by what became of them, such as `book, cut: done`."""
    wrong: list[str] = field(default_factory=list)

    def check(self, right: bool, what: str) -> None:  # noqa: FBT001
        if not right:
            self.wrong.append(what)


async def storm(folder: Path, *, barge_ins: int, seed: int = 0) -> Count:
    """Have as many calls as it takes, and return what was counted."""
    count = Count()
    while count.barge_ins < barge_ins:
        random = Random(f"{seed} {count.calls}")
        file = folder / f"{seed}-{count.calls}.sqlite"
        cuts: list[Step] = []
        for number in range(min(A_CALL, barge_ins - count.barge_ins)):
            cuts.append(BargesIn(f"Wait, number {number} please.", after_s=random.uniform(0.1, LONGEST_S)))
            if random.random() < 0.3:  # and goes on when the answer has been begun, unheard
                cuts += [pauses(random.uniform(0.35, 0.6)), says("Or rather the one after that.")]
        call = await simulate(
            Desk(file, random),
            [says("Do number zero please."), *cuts, waits_for_agent(), pauses(2 * LONGEST_S), hangs_up()],
            llm=orders(random),
            seed=count.calls,
        )
        audit(call, file, count)
    return count


def audit(call: SimulatedCall, file: Path, count: Count) -> None:
    """Compare what the file holds with what the trace tells, request by request."""
    requested: dict[str, ToolRequested] = {}
    started: set[str] = set()
    ended: dict[str, ToolEnded] = {}
    confirmed: set[str] = set()
    over: dict[str, TurnState] = {}
    cut: set[str] = set()  # runs that outlived their turn, or were stopped with it
    shared: set[str] = set()
    for step in read_trace(call.trace.splitlines()).steps:
        if isinstance(step.event, ToolRequested):
            requested[step.event.tool_call_id] = step.event
        if isinstance(step.event, ToolEnded):
            count.check(step.event.tool_call_id not in ended, f"{step.event} ended twice")
            ended[step.event.tool_call_id] = step.event
        for command in step.commands:
            match command:
                case StartTool(id_):
                    request = requested[id_]
                    count.check(id_ not in started, f"{request} was started twice")
                    count.check(request.turn_id not in over, f"{request} was started after its turn")
                    started.add(id_)
                case AnswerTool(id_, result) if result.endswith(ALREADY):
                    shared.add(id_)
                case TurnConfirmed(turn_id):
                    confirmed.add(turn_id)
                case TurnClosed(turn_id, _, outcome):
                    over[turn_id] = outcome
                    cut |= {id_ for id_ in started - ended.keys() if requested[id_].turn_id == turn_id}
                    count.barge_ins += outcome is TurnState.INTERRUPTED

    count.calls += 1
    count.call_s += call.seconds
    count.asked += len(requested)
    count.shared += len(shared)
    count.check(call.stale_frames == 0, "stale audio was heard")
    _audit_runs(requested, started, ended, cut, count)
    _audit_file(requested, started, ended, file, count)
    _audit_history(call, requested, started, ended, cut, shared, count)
    never = {id_ for id_, request in requested.items() if over.get(request.turn_id) is TurnState.WITHDRAWN}
    guesses = {id_ for id_ in never if requested[id_].turn_id not in confirmed and not requested[id_].pure}
    count.withdrawn += len(guesses - started)


def _audit_runs(
    requested: dict[str, ToolRequested], started: set[str], ended: dict[str, ToolEnded], cut: set[str], count: Count
) -> None:
    for id_ in started:
        name, outcome = requested[id_].name, ended[id_].outcome if id_ in ended else None
        stops = name in {"query", "look"}
        declared = ToolOutcome.CANCELLED if id_ in cut and stops else ToolOutcome.DONE
        count.check(outcome is declared, f"{requested[id_]}, {'cut' if id_ in cut else 'in peace'}: {outcome}")
        count.runs[f"{name}, {'cut' if id_ in cut else 'in peace'}: {outcome}"] += 1


def _audit_file(
    requested: dict[str, ToolRequested], started: set[str], ended: dict[str, ToolEnded], file: Path, count: Count
) -> None:
    begun, done = Counter[tuple[str, int]](), Counter[tuple[str, int]]()
    for id_ in started:
        key = (requested[id_].name, json.loads(requested[id_].arguments)["number"])
        begun[key] += 1
        done[key] += ended[id_].outcome is ToolOutcome.DONE
    with closing(sqlite3.connect(file)) as rows:
        in_file = rows.execute("SELECT tool, number, count(*), sum(done) FROM run GROUP BY tool, number").fetchall()
    # One that was cancelled before its first step has left no row; none may have left more than it was started.
    for name, number, rows_begun, rows_done in in_file:
        key = (name, number)
        count.check(rows_begun <= begun[key], f"{name} {number} ran {rows_begun} times, not {begun[key]}")
        count.check(rows_done == done[key], f"{name} {number} was done {rows_done} times, not {done[key]}")
        count.check(name == "look" or rows_done <= 1, f"{name} {number} was done {rows_done} times")
    seen = {(name, number) for name, number, _, _ in in_file}
    count.check(all(key in seen for key, times in done.items() if times), "something was done and is not in the file")


def _audit_history(
    call: SimulatedCall,
    requested: dict[str, ToolRequested],
    started: set[str],
    ended: dict[str, ToolEnded],
    cut: set[str],
    shared: set[str],
    count: Count,
) -> None:
    uses = [entry for entry in call.history if isinstance(entry, ToolUse)]
    facts = Counter(entry.text for entry in call.history if isinstance(entry, Fact))
    ids = [use.call.id for use in uses]
    count.check(len(ids) == len(set(ids)), "a request stands in the history twice")
    count.check(all(use.result is not None for use in uses), "a request has no result")
    unpure = {id_ for id_ in started if not requested[id_].pure}
    count.check(unpure | shared <= set(ids), "something was done and is not in the history")
    told = Counter(
        f"Meanwhile book({requested[id_].arguments}) was done: {ended[id_].result}"
        for id_ in cut
        if requested[id_].name == "book"
    )
    known = {use.call.arguments for use in uses if use.call.id in shared and use.call.name == "book"}
    for fact, times in facts.items():
        count.check(times == told[fact], f"told {times} times, not {told[fact]}: {fact}")
    for id_ in cut:
        request = requested[id_]
        fact = f"Meanwhile book({request.arguments}) was done: {ended[id_].result}"
        if request.name == "book":
            count.check(fact in facts or request.arguments in known, f"the model was never told: {fact}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tools", description="Tools under a storm of barge-ins.")
    parser.add_argument("--barge-ins", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--backend", choices=["asyncio", "trio"], default="asyncio")
    options = parser.parse_args()
    backend, backend_options = virtual(options.backend)
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        count = anyio.run(
            partial(storm, Path(folder), barge_ins=options.barge_ins, seed=options.seed),
            backend=backend,
            backend_options=backend_options,
        )
        took_s = time.perf_counter() - began
    print(f"{count.barge_ins} barge-ins in {count.calls} calls, {count.call_s / 60:.0f} minutes in {took_s:.0f} s")
    print(f"{count.asked} requests: {sum(count.runs.values())} run, {count.shared} answered by what was done already,")
    print(f"  {count.withdrawn} of withdrawn turns, never run")
    for what, times in sorted(count.runs.items()):
        print(f"{times:6}  {what}")
    print(f"{len(count.wrong):6}  otherwise than declared", *count.wrong[:10], sep="\n        ")


if __name__ == "__main__":
    main()
