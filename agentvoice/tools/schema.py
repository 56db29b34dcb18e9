"""A function's signature as a JSON Schema, and the model's JSON as the function's arguments. By pydantic."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, get_type_hints

from agentvoice.errors import ToolError, UsageError

if TYPE_CHECKING:
    from pydantic import BaseModel

_SECTION: Final = re.compile(r"^(Args|Returns?|Raises|Yields?|Examples?|Notes?):\s*$", re.MULTILINE)
_ARGUMENT: Final = re.compile(r"^(\w+)(?:\s*\([^)]*\))?:\s*(.*)$")


class Form:
    """What a function wants to be given. Made when the function is declared, so that a mistake shows then."""

    def __init__(self, function: Callable[..., Any], *, method: bool) -> None:
        """Read the signature of `function`; of a method the first parameter is left out.

        Raises:
            UsageError: a parameter cannot be told to a model.
        """
        from pydantic import ConfigDict, Field, create_model  # noqa: PLC0415 - only where there are tools
        from pydantic.errors import PydanticUserError  # noqa: PLC0415

        name = function.__name__
        self.description, told = _docstring(function)
        hints = _hints(function)
        parameters = list(inspect.signature(function).parameters.values())[1 if method else 0 :]
        self._names = [parameter.name for parameter in parameters]
        fields: dict[str, Any] = {}
        for index, parameter in enumerate(parameters):
            if parameter.kind not in {parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY}:
                raise UsageError(f"tool {name}: a model cannot fill in *{parameter.name}; give each parameter a name")
            default = ... if parameter.default is parameter.empty else parameter.default
            # By alias, since a parameter may have a name that a pydantic model uses itself.
            field: Any = Field(default, alias=parameter.name, description=told.get(parameter.name))
            fields[f"p{index}"] = (hints.get(parameter.name, Any), field)
        try:
            self._model: type[BaseModel] = create_model(name, __config__=ConfigDict(extra="forbid"), **fields)
            self.schema: Mapping[str, Any] = without_titles(self._model.model_json_schema())
        except PydanticUserError as error:
            raise UsageError(f"tool {name}: {str(error).splitlines()[0]}; give its parameters simpler types") from error

    def fill(self, arguments: str) -> dict[str, Any]:
        """Return the function's arguments, as its types want them.

        Raises:
            ToolError: they do not fit; the message names each field, for the model to mend.
        """
        from pydantic import ValidationError  # noqa: PLC0415

        try:
            filled = self._model.model_validate_json(arguments.strip() or "{}")
        except ValidationError as error:
            raise ToolError("; ".join(_complaint(each) for each in error.errors(include_url=False))) from error
        return {name: getattr(filled, f"p{index}") for index, name in enumerate(self._names)}


def to_text(value: object) -> str:
    """Return what a tool returned as a model can read it: text as it is, anything else as JSON."""
    from pydantic_core import to_json  # noqa: PLC0415

    if value is None:
        return "done"
    return value if isinstance(value, str) else to_json(value, fallback=str).decode()


def _complaint(error: Mapping[str, Any]) -> str:
    where = ".".join(str(part) for part in error["loc"])
    return f"{where}: {error['msg']}" if where else f"{error['msg']}"


def _hints(function: Callable[..., Any]) -> Mapping[str, Any]:
    try:
        return get_type_hints(function, include_extras=True)
    except NameError as error:
        name = function.__name__
        raise UsageError(
            f"tool {name}: {error}; its types have to be defined, and imported for good, above it"
        ) from error


def _docstring(function: Callable[..., Any]) -> tuple[str, Mapping[str, str]]:
    """Return what a docstring says of the function, and of each parameter in its `Args:` section."""
    text = inspect.getdoc(function) or ""
    sections = list(_SECTION.finditer(text))
    starts = [*(section.start() for section in sections), len(text)]
    described = text[: starts[0]].strip()
    told: dict[str, str] = {}
    for section, end in zip(sections, starts[1:], strict=True):
        if section[1] == "Args":
            told = _arguments(inspect.cleandoc(text[section.end() : end].strip("\n")))
    return " ".join(described.split()), told


def _arguments(text: str) -> dict[str, str]:
    told: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if begun := _ARGUMENT.match(line):
            name = begun[1]
            told[name] = begun[2].strip()
        elif name and line.strip():
            told[name] = f"{told[name]} {line.strip()}".strip()
    return told


def without_titles(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out the titles, which say nothing that the names do not, and cost tokens in every request."""
    plain: dict[str, Any] = {}
    for key, value in schema.items():
        match key, value:
            case "title", str():
                pass
            case (("properties" | "$defs"), dict()):
                plain[key] = {name: without_titles(each) for name, each in value.items()}
            case _, dict():
                plain[key] = without_titles(value)
            case _, list():
                plain[key] = [without_titles(each) if isinstance(each, dict) else each for each in value]
            case _:
                plain[key] = value
    return plain
