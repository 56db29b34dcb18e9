"""Settings, as a person would set them and mistype them."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import BaseModel, PositiveInt, SecretStr, ValidationError

from agentvoice.endpointing import Endpointing
from agentvoice.errors import UsageError
from agentvoice.interruption import Policy
from agentvoice.manners import Manners
from agentvoice.settings import read_plugin, read_settings
from agentvoice.voicing import Voicing


@pytest.fixture(autouse=True)
def _a_clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.upper().startswith("AGENTVOICE_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_nothing_set_is_the_embedded_agent_on_loopback() -> None:
    settings = read_settings()

    assert (settings.engine, settings.vad, settings.recognizer, settings.llm) == (
        "piper",
        "silero",
        "moonshine",
        "qwen",
    )
    assert (settings.server.host, settings.server.port) == ("127.0.0.1", 8080)
    assert settings.manners() == Manners()


def test_the_environment_overrides_the_file_and_an_argument_overrides_both(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("AGENTVOICE_SERVER__PORT=1111\nAGENTVOICE_SERVER__HOST=0.0.0.0\nOTHER=x\n")
    assert read_settings().server.port == 1111
    monkeypatch.setenv("AGENTVOICE_SERVER__PORT", "2222")
    assert read_settings().server.port == 2222

    settings = read_settings({"server": {"port": 3333}})
    assert (settings.server.port, settings.server.host) == (3333, "0.0.0.0")


def test_what_is_set_wins_over_the_agents_class_and_what_is_not_set_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    patient = Manners(interruption=Policy(min_words=5), endpointing=Endpointing(silence_s=2), lead_s=1)
    monkeypatch.setenv("AGENTVOICE_ENDPOINTING__SILENCE_S", "0.3")

    manners = read_settings().manners(patient)

    assert manners == replace(patient, endpointing=Endpointing(silence_s=0.3))


def test_each_mistake_is_one_line_that_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTVOICE_SERVER__PORT", "http")
    monkeypatch.setenv("AGENTVOICE_LOG__FORMAT", "xml")
    Path(".env").write_text("agentvoice_interruption__min_words=0\n")

    with pytest.raises(UsageError) as caught:
        read_settings()

    lines = str(caught.value).splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("AGENTVOICE_SERVER__PORT='http': input should be a valid integer")
    assert lines[1] == "AGENTVOICE_INTERRUPTION__MIN_WORDS='0': input should be greater than 0"
    assert lines[2] == "AGENTVOICE_LOG__FORMAT='xml': input should be 'auto', 'pretty' or 'json'"


def test_a_mistyped_name_is_told_with_the_one_that_was_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTVOICE_SEVER__PORT", "1")
    monkeypatch.setenv("AGENTVOICE_SERVER__PROT", "1")
    monkeypatch.setenv("AGENTVOICE_ZZZ", "1")

    with pytest.raises(UsageError) as caught:
        read_settings()

    mistyped, unlike, nested = str(caught.value).splitlines()
    assert mistyped == "AGENTVOICE_SEVER__PORT is not a setting; did you mean SERVER?"
    assert unlike.startswith("AGENTVOICE_ZZZ is not a setting; there is TTS, ENGINE")
    assert nested == "AGENTVOICE_SERVER__PROT is not a setting; did you mean PORT?"


def test_a_value_where_a_group_was_meant_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in ("8080", "localhost"):
        monkeypatch.setenv("AGENTVOICE_SERVER", value)
        with pytest.raises(UsageError, match=r"(?i)agentvoice_.*server"):
            read_settings()


def test_a_url_is_a_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTVOICE_TTS__URL", "localhost:8000")
    with pytest.raises(UsageError, match="AGENTVOICE_TTS__URL='localhost:8000'"):
        read_settings()
    monkeypatch.setenv("AGENTVOICE_TTS__URL", "wss://speech.example/tts/websocket")
    assert read_settings().tts.url == "wss://speech.example/tts/websocket"


def test_how_the_agent_sounds_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_settings().tts.voicing == Voicing()
    for name, value in (("VOICE", "ann"), ("SPEED", "1.1"), ("EMOTION", "calm"), ("PRONUNCIATION_DICT_ID", "names")):
        monkeypatch.setenv(f"AGENTVOICE_TTS__{name}", value)

    assert read_settings().tts.voicing == Voicing("ann", speed=1.1, emotion="calm", pronunciation_dict_id="names")


def test_keys_are_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTVOICE_TTS__API_KEY", "sesame")
    assert "sesame" not in repr(read_settings())
    monkeypatch.delenv("AGENTVOICE_TTS__API_KEY")
    for wrong in ('{"api_key": ["sesame"]}', '{"api_kex": "sesame"}', '{"api_key": "sesame"', '["sesame"]'):
        monkeypatch.setenv("AGENTVOICE_TTS", wrong)
        with pytest.raises(UsageError) as caught:
            read_settings()
        assert "sesame" not in str(caught.value)


def test_settings_do_not_change_once_read() -> None:
    with pytest.raises(ValidationError):
        read_settings().engine = "other"


def test_the_library_does_not_read_settings() -> None:
    program = "import sys, agentvoice; print('agentvoice.settings' in sys.modules, 'pydantic' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False", "False"]


class Acme(BaseModel):
    model: str = "small"
    most: PositiveInt = 3
    api_key: SecretStr | None = None


def test_a_plugin_has_settings_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_plugin("acme", Acme) == Acme()
    monkeypatch.setenv("AGENTVOICE_ACME_MODEL", "large")
    monkeypatch.setenv("AGENTVOICE_ACME_API_KEY", "")
    Path(".env").write_text("agentvoice_acme_most=7\nAGENTVOICE_ACME_MODEL=other\n")

    assert read_plugin("acme", Acme) == Acme(model="large", most=7)
    assert read_plugin("acme", Acme, {"model": "given", "most": None}) == Acme(model="given", most=7)


def test_a_plugin_tells_of_each_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTVOICE_ACME_MODLE", "large")
    monkeypatch.setenv("AGENTVOICE_ACME_MOST", "0")

    with pytest.raises(UsageError) as caught:
        read_plugin("acme", Acme)

    mistyped, wrong = str(caught.value).splitlines()
    assert mistyped == "AGENTVOICE_ACME_MODLE is not a setting; did you mean MODEL?"
    assert wrong == "AGENTVOICE_ACME_MOST='0': input should be greater than 0"

    monkeypatch.delenv("AGENTVOICE_ACME_MOST")
    with pytest.raises(UsageError, match="AGENTVOICE_ACME_MODLE"):
        read_plugin("acme", Acme)


def test_what_is_a_plugins_is_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTVOICE_SCRIPT_MODEL", "large")
    read_settings()

    monkeypatch.setenv("AGENTVOICE_ACME_MODEL", "large")
    with pytest.raises(UsageError, match="AGENTVOICE_ACME_MODEL is not a setting"):
        read_settings()
