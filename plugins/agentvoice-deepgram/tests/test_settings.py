from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from agentvoice.errors import UsageError
from agentvoice.interfaces import TurnRecognizer
from agentvoice.plugins import load
from agentvoice_deepgram import DeepgramFlux
from agentvoice_deepgram._settings import flux_url, headers, nova_url, read


def query(url: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(url).query)


def settings(**given: Any) -> Any:
    return read({"api_key": "k", **given})


def test_nova_is_told_what_comes_and_to_leave_endings_to_us() -> None:
    url = nova_url(settings(), 8000)
    assert url.startswith("wss://api.deepgram.com/v1/listen?")
    assert query(url) == {
        "model": ["nova-3"],
        "language": ["en"],
        "encoding": ["linear16"],
        "sample_rate": ["8000"],
        "channels": ["1"],
        "interim_results": ["true"],
        "punctuate": ["true"],
        "endpointing": ["false"],
    }


def test_flux_is_told_what_comes_and_to_say_early_when_a_turn_may_be_over() -> None:
    url = flux_url(settings(), 16000)
    assert url.startswith("wss://api.deepgram.com/v2/listen?")
    assert query(url) == {
        "model": ["flux-general-en"],
        "encoding": ["linear16"],
        "sample_rate": ["16000"],
        "eager_eot_threshold": ["0.5"],
    }


def test_what_is_set_is_passed_on() -> None:
    given = settings(url="http://localhost:8080/", keyterms=["Blue Fig", "Anna"], smart_format=True, mip_opt_out=True)
    assert nova_url(given, 8000).startswith("ws://localhost:8080/v1/listen?")
    said = query(nova_url(given, 8000))
    assert said["keyterm"] == ["Blue Fig", "Anna"]
    assert said["smart_format"] == said["mip_opt_out"] == ["true"]

    thresholds = {"flux_eot_threshold": 0.8, "flux_eager_eot_threshold": 0.6, "flux_eot_timeout_ms": 3000}
    said = query(flux_url(settings(flux_language_hints=["en", "de"], keyterms=["Anna"], **thresholds), 8000))
    assert said["language_hint"] == ["en", "de"]
    assert said["keyterm"] == ["Anna"]
    assert (said["eot_threshold"], said["eager_eot_threshold"], said["eot_timeout_ms"]) == (["0.8"], ["0.6"], ["3000"])
    assert "eager_eot_threshold" not in query(flux_url(settings(flux_eager=False), 8000))


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTVOICE_DEEPGRAM_API_KEY", "secret")
    monkeypatch.setenv("AGENTVOICE_DEEPGRAM_KEYTERMS", "Blue Fig, Anna,")
    monkeypatch.setenv("AGENTVOICE_DEEPGRAM_FLUX_EAGER", "false")
    known = read({})
    assert headers(known) == {"Authorization": "Token secret"}
    assert known.keyterms == ("Blue Fig", "Anna")
    assert not known.flux_eager
    assert "secret" not in repr(known)


@pytest.mark.parametrize(("name", "turns"), [("deepgram", False), ("deepgram-flux", True)])
def test_both_are_found_by_name_and_want_a_key(name: str, *, turns: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AGENTVOICE_DEEPGRAM_API_KEY", raising=False)
    recognizer = load("recognizer", name)
    with pytest.raises(UsageError, match="set AGENTVOICE_DEEPGRAM_API_KEY"):
        recognizer()
    monkeypatch.setenv("AGENTVOICE_DEEPGRAM_API_KEY", "k")
    made = recognizer()
    made.prepare()
    assert isinstance(made, TurnRecognizer) is turns


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"eot_threshold": 0.4}, "AGENTVOICE_DEEPGRAM_FLUX_EOT_THRESHOLD"),
        ({"eager_eot_threshold": 0.95}, "AGENTVOICE_DEEPGRAM_FLUX_EAGER_EOT_THRESHOLD"),
        ({"eager_eot_threshold": 0.8}, "EAGER_EOT_THRESHOLD=0.8 is beyond AGENTVOICE_DEEPGRAM_FLUX_EOT_THRESHOLD=0.7"),
        ({"eot_timeout_ms": 100}, "AGENTVOICE_DEEPGRAM_FLUX_EOT_TIMEOUT_MS"),
        ({"url": "api.deepgram.com"}, "AGENTVOICE_DEEPGRAM_URL"),
    ],
)
def test_what_the_service_would_refuse_is_refused_here(given: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        DeepgramFlux(api_key="k", **given)


def test_thresholds_that_fit_together_are_taken() -> None:
    assert settings(flux_eager_eot_threshold=0.8, flux_eager=False).flux_eager_eot_threshold == 0.8
    assert settings(flux_eager_eot_threshold=0.8, flux_eot_threshold=0.8).flux_eot_threshold == 0.8
