"""The report of a call: what was promised, and what was measured, in seconds of its recording.

Whoever has `call.wav` can check every line of it with any tool.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

import msgspec

from .measure import Measured
from .story import BargeInStory, Story, TurnStory
from .truth import Truth, word_errors


@dataclass(frozen=True, slots=True)
class Report:
    """A call's report. `facts` is what `report.json` holds."""

    facts: Mapping[str, Any]

    def json(self) -> bytes:
        """Return it as JSON, for people too."""
        return msgspec.json.format(msgspec.json.encode(self.facts), indent=2) + b"\n"


def report(measured: Measured, notes: Mapping[str, Any] | None = None) -> Report:
    """Report a call. `notes` are what the agent found worth keeping."""
    story, truth = measured.observed(), measured.truth
    turns = [_turn(turn, measured) for turn in story.turns]
    errors = [turn["words_error"] for turn in turns if turn["words_error"] is not None]
    cuts = [one for one in story.barge_ins if one.confirmed]
    return Report(
        {
            "call_id": story.call_id,
            "agent": story.agent,
            "seconds": _s(measured.seconds or story.end - story.start),
            "ended_by": story.ended_by,
            "response_ms": _ms(median(story.responses)) if story.responses else None,
            "turns": turns,
            "barge_ins": [_barge_in(one, one.silent) for one in cuts if one.silent is not None],
            "withdrawn_unheard": [_withdrawn(one) for one in cuts if one.silent is None],
            "false_alarms": [_false_alarm(one) for one in story.barge_ins if not one.confirmed],
            "stale_frames": story.stale_frames,
            "stale_dropped": story.stale_dropped,
            "holes": len(story.holes),
            "holes_s": [_s(hole.seconds) for hole in story.holes],
            "words_error": max(errors, key=abs) if errors else None,
            "caller": _caller(story, truth),
            "notes": dict(notes or {}),
        }
    )


def _turn(turn: TurnStory, measured: Measured) -> dict[str, Any]:
    heard = turn.heard
    return {
        "id": turn.id,
        "context_id": turn.contexts[-1].id,
        "outcome": turn.outcome,
        "prompt": turn.prompt,
        "generated": turn.generated,
        "heard": heard.text if heard else "",
        "evidence": heard.evidence if heard else None,
        "response_ms": _ms(turn.response_s),
        "response_parts_ms": {name: _ms(end - start) for name, start, end in turn.latency},
        "response_recorded_ms": _ms(measured.response(turn)),
        "opened_s": _s(turn.opened),
        "first_audio_s": _s(turn.sounds[0].start) if turn.sounds else None,
        "last_audio_s": _s(turn.sounds[-1].end) if turn.sounds else None,
        "closed_s": _s(turn.closed),
        "heard_s": _s(heard.seconds) if heard else 0.0,
        "bound_s": _s(heard.bound_s) if heard else None,
        "words_error": measured.words_error(turn),
        "contexts": [context.id for context in turn.contexts],
        "reason": turn.reason,
    }


def _barge_in(one: BargeInStory, silent: float) -> dict[str, Any]:
    return {
        "turn_id": one.turn_id,
        "source": one.source,
        "at_s": _s(one.at),
        "held_s": _s(one.held),
        "decided_s": _s(one.decided),
        "cleared_s": _s(one.cleared),
        "silent_s": _s(silent),
        "decided_to_cleared_ms": None if one.cleared is None else _ms(one.cleared - one.decided),
        "at_to_silent_ms": _ms(max(0.0, silent - one.at)),
        "decided_to_silent_ms": _ms(silent - one.decided),
    }


def _false_alarm(one: BargeInStory) -> dict[str, Any]:
    return {"turn_id": one.turn_id, "at_s": _s(one.at), "held_s": _s(one.held), "resumed_s": _s(one.decided)}


def _withdrawn(one: BargeInStory) -> dict[str, Any]:
    """A turn that ended before anything of it was heard: nobody was interrupted."""
    return {"turn_id": one.turn_id, "source": one.source, "decided_s": _s(one.decided)}


def _caller(story: Story, truth: Truth | None) -> dict[str, Any] | None:
    """Compare what the caller said, by the script, with what was understood."""
    if truth is None or not truth.said:
        return None
    understood = " ".join(one.text for one in story.understood if one.final and one.text)
    wrong, words = word_errors(" ".join(line.text for line in truth.said), understood)
    return {
        "said": [{"text": one.text, "start_s": _s(one.start_s), "end_s": _s(one.end_s)} for one in truth.said],
        "words": words,
        "wrong": wrong,
        "word_error_rate": round(wrong / words, 4) if words else None,
        "complaints": list(truth.complaints),
    }


def _s(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else round(1000 * seconds)
