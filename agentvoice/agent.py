"""The agent: what people write. Subclass it, and plug in a stream of tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Generic, cast, get_args, get_origin

from .budget import GENEROUS, Budget
from .commands import TurnClosed
from .ear import Ear
from .errors import UsageError
from .interfaces import LanguageModel
from .interruption import InterruptionSource
from .llm import NO_MODEL, Tokens, text
from .manners import Manners
from .sources import SOURCES
from .tools import rounds
from .tools.declaration import Declared
from .turn import Turn
from .voicing import Voicing

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    from .call import Call

    State = TypeVar("State", default=Any)
else:
    from typing import TypeVar

    State = TypeVar("State")


class Agent(Generic[State]):
    """One side of a call. A new instance is made for each call, and `self.call` is that call.

    class Receptionist(Agent[Booking]):  # self.state is a Booking(), one for each call; of a plain `Agent`, a dict
        instructions = "You take bookings for a small restaurant."
        greeting = "Good evening, how may I help you?"

        async def reply(self, turn: Turn) -> AsyncIterator[str]:  # optional: the default asks self.llm
            async for token in my_llm(turn.history):
                yield token
    """

    instructions: str = ""
    """The system prompt."""
    greeting: str = ""
    """Said when the call begins."""
    manners: Manners = Manners()
    """When to yield, when to answer."""
    voicing: Voicing | None = None
    """How it sounds; `None` for the way that the process set."""
    ear: Ear | None = None
    """How numbers and the like are put into words; `None` leaves that to the voice."""
    sources: Sequence[InterruptionSource] = SOURCES
    """What can interrupt the agent."""

    apology: str = "Sorry, I lost my thread. Could you say that again?"
    """Said where a reply breaks down, stalls or comes to nothing; see `on_reply_failed`."""
    patience_s: float = 12.0
    """How long a reply may be silent, before its first word or between two, until it is given up."""
    tools: Sequence[Declared] = ()
    """What the model may ask for besides the methods that are a `tool`: functions, `approval`, servers."""
    budget: Budget = GENEROUS
    """How much of a long call the language model is shown."""

    call: Call
    llm: LanguageModel = NO_MODEL
    """The language model; the process's own when the class names none."""

    @cached_property
    def state(self) -> State:
        """What this agent knows of this call: made when first asked for, by calling the class in `Agent[...]`.

        Raises:
            UsageError: that class cannot be made without arguments.
        """
        bases = [base for kind in type(self).__mro__ for base in vars(kind).get("__orig_bases__", ())]
        kinds = [get_args(base)[0] for base in bases if get_origin(base) is Agent]
        kind: Any = next((kind for kind in kinds if not isinstance(kind, TypeVar)), dict)
        try:
            return cast("State", kind())
        except TypeError as error:
            raise UsageError(f"{kind.__name__}() fails: {error}; give its fields defaults, or set `state`") from error

    def reply(self, turn: Turn) -> Tokens:
        """Produce the text of a turn, as it comes. Cancelled when the caller interrupts.

        `turn.prompt` is what the caller said, `turn.history` the conversation up to and with it. A turn may be
        speculative (`turn.confirmed` is false): what happens here must then be harmless if it comes to nothing.
        """
        return self.think(turn)

    def think(self, turn: Turn) -> AsyncIterator[str]:
        """Stream what `self.llm` has to say to a turn, and run the tools that it asks for.

        For a `reply` that does something before or after.
        """
        return text(rounds.think(self, turn), tell=partial(self.call.used, turn))

    async def on_call_start(self) -> None:
        """The line is open. By default the agent says its greeting."""
        if self.greeting:
            await self.call.say(self.greeting)

    async def on_reply_failed(self, turn: Turn, error: Exception) -> str:  # noqa: ARG002
        """A reply broke down, stalled or came to nothing. Return what to say instead, or after what was said already.

        By default the `apology`. An empty string lets the turn fail: the caller hears no more of it.
        """
        return self.apology

    async def on_interrupted(self, turn: TurnClosed) -> None:
        """The caller cut a turn off: `turn.heard` was heard of it, `turn.unheard` was not.

        By default what was not heard is dropped, and the model, which sees where it was cut, decides what becomes of
        it. `await self.call.resume(turn, "As I was saying, ")` takes it up again after the answer.
        """

    async def on_dtmf(self, key: str) -> None:
        """The caller pressed a key."""

    async def on_silence(self, times: int) -> None:
        """Nobody has had the floor for `manners.silence_s`, the `times`-th time since the caller was last heard."""

    async def on_limit(self, left_s: float) -> None:
        """The call will be ended in `left_s`: it has lasted nearly as long as `manners.call_s` allows."""

    async def on_spent(self, what: str) -> None:  # noqa: ARG002
        """The call has used all the `tokens`, or spoken all the `characters`, that `manners` allow.

        By default it ends after the agent's last word.
        """
        self.call.hang_up()

    async def on_hand_off(self, previous: Agent) -> None:  # noqa: ARG002
        """This agent has taken over a call from `previous`. By default it says its greeting."""
        if self.greeting:
            await self.call.say(self.greeting)

    async def on_call_end(self) -> None:
        """The call is over. There is a second for this."""
