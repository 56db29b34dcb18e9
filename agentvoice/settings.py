"""Settings of the application, read once from the environment and `.env`; the library never looks there.

`AGENTVOICE_SERVER__PORT=9000` is `settings.server.port`. What is set here wins over what an agent's class says
(`Settings.manners`), so that a call can be tuned without touching code.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar, get_args

from dotenv import dotenv_values
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    ValidationError,
)
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from .errors import UsageError
from .manners import Manners
from .plugins import Kind, installed
from .voicing import Voicing

T = TypeVar("T", bound=BaseModel)

PREFIX: Final = "AGENTVOICE_"
_NESTED: Final = "__"
_MANNERS: Final = Manners()
_VOICING: Final = frozenset(field.name for field in fields(Voicing))

Port = Annotated[int, Field(ge=0, le=65535)]
Url = Annotated[str, Field(pattern=r"^(https?|wss?)://[^\s/?#]+[^\s]*$")]


class _Group(BaseModel):
    """Settings that belong together."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Tts(_Group):
    """The agent's voice."""

    plugin: str = ""
    """A `synthesizer` plugin; empty for the context protocol at `url`."""
    url: Url | None = None
    """A speech server that speaks the context protocol; absent for one of our own, in the process, with `engine`."""
    voice: str = ""
    """The id of a voice; empty for the first of our own server's `engine`. Another server has to be told."""
    model: str = "sonic-3"
    """What another server speaks with."""
    language: str = "en"
    speed: PositiveFloat | None = None
    """How fast it speaks; absent, or 1, for its natural way."""
    volume: PositiveFloat | None = None
    emotion: str | None = None
    pronunciation_dict_id: str | None = None
    api_key: SecretStr | None = None

    @property
    def voicing(self) -> Voicing:
        """How the agent sounds, as far as was set from outside."""
        return Voicing(**{name: getattr(self, name) for name in _VOICING & self.model_fields_set})


class Server(_Group):
    """Where carriers ring."""

    host: str = "127.0.0.1"
    port: Port = 8080
    public_url: Url | None = None
    """How the carrier reaches us, when the request itself does not tell."""
    drain_s: NonNegativeFloat = 30
    """How long live calls may go on when the server is told to stop (SIGTERM)."""
    max_calls: PositiveInt | None = None
    """More than so many at once get a busy tone; absent for as many as come."""


class Supervisor(_Group):
    """People who listen in."""

    token: SecretStr | None = None
    """When given, those who know it may see the calls, and cut in, over HTTP; see `server.supervision`."""


class Speech(_Group):
    """The speech server."""

    host: str = "127.0.0.1"
    port: Port = 8765
    api_key: SecretStr | None = None


class Twilio(_Group):
    """The carrier."""

    auth_token: SecretStr | None = None
    """When given, only requests that Twilio signed with it are answered."""


class Interruption(_Group):
    """When the agent yields; see `interruption.Policy`."""

    min_speech_s: PositiveFloat = _MANNERS.interruption.min_speech_s
    min_words: PositiveInt = _MANNERS.interruption.min_words
    hold_s: PositiveFloat = _MANNERS.interruption.hold_s


class Endpoint(_Group):
    """When the caller has finished; see `endpointing.Endpointing`."""

    silence_s: PositiveFloat = _MANNERS.endpointing.silence_s
    shortest_s: PositiveFloat = _MANNERS.endpointing.shortest_s
    longest_s: PositiveFloat = _MANNERS.endpointing.longest_s
    sure_s: PositiveFloat = _MANNERS.endpointing.sure_s
    patience_s: PositiveFloat = _MANNERS.endpointing.patience_s
    wait_s: PositiveFloat = _MANNERS.endpointing.wait_s
    language: str = _MANNERS.endpointing.language


class Playout(_Group):
    """How the agent's audio is handed to the line."""

    lead_s: Annotated[float, Field(ge=0.04, le=5)] = _MANNERS.lead_s


class Log(_Group):
    """What is told, and how."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "pretty", "json"] = "auto"
    """`auto`: pretty in a terminal, JSON lines elsewhere."""


class Settings(BaseSettings):
    """Everything that may be set from outside. Frozen: read it once, pass plain values inward."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter=_NESTED, env_ignore_empty=True, frozen=True, extra="ignore"
    )

    tts: Tts = Tts()
    engine: str = "piper"
    """The `engine` plugin of our own speech server."""
    vad: str = "silero"
    recognizer: str = "moonshine"
    end_of_turn: str = ""
    """A model that judges the caller's pauses; empty for the words and the silence alone."""
    cleaner: str = ""
    """What takes noise or echo out of the line; empty for nothing."""
    llm: str = "qwen"
    server: Server = Server()
    speech: Speech = Speech()
    supervisor: Supervisor = Supervisor()
    twilio: Twilio = Twilio()
    interruption: Interruption = Interruption()
    endpointing: Endpoint = Endpoint()
    playout: Playout = Playout()
    log: Log = Log()
    cache_dir: Path | None = None
    """Where models and voices are kept; absent for the user's own cache."""
    trace_dir: Path | None = None
    """Where the event log of each call is written; absent for nowhere."""
    trace_words: bool = True
    """Whether the log holds what was said and pressed; otherwise each word and each key is a dot."""
    trace_audio: bool = False
    """Whether the sound of each call is kept beside its log, as a WAV file."""

    def manners(self, base: Manners = _MANNERS) -> Manners:
        """Return `base` with whatever was set from outside in its place."""
        return replace(
            base,
            interruption=replace(base.interruption, **_given(self.interruption)),
            endpointing=replace(base.endpointing, **_given(self.endpointing)),
            **_given(self.playout),
        )


def _given(group: BaseModel) -> dict[str, Any]:
    return {name: getattr(group, name) for name in group.model_fields_set}


def read_settings(overrides: Mapping[str, Any] | None = None, *, env_file: Path | None = Path(".env")) -> Settings:
    """Read the environment and `env_file`, which the environment overrides; `overrides` win over both.

    An override may be a group in part: `{"server": {"port": 9000}}` leaves the host as it is set.

    Raises:
        UsageError: a value is not allowed, or a name is not known; the message has one line for each mistake.
    """
    known = _environment(env_file)
    mistakes = list(_unknown(name for name in known if name.upper().startswith(PREFIX)))
    try:
        settings = Settings(**{"_env_file": env_file, **(overrides or {})})
    except ValidationError as error:
        mistakes += [_mistake(dict(each), known) for each in error.errors()]
    except SettingsError as error:  # a group given whole, and not as JSON
        mistakes.append(f"{PREFIX}...: {error}; set its fields one by one, as in {PREFIX}SERVER{_NESTED}PORT=9000")
    else:
        if not mistakes:
            return settings
    raise UsageError("\n".join(mistakes))


def read_plugin(
    name: str, form: type[T], given: Mapping[str, Any] | None = None, *, env_file: Path | None = Path(".env")
) -> T:
    """Read the settings of a plugin: `AGENTVOICE_ACME_MODEL` is the field `model` of the form of `acme`.

    What is in `given`, and not `None`, wins.

    Raises:
        UsageError: as `read_settings`.
    """
    prefix = f"{PREFIX}{name.upper().replace('-', '_')}_"
    known = {variable.upper(): value for variable, value in _environment(env_file).items() if value}
    named = [variable for variable in known if variable.startswith(prefix)]
    found = {variable.removeprefix(prefix).lower(): known[variable] for variable in named}
    mistakes = [
        f"{prefix}{each.upper()} is not a setting; {_instead(each, form.model_fields)}"
        for each in sorted(found.keys() - form.model_fields.keys())
    ]
    try:
        settings = form(**found | {each: value for each, value in (given or {}).items() if value is not None})
    except ValidationError as error:
        mistakes += [_mistake(dict(each), known, prefix) for each in error.errors()]
    else:
        if not mistakes:
            return settings
    raise UsageError("\n".join(mistakes))


def _environment(env_file: Path | None) -> dict[str, str]:
    known = dict(os.environ)
    return known if env_file is None else {name: each or "" for name, each in dotenv_values(env_file).items()} | known


def _unknown(names: Iterable[str]) -> Iterable[str]:
    """Tell of variables that look like ours and name no setting: a typo would otherwise go unnoticed."""
    ours = Settings.model_fields
    unknown = [(name, first) for name in sorted(names) if (first := _first(name)) not in ours]
    plugins = {plugin for kind in get_args(Kind) for plugin in installed(kind)} if unknown else set()
    theirs = tuple(plugin.replace("-", "_") + "_" for plugin in plugins)
    for name, first in unknown:
        if not first.startswith(theirs):  # else it is for the plugin to judge: `read_plugin`
            yield f"{name} is not a setting; {_instead(first, ours)}"


def _first(name: str) -> str:
    return name[len(PREFIX) :].lower().split(_NESTED)[0]


def _mistake(error: Mapping[str, Any], known: Mapping[str, str], prefix: str = PREFIX) -> str:
    loc = [str(part) for part in error["loc"]]
    name = prefix + _NESTED.join(loc).upper()
    if error["type"] == "extra_forbidden":
        group = Settings.model_fields[loc[0]].annotation
        fields = group.model_fields if isinstance(group, type) and issubclass(group, BaseModel) else {}
        return f"{name} is not a setting; {_instead(loc[-1], fields)}"
    given = next((value for variable, value in known.items() if variable.upper() == name), error["input"])
    secret = {"key", "token"} & set(name.lower().split("_")) or str(given).startswith(("{", "["))
    shown = "" if secret else f"='{given}'"
    return f"{name}{shown}: {error['msg'][0].lower()}{error['msg'][1:]}"


def _instead(wrong: str, fields: Iterable[str]) -> str:
    near = get_close_matches(wrong, list(fields), n=1)
    return f"did you mean {near[0].upper()}?" if near else f"there is {', '.join(f.upper() for f in fields)}"
