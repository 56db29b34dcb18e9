"""For supervisors: which calls there are, and how to cut in on one. Each request carries a token.

| request                      | does                                                                                  |
| ---------------------------- | ------------------------------------------------------------------------------------- |
| `GET /calls`                 | tells which calls there are, and what was heard in each                               |
| `GET /calls/{id}`            | tells of one                                                                          |
| `POST /calls/{id}/interrupt` | stops the agent in mid-sentence                                                       |
| `POST /calls/{id}/say`       | has it say `{"text": "..."}` after what it says, or at once with `"interrupt": true`  |
| `POST /calls/{id}/hang-up`   | ends the call after the agent's last word                                             |

The token comes as `Authorization: Bearer ...`; what is wrong is told as `{"error": "..."}`.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agentvoice.call import Call
from agentvoice.events import SayRequested, SupervisorCutIn
from agentvoice.history import Entry

from .uploads import read_body

log = structlog.get_logger(__name__)

_LARGEST: Final = 1 << 16


def supervision(calls: Mapping[str, Call], token: str) -> list[Route]:
    """Return the routes for supervisors who know `token`. `calls` are those under way, by id."""
    desk = _Desk(calls, token)
    return [
        Route("/calls", desk.guarded(desk.list), methods=["GET"]),
        Route("/calls/{call_id}", desk.guarded(desk.show), methods=["GET"]),
        Route("/calls/{call_id}/interrupt", desk.guarded(desk.interrupt), methods=["POST"]),
        Route("/calls/{call_id}/say", desk.guarded(desk.say), methods=["POST"]),
        Route("/calls/{call_id}/hang-up", desk.guarded(desk.hang_up), methods=["POST"]),
    ]


class _Desk:
    def __init__(self, calls: Mapping[str, Call], token: str) -> None:
        self._calls = calls
        self._token = token.encode()
        self._says = 0

    def guarded(self, answer: Callable[[Request], Awaitable[Mapping[str, Any]]]) -> Callable[..., Awaitable[Response]]:
        """Answer those who know the token, and tell the others, and whoever is mistaken, what is wrong."""

        async def respond(request: Request) -> Response:
            given = request.headers.get("authorization", "").removeprefix("Bearer ").encode()
            if not hmac.compare_digest(given, self._token):
                wrong = "this needs the supervisor's token, as `Authorization: Bearer ...`"
                return JSONResponse({"error": wrong}, HTTPStatus.UNAUTHORIZED, {"www-authenticate": "Bearer"})
            try:
                return JSONResponse(await answer(request))
            except HTTPException as wrong:
                return JSONResponse({"error": wrong.detail}, wrong.status_code)

        return respond

    async def list(self, _: Request) -> Mapping[str, Any]:
        return {"calls": [_told(call) for call in self._calls.values()]}

    async def show(self, request: Request) -> Mapping[str, Any]:
        return _told(self._call(request))

    async def interrupt(self, request: Request) -> Mapping[str, Any]:
        call = self._call(request)
        if call.turn is None or not call.turn.live:
            raise HTTPException(HTTPStatus.CONFLICT, "the agent is not speaking")
        call.deliver(SupervisorCutIn())
        log.info("supervisor_cut_in", call_id=call.id)
        return {"interrupted": call.turn.id}

    async def say(self, request: Request) -> Mapping[str, Any]:
        call, wish = self._call(request), await _body(request)
        text = wish.get("text")
        if not isinstance(text, str) or not text.strip():
            raise HTTPException(HTTPStatus.BAD_REQUEST, 'say what: {"text": "..."}')
        self._says += 1
        if wish.get("interrupt"):
            call.deliver(SupervisorCutIn())
        call.deliver(SayRequested(f"v{self._says}", text))
        log.info("supervisor_says", call_id=call.id)
        return {"turn": f"v{self._says}"}

    async def hang_up(self, request: Request) -> Mapping[str, Any]:
        call = self._call(request)
        call.hang_up()
        return {"ended": call.id}

    def _call(self, request: Request) -> Call:
        call_id = request.path_params["call_id"]
        try:
            return self._calls[call_id]
        except KeyError:
            raise HTTPException(
                HTTPStatus.NOT_FOUND, f"there is no call {call_id} now; GET /calls tells which there are"
            ) from None


async def _body(request: Request) -> Mapping[str, Any]:
    body = await read_body(request, most=_LARGEST, why=f"more than {_LARGEST} bytes are not for the telephone")
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise HTTPException(HTTPStatus.BAD_REQUEST, 'this is no JSON object, such as {"text": "..."}')
    return found


def _told(call: Call) -> dict[str, Any]:
    turn, entries = call.turn, [entry for entry in call.history.entries if isinstance(entry, Entry)]
    return {
        "id": call.id,
        "caller": call.caller,
        "agent": type(call.agent).__name__,
        "turn": {"id": turn.id, "state": turn.state, "generated": turn.generated} if turn else None,
        "heard": [{"role": entry.role, "text": entry.text} for entry in entries],
    }
