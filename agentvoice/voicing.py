"""How speech shall sound: what a process sets once, and a turn may set otherwise."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Final


@dataclass(frozen=True, slots=True)
class Voicing:
    """With which voice a context is spoken, and how. `None` stands for "as everybody else's"."""

    voice: str | None = None
    """The provider's id of a voice."""
    language: str | None = None
    """A language code, such as `en`."""
    speed: float | None = None
    """1 is natural; providers take about 0.6 to 1.5."""
    volume: float | None = None
    """1 is natural; providers take about 0.5 to 2."""
    emotion: str | None = None
    """One of the provider's words, such as `calm`."""
    pronunciation_dict_id: str | None = None
    """The provider's id of a list that says how words are pronounced."""

    def over(self, base: Voicing) -> Voicing:
        """Return this voicing, with what it leaves open taken from `base`."""
        given = {field.name: value for field in fields(self) if (value := getattr(self, field.name)) is not None}
        return replace(base, **given)


NATURAL: Final = Voicing()
"""Everything as the provider has it."""
