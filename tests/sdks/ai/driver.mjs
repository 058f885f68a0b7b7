// Drive npm `ai` with `@runware/ai-sdk-provider`: one JSON command on stdin, one JSON line on stdout.
import { readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const command = JSON.parse(readFileSync(0, "utf8"));

// An import looks for packages beside the importing file only, and ours are elsewhere.
function load(name) {
  const folder = join(command.environment, "node_modules", name);
  const { exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return import(pathToFileURL(join(folder, exports["."].import)));
}

async function generate(call) {
  const { options, ...settings } = call.arguments;
  const { images } = await generateImage({
    model: createRunware({ apiKey: command.key, baseURL: command.url }).image("runware:101@1", settings),
    prompt: "a red ball",
    abortSignal: AbortSignal.timeout(command.call_limit_s * 1000),
    ...options,
  });
  return { ok: true, items: images.map((image) => ({ base64: image.base64, mediaType: image.mediaType })) };
}

async function answerOf(call) {
  try {
    return await generate(call);
  } catch (error) {
    return { ok: false, error: { type: error.name, code: null, message: error.message, parameter: null } };
  }
}

// The provider hands its whole answer on as a warning.
globalThis.AI_SDK_LOG_WARNINGS = false;
const { generateImage } = await load("ai");
const { createRunware } = await load("@runware/ai-sdk-provider");
const answers = await Promise.all(command.calls.map(answerOf));
const named = Object.fromEntries(command.calls.map((call, place) => [call.name, answers[place]]));
writeSync(1, `${JSON.stringify({ ok: true, answers: named })}\n`);
// An idle connection would keep the process alive.
process.exit(0);
