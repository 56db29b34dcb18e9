"""`agentvoice voices`: what an agent may speak with."""

from collections.abc import Sequence
from typing import Any

import pytest

from agentvoice import plugins
from agentvoice.cli import boundary, voices
from agentvoice.errors import ProviderRejected
from agentvoice.interfaces import Voice
from agentvoice.voicing import Voicing


class Hosted:
    def __init__(self, *, voicing: Voicing) -> None:
        assert voicing.voice, "a provider that wants to be told a voice is told one"

    async def voices(self) -> Sequence[Voice]:
        return [Voice("v1", "Ann", "en-GB", "Calm."), Voice("v2", "Uwe", "de")]


class Secretive:
    def __init__(self, **_: Any) -> None:
        pass


class Locked(Hosted):
    async def voices(self) -> Sequence[Voice]:
        raise ProviderRejected("locked", "check the API key")


@pytest.fixture(autouse=True)
def providers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Install three providers beside the engines that there are."""
    there = {"hosted": Hosted, "secretive": Secretive, "locked": Locked}
    installed, load = plugins.installed, plugins.load
    monkeypatch.setattr(voices, "installed", lambda kind: [*there] if kind == "synthesizer" else installed(kind))
    monkeypatch.setattr(voices, "load", lambda kind, name: there[name] if kind == "synthesizer" else load(kind, name))


def test_the_voices_of_a_provider_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert boundary.run(["voices", "hosted"]) == 0

    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["id", "language", "name", "description"],
        ["v1", "en-GB", "Ann", "Calm."],
        ["v2", "de", "Uwe"],
    ]


def test_voices_can_be_of_one_language(capsys: pytest.CaptureFixture[str]) -> None:
    assert boundary.run(["voices", "hosted", "--language", "EN"]) == 0

    out = capsys.readouterr().out
    assert "Ann" in out
    assert "Uwe" not in out


def test_those_of_the_engine_are_listed_when_nothing_else_is_set(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTVOICE_ENGINE", "tone")
    assert boundary.run(["voices"]) == 0
    assert "Each word a tone" in capsys.readouterr().out

    monkeypatch.setenv("AGENTVOICE_TTS__PLUGIN", "hosted")
    assert boundary.run(["voices"]) == 0
    assert "Ann" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nobody", "no plugin named 'nobody' has voices (installed: "),
        ("secretive", "the synthesizer 'secretive' does not tell which voices there are"),
        ("locked", "locked: check the API key"),
    ],
)
def test_what_cannot_be_listed_is_one_line(name: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert boundary.run(["voices", name]) != 0

    error = " ".join(capsys.readouterr().err.split())
    assert says in error
    assert "Traceback" not in error
