"""`agentvoice test`: whole calls in memory, as scenario files describe them."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Final

import anyio
import structlog
from pydantic import BaseModel
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from agentvoice.errors import AgentVoiceError, UsageError
from agentvoice.interfaces import LanguageModel, Message
from agentvoice.llm import fill
from agentvoice.plugins import load
from agentvoice.settings import Settings
from agentvoice.testing.clock import virtual
from agentvoice.testing.junit import write_junit
from agentvoice.testing.scenarios import Case, read_scenarios
from agentvoice.testing.variations import Tried, try_out

from .begin import begin
from .locate import locate

_TOLD: Final = 3
"""Failures of a scenario that are told in full."""
_ALONE: Final = 24
"""Variations that are not worth starting other processes for."""


def test(
    places: Sequence[Path], *, only: str, seed: int | None, jobs: int | None, junit: Path | None, judge: str | None
) -> None:
    """Try out every variation of every scenario; say what was not as expected."""
    settings = begin()
    _quieten()
    cases = [
        case for path in _files(places) for case in read_scenarios(path) if only.lower() in case.scenario.name.lower()
    ]
    if not cases:
        raise UsageError(f"no scenario's name contains '{only}'" if only else "there are no scenarios there")
    for case in cases:
        locate(case.agent)  # what is wrong with it is better said once
    console = Console(highlight=False, soft_wrap=True)
    work = [(case, number) for case in cases for number in _seeds(case, seed)]
    model = _judge(cases, settings, judge, console)
    tried = _try(work, jobs or os.cpu_count() or 1, console)
    if model is not None:
        with console.status("asking the judge"):
            tried = list(_judged(model, tried, _questions(cases)))
    if junit is not None:
        write_junit(junit, tried)
    _report(console, cases, tried)
    failed = sum(not each.passed for each in tried)
    if failed:
        raise AgentVoiceError(f"{failed} of {len(tried)} calls were not as expected")


def _files(places: Sequence[Path]) -> Iterator[Path]:
    for place in places:
        if place.is_dir():
            found = sorted([*place.rglob("*.yaml"), *place.rglob("*.yml")])
            if not found:
                raise UsageError(f"there is no scenario (*.yaml) in {place}")
            yield from found
        elif place.exists():
            yield place
        else:
            raise UsageError(f"there is no file or folder '{place}' in {Path.cwd()}")


def _seeds(case: Case, seed: int | None) -> Sequence[int]:
    return [seed] if seed is not None else range(case.scenario.variations)


# ------------------------------------------------------------------ the calls


def _try(work: Sequence[tuple[Case, int]], jobs: int, console: Console) -> Sequence[Tried]:
    """Try everything out, in other processes where it is much, and show how far it is."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    tried: list[Tried | None] = [None] * len(work)
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("calls", total=len(work))
        if jobs == 1 or len(work) <= _ALONE:
            for number, (case, seed) in enumerate(work):
                tried[number] = try_one(case, seed)
                progress.advance(task)
        else:
            spawning = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(min(jobs, len(work)), mp_context=spawning, initializer=_work) as pool:
                numbers = {pool.submit(try_one, *each): number for number, each in enumerate(work)}
                try:
                    for future in as_completed(numbers):
                        tried[numbers[future]] = future.result()
                        progress.advance(task)
                except BaseException:  # Ctrl-C: the calls that have not begun shall not
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise
    return [each for each in tried if each is not None]


def _work() -> None:
    """Be a process that works for another, which alone is told of Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()  # what was imported is no garbage, and need not be looked through again and again
    _quieten()


def _quieten() -> None:
    """Let nothing be logged: what went wrong in a call is for its scenario to tell."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def try_one(case: Case, seed: int) -> Tried:
    """Have one variation of a call, in virtual time."""
    backend, options = virtual("asyncio")
    return anyio.run(try_out, case, locate(case.agent), seed, backend=backend, backend_options=options)


# ------------------------------------------------------------------ the judge


class Verdict(BaseModel):
    """What a judge finds."""

    true: bool
    """Whether the claim is true of the conversation."""
    why: str


def _questions(cases: Sequence[Case]) -> dict[tuple[str, int], str]:
    return {(str(case.path), case.line): case.scenario.expect.judge for case in cases if case.scenario.expect.judge}


def _judge(cases: Sequence[Case], settings: Settings, name: str | None, console: Console) -> LanguageModel | None:
    """Return the language model that judges, if there is anything to judge, and one is set."""
    if not (questions := _questions(cases)):
        return None
    name = name or (settings.llm if "llm" in settings.model_fields_set else "")
    if not name:
        console.print(
            f"[yellow]the judge is not asked (questions: {len(questions)}): no language model is set[/]"
            " [dim](AGENTVOICE_LLM, or --judge NAME)[/]"
        )
        return None
    model: LanguageModel = load("llm", name)()
    with console.status(f"loading {name}"):
        model.prepare()
    return model


def _judged(model: LanguageModel, tried: Sequence[Tried], questions: dict[tuple[str, int], str]) -> Iterator[Tried]:
    """Ask about the first call of each scenario that has a question to it."""
    for each in tried:
        claim = questions.pop((each.path, each.line), "") if each.account else ""
        yield replace(each, failures=[*each.failures, *_find(model, claim, each.account)]) if claim else each


def _find(model: LanguageModel, claim: str, account: str) -> Sequence[str]:
    messages = [
        Message(
            "system",
            "You judge conversations on the telephone. Say whether a claim about one is true, and why, in a few words.",
        ),
        Message("user", f"The conversation:\n{account}\n\nThe claim: {claim}"),
    ]
    try:
        verdict: Verdict = anyio.run(fill, model, Verdict, messages)
    except AgentVoiceError as error:
        return [f"the judge could not say whether {claim!r}: {error}"]
    return [] if verdict.true else [f"the judge does not find that {claim!r}: {verdict.why}"]


# ------------------------------------------------------------------ the report


def _report(console: Console, cases: Sequence[Case], tried: Sequence[Tried]) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("", "scenario"):
        table.add_column(column)
    for column in ("calls", "failed", "median answer", "slowest"):
        table.add_column(column, justify="right")
    for case in cases:
        mine = [each for each in tried if (each.path, each.line) == (str(case.path), case.line)]
        answers = [seconds for each in mine for seconds in each.answers_s]
        failed = sum(not each.passed for each in mine)
        table.add_row(
            Text("failed", "red") if failed else Text("passed", "green"),
            Text(case.scenario.name),
            str(len(mine)),
            Text(str(failed), "red" if failed else "dim"),
            _seconds(answers, median),
            _seconds(answers, max),
        )
    console.print(table)
    for case in cases:
        failures = [each for each in tried if not each.passed and (each.path, each.line) == (str(case.path), case.line)]
        for each in failures[:_TOLD]:
            _tell(console, each)
        if len(failures) > _TOLD:
            rest = ", ".join(str(each.seed) for each in failures[_TOLD:][:20])
            console.print(f"[dim]and {len(failures) - _TOLD} more of '{case.scenario.name}': seeds {rest}[/]")


def _seconds(values: Sequence[float], take: Callable[[Sequence[float]], float]) -> str:
    return f"{take(values):.2f} s" if values else "-"


def _tell(console: Console, tried: Tried) -> None:
    console.print()
    console.print(Text.assemble((tried.name, "bold red"), f", seed {tried.seed}"))
    for failure in tried.failures:
        console.print(Text(f"  {failure}"))
    console.print(Text("\n".join(f"  {line}" for line in tried.account.splitlines()), style="dim"))
    again = f"agentvoice test {tried.path} --only '{tried.name}' --seed {tried.seed}"
    console.print(Text(f"  again: {again}", style="dim"))
