"""The trace as a file: written as it happens, read back as it was."""

import io
import math
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agentvoice import Manners
from agentvoice.commands import CancelContext, SendAudio, SendMark
from agentvoice.conversation import Conversation
from agentvoice.errors import UsageError
from agentvoice.events import MarkReturned, SpeechStarted, Transcript
from agentvoice.trace.codec import Keep, Unknown
from agentvoice.trace.log import Header, Step, TraceWriter, read_trace
from agentvoice.trace.replay import conversation

HEADER = Header(call_id="c1", started_at=100.0, agent="Receptionist")
FIRST = (
    '{"agentvoice_trace":1,"call_id":"c1","started_at":100.0,"audio":{"encoding":"pcm_mulaw","sample_rate":8000},'
    '"agent":"Receptionist","has_marks":true,"keep":"words","settings":{}}'
)


class Kept(io.StringIO):
    """A file that can be read once it is closed."""

    def close(self) -> None:
        self.text = self.getvalue()
        super().close()


def written(*steps, header: Header = HEADER) -> list[str]:
    out = Kept()
    writer = TraceWriter(out, header)
    for now, event, commands in steps:
        writer.received(now, event)
        writer.decided(now, commands)
    writer.closed()
    return out.text.splitlines()


def test_each_input_and_each_decision_is_a_line() -> None:
    lines = written(
        (100.25, SpeechStarted(100.125), []),
        (101.0000004, None, [SendAudio("c1-1", b"abc"), SendMark("m")]),
    )

    assert lines == [
        FIRST,
        '{"t":0.25,"now":100.25,"in":"SpeechStarted","at":100.125}',
        '{"t":1.0,"now":101.0000004,"in":"Timer"}',
        '{"t":1.0,"out":"SendAudio","context_id":"c1-1","audio":{"size":3,"sha":"508c5e8c"}}',
        '{"t":1.0,"out":"SendMark","name":"m"}',
    ]


def test_what_was_written_is_read_back_to_the_last_bit() -> None:
    now = 100.1 + 0.2
    trace = read_trace(written((now, MarkReturned("m"), [CancelContext("x"), SendMark("n")]), (101.5, None, [])))

    assert trace.header == HEADER
    assert trace.steps == (
        Step(now, MarkReturned("m"), (CancelContext("x"), SendMark("n")), 2),
        Step(101.5, None, (), 5),
    )
    assert not trace.torn


def test_a_line_stands_in_the_file_before_the_next_thing_happens(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "trace.jsonl"
    writer = TraceWriter.create(path, HEADER)

    writer.received(100.5, None)

    assert path.read_text().splitlines() == [FIRST, '{"t":0.5,"now":100.5,"in":"Timer"}']
    writer.closed()
    writer.closed()
    writer.received(101.0, None)
    assert len(path.read_text().splitlines()) == 2


def test_a_torn_last_line_is_left_out() -> None:
    lines = written((100.5, None, [SendMark("n")]))
    trace = read_trace([*lines[:-1], lines[-1][:9]])

    assert trace.torn
    assert trace.steps == (Step(100.5, None, (), 2),)


CHILD = """
import sys, itertools
from pathlib import Path
from agentvoice.commands import SendMark
from agentvoice.events import MarkReturned
from agentvoice.trace.log import Header, TraceWriter
writer = TraceWriter.create(Path(sys.argv[1]), Header(call_id="c", started_at=0.0))
for number in itertools.count():
    writer.received(float(number), MarkReturned(f"m{number}"))
    writer.decided(float(number), [SendMark(f"m{number}")])
    print(number, flush=True)
"""


@pytest.mark.real_time
def test_who_is_killed_loses_the_last_event_at_the_most(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    with child:
        first = "".join(child.stdout.readline() for _ in range(200))
        child.send_signal(signal.SIGKILL)
        told = int((first + child.stdout.read()).split("\n")[-2])  # what it had dealt with when it was killed

    steps = read_trace(path).steps

    assert len(steps) in {told + 1, told + 2}
    assert all(step.commands == (SendMark(f"m{number}"),) for number, step in enumerate(steps[: told + 1]))


def test_infinity_is_read_back() -> None:
    header = Header(call_id="c1", started_at=0.0, settings={"manners": Manners(call_s=math.inf, silence_s=math.inf)})
    [line] = written(header=header)

    core = conversation(read_trace([line]).header)
    assert isinstance(core, Conversation)
    assert core.deadline == math.inf
    assert '"silence_s":"inf"' in line


def test_what_ends_a_line_elsewhere_does_not_end_one_of_a_trace(tmp_path: Path) -> None:
    said = "one\u2028two\x85three"
    path = tmp_path / "trace.jsonl"
    writer = TraceWriter.create(path, HEADER)
    writer.received(100.5, Transcript(said, final=True))
    writer.closed()

    assert read_trace(path).steps[0].event == Transcript(said, final=True)
    assert read_trace(path.read_text(encoding="utf-8")).steps[0].event == Transcript(said, final=True)
    with pytest.raises(UsageError, match="empty"):
        read_trace("")


def test_kinds_of_a_later_version_are_tolerated() -> None:
    lines = [FIRST, '{"t":1,"now":101,"in":"Sneezed","loud":true}', '{"t":1,"out":"Bless"}']

    assert read_trace(lines).steps == (Step(101, Unknown("Sneezed", {"loud": True}), (Unknown("Bless", {}),), 2),)


def test_a_full_disk_ends_the_trace_and_not_the_call() -> None:
    class Full(io.StringIO):
        asked = 0

        def write(self, text: str) -> int:
            self.asked += 1
            raise OSError(28, "No space left on device")

    full = Full()
    writer = TraceWriter(full, HEADER)
    writer.received(100.5, None)
    writer.closed()

    assert full.asked == 1


def test_settings_may_be_frozen_values() -> None:
    header = Header(call_id="c1", started_at=0.0, settings={"audio": HEADER.audio, "words": frozenset({"b", "a"})})

    settings = read_trace(written(header=header)).header.settings

    assert settings == {"audio": {"encoding": "pcm_mulaw", "sample_rate": 8000}, "words": ["a", "b"]}


def test_a_trace_says_what_it_keeps() -> None:
    header = Header(call_id="c1", started_at=100.0, keep=Keep.AUDIO)
    lines = written((100.5, None, [SendAudio("c", b"abc")]), header=header)

    assert '"audio":"YWJj"' in lines[-1]
    assert read_trace(lines).steps[0].commands == (SendAudio("c", b"abc"),)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([], "empty"),
        (["hello"], "not a trace of agentvoice"),
        (['{"call_id":"c1"}'], "not a trace of agentvoice"),
        (["[1]"], "not a trace of agentvoice"),
        (['{"agentvoice_trace":99}'], "newer agentvoice"),
        (['{"agentvoice_trace":1,"call_id":3}'], "line 1"),
        ([FIRST, "garbage", '{"t":1,"now":101,"in":"Timer"}'], "line 2"),
        ([FIRST, '{"t":1,"out":"SendMark","name":"n"}', '{"t":1,"now":101,"in":"Timer"}'], "line 2"),
        ([FIRST, '{"t":1,"in":"Timer"}', ""], "line 2"),
    ],
)
def test_what_is_no_trace_is_refused_by_name_and_line(lines: list[str], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        read_trace(lines)


def test_a_trace_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.jsonl"):
        read_trace(tmp_path / "nowhere.jsonl")


def test_a_trace_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="give another path"):
        TraceWriter.create(tmp_path, HEADER)


def test_the_same_call_leaves_the_same_bytes(simulation) -> None:
    assert simulation().run().trace_lines == simulation().run().trace_lines
