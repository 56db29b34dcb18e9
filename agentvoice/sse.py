"""Server-sent events, read: bytes in, the data of each event out.

As the HTML standard has it (section 9.2.6, "Interpreting an event stream"), except that names and ids of events are
passed over: those who stream a language model's answer say everything in the data.
"""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final

from anyio import move_on_after

DONE: Final = "[DONE]"
"""What the last event says in OpenAI's dialect."""

_LINE_END: Final = re.compile("\r\n|\n|\r")
"""Nothing else ends a line: JSON may hold U+2028 as it is, at which `str.splitlines` would cut."""
_MOST: Final = 8 * 2**20
"""Characters of one event beyond which the stream cannot be what it says it is."""
_ENDING_S: Final = 0.1
"""How long the end of the body may take after the last event. Read to its end, a connection can be used again."""


async def read_events(chunks: AsyncIterator[bytes]) -> AsyncGenerator[str]:
    """Yield the data of each event of a body that is read in chunks, up to `DONE` where there is one.

    Raises:
        ValueError: an event has no end.
    """
    reader = EventReader()
    async for chunk in chunks:
        for data in reader.feed(chunk):
            if data == DONE:
                with move_on_after(_ENDING_S):
                    async for _ in chunks:
                        pass
                return
            yield data
    for data in reader.finish():
        if data != DONE:
            yield data


class EventReader:
    """Put a stream of server-sent events together again, wherever its reads fell."""

    def __init__(self) -> None:
        self._decode = getincrementaldecoder("utf-8-sig")(errors="replace").decode
        self._rest = ""  # of a line that is not whole yet
        self._data: list[str] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[str]:
        """Take more of the stream; return the data of each event that it completes.

        Raises:
            ValueError: an event has no end.
        """
        self._rest += self._decode(chunk)
        # A carriage return at the very end may be the first half of a line's end.
        held = "\r" if self._rest.endswith("\r") else ""
        *lines, rest = _LINE_END.split(self._rest.removesuffix("\r"))
        self._rest = rest + held
        if self._size + len(self._rest) > _MOST:
            raise ValueError("an event of the stream has no end")
        return [data for line in lines if (data := self._line(line)) is not None]

    def finish(self) -> list[str]:
        """Take the end of the stream; return the data of an event that nobody completed, if it came to a whole line.

        The standard would have it dropped. But a server that forgets the last empty line has meant what it sent.
        """
        found = [self._line(self._rest.removesuffix("\r")), self._line("")]
        self._rest = ""
        return [data for data in found if data is not None]

    def _line(self, line: str) -> str | None:
        if line:
            field, _, value = line.partition(":")
            if field == "data":
                self._data.append(value.removeprefix(" "))
                self._size += len(value)
            return None
        if not self._data:
            return None
        data = "\n".join(self._data)
        self._data, self._size = [], 0
        return data
