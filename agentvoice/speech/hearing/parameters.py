"""What clients of the recognition sockets ask for in the address, checked. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from agentvoice.endpointing import Endpointing
from agentvoice.stt.messages import Configure
from agentvoice.stt.thresholds import TURN_RANGES, Thresholds, bad, within
from agentvoice.tts.messages import rejected
from agentvoice.voice_gate import Sensitivity

from .decoding import ENCODINGS

RATES: Final = (8_000, 192_000)
"""Samples per second, from and to."""
KEYTERMS: Final = 100
KEYTERM_CHARACTERS: Final = 1200
_SILENCE_S: Final = 0.5
"""`/stt/websocket`: the silence after which what was said is transcribed, without being asked to."""
_FALL_S: Final = 0.31
"""How a silence tells that the turn is over: that it goes on is taken to be `e` times less likely after each
`_FALL_S` of silence. With the default `end_threshold` that is half a second."""


_USUAL: Final = Endpointing()


@dataclass(frozen=True, slots=True)
class Listen:
    """How a client's audio is written, and what recognises it."""

    model: str
    encoding: str
    sample_rate: int
    language: str = ""
    silence_s: float = _SILENCE_S
    overlooked: tuple[str, ...] = ()
    """What was asked for, and is not done."""

    @property
    def sensitivity(self) -> Sensitivity:
        """What counts as a pause."""
        return Sensitivity(silence_s=self.silence_s)


class Turns(Thresholds):
    """What thresholds mean here: we hear how likely speech is, and not how likely it is that the turn goes on."""

    __slots__ = ()

    @property
    def sensitivity(self) -> Sensitivity:
        """What counts as the start of a turn: `start_threshold` is the probability of speech that is needed."""
        return Sensitivity(start=self.start_threshold)

    @property
    def eager_s(self) -> float:
        """The silence after which a turn that is understood has probably ended."""
        return _FALL_S * math.log(1 / self.eager_end_threshold)

    @property
    def endpointing(self) -> Endpointing:
        """The silences after which it has. None is longer than `end_timeout_ms`."""
        longest_s = self.end_timeout_ms / 1000
        silence_s = min(_FALL_S * math.log(1 / self.end_threshold), longest_s)
        return Endpointing(
            silence_s=silence_s,
            shortest_s=silence_s,
            longest_s=min(max(_USUAL.longest_s, silence_s), longest_s),
            patience_s=min(max(_USUAL.patience_s, silence_s), longest_s),
            wait_s=longest_s,
            transcript_s=longest_s,
            late_s=longest_s,
        )


def read_listen(query: Mapping[str, str], keyterms: Sequence[str], *, models: Sequence[str]) -> Listen:
    """Read what `/stt/websocket` is asked for. `models` are accepted besides those that begin with `ink`.

    Raises:
        RequestRejected: something is missing, or cannot be had; the message says what can.
    """
    listen = _read_audio(query, keyterms, models)
    overlooked = list(listen.overlooked)
    silence_s = _number(query, "max_silence_duration_secs")
    if silence_s is not None:
        within("max_silence_duration_secs", silence_s, 0.05, 60)
    if (volume := _number(query, "min_volume")) is not None:
        within("min_volume", volume, 0, 1)
        overlooked.append("min_volume")
    return replace(listen, silence_s=_SILENCE_S if silence_s is None else silence_s, overlooked=tuple(overlooked))


def read_turns(query: Mapping[str, str], keyterms: Sequence[str], *, models: Sequence[str]) -> tuple[Listen, Turns]:
    """Read what `/stt/turns/websocket` is asked for; as `read_listen`."""
    listen = _read_audio(query, keyterms, models)
    return listen, Turns().changed(Configure(**{name: _number(query, f"turn_{name}") for name in TURN_RANGES}))


def _read_audio(query: Mapping[str, str], keyterms: Sequence[str], models: Sequence[str]) -> Listen:
    model, encoding = query.get("model", ""), query.get("encoding", "")
    if not (model.startswith("ink") or model in models):
        message = f"there is no model '{model}'; try ink-2, or {', '.join(models)}"
        raise rejected(None, "Model not found", message, status_code=404, error_code="model_not_found")
    if encoding not in ENCODINGS:
        message = f"encoding must be one of {', '.join(ENCODINGS)}"
        raise rejected(None, "Unsupported audio format", message, error_code="unsupported_audio_format")
    rate = _number(query, "sample_rate")
    if rate is None:
        raise bad("sample_rate is required, in samples per second")
    within("sample_rate", rate, *RATES)
    if len(keyterms) > KEYTERMS or sum(map(len, keyterms)) > KEYTERM_CHARACTERS:
        raise bad(f"there may be {KEYTERMS} keyterms, of {KEYTERM_CHARACTERS} characters together")
    overlooked = ("keyterm",) if keyterms else ()
    return Listen(model, encoding, round(rate), query.get("language", ""), overlooked=overlooked)


def _number(query: Mapping[str, str], name: str) -> float | None:
    given = query.get(name)
    if not given:
        return None
    try:
        return float(given)
    except ValueError as error:
        raise bad(f"{name} must be a number; it is '{given}'") from error
