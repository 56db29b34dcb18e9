"""Laying a sentence against its words. The sounds are made by hand: each is one band, loud."""

import numpy as np

from agentvoice_pico._align import Frames, align, seconds, spectra, trimmed

BANDS = 20


def sound(band: int, frames: int) -> Frames:
    made = np.zeros((frames, BANDS), np.float32)
    made[:, band] = 3.0
    return made


def silence(frames: int) -> Frames:
    return np.zeros((frames, BANDS), np.float32)


def test_each_word_is_where_it_sounds_like_itself() -> None:
    words = [sound(1, 10), sound(5, 20), sound(9, 10)]
    sentence = np.concatenate([silence(2), sound(1, 7), sound(5, 12), silence(6), sound(9, 15), silence(4)])

    assert align(words, sentence) == [(2, 9), (9, 21), (27, 42)]


def test_the_same_word_twice_is_two_words() -> None:
    sentence = np.concatenate([silence(2), sound(1, 8), silence(3), sound(1, 8), silence(2)])

    assert align([sound(1, 8), sound(1, 8)], sentence) == [(2, 10), (13, 21)]


def test_what_has_no_sound_is_nothing_at_the_end_of_what_is_before_it() -> None:
    sentence = np.concatenate([silence(2), sound(1, 8), silence(3), sound(5, 8), silence(2)])

    (_, end), nothing, last = align([sound(1, 8), silence(0), sound(5, 8)], sentence)

    assert nothing[0] == nothing[1]
    assert end <= nothing[0] <= last[0]
    assert last == (13, 21)


def test_far_too_little_sound_is_shared_out_in_order() -> None:
    spans = align([sound(1, 50), sound(5, 50)], sound(1, 4))

    assert [edge for span in spans for edge in span] == sorted(edge for span in spans for edge in span)


def test_silence_around_a_word_is_cut_off_but_for_so_much() -> None:
    pcm = bytes(3200) + b"\x00\x20" * 800 + bytes(6400)

    assert trimmed(pcm) == b"\x00\x20" * 800
    assert len(trimmed(pcm, lead_s=0.01, rest_s=0.1)) == 2 * (160 + 800 + 1600)
    assert trimmed(bytes(320)) == b""


def test_frames_are_ten_milliseconds() -> None:
    assert len(spectra(bytes(2 * 16000))) == 99
    assert len(spectra(b"")) == 0
    assert seconds(0) == 0
    assert seconds(10) == 0.11
