"""The web application, as carriers, proxies and people see it."""

from __future__ import annotations

import base64
import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from typing import Any

import anyio
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from agentvoice.events import CallerAudio, HungUp, Transfer
from agentvoice.interfaces import Transfers, Transport
from agentvoice.server.app import create_app
from agentvoice.server.signature import sign
from agentvoice.server.transfers import Transfers as CallsToPutThrough

pytestmark = pytest.mark.sockets  # the test client runs the application in a thread, in real time


class Echo:
    """A host whose agents repeat what they hear."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.ended: list[str] = []

    async def take(
        self, transport: Transport, *, call_id: str, caller: str, called: str, parameters: Mapping[str, str]
    ) -> None:
        self.taken.append({"call_id": call_id, "caller": caller, "called": called, "parameters": dict(parameters)})
        async with anyio.create_task_group() as group:
            group.start_soon(transport.run)
            while True:
                match await transport.receive():
                    case CallerAudio(audio, start):
                        if audio == b"crash":
                            raise ValueError("a bug in an agent")
                        transport.send_audio(audio)
                        transport.send_mark(str(start))
                    case HungUp(reason):
                        self.ended.append(reason)
                        group.cancel_scope.cancel()
                        return
                    case _:
                        pass


@pytest.fixture
def host() -> Echo:
    return Echo()


@pytest.fixture
def app(host: Echo) -> Starlette:
    return create_app(host)


@pytest.fixture
def client(app: Starlette) -> Iterator[TestClient]:
    with TestClient(app, base_url="http://agent.example") as client:
        yield client


def start(**parameters: str) -> str:
    return json.dumps(
        {
            "event": "start",
            "sequenceNumber": "1",
            "streamSid": "MZ1",
            "start": {
                "accountSid": "AC1",
                "streamSid": "MZ1",
                "callSid": "CA1",
                "tracks": ["inbound"],
                "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
                "customParameters": parameters,
            },
        }
    )


def media(audio: bytes, timestamp: int = 0) -> str:
    payload = base64.b64encode(audio).decode()
    return json.dumps(
        {
            "event": "media",
            "sequenceNumber": "3",
            "streamSid": "MZ1",
            "media": {"track": "inbound", "chunk": "1", "timestamp": str(timestamp), "payload": payload},
        }
    )


STOP = json.dumps(
    {"event": "stop", "sequenceNumber": "5", "streamSid": "MZ1", "stop": {"accountSid": "AC1", "callSid": "CA1"}}
)


def stream_of(twiml: str) -> ET.Element:
    stream = ET.fromstring(twiml).find("./Connect/Stream")
    assert stream is not None
    return stream


# ---------------------------------------------------------------------- the webhook


def test_the_webhook_connects_the_call_to_our_stream_and_says_who_rings(client: TestClient) -> None:
    answer = client.post("/twilio/voice", data={"CallSid": "CA1", "From": "+4930123", "To": "+4940456"})

    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    stream = stream_of(answer.text)
    assert stream.get("url") == "ws://agent.example/twilio/media"
    assert [(p.get("name"), p.get("value")) for p in stream] == [("caller", "+4930123"), ("called", "+4940456")]


def test_the_webhook_may_be_asked_with_get(client: TestClient) -> None:
    stream = stream_of(client.get("/twilio/voice", params={"From": "+4930123"}).text)
    assert [(p.get("name"), p.get("value")) for p in stream] == [("caller", "+4930123")]


def test_behind_a_proxy_the_stream_is_where_the_proxy_is(client: TestClient) -> None:
    headers = {"x-forwarded-proto": "https, http", "x-forwarded-host": "x.ngrok.example"}
    assert stream_of(client.post("/twilio/voice", headers=headers).text).get("url") == (
        "wss://x.ngrok.example/twilio/media"
    )


@pytest.mark.parametrize("public", ["https://a.example/agents/", "wss://a.example/agents"])
def test_a_public_url_wins_over_what_a_request_says(host: Echo, public: str) -> None:
    client = TestClient(create_app(host, public_url=public))
    answer = client.post("/twilio/voice", headers={"x-forwarded-host": "elsewhere.example"})
    assert stream_of(answer.text).get("url") == "wss://a.example/agents/twilio/media"


def test_a_form_that_is_too_large_is_not_read(client: TestClient) -> None:
    assert client.post("/twilio/voice", content=b"x" * 70_000).status_code == 413


# ---------------------------------------------------------------------- signatures


@pytest.fixture
def careful(host: Echo) -> TestClient:
    return TestClient(create_app(host, public_url="https://a.example", twilio_auth_token="t0ken"))


def test_only_a_webhook_that_twilio_signed_is_answered(careful: TestClient) -> None:
    form = {"CallSid": "CA1", "From": "+4930123"}
    url = "https://a.example/twilio/voice?tenant=7"
    right = {"x-twilio-signature": sign("t0ken", url, form.items())}

    assert careful.post("/twilio/voice?tenant=7", data=form, headers=right).status_code == 200
    assert careful.post("/twilio/voice?tenant=8", data=form, headers=right).status_code == 403
    assert careful.post("/twilio/voice?tenant=7", data=form).status_code == 403


def test_only_a_stream_that_twilio_signed_is_accepted(careful: TestClient, host: Echo) -> None:
    with pytest.raises(WebSocketDenialResponse) as refused, careful.websocket_connect("/twilio/media"):
        pass
    assert refused.value.status_code == 403

    right = {"x-twilio-signature": sign("t0ken", "wss://a.example/twilio/media")}
    with careful.websocket_connect("/twilio/media", headers=right) as line:
        line.send_text(start())
        line.send_text(STOP)
    assert host.ended == ["caller"]


# ---------------------------------------------------------------------- calls


def test_a_call_is_carried_from_start_to_stop(client: TestClient, host: Echo, app: Starlette) -> None:
    with client.websocket_connect("/twilio/media") as line:
        line.send_text(json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"}))
        line.send_text(start(caller="+4930123", called="+4940456", shop="7"))
        line.send_text(media(b"\x01" * 160, timestamp=40))
        echoed, marked = line.receive_json(), line.receive_json()
        assert app.state.switchboard.live == 1
        line.send_text(STOP)

    assert echoed["event"] == "media"
    assert echoed["streamSid"] == "MZ1"
    assert base64.b64decode(echoed["media"]["payload"]) == b"\x01" * 160
    assert (marked["event"], marked["mark"]["name"]) == ("mark", "320")
    assert host.taken == [
        {
            "call_id": "CA1",
            "caller": "+4930123",
            "called": "+4940456",
            "parameters": {"caller": "+4930123", "called": "+4940456", "shop": "7"},
        }
    ]
    assert host.ended == ["caller"]
    assert app.state.switchboard.live == 0


def test_a_line_that_is_cut_ends_its_call(client: TestClient, host: Echo) -> None:
    with client.websocket_connect("/twilio/media") as line:
        line.send_text(start())
    assert host.ended == ["disconnected"]


def test_a_call_that_crashes_ends_alone(client: TestClient, app: Starlette) -> None:
    with client.websocket_connect("/twilio/media") as good:
        good.send_text(start())
        with client.websocket_connect("/twilio/media") as bad:
            bad.send_text(start())
            bad.send_text(media(b"crash"))
            with pytest.raises(WebSocketDisconnect):
                bad.receive_text()
        good.send_text(media(b"\x02"))
        assert good.receive_json()["event"] == "media"
    assert app.state.switchboard.failed == 1


def test_a_stream_that_never_starts_is_closed_and_the_server_goes_on(client: TestClient, host: Echo) -> None:
    with client.websocket_connect("/twilio/media") as line:
        line.send_text(STOP)
        with pytest.raises(WebSocketDisconnect):
            line.receive_text()
    assert host.taken == []
    assert client.get("/health").status_code == 200


def test_a_full_server_gives_a_busy_tone(host: Echo) -> None:
    client = TestClient(create_app(host, max_calls=1))
    with client.websocket_connect("/twilio/media") as line:
        line.send_text(start())
        line.send_text(media(b"\x03"))
        line.receive_text()

        assert ET.fromstring(client.post("/twilio/voice").text).find("./Reject") is not None
        with pytest.raises(WebSocketDenialResponse) as refused, client.websocket_connect("/twilio/media"):
            pass
        assert refused.value.status_code == 503
    assert stream_of(client.post("/twilio/voice").text) is not None


def test_a_draining_server_takes_no_call_and_tells_the_load_balancer(client: TestClient, app: Starlette) -> None:
    assert client.get("/health").json() == {"status": "ok", "calls": 0}

    app.state.switchboard.draining = True

    assert ET.fromstring(client.post("/twilio/voice").text).find("./Reject") is not None
    assert client.get("/health").status_code == 503


# ---------------------------------------------------------------------- everything else


def test_metrics_say_how_many_calls_there_are_and_were(client: TestClient) -> None:
    with client.websocket_connect("/twilio/media") as line:
        line.send_text(start())
        line.send_text(media(b"\x04"))
        line.receive_text()
        metrics = client.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = metrics.text.splitlines()
    assert "# TYPE agentvoice_calls_total counter" in lines
    assert {"agentvoice_calls_live 1", "agentvoice_calls_total 1", "agentvoice_calls_refused_total 0"} <= set(lines)


def test_whoever_looks_is_told_what_this_is(client: TestClient) -> None:
    assert "http://agent.example/twilio/voice" in client.get("/").text


def test_a_wrong_path_is_told_what_there_is(client: TestClient) -> None:
    answer = client.post("/twilio/vioce")
    assert answer.status_code == 404
    assert answer.text.startswith("there is no /twilio/vioce here; there is: POST /twilio/voice")

    with pytest.raises(WebSocketDenialResponse) as refused, client.websocket_connect("/media"):
        pass
    assert refused.value.status_code == 404
    assert "WebSocket /twilio/media" in refused.value.text


def test_a_server_that_cannot_say_why_just_closes_a_stream_that_is_refused(host: Echo) -> None:
    plain = create_app(host)

    async def without_extensions(scope: Any, receive: Any, send: Any) -> None:
        await plain({**scope, "extensions": {}}, receive, send)

    with (
        pytest.raises(WebSocketDisconnect) as refused,
        TestClient(without_extensions).websocket_connect("/media"),
    ):
        pass
    assert refused.value.code == 1008


def test_a_stream_asked_for_like_a_page_is_told_to_be_a_websocket(client: TestClient) -> None:
    assert client.get("/twilio/media").status_code == 426


# ---------------------------------------------------------------------- transfers


class Operator(Echo):
    """Puts everybody through."""

    async def take(
        self, transport: Transport, *, call_id: str, caller: str, called: str, parameters: Mapping[str, str]
    ) -> None:
        assert isinstance(transport, Transfers)
        transport.transfer(Transfer("+15550100", summary="Wants a table."))
        await transport.run()


def test_a_caller_is_put_through_when_the_stream_is_closed_to_somebody_who_was_told() -> None:
    with TestClient(create_app(Operator()), base_url="http://agent.example") as client:
        with client.websocket_connect("/twilio/media") as socket:
            socket.send_text(start())
            with pytest.raises(WebSocketDisconnect):
                socket.receive_text()

        answer = ET.fromstring(client.post("/twilio/after", data={"CallSid": "CA1"}).text)
        number = answer.find("./Dial/Number")
        assert number is not None
        assert number.text == "+15550100"
        whisper = client.post(number.get("url", ""), data={"CallSid": "CA2"})
        assert ET.fromstring(whisper.text).findtext("./Say") == "Wants a table."


def test_a_call_that_is_not_put_through_ends_with_its_stream(client: TestClient) -> None:
    assert "<Hangup/>" in client.post("/twilio/after", data={"CallSid": "CA1"}).text


@pytest.mark.parametrize("path", ["/twilio/after", "/twilio/whisper"])
def test_what_comes_after_a_call_is_told_to_twilio_only(host: Echo, path: str) -> None:
    with TestClient(create_app(host, twilio_auth_token="secret")) as client:
        assert client.post(path, data={"CallSid": "CA1"}).status_code == 403


def test_transfers_that_nobody_asks_for_are_forgotten_in_the_end() -> None:
    transfers = CallsToPutThrough()
    for n in range(1001):
        transfers.put(f"CA{n}", Transfer("+15550100"))

    assert transfers.of("CA0") is None
    assert transfers.of("CA1000") == Transfer("+15550100")
