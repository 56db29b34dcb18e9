"""What runs in the process of its own: a request is a line of JSON, the answer a length (-1 for an error) and PCM.

It is run as a file, not as a part of the package: so it starts in no time, and holds nothing but the voices.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from typing import BinaryIO

from py_nanotts import NanoTTS


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer until the parent is gone: its end of the pipe closes, however it ended."""
    pico = NanoTTS()
    for request in requests:
        text, voice, speed = json.loads(request)
        try:
            pcm = pico.speak(text, voice=voice, speed=speed)
        except RuntimeError:
            answers.write((-1).to_bytes(4, "little", signed=True))
        else:
            answers.write(len(pcm).to_bytes(4, "little", signed=True) + pcm)
        answers.flush()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt, BrokenPipeError):
        serve(sys.stdin.buffer, sys.stdout.buffer)
