import { readFileSync } from "node:fs";
// Not `fetch`, which a browser-like test environment lacks and which tests replace.
import * as http from "node:http";
import * as https from "node:https";

const BADGE = "x-runware-mock";

export type Query = Record<string, string | number | boolean | null | undefined>;

/**
 * A call that failed. `field` is the path of what is wrong, such as `faults[0].kind`; `code` is badField, notFound,
 * forbidden, conflict, timeout, crash or, if no mock answered, unreachable: then there is no `status`.
 */
export class ControlError extends Error {
  override readonly name = "ControlError";

  constructor(
    message: string,
    readonly field: string | null = null,
    readonly code: string = "badField",
    readonly status: number | null = null,
  ) {
    super(message);
  }
}

interface Answered {
  status: number;
  headers: http.IncomingHttpHeaders;
  content: Buffer;
}

/** Sends the control calls of one account. Nothing stays open between calls. */
export class Wire {
  readonly #headers: Record<string, string>;

  constructor(
    readonly url: string,
    apiKey: string | undefined,
    token: string | undefined,
    private readonly timeoutS: number,
  ) {
    this.#headers = {
      ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
      ...(token === undefined ? {} : { "x-control-token": token }),
    };
  }

  async get<T>(path: string, query: object = {}, waitS = 0): Promise<T> {
    return read<T>(await this.#send("GET", path, query, undefined, waitS));
  }

  /** Send JSON, or a file. */
  async post<T>(path: string, body: object = {}, query: object = {}): Promise<T> {
    return read<T>(await this.#send("POST", path, query, body, 0));
  }

  /** Return how many things were deleted. */
  async delete(path: string): Promise<number> {
    return read<{ deleted: number }>(await this.#send("DELETE", path, {}, undefined, 0)).deleted;
  }

  download(path: string): Promise<Buffer> {
    return this.#send("GET", path, {}, undefined, 0);
  }

  async #send(method: string, path: string, query: object, body: object | undefined, waitS: number): Promise<Buffer> {
    const target = new URL(`${this.url}/_mock/${path}`);
    for (const [name, value] of Object.entries(query as Query)) {
      if (value !== undefined && value !== null) target.searchParams.set(name, String(value));
    }
    const isFile = body instanceof Uint8Array;
    const type = body === undefined || isFile ? {} : { "content-type": "application/json" };
    const sent = body === undefined ? undefined : isFile ? body : Buffer.from(JSON.stringify(body));
    const headers = { ...this.#headers, ...type };
    const answer = await request(target, method, headers, sent, this.timeoutS + waitS).catch((error: Error) => {
      // Node's error for two addresses that both refuse has no message of its own.
      const why = error.message || (error as NodeJS.ErrnoException).code;
      throw new ControlError(`no runware-mock can be reached at ${this.url} (${why})`, null, "unreachable");
    });
    if (answer.headers[BADGE] === undefined) {
      throw new ControlError(`the server at ${this.url} is not a runware-mock`, null, "unreachable", answer.status);
    }
    if (answer.status < 200 || answer.status > 299) throw refusal(answer);
    return answer.content;
  }
}

/** Return a path of one thing of a kind. */
export function named(kind: string, name: string | number): string {
  if (/^\.*$|\//.test(String(name))) {
    const problem = `${JSON.stringify(name)} is not a name: it is empty, or has a slash in it`;
    throw new ControlError(problem, "name", "notFound");
  }
  return `${kind}/${encodeURIComponent(name)}`;
}

function read<T>(content: Buffer): T {
  return JSON.parse(content.toString("utf8")) as T;
}

function refusal({ status, content }: Answered): ControlError {
  try {
    const { error } = read<{ error: { message: string; field: string | null; code: string } }>(content);
    return new ControlError(error.message, error.field, error.code, status);
  } catch {
    return new ControlError(`the server answered with status ${status}`, null, "unreachable", status);
  }
}

function request(
  url: URL,
  method: string,
  headers: http.OutgoingHttpHeaders,
  body: Uint8Array | undefined,
  timeoutS: number,
): Promise<Answered> {
  const isTls = url.protocol === "https:";
  const trusted = process.env["SSL_CERT_FILE"];
  return new Promise((resolve, reject) => {
    const ca = isTls && trusted ? { ca: readFileSync(trusted) } : {};
    const options = { method, headers, agent: false, timeout: timeoutS * 1000, ...ca } as const;
    const call = (isTls ? https : http).request(url, options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, content: Buffer.concat(chunks) });
      });
    });
    call.on("timeout", () => call.destroy(new Error(`no answer within ${timeoutS} s`)));
    call.on("error", reject);
    call.end(body);
  });
}
