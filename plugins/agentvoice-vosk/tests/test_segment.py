from __future__ import annotations

from threading import Event, Thread

import numpy as np
import pytest

from agentvoice.errors import ProviderUnavailable
from agentvoice_vosk._decoder import Decoder
from agentvoice_vosk._segment import Closed, Segment
from agentvoice_vosk._shelf import Shelf

from .scripted import ScriptedKaldi


class Shelved(Shelf):
    """A shelf with one decoder, that tells what comes back."""

    def __init__(self, kaldi: ScriptedKaldi) -> None:
        super().__init__(lambda: Decoder(kaldi), spare=1)
        self.lent = self.back = 0

    def take(self) -> Decoder:
        self.lent += 1
        return super().take()

    def put_back(self, decoder: Decoder) -> None:
        self.back += 1
        super().put_back(decoder)


@pytest.mark.parametrize("sample_rate", [8000, 11025, 16000, 22050, 44100, 48000])
def test_audio_of_any_rate_reaches_the_decoder_whole(sample_rate: int) -> None:
    segment = Segment(Shelved(ScriptedKaldi()), sample_rate)
    piece = bytes(2 * -(-sample_rate // 10))
    for _ in range(10):
        segment.understand(piece, last=False)

    assert len(segment.understand(piece, last=True).words) == 11


def test_a_segment_without_audio_says_nothing() -> None:
    assert Segment(Shelved(ScriptedKaldi()), 8000).understand(b"", last=True).text == ""


def test_resampling_leaves_no_mirror_image_above_what_the_telephone_carries() -> None:
    heard: list[bytes] = []

    class Tap(ScriptedKaldi):
        def AcceptWaveform(self, data: bytes) -> int:
            heard.append(data)
            return super().AcceptWaveform(data)

    segment = Segment(Shelved(Tap()), 8000)
    tone = (8000 * np.sin(2 * np.pi * 3000 * np.arange(8000) / 8000)).astype("<i2").tobytes()
    for at in range(0, len(tone), 320):
        segment.understand(tone[at : at + 320], last=at + 320 == len(tone))
    spectrum = np.abs(np.fft.rfft(np.frombuffer(b"".join(heard), "<i2")[1000:15000]))
    hertz = np.fft.rfftfreq(14000, 1 / 16000)

    assert spectrum[hertz > 4500].max() < spectrum.max() / 1000


def test_a_closed_segment_gives_its_decoder_back_and_does_no_more() -> None:
    shelf = Shelved(ScriptedKaldi())
    segment = Segment(shelf, 16000)
    segment.understand(bytes(3200), last=False)

    segment.close()
    segment.close()

    assert (shelf.lent, shelf.back) == (1, 1)
    with pytest.raises(Closed):
        segment.understand(bytes(3200), last=False)


def test_a_segment_that_was_never_begun_borrows_no_decoder() -> None:
    shelf = Shelved(ScriptedKaldi())
    Segment(shelf, 16000).close()

    assert (shelf.lent, shelf.back) == (0, 0)


@pytest.mark.real_time
def test_a_segment_that_is_closed_while_a_thread_works_on_it_gives_its_decoder_back_after_that() -> None:
    working, go_on = Event(), Event()

    def hindrance() -> None:
        working.set()
        assert go_on.wait(10)

    shelf = Shelved(ScriptedKaldi(hindrance=hindrance))
    segment = Segment(shelf, 16000)
    thread = Thread(target=segment.understand, args=(bytes(3200),), kwargs={"last": False})
    thread.start()
    assert working.wait(10)

    segment.close()
    assert shelf.back == 0
    go_on.set()
    thread.join()

    assert shelf.back == 1


def test_a_decoder_that_broke_is_not_lent_again() -> None:
    kaldi = ScriptedKaldi()
    shelf = Shelved(kaldi)
    segment = Segment(shelf, 16000)
    kaldi.broken = True
    with pytest.raises(ProviderUnavailable):
        segment.understand(bytes(3200), last=False)
    segment.close()

    assert (shelf.lent, shelf.back) == (1, 0)
