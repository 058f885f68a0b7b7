import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { serveCommand, type Start } from "./command";
import { RunwareMock } from "./mock";
import { ControlError } from "./wire";

const DESCRIPTION = readFileSync(join(__dirname, "..", "package.json"), "utf8");
const NEEDED = minor((JSON.parse(DESCRIPTION) as { version: string }).version);
const READY = "runware-mock ready on ";
const LONGEST_WORDS_CHARS = 1000;

export interface StartOptions extends Start {
  /** Use the server at this address, or at RUNWARE_MOCK_URL, instead of starting one; null always starts one. */
  url?: string | null;
  /** The control token of that server; RUNWARE_MOCK_CONTROL_TOKEN by default. */
  token?: string;
  /** How long the server may take to start; 30 seconds by default, 300 with `from`. */
  startLimitS?: number;
}

/** A server, which ends with this process at the latest. */
export interface RunwareMockServer {
  readonly url: string;
  readonly token: string | undefined;
  /** Return an account: the API key is the account, a fresh one unless the setting `apiKey` allows only some. */
  account(apiKey?: string): RunwareMock;
  /** Stop the server, if this process has started it. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Start a server on a free port, in memory, and wait until it is ready. Throws an Error that says what to do. */
export async function startRunwareMock(options: StartOptions = {}): Promise<RunwareMockServer> {
  const url = options.url === undefined ? process.env["RUNWARE_MOCK_URL"] : options.url;
  const token = options.token ?? process.env["RUNWARE_MOCK_CONTROL_TOKEN"];
  const settings = options.settings ?? {};
  if (url) {
    if (Object.keys(settings).length > 0) {
      throw new Error(`settings cannot change the server at ${url}: give them to that server, or start one: url: null`);
    }
    return checked({ url, token, stop: () => Promise.resolve() });
  }
  const child = new Child(serveCommand(options));
  const started = await child.ready(options.startLimitS ?? (options.from === undefined ? 30 : 300));
  const ownToken = settings["controlToken"];
  const [onlyKey] = [settings["apiKey"] ?? []].flat();
  return checked(
    { url: started, token: ownToken === undefined ? token : String(ownToken), stop: () => child.stop() },
    onlyKey === undefined ? undefined : String(onlyKey),
  );
}

/** Return an API key that nobody has used: it opens an account of its own. */
export function freshKey(): string {
  return `test-${randomBytes(24).toString("hex")}`;
}

type Found = Pick<RunwareMockServer, "url" | "token" | "stop">;

async function checked(found: Found, onlyKey?: string): Promise<RunwareMockServer> {
  const { url, token } = found;
  const account = (apiKey = onlyKey ?? freshKey()): RunwareMock => new RunwareMock(url, apiKey, { token });
  try {
    const { version } = await account().status();
    if (minor(version) !== NEEDED) {
      throw new Error(`the server at ${url} is runware-mock ${version}, but this package needs ${NEEDED}`);
    }
  } catch (error) {
    await found.stop();
    throw error instanceof ControlError ? new Error(`cannot use runware-mock: ${error.message}`) : error;
  }
  return { ...found, account, [Symbol.asyncDispose]: () => found.stop() };
}

function minor(version: string): string {
  return version.split(".").slice(0, 2).join(".");
}

class Child {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<string>;
  #lastWords = "";
  #isStopping = false;

  constructor(command: readonly string[]) {
    const quiet = { RUNWARE_MOCK_LOG_LEVEL: "warning", ...process.env };
    // NODE_OPTIONS may have a debugger or loader in it, which is for the tests.
    const lifeline = [join(__dirname, "lifeline.js"), ...command];
    this.#process = spawn(process.execPath, lifeline, { stdio: "pipe", env: { ...quiet, NODE_OPTIONS: "" } });
    this.#ended = new Promise((resolve) => {
      this.#process.once("close", (code) => resolve(`${this.#said()} (status ${code})`));
    });
  }

  /** Return the address of the server once it serves. */
  async ready(limitS: number): Promise<string> {
    let timer: NodeJS.Timeout | undefined;
    const url = await Promise.race([
      new Promise<string>((resolve) => this.#read(resolve)),
      this.#ended.then((why) => Promise.reject(new Error(`runware-mock did not start: ${why}`))),
      new Promise<undefined>((resolve) => {
        timer = setTimeout(() => resolve(undefined), limitS * 1000);
      }),
    ]).finally(() => clearTimeout(timer));
    if (url === undefined) {
      await this.stop();
      throw new Error(`runware-mock was not ready after ${limitS} s: ${this.#said()}`);
    }
    void this.#ended.then((why) => {
      if (!this.#isStopping) process.stderr.write(`runware-mock ended in the middle of the run: ${why}\n`);
    });
    // A server that nobody stops keeps neither this process nor a test runner alive: it ends with them.
    this.#hold("unref");
    return url;
  }

  /** Let the server end, and wait for it. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#hold("ref");
    this.#process.stdin.end();
    await this.#ended;
  }

  #read(onReady: (url: string) => void): void {
    createInterface({ input: this.#process.stdout }).on("line", (line) => {
      if (line.startsWith(READY)) onReady(line.slice(READY.length).trim());
    });
    createInterface({ input: this.#process.stderr }).on("line", (line) => {
      // uv indents the causes of an error below it.
      const earlier = line.startsWith(" ") ? this.#lastWords : "";
      if (line.trim() !== "") this.#lastWords = `${earlier} ${line.trim()}`.trim().slice(0, LONGEST_WORDS_CHARS);
    });
  }

  #said(): string {
    return this.#lastWords || "it says nothing";
  }

  #hold(how: "ref" | "unref"): void {
    this.#process[how]();
    for (const stream of this.#process.stdio) (stream as Socket | null)?.[how]();
  }
}
