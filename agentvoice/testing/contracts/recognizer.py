"""What every `SpeechRecognizer` has to keep."""

from __future__ import annotations

from collections.abc import Callable

from anyio import create_task_group, fail_after, move_on_after

from agentvoice.clock import current_time
from agentvoice.events import Transcript
from agentvoice.interfaces import Listening, SpeechRecognizer

AT_ONCE_S = 0.05
"""How long `feed` and `finalize` may take at most."""
PATIENCE_S = 30.0
"""How long a final transcript may take on the slowest machine."""


async def check_recognizer(
    make: Callable[[], SpeechRecognizer], *, speech: bytes, understood: Callable[[str], bool], sample_rate: int = 8000
) -> None:
    """Check a plugin, or a double. `understood(text)` tells whether that is what `speech`, some PCM, says.

    Raises:
        AssertionError: the contract is broken; the message says where.
    """
    recognizer = make()
    recognizer.prepare()
    async with recognizer.listen(sample_rate) as listening:
        for _ in range(2):
            text = await _recognise(listening, speech, sample_rate)
            assert understood(text), f"speech is understood, also after an earlier segment; heard {text!r}"
        await listening.finalize()
        assert (await _final(listening)).text == "", "a segment without audio gets an empty final transcript"
        await _recognise(listening, bytes(2 * sample_rate), sample_rate)  # silence may be anything, but has an end
        await _check_order(listening, speech, understood)
        await listening.feed(speech[: len(speech) // 4 * 2])
    await _check_independence(recognizer, speech, understood, sample_rate)
    await _check_end(recognizer, speech, sample_rate)


async def _recognise(listening: Listening, pcm: bytes, sample_rate: int) -> str:
    """Feed one segment in frames, and return its final transcript."""
    frame = 2 * sample_rate // 50
    began = current_time()
    pieces = [pcm[at : at + frame] for at in range(0, len(pcm), frame)]
    for piece in pieces:
        await listening.feed(piece)
    await listening.finalize()
    took = current_time() - began
    assert took <= AT_ONCE_S * (len(pieces) + 1), "feed and finalize return at once"
    return (await _final(listening)).text


async def _final(listening: Listening) -> Transcript:
    with fail_after(PATIENCE_S):
        while not (transcript := await listening.transcripts.receive()).final:
            pass
    return transcript


async def _check_order(listening: Listening, speech: bytes, understood: Callable[[str], bool]) -> None:
    """A segment may begin before the one before it is understood."""
    await listening.feed(speech)
    await listening.finalize()
    await listening.finalize()
    await listening.feed(speech)
    await listening.finalize()
    texts = [(await _final(listening)).text for _ in range(3)]
    assert understood(texts[0]), "final transcripts come in order: the first segment's"
    assert texts[1] == "", "final transcripts come in order: that of the empty segment"
    assert understood(texts[2]), "final transcripts come in order: the last segment's"


async def _check_independence(
    recognizer: SpeechRecognizer, speech: bytes, understood: Callable[[str], bool], sample_rate: int
) -> None:
    texts: list[str] = []

    async def call() -> None:
        async with recognizer.listen(sample_rate) as listening:
            texts.append(await _recognise(listening, speech, sample_rate))

    async with create_task_group() as group:
        group.start_soon(call)
        group.start_soon(call)
    assert len(texts) == 2, "every call gets its transcript"
    assert all(map(understood, texts)), f"two calls at once do not disturb each other; heard {texts}"


async def _check_end(recognizer: SpeechRecognizer, speech: bytes, sample_rate: int) -> None:
    with move_on_after(PATIENCE_S) as patience:
        async with recognizer.listen(sample_rate) as listening:
            await listening.feed(speech)
            await listening.finalize()
            ended = current_time()
    took = current_time() - ended
    assert not patience.cancelled_caught, "listening ends when it is left, whatever is still owed"
    assert took <= 1.0, "listening ends within a second, whatever is still owed"
