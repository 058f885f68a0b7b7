// Drive npm `@runware/sdk-js` 1.3.x: one JSON command on stdin, one JSON line on stdout.
import { readFileSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { extname, join } from "node:path";
import { pathToFileURL } from "node:url";

const command = JSON.parse(readFileSync(0, "utf8"));

// An import looks for packages beside the importing file only, and ours are elsewhere.
async function loadSdk() {
  const name = "@runware/sdk-js";
  if (command.module === "commonjs") return createRequire(join(command.environment, "x"))(name);
  const folder = join(command.environment, "node_modules", name);
  const { exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return import(pathToFileURL(join(folder, exports["."].import)));
}

const base64 = (path) => readFileSync(path).toString("base64");
const label = (path) => `image/${extname(path).slice(1)}`;

// In Node the SDK reads no files: it sends the string it is given.
const ways = {
  data_uri: (path) => `data:${label(path)};base64,${base64(path)}`,
  base64,
  url: (url) => url,
};

// The SDK rejects with plain objects `{error: {code, message}}` and with strings, not only with Errors.
function errorAsJson(error) {
  const inner = error?.error ?? error;
  return {
    type: error?.constructor?.name ?? typeof error,
    code: inner?.code ?? null,
    message: inner?.message ?? String(inner),
    parameter: inner?.parameter ?? null,
  };
}

async function upload(client, source) {
  const item = await client.imageUpload({ image: ways[command.way](source) });
  return { imageUUID: item.imageUUID, imageURL: item.imageURL, taskUUID: item.taskUUID };
}

async function perform(client) {
  const { scenario, files } = command;
  if (command.connect_first) await client.ensureConnection();
  if (scenario === "connect") return { session: client._connectionSessionUUID };
  if (scenario === "upload") {
    return { results: await Promise.all(files.map((file) => upload(client, file))) };
  }
  if (scenario === "two_uploads") {
    const outcome = { first: null, refusal: null };
    try {
      outcome.first = await upload(client, files[0]);
    } catch (error) {
      outcome.refusal = errorAsJson(error);
    }
    return { ...outcome, second: await upload(client, files[1]) };
  }
  throw new Error(`unknown scenario ${scenario}`);
}

function limit() {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error(`not done in ${command.limit_s} s`)), command.limit_s * 1000);
  });
}

const { Runware } = await loadSdk();
const began = performance.now();
let answer;
try {
  const options = { apiKey: command.key, url: command.url };
  if (command.request_timeout_s) options.timeoutDuration = command.request_timeout_s * 1000;
  const client = new Runware(options);
  answer = { ok: true, ...(await Promise.race([perform(client), limit()])) };
} catch (error) {
  answer = { ok: false, error: errorAsJson(error) };
}
answer.seconds = Math.round(performance.now() - began) / 1000;
writeSync(1, `${JSON.stringify(answer)}\n`);
// The SDK's timers and its reconnecting socket would keep the process alive.
process.exit(0);
