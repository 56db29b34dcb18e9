from __future__ import annotations

from hypothesis import given, strategies as st

from agentvoice.framing import Framed


def test_what_is_processed_are_whole_frames_in_order() -> None:
    frames: list[bytes] = []

    def process(frame: bytes) -> bytes:
        frames.append(frame)
        return frame.upper()

    framed = Framed(4, process)

    assert framed(b"ab") == bytes(2)
    assert framed(b"cdefgh") == bytes(2) + b"ABCD"
    assert framed(b"i") == b"E"
    assert frames == [b"abcd", b"efgh"]


@given(st.lists(st.binary(max_size=50)), st.integers(1, 20))
def test_as_much_comes_out_as_went_in_one_frame_late(pieces: list[bytes], size: int) -> None:
    framed, whole = Framed(size, bytes), b"".join(pieces)

    out = [framed(piece) for piece in pieces]

    assert [len(piece) for piece in out] == [len(piece) for piece in pieces]
    assert b"".join(out) == (bytes(size) + whole)[: len(whole)]
