"""A simulated caller: hears the agent frame by frame, and answers by its script. Pure: `tick` it every 20 ms.

Where nothing that is heard could change what the caller does (`settled`), many frames may be heard at once, so that a
minute of listening does not cost three thousand steps.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from agentvoice.audio import TELEPHONE, linear_to_mulaw, mulaw_to_linear

from .carrier import FRAME_S
from .lexicon import LOUD, Lexicon
from .script import BargesIn, HangsUp, Pauses, Presses, Says, Step, WaitsForAgent, WaitsForHangUp

FRAME = TELEPHONE.size(FRAME_S)
SILENCE = TELEPHONE.silence(FRAME)
_GRAIN = 8
_LOUDNESS = bytes(min(255, abs(sample) // _GRAIN) for sample in array("h", mulaw_to_linear(bytes(range(256)))))
"""How loud each code is, in grains: a table, since every frame of every simulated call goes through it."""
_ENOUGH = FRAME * LOUD / 4 / _GRAIN
_BREATH_S = 0.15
"""Gaps in the agent's sound that are no silence."""
_LONGEST_S = 1e6
_WORDS_PER_S = 2.7
"""How fast people talk, for a caller who cannot count the agent's words."""


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


class Caller:
    """Plays a script. What was said is noted in `lines`, and what did not come about in `complaints`."""

    def __init__(
        self,
        steps: Sequence[Step],
        *,
        speak: Callable[[str], bytes] | None = None,
        said: Callable[[], Sequence[str]] | None = None,
    ) -> None:
        """`speak` makes the sound of a line that has none: text to mu-law. By default it is a tone for each text.

        `said` returns the agent's words that were heard so far, where somebody knows them.
        """
        speak = speak or _tones(Lexicon())
        self.steps = steps
        self._said = said
        self._last = min((step.at_s for step in steps if isinstance(step, HangsUp) and step.at_s), default=math.inf)
        self.lines: list[Line] = []
        self.complaints: list[str] = []
        self.done = False
        """Whether the caller has hung up."""
        # Made now: while the call is on there are 20 ms for each frame.
        self._sounds = [step.audio or speak(step.text) if isinstance(step, Says | BargesIn) else b"" for step in steps]
        self._at = 0  # which step
        self._frame = 0
        self._since = 0  # the frame in which the step began
        self._audible = 0  # frames since the agent was first heard in this step
        self._silent = 0  # frames since the agent was last heard
        self._words = 0.0  # of the agent's, heard so far
        self._words_before = 0.0  # and when the step began
        self._matched = 0  # words of the agent's that earlier steps have waited for
        self._speech = b""

    def tick(self, agent: bytes, *, words: int | None = None) -> Heard:
        """Hear one frame of the agent (mu-law, 8 kHz), or as many as are `settled` and one more; return what the caller
        says and does in the same time. The same as ticking as often.

        `words` is how many of the agent's words have been heard since the line was opened, where somebody knows.
        """
        self._listen(agent, words)
        passed = len(agent) - FRAME
        self._frame += passed // FRAME
        before, self._speech = self._speech[:passed], self._speech[passed:]
        before += SILENCE * ((passed - len(before)) // FRAME)
        if self._frame * FRAME_S >= self._last:
            self.done = True
            said = Heard(SILENCE, hangs_up=True)
        else:
            said = self._go_on() if self._speech else self._next()
        self._frame += 1
        return Heard(before + said.audio, said.keys, said.hangs_up) if before else said

    @property
    def settled(self) -> int:
        """For how many frames to come it is settled what the caller says, and does, whatever is heard in them."""
        last = max(0, _frames(self._last) - self._frame)
        return min(last, max(0, len(self._speech) - 1) // FRAME if self._speech else self._idle)

    @property
    def _idle(self) -> int:
        match self.steps[self._at] if self._at < len(self.steps) else HangsUp():
            case BargesIn(after_s=after_s, at_word=0, limit_s=limit_s):
                return max(0, min(self._left(limit_s), _frames(after_s) - self._audible - 1))
            case BargesIn(at_word=at_word, limit_s=limit_s):  # no word is shorter than a frame
                return max(0, min(self._left(limit_s), math.floor(at_word - self._words + self._words_before) - 1))
            case WaitsForAgent(silence_s, limit_s):
                silent = self._silent if self._audible else 0
                return max(0, min(self._left(limit_s), _frames(silence_s) - silent - 1))
            case Pauses(seconds) | WaitsForHangUp(seconds):
                return self._left(seconds)
            case HangsUp() as step:
                return self._left(step.waits_s)
            case _:
                return 0

    def _left(self, seconds: float) -> int:
        return max(0, _frames(seconds) - (self._frame - self._since))

    def _listen(self, agent: bytes, words: int | None) -> None:
        frames = [agent[at : at + FRAME] for at in range(0, len(agent), FRAME)]
        first = 0 if self._audible else next((n for n, frame in enumerate(frames) if _is_loud(frame)), len(frames))
        self._audible += len(frames) - first
        last = next((n for n, frame in enumerate(reversed(frames)) if _is_loud(frame)), None)
        self._silent = self._silent + len(frames) if last is None else last
        if words is None:
            self._words += sum(map(_is_loud, frames)) * FRAME_S * _WORDS_PER_S
        else:
            self._words = words

    @property
    def _waited_s(self) -> float:
        return (self._frame - self._since) * FRAME_S

    def _next(self) -> Heard:
        """Do what the present step says, once its time has come."""
        match self.steps[self._at] if self._at < len(self.steps) else HangsUp():
            case Says(text):
                return self._begin(text, barged_in=False)
            case BargesIn(text, limit_s=limit_s) as step:
                if self._has_heard(step) and self._silent * FRAME_S < _BREATH_S:
                    return self._begin(text, barged_in=True)
                if self._waited_s >= limit_s:
                    enough = f"{step.at_word} words" if step.at_word else f"for {step.after_s:g} s"
                    self.complaints.append(f"the agent did not speak {enough} within {limit_s:g} s: {text!r}")
                    return self._begin(text, barged_in=False)
            case WaitsForAgent(silence_s, limit_s, words):
                if self._audible and self._silent * FRAME_S >= silence_s and self._has_said(words):
                    return self._done()
                if self._waited_s >= limit_s:
                    what = f" to say {words!r}" if words else ""
                    self.complaints.append(f"the agent was not heard{what}, and then silent, within {limit_s:g} s")
                    return self._done()
            case Pauses(seconds):
                if self._waited_s >= seconds:
                    return self._done()
            case Presses(keys):
                self._done()
                return Heard(SILENCE, keys)
            case WaitsForHangUp(limit_s):
                if self._waited_s >= limit_s:
                    self.complaints.append(f"the agent did not hang up within {limit_s:g} s")
                    self.done = True
                    return Heard(SILENCE, hangs_up=True)
            case HangsUp() as step:  # pragma: no branch
                if self._waited_s >= step.waits_s:
                    self.done = True
                    return Heard(SILENCE, hangs_up=True)
        return Heard(SILENCE)

    def _has_heard(self, step: BargesIn) -> bool:
        if step.at_word:
            return self._words - self._words_before >= step.at_word
        return self._audible * FRAME_S >= step.after_s

    def _has_said(self, words: str) -> bool:
        """Whether the agent has said that, after what it had said when it was last waited for."""
        if not words or self._said is None:
            return True
        spoken, wanted = _plain(" ".join(said := self._said()).split()), _plain(words.split())
        at = _find(spoken, wanted, start=self._matched)
        if at >= 0:
            self._matched = len(said)
        return at >= 0

    def _done(self) -> Heard:
        self._at += 1
        self._since, self._audible, self._words_before = self._frame + 1, 0, self._words
        return Heard(SILENCE)

    def _begin(self, text: str, *, barged_in: bool) -> Heard:
        self._speech = self._sounds[self._at]
        start = self._frame * FRAME_S
        self.lines.append(Line(text, start, start + TELEPHONE.seconds(len(self._speech)), barged_in))
        return self._go_on()

    def _go_on(self) -> Heard:
        frame, self._speech = self._speech[:FRAME], self._speech[FRAME:]
        if not self._speech:
            self._done()
        return Heard(frame + TELEPHONE.silence(FRAME - len(frame)))


@lru_cache(maxsize=4096)
def _is_loud(frame: bytes) -> bool:
    return frame != SILENCE and sum(frame.translate(_LOUDNESS)) > _ENOUGH


def _plain(words: Sequence[str]) -> Sequence[str]:
    return ["".join(filter(str.isalnum, word)).lower() for word in words]


def _find(words: Sequence[str], wanted: Sequence[str], *, start: int) -> int:
    ends = range(start, len(words) - len(wanted) + 1)
    return next((at for at in ends if words[at : at + len(wanted)] == wanted), -1)


def _frames(seconds: float) -> int:
    return int(min(seconds, _LONGEST_S) / FRAME_S)


def _tones(lexicon: Lexicon) -> Callable[[str], bytes]:
    return lambda text: linear_to_mulaw(lexicon.say(text, sample_rate=TELEPHONE.sample_rate))
