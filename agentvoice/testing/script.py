"""What a simulated caller says and does: a list of steps, written in Python or in a small YAML file.

# examples/caller/booking.yaml
- wait_for_agent
- say: Hello, I would like to book a table for two.
  audio: lines/table-for-two.wav
- barge_in: No, wait, make it four people.
  after_s: 1.2
- press: "5"
- pause: 0.5
- wait_for_hang_up
"""

from __future__ import annotations

import wave
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, TypeAlias

from agentvoice.audio import linear_to_mulaw
from agentvoice.errors import UsageError


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
    limit_s: float = 20.0
    """How long to wait for the agent to speak."""


@dataclass(frozen=True, slots=True)
class WaitsForAgent:
    """Wait until the agent has spoken, and has been silent for a while."""

    silence_s: float = 0.9
    limit_s: float = 20.0
    """How long to wait at the most."""


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


@dataclass(frozen=True, slots=True)
class WaitsForHangUp:
    """Wait until the agent ends the call; end it oneself after `limit_s`."""

    limit_s: float = 20.0


Step: TypeAlias = Says | BargesIn | WaitsForAgent | Pauses | Presses | HangsUp | WaitsForHangUp

_STEPS: Final[Mapping[str, tuple[type[Any], str]]] = {
    "say": (Says, "text"),
    "barge_in": (BargesIn, "text"),
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
        UsageError: it cannot be read, or is no script; the message names the step.
    """
    import yaml  # noqa: PLC0415 - only where scripts are read

    try:
        steps = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read the script {path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(steps, list) or not steps:
        raise UsageError(f"{path} is not a script: it has to be a list of steps, such as '- say: Hello.'")
    return [_step(step, f"{path}, step {number}", path.parent) for number, step in enumerate(steps, 1)]


def _step(step: object, where: str, folder: Path) -> Step:
    members: dict[str, Any] = dict(step) if isinstance(step, dict) else {str(step): None}
    name = next((name for name in _STEPS if name in members), None)
    if name is None:
        raise UsageError(f"{where}: no step that is known ({', '.join(_STEPS)})")
    kind, subject = _STEPS[name]
    value = members.pop(name)
    if subject:
        members[subject] = value
    elif isinstance(value, dict):
        members |= value
    elif value is not None:
        raise UsageError(f"{where}: '{name}' takes no value")
    known = {field.name: field for field in fields(kind)}
    if unknown := sorted(map(str, set(members) - set(known))):
        raise UsageError(f"{where}: '{name}' has no {', '.join(unknown)} (it has: {', '.join(known) or 'nothing'})")
    for member, given in members.items():
        numeric = known[member].type == "float"
        if isinstance(given, bool) or not isinstance(given, (int, float) if numeric else str):
            wanted = "a number" if numeric else "a text in quotes"
            raise UsageError(f"{where}: {member} has to be {wanted}, not {given!r}")
    if "audio" in members:
        members["audio"] = read_line(folder / str(members["audio"]))
    made: Step = kind(**members)
    return made


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
