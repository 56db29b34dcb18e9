"""Server-sent events: what a stream says does not depend on where its reads fell."""

from collections.abc import AsyncIterator

import pytest
from anyio import current_time, sleep_forever
from hypothesis import given, strategies as st

from agentvoice import sse
from agentvoice.sse import EventReader, read_events


def read(stream: bytes, size: int = 7) -> list[str]:
    reader = EventReader()
    found = [data for at in range(0, len(stream), size) for data in reader.feed(stream[at : at + size])]
    return found + reader.finish()


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_an_event_ends_with_an_empty_line_whichever_way_lines_end(end: bytes) -> None:
    assert read(b"data: one\n\ndata: two\n\n".replace(b"\n", end)) == ["one", "two"]


def test_only_data_counts() -> None:
    assert read(b": a comment\nevent: message\nid: 7\nretry: 10\ndata:tight\n\nevent: ping\n\n") == ["tight"]


def test_one_blank_after_the_colon_is_none_of_the_data() -> None:
    assert read(b"data:  two\n\n") == [" two"]


def test_lines_of_data_are_joined() -> None:
    assert read(b'data: {"a":\ndata: 1}\n\n') == ['{"a":\n1}']


def test_a_line_separator_within_the_data_is_part_of_it() -> None:
    assert read('data: "a\u2028b\x85c"\n\n'.encode()) == ['"a\u2028b\x85c"']


def test_the_last_event_counts_without_its_empty_line() -> None:
    assert read(b"data: one\n\ndata: two") == ["one", "two"]
    assert read(b"data: one\r") == ["one"]


def test_a_byte_order_mark_is_passed_over() -> None:
    assert read(b"\xef\xbb\xbfdata: one\n\n") == ["one"]


def test_a_stream_without_events_is_refused_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "_MOST", 100)
    with pytest.raises(ValueError, match="has no end"):
        read(b"x" * 200)
    with pytest.raises(ValueError, match="has no end"):
        read(b"data: 123456789\n" * 20)
    assert len(read(b"data: 123456789\n\n" * 20)) == 20


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"))), st.integers(1, 9))
def test_events_do_not_depend_on_where_the_reads_fell(texts: list[str], size: int) -> None:
    stream = "".join(f"data: {text}\r\n\r\n" for text in texts).encode()

    assert read(stream, size) == read(stream, len(stream) + 1) == texts


async def chunks(*each: bytes, ends: bool = True) -> AsyncIterator[bytes]:
    for chunk in each:
        yield chunk
    if not ends:
        await sleep_forever()


@pytest.mark.anyio
async def test_events_are_read_up_to_the_one_that_says_done_and_the_body_to_its_end() -> None:
    for body in (chunks(b"data: one\n\ndata: [DONE]\n\n", b": bye"), chunks(b"data: one\n\ndata: [DONE]", ends=True)):
        assert [data async for data in read_events(body)] == ["one"]
        assert [chunk async for chunk in body] == []
    assert [data async for data in read_events(chunks(b"data: one\n\n", b"data: two"))] == ["one", "two"]


@pytest.mark.anyio
async def test_a_body_that_does_not_end_is_not_waited_for() -> None:
    began = current_time()
    body = chunks(b"data: one\n\ndata: [DONE]\n\n", ends=False)

    assert [data async for data in read_events(body)] == ["one"]
    assert current_time() - began < 0.2
