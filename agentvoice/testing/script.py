"""What a simulated caller says and does: a list of steps, written in Python or in a small YAML file.

# examples/caller/booking.yaml
- wait_for_agent
- say: Hello, I would like to book a table for two.
  audio: lines/table-for-two.wav
- barge_in: No, wait, make it four people.
  after_s: 1.2       # or at_word: 5
- press: "5"
- pause: 0.5
- wait_for_hang_up
"""

from __future__ import annotations

import math
import wave
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from random import Random
from typing import Any, Final, TypeAlias

from agentvoice.audio import TELEPHONE, linear_to_mulaw
from agentvoice.errors import UsageError

LONGEST_S: Final = 3600.0
"""No step of a script lasts longer."""
_KEYS: Final = frozenset("0123456789*#ABCD")


@dataclass(frozen=True, slots=True)
class Says:
    """Say something at once."""

    text: str
    audio: bytes = b""
    """How it sounds: mu-law, 8 kHz. Made up from the text when empty."""


@dataclass(frozen=True, slots=True)
class BargesIn:
    """Cut in while the agent speaks."""

    text: str
    audio: bytes = b""
    after_s: float = 1.0
    """How long the agent has been audible by then."""
    at_word: int = 0
    """How many of the agent's words have been heard by then, if not 0; `after_s` does not count then."""
    limit_s: float = 20.0
    """How long to wait for the agent to speak."""


@dataclass(frozen=True, slots=True)
class WaitsForAgent:
    """Wait until the agent has spoken, and has been silent for a while."""

    silence_s: float = 0.9
    limit_s: float = 20.0
    """How long to wait at the most."""
    words: str = ""
    """What it has to have said, where that is known: in a simulation. Case and punctuation do not count."""


@dataclass(frozen=True, slots=True)
class Pauses:
    """Say nothing for so long."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Presses:
    """Press keys, one after the other."""

    keys: str


@dataclass(frozen=True, slots=True)
class HangsUp:
    """End the call."""

    after_s: float = 0.0
    """How long to wait before."""
    at_s: float = 0.0
    """At which second of the call, whatever is being said and whatever the script has not come to; 0 is never."""

    @property
    def waits_s(self) -> float:
        """How long to wait when the script comes to it: for ever, if it only says at which second."""
        return self.after_s if self.after_s or not self.at_s else math.inf


@dataclass(frozen=True, slots=True)
class WaitsForHangUp:
    """Wait until the agent ends the call; end it oneself after `limit_s`."""

    limit_s: float = 20.0


MM_HM: Final = "Mm-hm."
COUGH: Final = "(coughs)"
"""What stands for a cough where words do."""

Step: TypeAlias = Says | BargesIn | WaitsForAgent | Pauses | Presses | HangsUp | WaitsForHangUp

# ------------------------------------------------------------------ the verbs, for scripts in Python

says, pauses, presses = Says, Pauses, Presses
waits_for_agent, waits_for_hang_up = WaitsForAgent, WaitsForHangUp


def barges_in(text: str, *, at_word: int = 0, after: float = 1.0) -> BargesIn:
    """Cut in at the agent's word of that number, from 1, or when it has been audible for `after` seconds."""
    return BargesIn(text, after_s=after, at_word=at_word)


def backchannels(text: str = MM_HM, *, after: float = 1.0) -> BargesIn:
    """Show that one listens, while the agent speaks."""
    return BargesIn(text, after_s=after)


def coughs(*, after: float = 1.0, seconds: float = 0.2) -> BargesIn:
    """Make a noise that is no word while the agent speaks."""
    return BargesIn(COUGH, cough(seconds), after_s=after)


def waits_for(words: str, *, limit: float = 20.0) -> WaitsForAgent:
    """Wait until the agent has said that, and is silent."""
    return WaitsForAgent(words=words, limit_s=limit)


def hangs_up(*, after: float = 0.0, at: float = 0.0) -> HangsUp:
    """End the call `after` so many seconds, or `at` that second of it, in mid-sentence if need be."""
    return HangsUp(after, at)


def cough(seconds: float = 0.2) -> bytes:
    """Return the sound of a cough: noise, as mu-law."""
    noise = Random(0).choices(range(0x10, 0x30), k=TELEPHONE.size(seconds))
    return bytes(code ^ 0x80 * (n // 2 % 2) for n, code in enumerate(noise))


# ------------------------------------------------------------------ scripts in files

_STEPS: Final[Mapping[str, tuple[type[Any], str]]] = {
    "say": (Says, "text"),
    "barge_in": (BargesIn, "text"),
    "backchannel": (BargesIn, "text"),
    "cough": (BargesIn, ""),
    "wait_for_agent": (WaitsForAgent, ""),
    "pause": (Pauses, "seconds"),
    "press": (Presses, "keys"),
    "hang_up": (HangsUp, ""),
    "wait_for_hang_up": (WaitsForHangUp, ""),
}
"""The name of each step in a script, and the member that its value is."""


def read_script(path: Path) -> Sequence[Step]:
    """Read a script; paths of sound files in it are relative to its own folder.

    Raises:
        UsageError: it cannot be read, or is no script; the message names the line.
    """
    import yaml  # noqa: PLC0415 - only where scripts are read

    try:
        text = path.read_text(encoding="utf-8")
        node, steps = yaml.compose(text, yaml.SafeLoader), yaml.safe_load(text)
    except OSError as error:
        raise UsageError(f"cannot read the script {path}: {error.strerror}") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UsageError(f"{path}, line {line}, is not YAML: {error.problem}") from error
    except (yaml.YAMLError, ValueError) as error:  # text that is not UTF-8, and dates that are none
        raise UsageError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(steps, list) or not isinstance(node, yaml.SequenceNode) or not steps:
        raise UsageError(f"{path} is not a script: it has to be a list of steps, such as '- say: Hello.'")
    lines = [item.start_mark.line + 1 for item in node.value]
    return [read_step(step, f"{path}, line {line}", path.parent) for step, line in zip(steps, lines, strict=True)]


def read_step(step: object, where: str, folder: Path) -> Step:
    """Read one step, as YAML has it; `where` is the place that an error names.

    Raises:
        UsageError: it is none.
    """
    members: dict[str, Any] = dict(step) if isinstance(step, dict) else {str(step): None}
    name = next((name for name in _STEPS if name in members), None)
    if name is None:
        raise UsageError(f"{where}: no step that is known ({', '.join(_STEPS)})")
    kind, subject = _STEPS[name]
    value = members.pop(name)
    if name == "cough":
        members["text"] = COUGH
    if name == "backchannel" and value is None:
        value = MM_HM
    if subject:
        members[subject] = value
    elif isinstance(value, dict):
        members |= value
    elif value is not None:
        raise UsageError(f"{where}: '{name}' takes no value")
    known = {field.name: str(field.type) for field in fields(kind)}
    if unknown := sorted(map(str, set(members) - set(known))):
        raise UsageError(f"{where}: '{name}' has no {', '.join(unknown)} (it has: {', '.join(known)})")
    for member, given in members.items():
        if wanted := _misfit(member, known[member], given):
            raise UsageError(f"{where}: {member} has to be {wanted}, not {given!r}")
    if "audio" in members:
        members["audio"] = read_line(folder / members["audio"])
    if name == "cough":
        members.setdefault("audio", cough())
    made: Step = kind(**members)
    return made


def _misfit(member: str, kind: str, given: object) -> str:
    """Return what a member should have been; nothing if it is."""
    match kind, given:
        case "float", int() | float() if not isinstance(given, bool):
            return "" if 0 <= given <= LONGEST_S else f"from 0 to {LONGEST_S:g} seconds"  # and no nan, which is neither
        case "float", _:
            return "a number"
        case "int", int() if not isinstance(given, bool):
            return "" if given >= 1 else "1 or more"
        case "int", _:
            return "a whole number"
        case _, str() if member == "keys" and not (given and _KEYS.issuperset(given)):
            return "keys of a telephone (0-9 * # A-D)"
        case _, str() if given.strip():
            return ""
        case _:
            return "a text in quotes"


def read_line(path: Path) -> bytes:
    """Read a caller's line, a WAV file of 8 kHz, 16 bits, one channel, as mu-law.

    Raises:
        UsageError: it cannot be read, or is of another kind.
    """
    try:
        with wave.open(str(path), "rb") as file:
            shape = (file.getframerate(), file.getsampwidth(), file.getnchannels())
            pcm = file.readframes(file.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise UsageError(f"cannot read the sound {path}: {error}") from error
    if shape != (8000, 2, 1):
        raise UsageError(f"{path} is {shape[0]} Hz, {8 * shape[1]} bits, {shape[2]} channels; it has to be 8000, 16, 1")
    return linear_to_mulaw(pcm)
