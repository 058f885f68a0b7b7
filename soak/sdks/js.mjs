// Drive npm `@runware/sdk-js` as lane.py drives the others.
import { readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const CONNECT_LIMIT_S = 10;
const CALL_LIMIT_S = 20;
const KEPT = 200;
let isOver = false;

const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

function within(promise, seconds) {
  let timer;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Timeout: not done in ${seconds} s`)), seconds * 1000);
  });
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}

// The SDK rejects with plain objects and with strings, not only with Errors.
function told(error) {
  const inner = error?.error ?? error;
  return {
    type: error?.constructor?.name ?? typeof error,
    code: inner?.code ?? null,
    message: inner?.message ?? (typeof inner === "object" ? JSON.stringify(inner) : String(inner)),
    status: null,
  };
}

async function loadSdk(environment) {
  const folder = join(environment, "node_modules", "@runware/sdk-js");
  const { exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return import(pathToFileURL(join(folder, exports["."].import)));
}

class Lane {
  constructor(Runware, command, { key, seed, first, count }) {
    Object.assign(this, { Runware, command, key, at: seed, first, count, mine: [] });
  }

  async run() {
    while (!isOver) {
      const client = await this.connected();
      if (client === null) continue;
      for (let calls = 0; calls < this.command.calls_on_a_replica && !isOver; calls += 1) {
        if (!(await this.call(client))) break;
      }
      await within(client.disconnect(), 2).catch(() => {});
      this.at += 1;
    }
  }

  async connected() {
    const beganS = Date.now() / 1000;
    const { urls } = this.command;
    // It sends again only after this time, and tries no second time by itself.
    const options = { apiKey: this.key, url: urls[this.at % urls.length], timeoutDuration: 6000 };
    const client = new this.Runware(options);
    try {
      await within(client.ensureConnection(), CONNECT_LIMIT_S);
      return client;
    } catch (error) {
      this.tell("connect", beganS, { error: told(error) });
      await within(Promise.resolve(client.disconnect()), 2).catch(() => {});
      this.at += 1;
      await sleep(0.2);
      return null;
    }
  }

  async call(client) {
    const beganS = Date.now() / 1000;
    const uses = this.mine.length > 0 && Math.random() < this.command.uses;
    const picture = this.first + Math.floor(Math.random() * this.count);
    const uuid = this.mine[Math.floor(Math.random() * this.mine.length)];
    const [what, given] = uses ? ["use", { uuid }] : ["upload", { picture }];
    try {
      const done = await within(uses ? this.use(client, uuid) : this.upload(client, picture), CALL_LIMIT_S);
      this.tell(what, beganS, { ...given, ...done });
      if (!uses) this.mine = [...this.mine.slice(-KEPT), done.uuid];
      return true;
    } catch (error) {
      const refused = told(error);
      this.tell(what, beganS, { ...given, error: refused });
      if (uses) this.mine = this.mine.filter((one) => one !== uuid);
      return refused.message.includes("of this UUID");
    }
  }

  async upload(client, picture) {
    const bytes = readFileSync(this.command.pictures[picture]).toString("base64");
    const item = await client.imageUpload({ image: `data:image/png;base64,${bytes}` });
    return { uuid: item.imageUUID, url: item.imageURL, task_uuid: item.taskUUID };
  }

  async use(client, uuid) {
    const [item] = [await client.caption({ inputImage: uuid })].flat();
    return { task_uuid: item.taskUUID };
  }

  tell(what, beganS, outcome) {
    const replica = this.at % this.command.urls.length;
    const line = { what, key: this.key, replica, began_s: beganS, ended_s: Date.now() / 1000, ...outcome };
    writeSync(1, `${JSON.stringify(line)}\n`);
  }
}

// What the SDK throws from its timers and sockets concerns no call.
process.on("uncaughtException", () => {});
process.on("unhandledRejection", () => {});
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const command = JSON.parse((await lines.next()).value);
const { Runware } = await loadSdk(command.environment);
const running = Promise.all(command.lanes.map((lane) => new Lane(Runware, command, lane).run()));
while (!(await lines.next()).done);
isOver = true;
await running;
process.exit(0);
