"""Any interleaving of what calls want, what sockets do and what a provider says keeps the promises of the table."""

from collections import defaultdict

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from agentvoice.audio import TELEPHONE
from agentvoice.events import ContextDone, ContextEvent, ContextFailed
from agentvoice.tts.contexts import Contexts
from agentvoice.tts.governor import Limits
from agentvoice.tts.wire import Cancel, Chunk, Done, Failure, Generate, Response

LIMITS = Limits(per_socket=2, total=3, sockets=2, waiting=3, wait_s=2, stall_s=3, linger_s=0.5, linger_most_s=1)
SOCKETS = st.integers(0, 1)
NUMBERS = st.integers(0, 30)


class Provider(RuleBasedStateMachine):
    """Everybody at once, with no manners."""

    def __init__(self) -> None:
        super().__init__()
        self.contexts = Contexts(Generate(context_id="", transcript=""), LIMITS)
        self.now = 0.0
        self.opened: list[str] = []
        self.up: set[int] = set()
        self.given: dict[str, str] = defaultdict(str)
        self.taken: dict[str, str] = defaultdict(str)
        self.where: dict[str, set[int]] = defaultdict(set)
        self.ended: dict[str, ContextEvent] = {}
        self.unwanted: set[str] = set()
        self.closed: set[str] = set()

    def note(self, events: list[ContextEvent]) -> None:
        for event in events:
            assert event.context_id not in self.ended, "exactly one end, and nothing after it"
            assert event.context_id not in self.unwanted, "nothing after a cancel"
            if isinstance(event, ContextDone | ContextFailed):
                self.ended[event.context_id] = event

    def one(self, number: int) -> str:
        return self.opened[number % len(self.opened)] if self.opened else "nobody"

    @rule()
    def open(self) -> None:
        self.opened.append(str(len(self.opened)))
        self.contexts.open(self.opened[-1], TELEPHONE)

    @rule(number=NUMBERS, text=st.sampled_from(["Yes. ", "Two words. ", "… "]))
    def send(self, number: int, text: str) -> None:
        self.given[self.one(number)] += text
        self.note(self.contexts.send(self.one(number), text, now=self.now))

    @rule(number=NUMBERS)
    def finish(self, number: int) -> None:
        self.note(self.contexts.finish(self.one(number), now=self.now))

    @rule(number=NUMBERS)
    def cancel(self, number: int) -> None:
        if self.one(number) not in self.ended:
            self.unwanted.add(self.one(number))
        self.note(self.contexts.cancel(self.one(number), now=self.now))

    @rule(socket=SOCKETS)
    def go_up_or_down(self, socket: int) -> None:
        if socket in self.up:
            self.up.discard(socket)
            self.note(self.contexts.socket_lost(socket, "lost", now=self.now))
        else:
            self.up.add(socket)
            self.contexts.socket_up(socket, now=self.now)

    @rule(socket=SOCKETS)
    def write(self, socket: int) -> None:
        request = self.contexts.next_request(socket, now=self.now)
        assert (request is None) or socket in self.up
        if isinstance(request, Cancel):
            assert request.context_id in self.unwanted | set(self.ended)
        elif request is not None:
            context_id = request.context_id
            assert context_id not in self.unwanted | set(self.ended) | self.closed
            self.taken[context_id] += request.transcript
            self.where[context_id].add(socket)
            if not request.continue_:
                self.closed.add(context_id)

    @rule(number=NUMBERS, socket=SOCKETS, said=st.sampled_from(["chunk", "done", "error", "nameless"]))
    def say(self, number: int, socket: int, said: str) -> None:
        context_id = self.one(number)
        messages: dict[str, Response] = {
            "chunk": Chunk(context_id, b"1"),
            "done": Done(context_id),
            "error": Failure(context_id, 400, "no", "no"),
            "nameless": Failure(None, 500, "no", "no"),
        }
        self.note(self.contexts.receive(socket, messages[said], now=self.now))

    @rule(seconds=st.sampled_from([0.1, 0.5, 1.0, 3.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.note(self.contexts.handle_timer(now=self.now))
        assert self.contexts.deadline > self.now

    @invariant()
    def every_word_goes_out_in_order_once_and_on_one_socket(self) -> None:
        for context_id, text in self.taken.items():
            assert self.given[context_id].startswith(text)
            assert len(self.where[context_id]) == 1

    @invariant()
    def nobody_waits_for_ever(self) -> None:
        waiting = [c for c, text in self.given.items() if text.strip("… ") and c in self.opened]
        gone = self.unwanted | set(self.ended) | set(self.taken)
        assert all(c in gone for c in waiting) or self.up or self.contexts.deadline < float("inf")

    def teardown(self) -> None:
        self.note(self.contexts.close())
        for context_id in self.opened:
            assert (context_id in self.ended) != (context_id in self.unwanted)


TestContexts = Provider.TestCase
TestContexts.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
