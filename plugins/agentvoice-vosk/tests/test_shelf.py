from __future__ import annotations

import gc
import weakref

from agentvoice_vosk._decoder import Decoder
from agentvoice_vosk._shelf import Shelf

from .scripted import ScriptedKaldi


class Made:
    """Makes decoders, and knows which are still there."""

    def __init__(self) -> None:
        self.all: weakref.WeakSet[Decoder] = weakref.WeakSet()
        self.count = 0

    def __call__(self) -> Decoder:
        decoder = Decoder(ScriptedKaldi())
        self.all.add(decoder)
        self.count += 1
        return decoder


def test_one_decoder_serves_one_segment_after_the_other() -> None:
    made = Made()
    shelf = Shelf(made, spare=1)
    for _ in range(3):
        shelf.put_back(shelf.take())

    assert made.count == 1


def test_there_are_as_many_decoders_as_segments_at_once() -> None:
    made = Made()
    shelf = Shelf(made, spare=1)

    assert shelf.take() is not shelf.take()
    assert made.count == 2


def test_the_decoder_that_was_used_last_is_lent_first() -> None:
    shelf = Shelf(Made(), spare=2)
    first, second = shelf.take(), shelf.take()
    shelf.put_back(second)
    shelf.put_back(first)

    assert shelf.take() is first


def test_a_decoder_comes_back_in_the_middle_of_a_segment_and_forgets_it() -> None:
    shelf = Shelf(Made(), spare=1)
    decoder = shelf.take()
    decoder.hear(bytes(6400))
    shelf.put_back(decoder)

    assert shelf.take().finish().text == ""


def test_decoders_beyond_the_spare_ones_are_given_up_one_at_a_time() -> None:
    made = Made()
    shelf = Shelf(made, spare=1)
    for decoder in [shelf.take() for _ in range(5)]:
        shelf.put_back(decoder)
    del decoder
    left = []
    for _ in range(5):
        shelf.put_back(shelf.take())
        gc.collect()
        left.append(len(made.all))

    assert left == [4, 3, 2, 2, 2]  # the one that is lent, and a spare one


def test_the_first_callers_find_decoders_that_are_warm() -> None:
    made = Made()
    shelf = Shelf(made, spare=2)
    shelf.stock(2)
    decoders = [shelf.take(), shelf.take()]
    for decoder in decoders:
        decoder.hear(bytes(3200))

    assert made.count == 2
    assert [decoder.finish().text for decoder in decoders] == ["40", "40"]  # after four seconds of something else
