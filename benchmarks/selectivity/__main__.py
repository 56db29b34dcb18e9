"""Run it: make the corpus, let the agent hear it, try every policy on it, and write down what came of it."""

from __future__ import annotations

import argparse
import json
import math
import pickle
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any, Final

import anyio
import numpy as np

from agentvoice import logs
from agentvoice.audio import mulaw_to_linear
from agentvoice.events import Event
from agentvoice.testing.clock import virtual

from . import __doc__ as about, voices
from .corpus import TAIL_S, Clip, Corpus, Kind, at_level, build, coded
from .ears import FRAME, Memory, Models, overhear
from .figures import EARLY_S, Result, rates, times
from .phrases import AGENT
from .picture import draw
from .policies import CONTENDERS, Contender
from .sounds import RATE
from .trial import Outcome, Speech, attempt

Heard = Sequence[tuple[float, Event]]
LEVELS: Final = (None, 20.0, 10.0, 5.0)
ECHO_S: Final = 4.0
"""How long an echo is given to do harm. It is heard afresh in every call, since it ends when the agent falls silent: so
on clean lines only, where it is heard best."""
OUT: Final = Path("out/selectivity")
KINDS: Final = tuple(kind.value for kind in Kind)
CONDITIONS: Final = (
    "clean",
    *(f"{maker} {level:.0f} dB" for maker in ("machine", "people") for level in LEVELS[1:] if level),
)


def condition(clip: Clip, level: float | None) -> str:
    """Name the noise of one line."""
    return "clean" if level is None else f"{'people' if clip.murmured else 'machine'} {level:.0f} dB"


def virtually(what: Callable[..., Any], *arguments: Any) -> Any:
    """Run a coroutine function on a clock of its own, that jumps."""
    backend, options = virtual("asyncio")
    return anyio.run(what, *arguments, backend=backend, backend_options=options)


class Echo:
    """The far end's loudspeaker, heard by its microphone: what the agent said a moment ago, weaker."""

    def __init__(self, corpus: Corpus, clip: Clip, level: float | None) -> None:
        self._noise = corpus.noise(clip, level, len(clip.sound) / RATE + TAIL_S)
        self._gain = float(clip.sound[0])
        self._played = bytearray(b"\xff" * round(clip.delay_s * RATE))

    def __call__(self, number: int, frame: bytes) -> bytes:
        at = number * FRAME
        self._played += frame
        back = np.frombuffer(mulaw_to_linear(bytes(self._played[at : at + FRAME])), "<i2") / 32768
        return coded(self._noise[at : at + FRAME] + self._gain * back)


def result(contender: Contender, corpus: Corpus, clip: Clip, level: float | None, outcome: Outcome) -> Result:
    """Put what happened on the clock of the sound."""
    onset = 0.0 if clip.kind is Kind.ECHO else corpus.detectable_s(clip, level)
    return Result(
        policy=contender.name,
        kind=clip.kind.value,
        condition=condition(clip, level),
        clip=clip.number,
        name=clip.name,
        source=clip.source,
        ends_s=clip.end_s - onset,
        hold_s=next((held - onset for held in outcome.held if held >= onset - EARLY_S), math.inf),
        cut_s=outcome.cut_s - onset,
        cut_by=outcome.cut_by,
        silent_s=outcome.silent_s - onset,
        paused_s=outcome.paused_s,
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.selectivity", description=str(about).splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the clips, clean and at 10 dB")
    parser.add_argument("--clips", type=int, default=110, help="how many of each kind")
    parser.add_argument(
        "--again", action="store_true", help="take the corpus, and what was heard of it, from the last run"
    )
    parser.add_argument("--docs", type=Path, help="where to leave the picture; the default is out/selectivity")
    wanted = parser.parse_args()
    logs.configure(level="error", format="json")
    OUT.mkdir(parents=True, exist_ok=True)
    count, levels = (11, (None, 10.0)) if wanted.quick else (wanted.clips, LEVELS)
    corpus, speeches = made(count, again=wanted.again)
    print(f"corpus {corpus.digest}: {count} clips each of {', '.join(KINDS)}", flush=True)
    heard = listened(corpus, levels, again=wanted.again)
    results = tried(corpus, speeches, heard, levels)
    (OUT / "results.json").write_text(json.dumps([asdict(each) for each in results], indent=1))
    for part in (rates(results, CONDITIONS, KINDS), times(results, CONDITIONS)):
        print(f"\n{part}")
    print(f"\n{draw(results, CONDITIONS, wanted.docs or OUT)}; {process_time():.0f} s of CPU")


def made(count: int, *, again: bool) -> tuple[Corpus, Sequence[Speech]]:
    """Make the corpus, and what the agent says."""
    path = OUT / f"corpus-{count}.pickle"
    if again and path.exists():
        corpus, speeches = pickle.loads(path.read_bytes())
        return corpus, speeches
    corpus, speeches = build(count, partial(print, flush=True)), []
    for text in (" ".join(lines.split()) for lines in AGENT):
        sound, words = voices.spoken_by_agent(text)
        speeches.append(Speech(text, coded(at_level(sound, -22.0)), tuple(words)))
    path.write_bytes(pickle.dumps((corpus, speeches)))
    return corpus, speeches


def listened(corpus: Corpus, levels: Sequence[float | None], *, again: bool) -> dict[tuple[int, float | None], Heard]:
    """Return what the agent hears on each line, but for echoes, which depend on what it does."""
    path = OUT / f"heard-{corpus.digest}-{len(levels)}.pickle"
    if again and path.exists():
        known: dict[tuple[int, float | None], Heard] = pickle.loads(path.read_bytes())
        return known
    models, heard = Models(), {}
    clips = [clip for clip in corpus.clips if clip.kind is not Kind.ECHO]
    for number, clip in enumerate(clips, 1):
        for level in levels:
            heard[clip.number, level] = virtually(overhear, models, corpus.line(clip, level))
        if number % 40 == 0:
            spent = models.recognizer.desk.spent_s
            cost = 1e3 * sum(spent) / max(1, len(spent))
            print(f"heard {number} of {len(clips)} clips, {process_time():.0f} s, {cost:.0f} ms a decoding", flush=True)
    path.write_bytes(pickle.dumps(heard))
    return heard


def tried(
    corpus: Corpus,
    speeches: Sequence[Speech],
    heard: dict[tuple[int, float | None], Heard],
    levels: Sequence[float | None],
) -> list[Result]:
    """Have every call with every policy."""
    results, models = [], Models()
    for contender in CONTENDERS:
        for clip in corpus.clips:
            for level in levels[:1] if clip.kind is Kind.ECHO else levels:
                have = partial(attempt, contender.policy, contender.sources, speeches[clip.agent])
                if clip.kind is Kind.ECHO:
                    outcome = virtually(partial(have, ECHO_S, models.ears, say=Echo(corpus, clip, level)))
                else:
                    outcome = virtually(have, clip.end_s + TAIL_S, partial(Memory, heard[clip.number, level]))
                results.append(result(contender, corpus, clip, level, outcome))
        print(f"tried {contender.name}: {contender.about}, {process_time():.0f} s", flush=True)
    return results


if __name__ == "__main__":
    main()
