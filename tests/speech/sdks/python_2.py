# mypy: ignore-errors
"""What `cartesia` 2.x does with this server, as JSON on standard output. Run by `test_older_sdks.py`."""

import asyncio
import json
import sys

from cartesia import AsyncCartesia, Cartesia
from cartesia.core.api_error import ApiError

URL, KEY = sys.argv[1:]
RAW = {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 16000}
SAID = {"model_id": "sonic-2", "output_format": RAW, "voice": {"mode": "id", "id": "tone"}}
found = {}


def words(outputs):
    return [word for output in outputs if output.word_timestamps for word in output.word_timestamps.words]


def audio(outputs):
    return sum(len(output.audio or b"") for output in outputs)


def sync():
    client = Cartesia(api_key=KEY, base_url=URL)
    socket = client.tts.websocket()
    outputs = list(socket.send(**SAID, transcript="Good morning, Ann.", add_timestamps=True))
    found["single"] = [words(outputs), audio(outputs)]
    embedded = SAID | {"voice": {"mode": "embedding", "embedding": [0.1] * 192}}
    found["embedding"] = audio([socket.send(**embedded, transcript="Good morning, Ann.", stream=False)])
    context = socket.context()
    outputs = list(context.send(**SAID, transcript=iter(["Good mor", "ning, ", "Ann."]), add_timestamps=True))
    found["continued"] = [words(outputs), audio(outputs)]
    try:
        list(socket.send(**SAID | {"voice": {"mode": "id", "id": "nobody"}}, transcript="Hello."))
    except RuntimeError as error:
        found["error"] = str(error)
    socket.close()
    found["voices"] = [voice.id for voice in client.voices.list()]
    found["voice"] = client.voices.get("tone").name
    try:
        list(client.tts.bytes(**SAID | {"voice": {"mode": "id", "id": "nobody"}}, transcript="Hello."))
    except ApiError as error:
        found["refused"] = f"{error.status_code}: {error.body}"
    found["bytes"] = len(b"".join(client.tts.bytes(**SAID, transcript="Good morning, Ann.")))
    events = list(client.tts.sse(**SAID, transcript="Good morning, Ann."))
    found["events"] = [event.type for event in events][-1]


async def asynchronous():
    client = AsyncCartesia(api_key=KEY, base_url=URL)
    socket = await client.tts.websocket()
    context = socket.context()
    await context.send(**SAID, transcript="Good morning, ", continue_=True)
    first = await context.flush()
    await context.send(**SAID, transcript="Ann.", continue_=True)
    second = await context.flush()
    await context.no_more_inputs()
    found["flushes"] = [audio([output async for output in part()]) for part in (first, second)]
    found["rest"] = audio([output async for output in context.receive()])
    cancelled = socket.context()
    await cancelled.send(**SAID, transcript="A long story. " * 20, continue_=True)
    await cancelled.cancel()
    unhurried = socket.context()
    await unhurried.send(**SAID, transcript="Good morning, ", continue_=True, max_buffer_delay_ms=0)
    await unhurried.send(**SAID, transcript="Ann.", continue_=False, max_buffer_delay_ms=0)
    found["at once"] = audio([output async for output in unhurried.receive()])

    async def one():
        spoken = await socket.send(**SAID, transcript="Good morning, Ann.", add_timestamps=True)
        outputs = [output async for output in spoken]
        return [words(outputs), audio(outputs)]

    found["many"] = await asyncio.gather(*(one() for _ in range(12)))
    await socket.close()
    found["async bytes"] = len(b"".join([part async for part in client.tts.bytes(**SAID, transcript="Good")]))
    found["async events"] = [event.type async for event in client.tts.sse(**SAID, transcript="Good")][-1]
    found["async voices"] = [voice.id async for voice in await client.voices.list()]


sync()
asyncio.run(asynchronous())
sys.stdout.write(json.dumps(found))
