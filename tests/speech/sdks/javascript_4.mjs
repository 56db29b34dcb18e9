// What `@cartesia/cartesia-js` 4.x does with this server, as JSON on standard output. Run by `test_older_sdks.py`.
import { createRequire } from "node:module";

const [url, key, folder] = process.argv.slice(2);
const { Cartesia } = createRequire(folder + "/")("@cartesia/cartesia-js");

const said = {
  model_id: "sonic-3",
  voice: "tone",
  output_format: { container: "raw", encoding: "pcm_s16le", sample_rate: 16000 },
};
const client = new Cartesia({ apiKey: key, baseURL: url });
const found = {};

const hear = (context) => gather(context.receive());

async function gather(events) {
  const words = [], kinds = new Set();
  let audio = 0;
  for await (const event of events) {
    kinds.add(event.type);
    if (event.type === "chunk") audio += Buffer.from(event.data, "base64").length;
    if (event.type === "timestamps") words.push(...event.word_timestamps.words);
  }
  return { words, audio, kinds: [...kinds].sort() };
}

const socket = await client.tts.websocket();
socket.on("error", () => {}); // or Node ends with the first error of any context

const continued = socket.context({ ...said, add_timestamps: true, timeout: 5000 });
const heardContinued = hear(continued); // from before the answer comes, which may be sooner than a push is over
for (const transcript of ["Good mor", "ning, ", "Ann."]) await continued.push({ transcript });
await continued.no_more_inputs();
found.continued = await heardContinued;

const flushed = socket.context({ ...said, timeout: 5000 });
const heardFlushed = hear(flushed);
await flushed.push({ transcript: "Good morning, Ann.", flush: true });
await flushed.no_more_inputs();
found.flushed = await heardFlushed;

const single = socket.context({ ...said, add_phoneme_timestamps: true, timeout: 5000 });
const heardSingle = hear(single);
await single.send({ transcript: "Good morning, Ann.", continue: false }); // `push` would say that more comes
found.single = await heardSingle;

const cancelled = socket.context({ ...said, timeout: 5000 });
await cancelled.push({ transcript: "A long story. ".repeat(20) });
await cancelled.cancel();

const many = await Promise.all(
  Array.from({ length: 12 }, async () => {
    const context = socket.context({ ...said, timeout: 5000 });
    const heard = hear(context);
    await context.push({ transcript: "Good morning, Ann." });
    await context.no_more_inputs();
    return (await heard).audio;
  }),
);
found.many = many;

const wrong = socket.context({ ...said, voice: "nobody", timeout: 5000 });
const refused = hear(wrong).catch((error) => error.message);
await wrong.push({ transcript: "Hello." });
found.error = await refused;
socket.close();

found.voices = [];
for await (const voice of client.voices.list({ limit: 1 })) found.voices.push(voice.id);
const answer = await client.tts.generate({ ...said, transcript: "Good morning, Ann." });
found.bytes = (await answer.arrayBuffer()).byteLength;
found.voice = (await client.voices.get("tone")).name;
found.events = await gather(await client.tts.generateSSE({ ...said, transcript: "Good morning, Ann.", add_timestamps: true }));
try {
  await client.tts.generate({ ...said, voice: "nobody", transcript: "Hello." });
} catch (error) {
  found.refused = error.status;
}
console.log(JSON.stringify(found));
