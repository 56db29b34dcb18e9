from __future__ import annotations

import pytest
from anyio import current_time, fail_after

from agentvoice.errors import ProviderUnavailable
from agentvoice.events import Transcript
from agentvoice.testing.contracts.end_of_turn import check_end_of_turn
from agentvoice.testing.contracts.recognizer import check_recognizer
from agentvoice.testing.contracts.vad import check_voice_activity
from agentvoice.testing.hearing import Fault, LoudnessActivity, ScriptedEndOfTurn, ScriptedRecognizer
from agentvoice.testing.lexicon import Lexicon

pytestmark = pytest.mark.anyio


async def test_the_double_of_voice_activity_keeps_the_contract() -> None:
    lexicon = Lexicon()

    await check_voice_activity(
        LoudnessActivity, speech=lambda rate: lexicon.say("a table for two please", sample_rate=rate)
    )


async def test_the_double_of_the_recogniser_keeps_the_contract() -> None:
    lexicon = Lexicon()

    await check_recognizer(
        lambda: ScriptedRecognizer(lexicon.hear),
        speech=lexicon.say("a table for two please"),
        understood=lambda text: text == "a table for two please",
    )


async def test_texts_may_be_given_in_the_order_of_the_segments() -> None:
    async with ScriptedRecognizer(["hello", "goodbye"]).listen(8000) as listening:
        for _ in range(3):
            await listening.feed(bytes(16000))
            await listening.finalize()
        texts = [(await listening.transcripts.receive()).text for _ in range(3)]

    assert texts == ["hello", "goodbye", ""]


async def test_partial_transcripts_grow_with_the_audio() -> None:
    lexicon = Lexicon()
    tone = lexicon.say("one two three")
    async with ScriptedRecognizer(lexicon.hear).listen(8000) as listening:
        for at in range(0, len(tone), 320):
            await listening.feed(tone[at : at + 320])
        partials = [listening.transcripts.receive_nowait() for _ in range(2)]  # type: ignore[attr-defined]

    assert partials == [Transcript("one", final=False), Transcript("one two", final=False)]


async def test_faults_happen_to_the_segment_they_are_meant_for() -> None:
    recognizer = ScriptedRecognizer(
        ["a", "b"], faults={0: Fault(feed_blocks_s=2.0), 1: Fault(crashes=True)}, fails_to_open=1
    )
    with pytest.raises(ProviderUnavailable, match="does not open"):
        async with recognizer.listen(8000):
            pass
    with pytest.RaisesGroup(ProviderUnavailable):
        async with recognizer.listen(8000) as listening:
            began = current_time()
            await listening.feed(b"12")
            assert current_time() - began >= 2.0
            await listening.finalize()
            assert (await listening.transcripts.receive()).text == "a"
            await listening.feed(b"12")
            await listening.feed(b"12")


async def test_one_who_never_answers_can_still_be_left() -> None:
    with fail_after(5):
        async with ScriptedRecognizer(["a"], faults={0: Fault(never_answers=True)}).listen(8000) as listening:
            await listening.finalize()


async def test_the_double_of_the_end_of_turn_keeps_the_contract() -> None:
    lexicon = Lexicon()

    await check_end_of_turn(
        lambda: ScriptedEndOfTurn(lambda _pcm, _rate, text: 0.9 if text.endswith(".") else 0.1),
        finished=lambda rate: lexicon.say("that is all", sample_rate=rate),
        unfinished=lambda rate: lexicon.say("a table for", sample_rate=rate),
    )


async def test_judgements_may_be_given_in_their_order_and_the_last_one_stays() -> None:
    model = ScriptedEndOfTurn([0.2, 0.9], latency_s=0.3)
    began = current_time()

    assert [await model.judge(b"", 8000, text) for text in ("a", "b", "c")] == [0.2, 0.9, 0.9]
    assert current_time() - began == pytest.approx(0.9)
    assert model.asked == [(b"", 8000, "a"), (b"", 8000, "b"), (b"", 8000, "c")]


async def test_a_judgement_breaks_when_the_script_says_so() -> None:
    model = ScriptedEndOfTurn([0.2], crashes={0})

    with pytest.raises(ProviderUnavailable, match="crashed"):
        await model.judge(b"", 8000, "a")
    assert await model.judge(b"", 8000, "a") == 0.2
