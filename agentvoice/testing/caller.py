"""A simulated caller: hears the agent frame by frame, and answers by its script. Pure: `tick` it every 20 ms."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from agentvoice.audio import TELEPHONE, linear_to_mulaw, mulaw_to_linear

from .carrier import FRAME_S
from .lexicon import LOUD, Lexicon, loudness
from .script import BargesIn, HangsUp, Pauses, Presses, Says, Step, WaitsForAgent, WaitsForHangUp

FRAME = TELEPHONE.size(FRAME_S)
SILENCE = TELEPHONE.silence(FRAME)
_BREATH_S = 0.15
"""Gaps in the agent's sound that are no silence."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One frame of the caller, and what else the caller does in it."""

    audio: bytes
    keys: str = ""
    hangs_up: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """What the caller said, and when, in seconds since the line was opened."""

    text: str
    start_s: float
    end_s: float
    barged_in: bool


@dataclass(slots=True)
class Caller:
    """Plays a script. What was said is noted in `lines`, and what did not come about in `complaints`."""

    steps: Sequence[Step]
    speak: Callable[[str], bytes] = field(default_factory=lambda: _tones)
    """Makes the sound of a line that has none: text to mu-law."""
    lines: list[Line] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    done: bool = False
    """Whether the caller has hung up."""
    _at: int = 0  # which step
    _frame: int = 0
    _since: int = 0  # the frame in which the step began
    _audible: int = 0  # frames since the agent was first heard in this step
    _silent: int = 0  # frames since the agent was last heard
    _speech: bytes = b""

    def tick(self, agent: bytes) -> Heard:
        """Hear one frame of the agent (mu-law, 8 kHz); return what the caller does in the same 20 ms."""
        self._listen(agent)
        said = self._go_on() if self._speech else self._next()
        self._frame += 1
        return said

    def _listen(self, agent: bytes) -> None:
        loud = agent != SILENCE and loudness(array("h", mulaw_to_linear(agent))) > LOUD / 4
        self._silent = 0 if loud else self._silent + 1
        if loud or self._audible:
            self._audible += 1

    @property
    def _waited_s(self) -> float:
        return (self._frame - self._since) * FRAME_S

    def _next(self) -> Heard:
        """Do what the present step says, once its time has come."""
        match self.steps[self._at] if self._at < len(self.steps) else HangsUp():
            case Says(text, audio):
                return self._begin(text, audio, barged_in=False)
            case BargesIn(text, audio, after_s, limit_s):
                if self._audible * FRAME_S >= after_s and self._silent * FRAME_S < _BREATH_S:
                    return self._begin(text, audio, barged_in=True)
                if self._waited_s >= limit_s:
                    self.complaints.append(f"the agent did not speak for {after_s} s within {limit_s} s: {text!r}")
                    return self._begin(text, audio, barged_in=False)
            case WaitsForAgent(silence_s, limit_s):
                if self._audible and self._silent * FRAME_S >= silence_s:
                    return self._done()
                if self._waited_s >= limit_s:
                    self.complaints.append(f"the agent was not heard, and then silent, within {limit_s} s")
                    return self._done()
            case Pauses(seconds):
                if self._waited_s >= seconds:
                    return self._done()
            case Presses(keys):
                self._done()
                return Heard(SILENCE, keys)
            case WaitsForHangUp(limit_s):
                if self._waited_s >= limit_s:
                    self.complaints.append(f"the agent did not hang up within {limit_s} s")
                    self.done = True
                    return Heard(SILENCE, hangs_up=True)
            case HangsUp():
                self.done = True
                return Heard(SILENCE, hangs_up=True)
        return Heard(SILENCE)

    def _done(self) -> Heard:
        self._at += 1
        self._since, self._audible = self._frame + 1, 0
        return Heard(SILENCE)

    def _begin(self, text: str, audio: bytes, *, barged_in: bool) -> Heard:
        self._speech = audio or self.speak(text)
        start = self._frame * FRAME_S
        self.lines.append(Line(text, start, start + TELEPHONE.seconds(len(self._speech)), barged_in))
        return self._go_on()

    def _go_on(self) -> Heard:
        frame, self._speech = self._speech[:FRAME], self._speech[FRAME:]
        if not self._speech:
            self._done()
        return Heard(frame + TELEPHONE.silence(FRAME - len(frame)))


def _tones(text: str) -> bytes:
    return linear_to_mulaw(Lexicon().say(text, sample_rate=TELEPHONE.sample_rate))
