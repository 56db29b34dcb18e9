"""What every `VoiceActivity` has to keep."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from agentvoice.interfaces import VoiceActivity, VoiceDetector

RATES: Final = (8000, 16000)
UNEVEN: Final = (1, 2, 319, 320, 77, 4096)
"""Samples in the pieces that a detector is fed with: none of them has to fit its window."""


async def check_voice_activity(make: Callable[[], VoiceActivity], *, speech: Callable[[int], bytes]) -> None:
    """Check a plugin, or a double. `speech(rate)` is a second or more of PCM that is speech at that rate.

    Raises:
        AssertionError: the contract is broken; the message says where.
    """
    activity = make()
    activity.prepare()
    for rate in RATES:
        await _check_rate(activity, rate, speech(rate))
    for rate in (0, 11025, 44100):
        try:
            activity.detector(rate)
        except ValueError:
            continue
        raise AssertionError(f"a sample rate of {rate} is refused with a ValueError, rather than heard wrongly")


async def _check_rate(activity: VoiceActivity, rate: int, speech: bytes) -> None:
    silence = bytes(2 * rate)
    at_once = await _probabilities(activity.detector(rate), silence + speech + silence)
    window_s = activity.detector(rate).window_s
    assert 0.005 <= window_s <= 0.1, "a window is between 5 and 100 ms"
    expected = math.floor(len(silence + speech + silence) / 2 / rate / window_s)
    assert len(at_once) == expected, "each whole window has one probability, delivered by the feed that completes it"
    assert all(0 <= probability <= 1 for probability in at_once), "probabilities are between 0 and 1"

    begins = round(1 / window_s)
    during = at_once[begins : len(at_once) - begins]
    assert max(at_once[: begins - 1]) < 0.5, "silence is not speech"
    assert sum(p >= 0.5 for p in during) >= len(during) / 2, "speech is speech, most of the time"
    assert at_once[-1] < 0.5, "after a second of silence, speech is over"

    piecewise = activity.detector(rate)
    fed: list[float] = []
    at = number = 0
    while at < len(silence + speech + silence):
        size = 2 * UNEVEN[number % len(UNEVEN)]
        fed += await piecewise.feed((silence + speech + silence)[at : at + size])
        at, number = at + size, number + 1
    assert _close(fed, at_once), "it does not matter in what pieces audio is fed"

    first, second = activity.detector(rate), activity.detector(rate)
    await second.feed(speech)
    assert _close(await _probabilities(first, silence), at_once[: math.floor(1 / window_s)]), "calls do not hear others"


async def _probabilities(detector: VoiceDetector, pcm: bytes) -> list[float]:
    return list(await detector.feed(pcm))


def _close(ones: list[float], others: list[float]) -> bool:
    return len(ones) == len(others) and all(abs(a - b) < 1e-3 for a, b in zip(ones, others, strict=True))
