"""Finding the agent that a person names: `package.module:Agent`, or `path/to/file.py:Agent`."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType

from agentvoice.agent import Agent
from agentvoice.errors import AgentVoiceError, UsageError


def locate(target: str) -> type[Agent]:
    """Return the class that `target` names. The class may be left out where the module has only one.

    Raises:
        UsageError: there is no such thing; the message says what there is.
    """
    place, _, name = target.partition(":")
    if not place:
        raise UsageError(f"'{target}' names no module; try MODULE:AGENT, as in examples/telephony.py:Receptionist")
    module = _from_file(Path(place)) if place.endswith(".py") or "/" in place else _from_path(place)
    agents = _agents(module)
    known = f"its agents are: {', '.join(agents)}" if agents else "it has no subclass of agentvoice.Agent"
    if not name:
        if len(agents) == 1:
            return next(iter(agents.values()))
        raise UsageError(f"which agent of {place}? {known}; try {place}:{next(iter(agents), 'AGENT')}")
    found = getattr(module, name, None)
    if found is None:
        raise UsageError(f"{place} has no '{name}'; {known}")
    if not (isinstance(found, type) and issubclass(found, Agent)):
        raise UsageError(f"'{name}' in {place} is not a subclass of agentvoice.Agent; {known}")
    return found


def _agents(module: ModuleType) -> dict[str, type[Agent]]:
    """The agents that the module itself defines."""
    return {
        name: thing
        for name, thing in vars(module).items()
        if isinstance(thing, type) and issubclass(thing, Agent) and thing.__module__ == module.__name__
    }


def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise UsageError(f"there is no file '{path}' in {Path.cwd()}; try MODULE:AGENT, or a path to a .py file")
    name = path.stem if path.stem not in sys.modules else f"_{path.stem}"  # a file may be called like a library
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"'{path}' is not a Python file; its name should end in .py")
    sys.path.insert(0, str(path.parent.resolve()))  # as `python path/to/file.py` does, for what it imports beside it
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        if isinstance(error, AgentVoiceError):
            raise
        raise UsageError(_broken(str(path), error)) from error
    return module


def _from_path(name: str) -> ModuleType:
    if "" not in sys.path:
        sys.path.insert(0, "")  # as `python -m module` does
    try:
        return importlib.import_module(name)
    except AgentVoiceError:
        raise
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise UsageError(
                f"there is no module '{name}' on the Python path or in {Path.cwd()}; "
                f"a file is named by its path, as in examples/telephony.py:Receptionist"
            ) from error
        raise UsageError(_broken(name, error)) from error
    except (Exception, SystemExit) as error:
        raise UsageError(_broken(name, error)) from error


def _broken(place: str, error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f"{place} needs '{error.name}', which is not installed; try: pip install {error.name.partition('.')[0]}"
    if isinstance(error, SyntaxError):
        return f"{place} cannot be imported: {error.msg} ({error.filename}, line {error.lineno})"
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{place} cannot be imported: {type(error).__name__}: {error} ({last.filename}, line {last.lineno})"
