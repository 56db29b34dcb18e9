"""Events and commands as plain JSON values, and back. One rule for all of them: the class's name, then its fields.

Nothing here knows a single event or command: what the vocabulary gains, a trace can hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from hashlib import blake2s
from typing import Any, Final, get_args

import msgspec

from agentvoice.commands import Command
from agentvoice.events import Event


class Keep(StrEnum):
    """How much of what was said a trace holds."""

    AUDIO = "audio"
    """Words, and the audio itself."""
    WORDS = "words"
    """Words; of audio only its size and a digest."""
    SHAPE = "shape"
    """Neither words nor keys nor digests: every word and every key is a dot."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """An event or command that this version does not know."""

    kind: str
    facts: Mapping[str, Any]


EVENTS: Final[Mapping[str, type]] = {kind.__name__: kind for kind in get_args(Event)}
COMMANDS: Final[Mapping[str, type]] = {kind.__name__: kind for kind in get_args(Command)}

_SPOKEN: Final = frozenset(
    {
        "text",
        "words",
        "phonemes",
        "prompt",
        "instructions",
        "generated",
        "heard",
        "unheard",
        "transfer",
        "key",
        "reason",
        "arguments",
        "result",
        "alternatives",
    }
)
"""The fields that may hold what people said or typed."""

DOT: Final = "·"


def kind(value: Event | Command | Unknown) -> str:
    """Return what an event or command is called."""
    return value.kind if isinstance(value, Unknown) else type(value).__name__


def facts(value: Event | Command | Unknown, keep: Keep = Keep.WORDS) -> dict[str, Any]:
    """Return the fields of an event or command as JSON values, in the order of its class."""
    if isinstance(value, Unknown):  # nobody knows which of them may hold words
        return {} if keep is Keep.SHAPE else dict(value.facts)
    return {item.name: _plain(item.name, getattr(value, item.name), keep) for item in fields(value)}


def value(kinds: Mapping[str, type], kind: str, facts: Mapping[str, Any]) -> Any:
    """Return the frozen value that `facts` describes; `Unknown` where it is of no known kind or shape.

    Audio of which only the size is known comes back as so many zero bytes.
    """
    known = kinds.get(kind)
    if known is None:
        return Unknown(kind, facts)
    given = {name: bytes(fact["size"]) if _is_sized(name, fact) else fact for name, fact in facts.items()}
    try:
        return msgspec.convert(given, known, builtin_types=(bytes,) if _has_bytes(given) else ())
    except msgspec.ValidationError:
        return Unknown(kind, facts)


def _plain(name: str, fact: Any, keep: Keep) -> Any:
    if isinstance(fact, bytes):
        if keep is Keep.AUDIO:
            return msgspec.to_builtins(fact)
        if keep is Keep.SHAPE:
            return {"size": len(fact)}
        return {"size": len(fact), "sha": blake2s(fact).hexdigest()[:8]}
    plain = msgspec.to_builtins(fact, order="deterministic")
    return _masked(plain) if keep is Keep.SHAPE and name in _SPOKEN else plain


def _masked(plain: Any) -> Any:
    """Put a dot for every word; leave numbers, and the grade of evidence, as they are."""
    match plain:
        case str():
            return " ".join(DOT for _ in plain.split())
        case [str(_), *times]:
            return [DOT, *times]
        case [*items]:
            return [_masked(item) for item in items]
        case {"word": str(word), **rest}:
            return {"word": _masked(word), **rest}
        case {"text": str(text), **rest}:
            return {"text": _masked(text), **rest}
        case {"to": str(to), "summary": str(summary)}:
            return {"to": _masked(to), "summary": _masked(summary)}
        case _:
            return plain


def _is_sized(name: str, fact: Any) -> bool:
    return name == "audio" and isinstance(fact, dict) and isinstance(fact.get("size"), int)


def _has_bytes(given: Mapping[str, Any]) -> bool:
    return any(isinstance(fact, bytes) for fact in given.values())
