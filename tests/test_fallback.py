"""Several models as one: what is tried again, and what is not."""

from collections.abc import Sequence

import pytest
from anyio import current_time, move_on_after

from agentvoice.errors import AssetUnavailable, ProviderRejected, ProviderUnavailable
from agentvoice.fallback import Fallback
from agentvoice.interfaces import LanguageModel, Message
from agentvoice.testing.contracts.llm import check_language_model
from agentvoice.testing.llm import ModelFault, ScriptedModel

pytestmark = pytest.mark.anyio

ASK = [Message("user", "Are you open?")]
DOWN, REJECTS, STALLS = ModelFault(fails_after=0), ModelFault(rejects=True), ModelFault(stalls_after=0)


def model(answer: str, *faults: ModelFault, **options: float) -> ScriptedModel:
    return ScriptedModel(lambda _: answer, faults=dict(enumerate(faults)), **options)


async def ask(llm: LanguageModel) -> str:
    return "".join([thought async for thought in llm.stream(ASK) if isinstance(thought, str)])


async def test_the_first_answers_as_long_as_it_can() -> None:
    first, second = model("Yes, we are."), model("Second.")

    assert await ask(Fallback(first, second)) == "Yes, we are."
    assert not second.asked


@pytest.mark.parametrize("fault", [DOWN, REJECTS])
async def test_the_next_is_asked_when_one_cannot(fault: ModelFault) -> None:
    first, second = model("First.", fault), model("Yes, we are.")

    assert await ask(Fallback(first, second)) == "Yes, we are."
    assert second.asked == [ASK]


async def test_the_next_is_asked_when_one_does_not_begin_in_time() -> None:
    slow, late = model("First.", STALLS), model("Yes.", token_s=3.0)

    began = current_time()
    assert await ask(Fallback(slow, late, first_token_s=1.5)) == "Yes."
    assert current_time() - began == pytest.approx(4.5)


async def test_the_next_is_asked_when_one_says_nothing() -> None:
    assert await ask(Fallback(model(""), model("Yes."))) == "Yes."


async def test_nothing_is_tried_again_once_there_is_a_token() -> None:
    first, second = model("We are open.", ModelFault(fails_after=2)), model("Second.")
    heard = []

    async def listen() -> None:
        async for token in Fallback(first, second).stream(ASK):
            heard.append(token)  # noqa: PERF401 - kept though the stream breaks

    with pytest.raises(ProviderUnavailable, match="broke down"):
        await listen()

    assert heard == ["We ", "are "]
    assert not second.asked


async def test_the_same_model_may_be_tried_again() -> None:
    only = model("Yes.", DOWN)

    assert await ask(Fallback(only, only)) == "Yes."
    assert len(only.asked) == 2


async def test_when_none_can_all_reasons_are_told() -> None:
    llm = Fallback(model("First.", STALLS), model("Second.", REJECTS), model(""), first_token_s=1)

    with pytest.raises(ProviderUnavailable, match=r"no token within 1 s; .*account is closed; .*said nothing"):
        await ask(llm)


async def test_whoever_waits_for_the_first_token_can_be_cancelled() -> None:
    began = current_time()
    with move_on_after(1):
        await ask(Fallback(model("First.", STALLS), model("Second.")))
    assert current_time() - began == pytest.approx(1)


async def test_it_keeps_the_contract() -> None:
    def answer(messages: Sequence[Message]) -> str:
        return "It is Paris."

    first = model("First.", *[DOWN] * 40)
    second = ScriptedModel(answer, lambda _: {"city": "Paris"})
    await check_language_model(lambda: Fallback(first, second), tools=False)


class Careful(ScriptedModel):
    """A model that has to be made ready, and closed."""

    def __init__(self, *, cold: bool = False, missing: bool = False) -> None:
        super().__init__()
        self.cold, self.missing = cold, missing
        self.log: list[str] = []

    def prepare(self) -> None:
        self.log.append("prepare")
        if self.missing:
            raise AssetUnavailable("no weights")

    async def warm(self, messages: Sequence[Message]) -> None:
        self.log.append("warm")
        if self.cold:
            raise ProviderRejected("careful", "wrong key")

    async def aclose(self) -> None:
        self.log.append("close")


async def test_all_are_made_ready_and_closed_once() -> None:
    first, second = Careful(cold=True), Careful()
    llm = Fallback(first, second, first, ScriptedModel())

    llm.prepare()
    await llm.warm(ASK)
    await llm.aclose()

    assert first.log == second.log == ["prepare", "warm", "close"]
    with pytest.raises(AssetUnavailable):
        Fallback(Careful(missing=True)).prepare()
