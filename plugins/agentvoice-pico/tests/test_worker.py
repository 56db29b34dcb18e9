"""The process that speaks."""

import gc
from pathlib import Path
from threading import Thread

import pytest

from agentvoice_pico._worker import Worker

pytestmark = pytest.mark.speech

FORGETFUL = """
import sys, time
for request in sys.stdin.buffer:
    if b"endless" in request:
        time.sleep(60)
    sys.stdout.buffer.write(b"\\4\\0\\0\\0abcd")
    sys.stdout.buffer.flush()
"""


@pytest.fixture
def worker() -> Worker:
    return Worker()


def test_a_text_that_it_does_not_come_back_from_costs_only_itself(tmp_path: Path) -> None:
    program = tmp_path / "forgetful.py"
    program.write_text(FORGETFUL)
    worker = Worker(timeout_s=1.0, program=program)

    with pytest.raises(RuntimeError, match="in other words"):
        worker.speak("endless", voice="en-US", speed=1.0)

    assert worker.speak("Yes.", voice="en-US", speed=1.0) == b"abcd"


def test_what_pico_cannot_speak_is_an_error_and_the_process_lives_on(worker: Worker) -> None:
    worker.speak("Yes.", voice="en-US", speed=1.0)
    process = worker._process

    with pytest.raises(RuntimeError, match="cannot speak"):
        worker.speak("1" * 300, voice="en-US", speed=1.0)

    assert worker.speak("Yes.", voice="en-US", speed=1.0)
    assert worker._process is process


def test_threads_take_turns(worker: Worker) -> None:
    texts = ["One.", "One and two.", "One and two and three."] * 3
    found: dict[str, set[int]] = {}

    def work(text: str) -> None:
        found.setdefault(text, set()).add(len(worker.speak(text, voice="en-US", speed=1.0)))

    threads = [Thread(target=work, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert all(len(sizes) == 1 for sizes in found.values())
    assert len(found) == 3


def test_the_process_ends_with_its_worker() -> None:
    worker = Worker()
    worker.speak("Yes.", voice="en-US", speed=1.0)
    process = worker._process
    assert process

    del worker
    gc.collect()

    assert process.poll() is not None
