"""Which language model the command line takes."""

from collections.abc import AsyncIterator

import pytest

from agentvoice import Agent, Turn
from agentvoice.cli.assembly import load_llm
from agentvoice.errors import PluginNotFound
from agentvoice.llm import NO_MODEL
from agentvoice.testing.llm import ScriptedModel


class Thinker(Agent):
    pass


class Writer(Agent):
    async def reply(self, turn: Turn) -> AsyncIterator[str]:
        yield "Yes."


class Owner(Agent):
    llm = ScriptedModel()


def test_the_one_that_is_named() -> None:
    assert isinstance(load_llm(Thinker, "script"), ScriptedModel)


def test_the_agents_own_and_no_other_is_loaded() -> None:
    assert load_llm(Owner, "no_such") is Owner.llm


def test_one_that_is_not_installed_is_an_error_even_for_an_agent_that_writes_its_replies() -> None:
    for agent in (Thinker, Writer):
        with pytest.raises(PluginNotFound, match="no llm named 'no_such'"):
            load_llm(agent, "no_such")


def test_who_writes_its_replies_can_do_without_the_default_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(kind: str, name: str) -> None:
        raise PluginNotFound(name)

    monkeypatch.setattr("agentvoice.cli.assembly.load", missing)

    assert load_llm(Writer, "qwen") is NO_MODEL
    with pytest.raises(PluginNotFound):
        load_llm(Thinker, "qwen")
