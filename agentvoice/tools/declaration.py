"""What a tool is, and how one is declared."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal, Protocol, TypeAlias, TypeVar, overload, runtime_checkable

from agentvoice.blocking import run_blocking
from agentvoice.errors import ToolError, UsageError
from agentvoice.events import OnInterrupt
from agentvoice.interfaces import ToolSpec

F = TypeVar("F", bound=Callable[..., Any])

_DECLARED: Final = "__agentvoice_tool__"

LIMIT_S: Final = 10.0
"""How long a tool may run where nothing else is declared."""

SLOW_S: Final = 0.4
"""After how long what is said meanwhile is said, where nothing else is declared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """Something that a model may ask for."""

    spec: ToolSpec
    work: Callable[[object, str], Awaitable[str]]
    """Given the agent and the model's arguments (JSON) return what the model is to be told.

    Raises `ToolError` for what the model is to be told went wrong. Whatever else it raises is told too, but shortly.
    """
    pure: bool = False
    """Whether it changes nothing."""
    on_interrupt: OnInterrupt = OnInterrupt.FINISH_AND_TELL
    limit_s: float = LIMIT_S
    meanwhile: str = ""
    slow_s: float = SLOW_S


@runtime_checkable
class ToolSource(Protocol):
    """Where tools come from that are not known beforehand, such as a server."""

    def opened(self) -> AbstractAsyncContextManager[Sequence[Tool]]:
        """Have its tools, for as long as this is entered. Each call enters it once."""


Interrupted: TypeAlias = OnInterrupt | Literal["cancel", "finish", "finish_and_tell"]

Declared: TypeAlias = Callable[..., Any] | Tool | ToolSource
"""What an agent's `tools` may name."""


@overload
def tool(function: F, /) -> F: ...
@overload
def tool(
    *,
    pure: bool = False,
    on_interrupt: Interrupted | None = None,
    limit_s: float = LIMIT_S,
    meanwhile: str = "",
    slow_s: float = SLOW_S,
    name: str = "",
) -> Callable[[F], F]: ...
def tool(
    function: F | None = None,
    /,
    *,
    pure: bool = False,
    on_interrupt: Interrupted | None = None,
    limit_s: float = LIMIT_S,
    meanwhile: str = "",
    slow_s: float = SLOW_S,
    name: str = "",
) -> F | Callable[[F], F]:
    """Let the model ask for a method of an agent, or for a function named in its `tools`.

    Its docstring tells the model what it is for (and, under `Args:`, what each parameter means), its types what it
    wants. One that is not asynchronous runs in a thread. What it returns is told as JSON, a string as it is.

    Args:
        function: the method or function.
        pure: that it changes nothing, and may run at any time: also for a turn that is not confirmed yet.
        on_interrupt: what becomes of it when the caller cuts in (`OnInterrupt`): `cancel`, `finish`, or
            `finish_and_tell`. Where nothing is said a pure one is cancelled, since nobody needs its answer, and any
            other finishes and tells: were it stopped half-way, nobody would know what was done.
        limit_s: how long it may run, in seconds.
        meanwhile: what is said when it takes longer than `slow_s`, and the model itself has said nothing.
        slow_s: how long that is, in seconds.
        name: what the model calls it; its own name when empty.

    Raises:
        UsageError: a parameter cannot be told to a model, or a thread cannot be cancelled as `on_interrupt` wants.
    """

    def declare(function: F) -> F:
        made = _made(
            function,
            method=_is_method(function),
            pure=pure,
            on_interrupt=_interrupted(on_interrupt, pure=pure),
            limit_s=limit_s,
            meanwhile=meanwhile,
            slow_s=slow_s,
            name=name,
        )
        setattr(function, _DECLARED, made)
        return function

    return declare if function is None else declare(function)


class Toolbox:
    """The tools that an agent has, by name. Of two with one name the first counts: its own before a server's."""

    def __init__(self, tools: Sequence[Tool]) -> None:
        self._tools: dict[str, Tool] = {}
        for tool in tools:
            self._tools.setdefault(tool.spec.name, tool)
        self.specs: Sequence[ToolSpec] = [tool.spec for tool in self._tools.values()]
        """What the model is told of them."""

    def __getitem__(self, name: str) -> Tool:
        """Return the tool of that name: where there is none, one that says so."""
        return self._tools.get(name) or _missing(name, list(self._tools))


def tools_of(agent: object) -> Iterator[Tool | ToolSource]:
    """Yield the tools of an agent: its methods first, then what its `tools` names."""
    for name in dir(type(agent)):
        declared = getattr(getattr(type(agent), name, None), _DECLARED, None)
        if isinstance(declared, Tool):
            yield declared
    for named in getattr(agent, "tools", ()):
        if isinstance(named, Tool | ToolSource):
            yield named
        else:
            yield getattr(named, _DECLARED, None) or getattr(tool(named), _DECLARED)


# ------------------------------------------------------------------ how one comes about


def _made(function: Callable[..., Any], *, method: bool, name: str, **declared: Any) -> Tool:
    from .schema import Form, to_text  # noqa: PLC0415 - pydantic is for those who have tools

    waits = inspect.iscoroutinefunction(function)
    if not waits and not declared["pure"] and declared["on_interrupt"] is OnInterrupt.CANCEL:
        raise UsageError(
            f"tool {function.__name__}: a function that is not async runs in a thread, which cannot be cancelled; "
            "make it async, say on_interrupt='finish_and_tell', or say that it is pure"
        )
    form = Form(function, method=method)

    async def work(agent: object, arguments: str) -> str:
        filled = form.fill(arguments)
        bound = partial(getattr(agent, function.__name__) if method else function, **filled)
        return to_text(await bound() if waits else await run_blocking(bound))

    return Tool(spec=ToolSpec(name or function.__name__, form.description, form.schema), work=work, **declared)


def _is_method(function: Callable[..., Any]) -> bool:
    """Whether a function is written in the body of a class; what is decorated there is no method yet."""
    owner = function.__qualname__.rpartition(".")[0]
    return bool(owner) and not owner.endswith("<locals>")


def _interrupted(declared: Interrupted | None, *, pure: bool) -> OnInterrupt:
    if declared is None:
        return OnInterrupt.CANCEL if pure else OnInterrupt.FINISH_AND_TELL
    try:
        return OnInterrupt(declared)
    except ValueError:
        known = ", ".join(repr(str(kind)) for kind in OnInterrupt)
        raise UsageError(f"a tool cannot be told to {declared!r} on_interrupt; say one of {known}") from None


def _missing(name: str, known: Sequence[str]) -> Tool:
    async def work(agent: object, arguments: str) -> str:  # noqa: ARG001
        raise ToolError(f"there is no tool {name!r}; there is: {', '.join(known) or 'none'}")

    return Tool(spec=ToolSpec(name, "", {}), work=work, pure=True)
