import pytest

from agentvoice.testing.hearing import ScriptedRecognizer
from benchmarks.recognizers import Said, framework, latencies

pytestmark = pytest.mark.anyio

SECOND = bytes(16_000)


async def test_errors_are_counted_over_the_words_of_a_whole_set() -> None:
    said = [Said("A table for two.", SECOND, 0.3), Said("No, wait!", SECOND, 0.3), Said("Yes.", SECOND, 0.3)]

    score = await framework(ScriptedRecognizer(["a table for you", "no", "yes"]), said)

    assert (score.wrong, score.words) == (2, 7)
    assert score.audio_s == 3.0


async def test_latencies_count_from_the_first_sound_and_from_the_end() -> None:
    recognizer = ScriptedRecognizer(lambda pcm, rate: "yes", latency_s=0.25, partial_every_s=0.5)

    first, last, _ = await latencies(recognizer, [Said("Yes.", SECOND, 0.3)])

    assert first == [pytest.approx(0.5 - 0.3, abs=0.03)]
    assert last == [pytest.approx(0.25, abs=0.01)]
