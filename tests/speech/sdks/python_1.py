# mypy: ignore-errors
"""What `cartesia` 1.x does with this server, as JSON on standard output. Run by `test_older_sdks.py`."""

import asyncio
import json
import sys

from cartesia import AsyncCartesia, Cartesia

URL, KEY = sys.argv[1:]
RAW = {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 16000}
SAID = {"model_id": "sonic-english", "output_format": RAW}
VOICE = {"voice_id": "tone"}
found = {}


def words(outputs):
    return [word for output in outputs if "word_timestamps" in output for word in output["word_timestamps"]["words"]]


def audio(outputs):
    return sum(len(output.get("audio") or b"") for output in outputs)


def sync():
    client = Cartesia(api_key=KEY, base_url=URL)
    socket = client.tts.websocket()
    outputs = list(socket.send(**SAID, **VOICE, transcript="Good morning, Ann.", add_timestamps=True))
    found["single"] = [words(outputs), audio(outputs)]
    embedded = socket.send(**SAID, voice_embedding=[0.1] * 192, transcript="Good morning, Ann.", stream=False)
    found["embedding"] = len(embedded["audio"])
    context = socket.context()
    outputs = list(context.send(**SAID, **VOICE, transcript=iter(["Good mor", "ning, ", "Ann."]), add_timestamps=True))
    found["continued"] = [words(outputs), audio(outputs)]
    try:
        list(socket.send(**SAID, voice_id="nobody", transcript="Hello."))
    except RuntimeError as error:
        found["error"] = str(error)
    socket.close()
    found["voices"] = [voice["id"] for voice in client.voices.list()]
    found["voice"] = client.voices.get("tone")["name"]
    found["bytes"] = len(client.tts.bytes(**SAID, **VOICE, transcript="Good morning, Ann."))
    controls = {"speed": "fastest", "emotion": ["positivity"]}
    quick = client.tts.sse(**SAID, **VOICE, transcript="Good", stream=False, _experimental_voice_controls=controls)
    found["fast"] = len(quick["audio"])
    found["events"] = audio(client.tts.sse(**SAID, **VOICE, transcript="Good morning, Ann."))
    try:
        client.tts.bytes(**SAID, voice_id="nobody", transcript="Hello.")
    except ValueError as error:
        found["refused"] = str(error)


async def asynchronous():
    client = AsyncCartesia(api_key=KEY, base_url=URL)
    socket = await client.tts.websocket()
    context = socket.context()
    await context.send(**SAID, **VOICE, transcript="Good morning, ", continue_=True)
    first = await context.flush()
    await context.send(**SAID, **VOICE, transcript="Ann.", continue_=True)
    second = await context.flush()
    await context.no_more_inputs()
    found["flushes"] = [audio([output async for output in part()]) for part in (first, second)]
    found["rest"] = audio([output async for output in context.receive()])

    async def one():
        spoken = await socket.send(**SAID, **VOICE, transcript="Good morning, Ann.", add_timestamps=True)
        outputs = [output async for output in spoken]
        return [words(outputs), audio(outputs)]

    found["many"] = await asyncio.gather(*(one() for _ in range(12)))
    await socket.close()
    await client.close()


sync()
asyncio.run(asynchronous())
sys.stdout.write(json.dumps(found))
