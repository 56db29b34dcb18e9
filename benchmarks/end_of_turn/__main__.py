"""Run it: make the corpus, hear it, try every way to tell the end of a turn, and write down what came of it."""

from __future__ import annotations

import argparse
import math
import pickle
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from time import process_time
from typing import Final

import anyio

from agentvoice import logs
from agentvoice.endpointing import Endpointing
from agentvoice.events import Transcript
from agentvoice_silero import Silero
from agentvoice_smart_turn import SmartTurn

from . import __doc__ as about
from .corpus import Contribution, Corpus, build
from .figures import Point, by_kind, curve, judged
from .hearing import Heard, recent, speech, transcribed
from .picture import draw
from .trial import SILENCES_S, WAYS, attempt

OUT: Final = Path("out/end_of_turn")
LEVELS: Final = {"clean": None, "10 dB noise": 10.0}
Said = Sequence[tuple[Contribution, Heard]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.end_of_turn", description=str(about).splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a fifth of the callers")
    parser.add_argument("--callers", type=int, default=40, help="how many")
    parser.add_argument("--again", action="store_true", help="take what was heard from the last run")
    parser.add_argument("--docs", type=Path, help="where to leave the picture; the default is out/end_of_turn")
    wanted = parser.parse_args()
    logs.configure(level="error", format="json")
    OUT.mkdir(parents=True, exist_ok=True)
    corpus, heard = listened(8 if wanted.quick else wanted.callers, again=wanted.again)
    pauses = sum(len(each.pauses) for each in corpus.contributions)
    print(f"corpus {corpus.digest}: {len(corpus.contributions)} contributions with {pauses} pauses", flush=True)
    points, defaults = tried(heard)
    judgements = [judged(noise, said) for noise, said in heard.items()]
    for part in (curve([*points, *defaults]), by_kind(defaults), *judgements):
        print(f"\n{part}")
    print(f"\n{draw(points, defaults, wanted.docs or OUT)}; {process_time():.0f} s of CPU")


def listened(callers: int, *, again: bool) -> tuple[Corpus, dict[str, Said]]:
    """Make the corpus, and hear it at every level of noise."""
    path = OUT / f"heard-{callers}.pickle"
    if again and path.exists():
        known: tuple[Corpus, dict[str, Said]] = pickle.loads(path.read_bytes())
        return known
    corpus = build(callers, OUT / "recordings", partial(print, flush=True))
    known = corpus, anyio.run(overheard, corpus)
    path.write_bytes(pickle.dumps(known))
    return known


async def overheard(corpus: Corpus) -> dict[str, Said]:
    """Return what is heard of each contribution."""
    vad, model = Silero(), SmartTurn()
    vad.prepare()
    model.prepare()
    heard: dict[str, Said] = {}
    for noise, level in LEVELS.items():
        said = []
        for contribution in corpus.contributions:
            line = contribution.line(level)
            events = transcribed(contribution, await speech(vad, line))
            asked = [at for at, event in events if isinstance(event, Transcript)]
            judgements = [(at, await model.judge(recent(line, at), 8000, "")) for at in asked]
            said.append((contribution, Heard(events, judgements)))
        heard[noise] = said
        print(f"heard with {noise}, {process_time():.0f} s of CPU", flush=True)
    return heard


def tried(heard: dict[str, Said]) -> tuple[list[Point], list[Point]]:
    """Try every way with every silence, and with the defaults."""
    points, defaults = [], []
    for noise, said in heard.items():
        for way in WAYS:
            settings = ((silence, way.setting(silence)) for silence in SILENCES_S)
            points += [Point(way.name, noise, silence, list(attempt(way, each, said))) for silence, each in settings]
            defaults.append(Point(way.name, noise, math.nan, list(attempt(way, Endpointing(), said))))
    return points, defaults


if __name__ == "__main__":
    main()
