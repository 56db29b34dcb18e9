"""What became of a simulated call: values to assert on, that read well where an assertion fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

from agentvoice.commands import Evidence, TurnClosed, TurnOpened, TurnState
from agentvoice.history import Item

from .caller import Line
from .phone import PhoneCall


@dataclass(frozen=True, slots=True)
class SimulatedTurn:
    """One contribution of the agent."""

    id: str
    context_id: str
    """The last one it had."""
    prompt: str
    """What it answers; empty when the agent spoke of its own accord."""
    outcome: TurnState
    generated: str
    heard: str
    """What was heard of it, as the call's own ledger says."""
    evidence: Evidence | None
    """How well the ledger knows."""
    played: str
    """What was heard of it, as a matter of fact: the words that the far end played to their end."""
    timeline: Mapping[str, float] = field(repr=False)
    """When each step happened, in seconds since the line was opened; see `TurnClosed`."""
    reason: str = ""
    """Why it failed."""

    @classmethod
    def of(cls, opened: TurnOpened, closed: TurnClosed, played: str, zero: float) -> SimulatedTurn:
        """Put together what is known of a turn; `zero` is when the line was opened."""
        return cls(
            closed.turn_id,
            closed.context_id,
            opened.prompt,
            closed.outcome,
            closed.generated,
            closed.heard.text if closed.heard else "",
            closed.heard.evidence if closed.heard else None,
            played,
            {step: at - zero for step, at in closed.timeline.items()},
            closed.reason,
        )

    def __str__(self) -> str:
        """Tell what became of it, in a line."""
        return f"{self.id} {self.outcome}: {self.heard}" + (f" ({self.reason})" if self.reason else "")

    @property
    def words_wrong(self) -> int:
        """How many words the ledger has too many, too few, or other than were played."""
        matcher = SequenceMatcher(None, self.heard.split(), self.played.split(), autojunk=False)
        return sum(max(b - a, d - c) for kind, a, b, c, d in matcher.get_opcodes() if kind != "equal")


@dataclass(frozen=True, slots=True, repr=False)
class SimulatedCall:
    """A call that is over. Times are seconds since the line was opened."""

    turns: Sequence[SimulatedTurn]
    """All turns that were heard, or failed, in the order of their ends."""
    withdrawn: Sequence[SimulatedTurn]
    """Those that never became audible: guesses that were wrong, and answers that the caller forestalled."""
    said: Sequence[Line]
    """What the caller said."""
    complaints: Sequence[str]
    """What the caller waited for in vain."""
    history: Sequence[Item]
    """What the language model was shown in the end."""
    notes: Mapping[str, Any]
    """What the agent noted."""
    stale_frames: int
    """Frames of a dead context that went out on the line."""
    holes: Sequence[float]
    """When the far end ran dry in the middle of a turn that was not held."""
    clears: Sequence[float]
    """When the line was cleared."""
    seconds: float
    hung_up_by: str
    overrun_s: float
    """For how long the call outlived the hang-up."""
    trace: str = field(repr=False)
    """The call's event log; see `agentvoice.trace`."""
    phone: PhoneCall = field(repr=False)
    """The far end: the recording, the carrier, the marks."""

    @property
    def heard(self) -> str:
        """All that the caller heard of the agent, as the ledger says."""
        return " ".join(turn.heard for turn in self.turns if turn.heard)

    @property
    def outcome(self) -> str:
        """How the call ended: who hung up (`agent`, `caller`, `network`), or `failed` when its last turn did."""
        return "failed" if self.turns and self.turns[-1].outcome is TurnState.FAILED else self.hung_up_by

    @property
    def timeline(self) -> Sequence[tuple[float, str, str]]:
        """Every step of every turn, and every line of the caller's, in order: when, whose, what."""
        steps = [(at, turn.id, step) for turn in (*self.turns, *self.withdrawn) for step, at in turn.timeline.items()]
        said = [(line.start_s, "caller", line.text) for line in self.said]
        return sorted([*steps, *said, (self.seconds, self.hung_up_by, "hung_up")])

    def __repr__(self) -> str:
        return f"<call of {self.seconds:.1f} s, {len(self.turns)} turns, hung up by the {self.hung_up_by}>"

    def __str__(self) -> str:
        """Tell the call line by line."""
        lines = [(line.start_s, f"caller{' (cuts in)' if line.barged_in else ''}: {line.text}") for line in self.said]
        for turn in self.turns:
            began = turn.timeline.get("first_frame_out", turn.timeline["opened"])
            cut = "" if turn.outcome is TurnState.COMPLETED else f" [{turn.outcome}] {turn.reason}"
            lines.append((began, f"agent, {turn.id}: {turn.heard}{cut}"))
        lines.append((self.seconds, f"hung up by the {self.hung_up_by}"))
        return "\n".join(f"{at:7.2f}  {text.rstrip()}" for at, text in sorted(lines))
