"""Manners: how an agent behaves in conversation, and who has the floor in one."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from .endpointing import Endpointing
from .interruption import Policy


class Floor(StrEnum):
    """Who holds the floor."""

    OPEN = "open"
    """Nobody speaks."""
    CALLER = "caller"
    """The caller speaks, or has just fallen silent."""
    PENDING = "pending"
    """The caller has finished; the answer is not audible yet."""
    AGENT = "agent"
    """The agent is heard."""


@dataclass(frozen=True, slots=True)
class Manners:
    """How the agent behaves in conversation: everything that may be tuned."""

    interruption: Policy = field(default_factory=Policy)
    endpointing: Endpointing = field(default_factory=Endpointing)
    speculate: bool = True
    """Begin to answer, unheard, as soon as the caller has probably finished."""
    lead_s: float = 0.2
    """How far ahead of its time audio is handed to the line, half of it at a time: a long lead costs fewer messages."""
    filler: str = ""
    """Said when the agent's own words are late: "One moment, please. " """
    filler_s: float = 1.5
    """How late they have to be."""
    silence_s: float = 10.0
    """How long nobody may have the floor before the agent is told."""
    call_s: float = math.inf
    """The longest that a call may last."""
    warn_s: float = 30.0
    """How long before that the agent is told."""
    most_tokens: float = math.inf
    """So many tokens of language models, read and written, a call may use until the agent is told."""
    most_characters: float = math.inf
    """So many characters it may have spoken."""


GOOD_MANNERS: Final = Manners()
"""Those of an agent that says nothing about its own."""
