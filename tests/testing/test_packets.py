"""What is passed by at once has to be the same as what is gone through frame by frame."""

import pytest
from hypothesis import given, strategies as st

from agentvoice.testing.caller import FRAME, SILENCE, Caller
from agentvoice.testing.carrier import Carrier
from agentvoice.testing.packets import COARSE, REAL, SETTLED_FRAMES, SIMULATED, Packer, Packing
from agentvoice.testing.script import BargesIn, HangsUp, Pauses, Presses, Says, Step, WaitsForAgent, WaitsForHangUp
from agentvoice.testing.weather import Weather

LOUD = b"\x20\xa0" * 80
SOUND = bytes(range(160))
STEPS = st.one_of(
    st.builds(Says, st.just("Hello."), st.just(SOUND * 7 + b"\x10" * 30)),
    st.builds(BargesIn, st.just("Wait!"), st.just(SOUND * 3), after_s=st.sampled_from([0.1, 0.5]), limit_s=st.just(2)),
    st.builds(BargesIn, st.just("Wait!"), st.just(SOUND * 3), at_word=st.integers(1, 9), limit_s=st.just(2.02)),
    st.builds(WaitsForAgent, silence_s=st.sampled_from([0.1, 0.9]), limit_s=st.just(3)),
    st.builds(Pauses, st.sampled_from([0, 0.02, 0.3, 0.31])),
    st.just(Presses("5")),
    st.builds(WaitsForHangUp, st.just(0.5)),
    st.builds(HangsUp, st.sampled_from([0, 0.5]), st.sampled_from([0, 0.04, 0.5, 1.3])),
)


@given(
    st.lists(STEPS, max_size=5),
    st.lists(st.tuples(st.sampled_from([SILENCE, LOUD]), st.integers(1, 60)), max_size=8),
    st.integers(1, 200),
    st.sampled_from([None, 1, 5]),
)
def test_a_caller_may_hear_many_frames_at_once(
    steps: list[Step], agent: list[tuple[bytes, int]], most: int, word_frames: int | None
) -> None:
    frames = [frame for frame, count in agent for _ in range(count)] + [SILENCE] * 1500
    one, other = Caller(steps), Caller(steps)

    def words(at: int) -> int | None:
        return sum(frame == LOUD for frame in frames[: at + 1]) // word_frames if word_frames else None

    singly, at_once = b"", b""
    for at, frame in enumerate(frames):
        if one.done:
            break
        singly += one.tick(frame, words=words(at)).audio
    at = 0
    while not other.done:
        count = min(other.settled + 1, most)
        at_once += other.tick(b"".join(frames[at : at + count]), words=words(at + count - 1)).audio
        at += count

    assert at_once == singly
    assert other.lines == one.lines
    assert other.complaints == one.complaints


@given(
    st.lists(st.integers(1, 700).map(lambda n: SOUND * 5 + bytes(n)) | st.none() | st.text(max_size=3), max_size=30),
    st.builds(
        Weather,
        late_marks_s=st.sampled_from([0, 0.06]),
        lost_marks=st.sampled_from([0, 0.5]),
        dies_at_s=st.sampled_from([0.1, 1.0, 9.0]),
        loss=st.sampled_from([0, 0.1]),
        jitter_s=st.sampled_from([0, 0.04]),
    ),
    st.integers(0, 20),
)
def test_a_carrier_may_play_many_frames_at_once(
    messages: list[bytes | str | None], weather: Weather, between: int
) -> None:
    def line(most: int) -> tuple[bytes, list[tuple[int, str]], Carrier]:
        carrier, recording, marks = Carrier(weather=weather), b"", list[tuple[int, str]]()
        for message in [*messages, b""]:
            match message:
                case None:
                    carrier.receive_clear()
                case str():
                    carrier.receive_mark(message)
                case bytes():
                    carrier.receive_audio(message)
            until = carrier.frames + (between if message != b"" else 500)
            while carrier.frames < until:
                audio, returned = carrier.tick(min(carrier.settled + 1, most, until - carrier.frames))
                recording += audio
                marks += [(carrier.frames, name) for name in returned]
        return recording, marks, carrier

    (singly, marks, one), (at_once, same_marks, other) = line(1), line(10_000)

    assert at_once == singly
    assert same_marks == marks
    assert (other.played, other.lost, other.cleared) == (one.played, one.lost, one.cleared)


def test_twilio_sends_a_message_a_frame() -> None:
    packer = Packer(REAL)

    assert packer.room == 0
    assert packer.say(SILENCE) == [(0, SILENCE)]
    assert packer.say(SOUND) == [(1, SOUND)]


def test_silence_that_has_lasted_goes_by_the_second_until_somebody_speaks() -> None:
    packer = Packer(SIMULATED)
    singly = [packer.say(SILENCE) for _ in range(SETTLED_FRAMES)]
    assert [len(messages) for messages in singly] == [1] * (SETTLED_FRAMES - 1) + [0]
    assert packer.room == 48

    assert packer.say(SILENCE * 48) == []
    assert packer.say(SILENCE) == [(SETTLED_FRAMES - 1, SILENCE * 50)]
    assert packer.say(SILENCE * 40) == []
    assert packer.say(SOUND) == [(SETTLED_FRAMES + 49, SILENCE * 40), (SETTLED_FRAMES + 89, SOUND)]


def test_speech_goes_by_the_frame_until_it_has_lasted_and_where_it_ends() -> None:
    packer = Packer(SIMULATED)

    def sizes(frame: bytes, count: int) -> list[int]:
        return [len(audio) // FRAME for _ in range(count) for _, audio in packer.say(frame)]

    assert sizes(SOUND, SIMULATED.spoken_after) == [1] * (SIMULATED.spoken_after - 1)
    assert sizes(SOUND, 12) == [5, 5]
    assert sizes(SILENCE, 2) == [4, 1]
    assert sizes(SOUND, 3) == [1, 1, 1]


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 80)), max_size=20), st.sampled_from([REAL, SIMULATED, COARSE]))
def test_no_frame_is_lost_or_moved(stretches: list[tuple[bool, int]], packing: Packing) -> None:
    packer, said, sent = Packer(packing), b"", list[tuple[int, bytes]]()
    for loud, count in stretches:
        for _ in range(count):
            frame = SOUND if loud else SILENCE
            said += frame
            sent += packer.say(frame)
    sent += packer.flush()

    assert b"".join(audio for _, audio in sent) == said
    numbers = [0]
    for _, audio in sent:
        numbers.append(numbers[-1] + len(audio) // FRAME)
    assert [number for number, _ in sent] == numbers[:-1]
    assert list(packer.flush()) == []


@pytest.mark.parametrize("packing", [SIMULATED, COARSE])
def test_a_message_never_waits_for_long(packing: Packing) -> None:
    packer = Packer(packing)
    for _ in range(1000):
        assert 0 <= packer.room < packing.silent_frames
        packer.say(SILENCE)
