"""What a client uploads in one request."""

from collections.abc import Sequence

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from agentvoice.server.uploads import read_body, read_form

pytestmark = pytest.mark.anyio

FORM = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF\r\n--x--\r\n'


class Upload:
    """A request in pieces, as chunked ones come: no header tells of its length."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self.left = list(pieces)
        headers = [(b"content-type", b"multipart/form-data; boundary=x")]
        self.request = Request({"type": "http", "method": "POST", "headers": headers, "app": None}, self._receive)

    async def _receive(self) -> Message:
        piece = self.left.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(self.left)}


async def test_a_body_comes_in_pieces() -> None:
    assert await read_body(Upload([b"ab", b"", b"c"]).request, most=3) == b"abc"


async def test_no_more_is_read_than_there_may_be() -> None:
    upload = Upload([b"ab"] * 100)
    with pytest.raises(HTTPException, match="413: a request has 3 bytes at most"):
        await read_body(upload.request, most=3)
    assert len(upload.left) == 98


async def test_a_form_has_its_files() -> None:
    async with read_form(Upload([FORM[:20], FORM[20:]]).request, most=len(FORM)) as form:
        file = form["file"]
        assert not isinstance(file, str)
        assert await file.read() == b"RIFF"


async def test_a_form_is_no_larger_than_it_may_be_though_nobody_said_its_length() -> None:
    with pytest.raises(HTTPException, match="413"):
        async with read_form(Upload([FORM[:20], FORM[20:]]).request, most=len(FORM) - 1):
            pass


async def test_what_is_no_form_is_said_to_be_none() -> None:
    with pytest.raises(HTTPException, match="400"):
        async with read_form(Upload([b"nonsense"]).request, most=100):
            pass
