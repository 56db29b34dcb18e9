"""What is asked of `/audio/transcriptions`, and what its answers say, as documented and as other servers word them."""

from __future__ import annotations

import io
import math
import wave
from typing import Any

import pytest
from openai.types.audio import Transcription, TranscriptionVerbose

from agentvoice.events import Transcript
from agentvoice.utterance import HeardWord
from agentvoice_openai._languages import code
from agentvoice_openai._transcription import form, transcript, wav


def segment(text: str, start: float, end: float, **others: float) -> dict[str, Any]:
    likely = {"avg_logprob": -0.2, "compression_ratio": 1.1, "no_speech_prob": 0.01, "temperature": 0.0}
    return {"id": 0, "seek": 0, "start": start, "end": end, "text": text, "tokens": [50364], **likely, **others}


def word(text: str, start: float, end: float) -> dict[str, Any]:
    return {"word": text, "start": start, "end": end}


def verbose(text: str, *segments: dict[str, Any], words: Any = None, language: str = "english") -> dict[str, Any]:
    answer = {"task": "transcribe", "language": language, "duration": 2.0, "text": text, "segments": [*segments]}
    if words is not None:
        answer["words"] = words
    TranscriptionVerbose.model_validate(answer)  # the SDK's own form of it: what is tested here is what is documented
    return answer


def test_a_whole_answer_has_words_with_times_as_they_are_written_and_a_language() -> None:
    words = [word("No", 0.0, 0.3), word("wait", 0.4, 0.7), word("four", 0.8, 1.1)]
    answer = verbose("No, wait: four!", segment(" No, wait: four!", 0, 1.2), words=words)

    assert transcript(answer) == Transcript(
        "No, wait: four!",
        final=True,
        confidence=pytest.approx(math.exp(-0.2)),
        words=(HeardWord("No,", 0.0, 0.3), HeardWord("wait:", 0.4, 0.7), HeardWord("four!", 0.8, 1.1)),
        language="en",
    )


def test_words_that_are_counted_otherwise_than_in_the_text_are_told_as_they_come() -> None:
    words = [word(" twenty", 0.0, 0.3), word("-one", 0.3, 0.6)]

    assert transcript(verbose("Twenty-one.", words=words)).words == (
        HeardWord("twenty", 0.0, 0.3),
        HeardWord("-one", 0.3, 0.6),
    )


def test_a_plain_answer_has_a_text_and_perhaps_likelihoods_and_languages() -> None:
    tokens = [{"token": "Ye", "logprob": -0.1, "bytes": [89]}, {"token": "s.", "logprob": -0.3, "bytes": [46]}]
    answer: dict[str, Any] = {"text": "Yes.", "logprobs": tokens, "languages": [{"code": "de"}]}
    Transcription.model_validate(answer)

    assert transcript(answer) == Transcript("Yes.", final=True, confidence=pytest.approx(math.exp(-0.2)), language="de")
    assert transcript({"text": " Yes. "}, language="en") == Transcript("Yes.", final=True, language="en")


@pytest.mark.parametrize(
    "made_up",
    [
        {"no_speech_prob": 0.8, "avg_logprob": -1.2},
        {"compression_ratio": 2.5},
    ],
)
def test_what_whisper_makes_up_of_silence_and_its_loops_are_left_out(made_up: dict[str, float]) -> None:
    false = segment(" Thank you.", 2.0, 3.0, **made_up)

    assert transcript(verbose("Thank you.", false, words=[word("Thank", 2.0, 2.4)])) == Transcript("", final=True)
    partly = verbose(
        "Good day. Thank you.",
        segment(" Good day.", 0.0, 1.0),
        false,
        words=[word("Good", 0.0, 0.4), word("day", 0.5, 0.9), word("Thank", 2.0, 2.4), word("you", 2.5, 2.8)],
    )
    assert transcript(partly).text == "Good day."
    assert transcript(partly).words == (HeardWord("Good", 0.0, 0.4), HeardWord("day.", 0.5, 0.9))


def test_what_is_merely_quiet_or_merely_doubtful_is_kept() -> None:
    for doubt in ({"no_speech_prob": 0.8, "avg_logprob": -0.4}, {"no_speech_prob": 0.2, "avg_logprob": -1.4}):
        assert transcript(verbose("Yes.", segment(" Yes.", 0, 1, **doubt))).text == "Yes."


def test_the_answer_is_as_certain_as_its_least_likely_segment_and_fillers_say_nothing() -> None:
    two = verbose("One. Two.", segment(" One.", 0, 1), segment(" Two.", 1, 2, avg_logprob=-0.7))
    assert transcript(two).confidence == pytest.approx(math.exp(-0.7))

    vllm = {"text": " Yes.", "duration": "1.2", "language": "en"}
    vllm_segment = segment(" Yes.", 0, 1, avg_logprob=-1.0, compression_ratio=-1.0, no_speech_prob=-1.0)
    said = transcript({**vllm, "segments": [vllm_segment], "words": None})
    assert (said.text, said.confidence, said.language) == ("Yes.", None, "en")


@pytest.mark.parametrize("answer", [{}, [], None, "Yes.", {"text": None}, {"error": "?"}])
def test_what_is_no_answer_is_not_taken_for_silence(answer: object) -> None:
    with pytest.raises(ValueError, match="no text"):
        transcript(answer)


def test_languages_come_as_names_or_codes() -> None:
    assert [code(each) for each in ("english", "Haitian Creole", "de", "yue", "Klingon", "")] == [
        *("en", "ht", "de", "yue", "", "")
    ]


def test_a_form_asks_for_what_the_model_can_tell() -> None:
    times = {"response_format": "verbose_json", "timestamp_granularities[]": ["word", "segment"]}
    assert form("whisper-1", words=True) == {"model": "whisper-1", **times}
    assert form("gpt-transcribe") == {"model": "gpt-transcribe", "response_format": "json"}
    for likely in ("gpt-4o-transcribe", "gpt-4o-mini-transcribe-2025-12-15"):
        assert form(likely)["include[]"] == ["logprobs"]
    assert "include[]" not in form("gpt-4o-transcribe-diarize")
    assert form("m", language="en", prompt="Trattoria Blu") == {
        "model": "m",
        "response_format": "json",
        "language": "en",
        "prompt": "Trattoria Blu",
    }


def test_pcm_is_sent_as_a_wav_file_of_its_own_rate() -> None:
    with wave.open(io.BytesIO(wav(b"\x01\x02" * 80, 8000))) as file:
        assert file.getparams()[:4] == (1, 2, 8000, 80)
        assert file.readframes(80) == b"\x01\x02" * 80
