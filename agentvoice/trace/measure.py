"""What a call's recording and the far end's account say of it, beside what its trace says.

All in seconds of the recording. `None` where there is nothing to measure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from agentvoice.commands import TurnState

from .recording import Recording
from .story import BargeInStory, Hole, Sound, Story, TurnStory
from .truth import Truth

CALLER_ABOVE: Final = 300
"""What counts as sound on the caller's side, who may have a hissing line: −41 dB."""
HOLE_S: Final = 0.02
"""A gap in the agent's speech that somebody hears."""
_EARLY_S: Final = 0.06
"""By how much the clocks of the two ends may disagree."""
_BUFFERED_S: Final = 0.4
"""How long after a hold the far end still plays what it has."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What can be checked against the trace, ready to be asked."""

    story: Story
    agent: Sequence[Sound] = ()
    """When the agent is heard in the recording."""
    caller: Sequence[Sound] = ()
    """When the caller is."""
    truth: Truth | None = None
    seconds: float = 0.0
    """How long the recording is; 0 without one."""

    def observed(self) -> Story:
        """Return the story with what was measured in place of what the commands let one expect."""
        barge_ins = [
            replace(
                one,
                cleared=self.cleared(one) or one.cleared,
                silent=one.silent if (silent := self.silent(one)) is None else silent,
            )
            for one in self.story.barge_ins
        ]
        return replace(self.story, barge_ins=tuple(barge_ins), holes=tuple(self.holes()))

    def silent(self, barge_in: BargeInStory) -> float | None:
        """Return when the last sound of the turn that was cut ended, as the recording holds it."""
        turn = next((turn for turn in self.story.turns if turn.id == barge_in.turn_id), None)
        if turn is None or not turn.sounds or not self.agent or not barge_in.confirmed:
            return None
        until = self._next_sound(turn)
        return max(
            (one.end for one in self.agent if turn.sounds[0].start - _EARLY_S <= one.start < until), default=None
        )

    def _next_sound(self, turn: TurnStory) -> float:
        later = [one.sounds[0].start for one in self.story.turns if one.sounds and one.opened >= turn.closed - 1e-6]
        return min((at - _EARLY_S for at in later), default=float("inf"))

    def cleared(self, barge_in: BargeInStory) -> float | None:
        """Return when the far end was told to forget."""
        if self.truth is None or barge_in.cleared is None:
            return None
        return min((at for at in self.truth.clears if at >= barge_in.cleared - _EARLY_S), default=None)

    def response(self, turn: TurnStory) -> float | None:
        """Return how long the recording is silent between the caller's last word and the turn's first."""
        if turn.response_s is None or not self.agent:
            return None
        first = min((one.start for one in self.agent if one.start >= turn.sounds[0].start - _EARLY_S), default=None)
        last = max((one.end for one in self.caller if first is not None and one.end <= first), default=None)
        return None if first is None or last is None else first - last

    def words_error(self, turn: TurnStory) -> int | None:
        """Return how many words more (or, negative, fewer) were recorded as heard than were played whole."""
        if self.truth is None or turn.outcome is not TurnState.INTERRUPTED or not turn.words:
            return None
        start, until = turn.sounds[0].start - _EARLY_S, self._next_sound(turn)
        played = sum(
            min(one.end, until) - max(one.start, start)
            for one in self.truth.played
            if one.end > start and one.start < until
        )
        whole = sum(word.position <= played + 0.001 for word in turn.words)
        return sum(word.heard for word in turn.words) - whole

    def holes(self) -> Sequence[Hole]:
        """Return the gaps in the agent's turns as the far end played them, those of a hold left out."""
        if self.truth is None:
            return self.story.holes
        found = []
        for before, after in zip(self.truth.played, self.truth.played[1:], strict=False):
            gap = after.start - before.end
            if gap > HOLE_S and any(self._within(turn, before.end, after.start) for turn in self.story.turns):
                found.append(Hole(before.end, gap))
        return found

    def _within(self, turn: TurnStory, start: float, end: float) -> bool:
        """Whether a gap lies in a turn that was meant to be speaking."""
        if not turn.sounds or start < turn.sounds[0].start or end > turn.sounds[-1].end + _EARLY_S:
            return False
        held = [stretch for stretch in turn.states if stretch.state is TurnState.HELD]
        return not any(stretch.start - _EARLY_S <= start <= stretch.end + _BUFFERED_S for stretch in held)


def measure(story: Story, recording: Recording | None = None, truth: Truth | None = None) -> Measured:
    """Prepare to measure. `story` has to be told with the recording's first sample as its zero, where there is one."""
    if recording is None:
        return Measured(story, truth=truth)
    caller = recording.caller.sounds(above=CALLER_ABOVE, bridge_s=0.05)
    return Measured(story, recording.agent.sounds(), caller, truth, recording.seconds)
