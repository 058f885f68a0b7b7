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

// Put the picture in its place.
function filled(value, picture) {
  if (Array.isArray(value)) return value.map((inner) => filled(inner, picture));
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, filled(inner, picture)]));
  }
  return value === "<picture>" ? picture : value;
}

// imageInference alone returns what acknowledges it: its users ask for the result.
const isAcknowledged = (items) => items.every((item) => item.status === undefined && item.imageURL === undefined);

async function use(client, call, picture) {
  const answer = { ok: true };
  let given;
  if (call.way === "uuid") {
    given = answer.given = (await client.imageUpload({ image: ways.data_uri(picture.path) })).imageUUID;
  } else if (call.way !== "none") {
    given = ways[call.way](call.way === "url" ? picture.url : picture.path);
  }
  answer.items = [await client[call.method](filled(call.arguments, given))].flat();
  if (call.method === "imageInference") {
    answer.polled = isAcknowledged(answer.items);
    if (answer.polled) answer.items = await client.getResponse({ taskUUID: answer.items[0].taskUUID });
  }
  return answer;
}

// A task fails, or hangs, alone.
async function answerOf(client, call) {
  try {
    return await Promise.race([use(client, call, command.picture), limit(command.call_limit_s)]);
  } catch (error) {
    return { ok: false, error: errorAsJson(error) };
  }
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
  if (scenario === "uses") {
    const answers = await Promise.all(command.calls.map((call) => answerOf(client, call)));
    return { answers: Object.fromEntries(command.calls.map((call, place) => [call.name, answers[place]])) };
  }
  throw new Error(`unknown scenario ${scenario}`);
}

function limit(seconds) {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error(`not done in ${seconds} s`)), seconds * 1000);
  });
}

const { Runware } = await loadSdk();
const began = performance.now();
let answer;
try {
  const options = { apiKey: command.key, url: command.url };
  if (command.request_timeout_s) options.timeoutDuration = command.request_timeout_s * 1000;
  const client = new Runware(options);
  answer = { ok: true, ...(await Promise.race([perform(client), limit(command.limit_s)])) };
} catch (error) {
  answer = { ok: false, error: errorAsJson(error) };
}
answer.seconds = Math.round(performance.now() - began) / 1000;
writeSync(1, `${JSON.stringify(answer)}\n`);
// The SDK's timers and its reconnecting socket would keep the process alive.
process.exit(0);
