"""It judges the rest, so it is judged first: it has to notice what must never happen."""

from agentvoice.commands import ClearPlayout, Command, ContextSucceeded, SendAudio, TurnClosed, TurnOpened, TurnState
from agentvoice.events import AudioReceived
from agentvoice.testing.carrier import Carrier
from agentvoice.testing.provenance import Part, Provenance

ONE, TWO = bytes(range(1, 201)) * 2, bytes(range(200, 0, -1)) * 2  # two contexts' audio: 400 bytes of each


class Scene:
    """A carrier, and what is decided about it."""

    def __init__(self) -> None:
        self.carrier = Carrier()
        self.provenance = Provenance(self.carrier, lambda _: [("Good", 0, 100), ("day.", 150, 400)])
        self.decide(TurnOpened("t1", "c1", ""))
        self.provenance.received(0.0, AudioReceived("c1", ONE))

    def decide(self, *commands: Command) -> None:
        self.provenance.decided(0.0, commands)

    def send(self, context_id: str, audio: bytes) -> None:
        self.decide(SendAudio(context_id, audio))
        self.provenance.went_out()
        self.carrier.receive_audio(audio)

    def tick(self, times: int = 10) -> None:
        for _ in range(times):
            self.carrier.tick()


def closed(turn_id: str, context_id: str) -> TurnClosed:
    return TurnClosed(turn_id, context_id, TurnState.INTERRUPTED, "", None, {})


def test_of_every_byte_it_is_known_where_in_its_context_it_was() -> None:
    scene = Scene()
    scene.send("c1", ONE[:160])
    scene.send("c1", ONE[160:400])

    assert scene.provenance.sent == [Part("c1", 0, 160, 0), Part("c1", 160, 240, 160)]


def test_audio_of_a_closed_turn_is_stale() -> None:
    scene = Scene()
    scene.send("c1", ONE[:160])
    scene.decide(closed("t1", "c1"))
    assert scene.provenance.stale_frames == 0

    scene.send("c1", ONE[160:330])

    assert scene.provenance.stale_frames == 2


def test_what_a_clear_overtook_never_went_out() -> None:
    scene = Scene()
    scene.decide(SendAudio("c1", ONE[:160]), ClearPlayout(), closed("t1", "c1"), TurnOpened("t2", "c2", ""))
    scene.provenance.received(0.0, AudioReceived("c2", TWO))
    scene.send("c2", TWO[:160])

    assert scene.provenance.sent == [Part("c2", 0, 160, 0)]
    assert scene.provenance.stale_frames == 0


def test_a_successor_goes_on_where_the_context_before_it_was_given_up() -> None:
    scene = Scene()
    scene.send("c1", ONE[:100])
    scene.decide(ContextSucceeded("t1", "c1", "c2", 5))
    scene.provenance.received(0.0, AudioReceived("c2", TWO))
    scene.send("c2", ONE[100:150] + TWO[:110])  # what was kept of the old, and the new

    assert scene.provenance.sent[1:] == [Part("c1", 100, 50, 100), Part("c2", 0, 110, 150)]
    assert scene.provenance.stale_frames == 0


def test_the_seam_between_two_contexts_is_found_where_both_are_silent() -> None:
    scene = Scene()
    scene.provenance.received(0.0, AudioReceived("c1", b"\xff" * 300))
    scene.send("c1", ONE)
    scene.decide(ContextSucceeded("t1", "c1", "c2", 5))
    scene.provenance.received(0.0, AudioReceived("c2", b"\xff" * 3 + TWO))
    scene.send("c2", b"\xff" * 10 + b"\xff" * 3 + TWO[:110])

    assert scene.provenance.sent[1:] == [Part("c1", 400, 10, 400), Part("c2", 0, 113, 410)]


def test_audio_that_no_context_of_the_turn_ever_had_is_known_for_what_it_is() -> None:
    scene = Scene()
    scene.send("c1", ONE[:100] + b"\xf0" * 60)

    assert scene.provenance.sent == [Part("c1", 0, 100, 0), Part("", 0, 60, 100)]


def test_a_word_is_heard_once_it_was_played_to_its_end() -> None:
    scene = Scene()
    scene.send("c1", ONE)
    counts = []
    for _ in range(4):
        scene.tick(1)
        counts.append(scene.provenance.words_heard())

    assert counts == [1, 1, 2, 2]
    assert scene.provenance.played("t1") == "Good day."


def test_a_word_that_was_cleared_before_its_end_was_not_heard() -> None:
    scene = Scene()
    scene.send("c1", ONE)
    scene.tick(2)
    scene.carrier.receive_clear()
    scene.tick()

    assert scene.provenance.words_heard() == 1
    assert scene.provenance.played("t1") == "Good"
