"""`LanguageModel` that is an agent of Pydantic AI."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pkgutil import resolve_name
from typing import Any, Final

from pydantic import BaseModel
from pydantic_ai import Agent, DeferredToolRequests, ExternalToolset, StructuredDict, ToolDefinition
from pydantic_ai.exceptions import (
    AgentRunError,
    ModelHTTPError,
    ModelQuotaExceededError,
    ModelRequestRejectedError,
    UsageLimitExceeded,
    UserError,
)
from pydantic_ai.usage import RunUsage

from agentvoice.errors import ProviderRejected, ProviderUnavailable, UsageError
from agentvoice.interfaces import Message, Thought, ToolCall, ToolSpec, Usage
from agentvoice.llm_failures import refusal
from agentvoice.settings import read_plugin
from agentvoice.token_shapes import text_of

from ._history import split

PROVIDER: Final = "pydantic-ai"


class PydanticAISettings(BaseModel):
    """What may be set: `AGENTVOICE_PYDANTIC_AI_AGENT`."""

    agent: str = ""
    """Where the agent is: `mycompany.agents:support`."""


class PydanticAI:
    """An agent of Pydantic AI as a language model: with its own model, instructions and tools. On asyncio only.

    Its own tools run within its answer, and are cancelled with the turn. Those of the agentvoice agent are offered to
    it besides, and are run by agentvoice.
    """

    def __init__(self, agent: Agent[Any, Any] | None = None, *, deps: Any = None) -> None:
        """Wrap `agent`; without one, that which `AGENTVOICE_PYDANTIC_AI_AGENT` names. `deps` are its dependencies.

        Raises:
            UsageError: there is no agent; the message names the setting.
        """
        self._agent = agent or _named()
        self._deps = deps

    def prepare(self) -> None:
        """Do nothing: the agent is ready."""

    async def stream(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[ToolSpec] = (),
        schema: Mapping[str, Any] | None = None,
    ) -> AsyncGenerator[Thought]:
        """Run the agent, and yield its answer in pieces; see `LanguageModel.stream`."""
        instructions, history = split(messages)
        options: dict[str, Any] = {"instructions": instructions} if instructions else {}
        if tools:
            options |= {"toolsets": [_offered(tools)], "output_type": [str, DeferredToolRequests]}
        if schema is not None:
            options["output_type"] = StructuredDict(dict(schema))
        with _failures():
            async with self._agent.run_stream_events(message_history=history, deps=self._deps, **options) as events:
                async for event in events:
                    if event.event_kind == "agent_run_result":
                        for thought in _result(event.result.output, event.result.usage):
                            yield thought
                    elif schema is None and (text := text_of(event)):
                        yield text


def _named() -> Agent[Any, Any]:
    """Return the agent that the settings name."""
    name = read_plugin(PROVIDER, PydanticAISettings).agent
    if not name:
        raise UsageError("pydantic-ai has to be told which agent; set AGENTVOICE_PYDANTIC_AI_AGENT to MODULE:NAME")
    try:
        agent = resolve_name(name)
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(f"AGENTVOICE_PYDANTIC_AI_AGENT='{name}': {error}; it has to be MODULE:NAME") from error
    if not isinstance(agent, Agent):
        raise UsageError(f"AGENTVOICE_PYDANTIC_AI_AGENT='{name}' is a {type(agent).__name__}, not a pydantic_ai.Agent")
    return agent


def _offered(tools: Sequence[ToolSpec]) -> ExternalToolset[Any]:
    """Return tools that the agent may ask for, and somebody else runs."""
    return ExternalToolset(
        [
            ToolDefinition(name=tool.name, description=tool.description, parameters_json_schema=dict(tool.parameters))
            for tool in tools
        ]
    )


def _result(output: object, usage: RunUsage) -> Iterator[Thought]:
    """Yield what comes at the end of a run: a form, or calls of tools; and its cost. Text has come already."""
    match output:
        case DeferredToolRequests(calls=calls):
            for call in calls:
                yield ToolCall(call.tool_call_id, call.tool_name, call.args_as_json_str())
        case Mapping():
            yield json.dumps(output)
        case _:
            pass
    yield Usage(usage.input_tokens, usage.output_tokens, usage.cache_read_tokens)


@contextmanager
def _failures() -> Iterator[None]:
    """Turn what goes wrong into our errors."""
    try:
        yield
    except ModelHTTPError as error:
        raise refusal(PROVIDER, error.status_code, json.dumps(error.body, default=str).encode()) from error
    except (ModelRequestRejectedError, ModelQuotaExceededError, UsageLimitExceeded) as error:
        raise ProviderRejected(PROVIDER, str(error)) from error
    except AgentRunError as error:
        raise ProviderUnavailable(PROVIDER, str(error)) from error
    except UserError as error:
        raise UsageError(f"{PROVIDER}: {error}") from error
