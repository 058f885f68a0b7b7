import { createHash } from "node:crypto";

import { AnswerCalls, ClockCalls, FaultCalls, JournalCalls, MediaCalls, SnapshotCalls, WebhookCalls } from "./control";
import type { Entry, EntryFilter, Schemas } from "./control";
import { counted, crashReport, taskHistory, unmetPlan, were } from "./reports";
import { ControlError, Wire } from "./wire";

const PAGE_ENTRIES = 1000;

/** An upload: the bytes that were sent, or their SHA-256 in hex; without either, any. */
export type Picture = Uint8Array | { sha256: string };

/** One account on a running server, isolated from all others. Every call that fails throws a ControlError. */
export class RunwareMock {
  readonly url: string;
  readonly clock: ClockCalls;
  readonly media: MediaCalls;
  readonly faults: FaultCalls;
  readonly answers: AnswerCalls;
  readonly journal: JournalCalls;
  readonly webhooks: WebhookCalls;
  readonly snapshots: SnapshotCalls;
  readonly #wire: Wire;
  readonly #token: string | undefined;

  constructor(
    url: string,
    readonly apiKey: string,
    options: { token?: string | undefined; timeoutS?: number } = {},
  ) {
    this.url = url.replace(/\/+$/, "").replace(/\/v1$/, "");
    this.#token = options.token;
    this.#wire = new Wire(this.url, apiKey, options.token, options.timeoutS ?? 30);
    this.clock = new ClockCalls(this.#wire);
    this.media = new MediaCalls(this.#wire);
    this.faults = new FaultCalls(this.#wire);
    this.answers = new AnswerCalls(this.#wire);
    this.journal = new JournalCalls(this.#wire);
    this.webhooks = new WebhookCalls(this.#wire);
    this.snapshots = new SnapshotCalls(this.#wire);
  }

  get restUrl(): string {
    return `${this.url}/v1`;
  }

  get wsUrl(): string {
    return `ws${this.url.slice("http".length)}/v1`;
  }

  /** Return the environment variables that point an application at the mock. */
  env(): Record<"RUNWARE_API_KEY" | "RUNWARE_BASE_URL" | "RUNWARE_WS_URL", string> {
    return { RUNWARE_API_KEY: this.apiKey, RUNWARE_BASE_URL: this.restUrl, RUNWARE_WS_URL: this.wsUrl };
  }

  /** Return another account on this server. */
  account(apiKey: string): RunwareMock {
    return new RunwareMock(this.url, apiKey, { token: this.#token });
  }

  status(): Promise<Schemas["Status"]> {
    return this.#wire.get("status");
  }

  async accounts(): Promise<Schemas["Account"][]> {
    return (await this.#wire.get<Schemas["Accounts"]>("accounts")).accounts;
  }

  /** Delete the account's `media`, `journal` or `faults`, reset its `clock`, or do `all` of these. */
  reset(scope: Schemas["ToReset"]["scope"] = "all"): Promise<Schemas["Reset"]> {
    return this.#wire.post("reset", { scope });
  }

  /** Delete what has expired. */
  purge(): Promise<Schemas["Purged"]> {
    return this.#wire.post("purge");
  }

  /** Return the account's whole state as a zip archive, which `load` takes. */
  export(): Promise<Buffer> {
    return this.#wire.download("export");
  }

  /** Return the account's media as a zip of a folder for `--fixtures`: the files, and a manifest. */
  exportFixtures(): Promise<Buffer> {
    return this.#wire.download("export/fixtures");
  }

  load(archive: Uint8Array): Promise<Schemas["Loaded"]> {
    return this.#wire.post("import", archive);
  }

  /** Return every task that was sent, with its answer, the oldest first. */
  tasks(): Promise<Entry[]> {
    return this.#entries({});
  }

  /** Return the uploads that succeeded, by `imageUpload` or `mediaStorage`, the oldest first. */
  async uploads(): Promise<Entry[]> {
    return (await this.#entries({ outcome: "success" })).filter(isUpload);
  }

  /** Fail unless the picture was uploaded: at least once, or exactly `times` times. Return its uploads. */
  async assertUploaded(picture?: Picture, { times }: { times?: number } = {}): Promise<Entry[]> {
    const wanted = digest(picture);
    const found = (await this.uploads()).filter((entry) => wanted === undefined || entry.audit?.sent.sha256 === wanted);
    if (times === undefined ? found.length > 0 : found.length === times) return found;
    const expected = times === undefined ? "an upload" : counted(times, "upload");
    const ofWhat = wanted === undefined ? "" : ` of the file with SHA-256 ${wanted}`;
    throw new Error(`expected ${expected}${ofWhat}, but there ${were(found.length)}\n${await this.#history()}`);
  }

  /** Fail if the picture was uploaded or, without a picture, if anything was. */
  async assertNotUploaded(picture?: Picture): Promise<void> {
    await this.assertUploaded(picture, { times: 0 });
  }

  /** Wait until `count` uploads have succeeded, and return them; fail after `timeoutS` seconds. */
  async waitForUploads(count = 1, { timeoutS = 5 } = {}): Promise<Entry[]> {
    const deadline = process.hrtime.bigint() + BigInt(Math.round(timeoutS * 1e9));
    for (;;) {
      const tasks = await this.#entries({ outcome: "success" });
      const uploads = tasks.filter(isUpload);
      if (uploads.length >= count) return uploads;
      const leftS = Math.max(Number(deadline - process.hrtime.bigint()) / 1e9, 0);
      const problem = `waited ${timeoutS} s for ${counted(count, "upload")}, but there ${were(uploads.length)}`;
      await this.#wait({ outcome: "success", since: tasks.at(-1)?.id ?? 0 }, leftS, problem);
    }
  }

  /** Wait until a webhook, of this task or of any, was called, and return the newest such call. */
  async waitForWebhook(
    taskUuid?: string,
    { outcome = "success", timeoutS = 5 }: { outcome?: Entry["outcome"] | null; timeoutS?: number } = {},
  ): Promise<Entry> {
    const chosen: EntryFilter = { kind: "webhook", task_uuid: taskUuid ?? null, outcome };
    const [call] = await this.#wait(chosen, timeoutS, `waited ${timeoutS} s for a webhook`);
    return call as Entry;
  }

  /** Return whether a task could use this medium now. */
  async isStored(uuid: string): Promise<boolean> {
    return (await this.media.list({ text: uuid, state: "alive" })).some((medium) => medium.uuid === uuid.toLowerCase());
  }

  async expiresAt(uuid: string): Promise<Date> {
    return new Date((await this.media.get(uuid)).expires_at);
  }

  /** Throw an Error if a plan was not fully met, a rule that must be used was not, or the mock itself crashed. */
  async verify(): Promise<void> {
    const problems = (await this.faults.unmet()).map(unmetPlan);
    const crashes = await this.#entries({ outcome: "crash", kind: "all" });
    if (crashes.length > 0) problems.push(crashReport(crashes));
    if (problems.length > 0) throw new Error(problems.join("\n"));
  }

  async #wait(chosen: EntryFilter, timeoutS: number, problem: string): Promise<Entry[]> {
    try {
      return await this.journal.wait(1, { ...chosen, timeoutS });
    } catch (error) {
      if (!(error instanceof ControlError) || error.code !== "timeout") throw error;
      throw new Error(`${problem}\n${await this.#history()}`);
    }
  }

  async #entries(chosen: EntryFilter): Promise<Entry[]> {
    const entries: Entry[] = [];
    let before: number | null | undefined;
    do {
      const page = await this.journal.page({ ...chosen, limit: PAGE_ENTRIES, before: before ?? null });
      entries.push(...page.entries);
      before = page.next_before;
    } while (before !== null && before !== undefined);
    return entries.reverse();
  }

  async #history(): Promise<string> {
    const entries = await this.#entries({ kind: "all" });
    return taskHistory(entries.filter((entry) => entry.kind !== "lookup"));
  }
}

function isUpload(entry: Entry): boolean {
  if (entry.task_type === "mediaStorage") return (entry.task["operation"] ?? "upload") === "upload";
  return entry.task_type === "imageUpload";
}

function digest(picture: Picture | undefined): string | undefined {
  if (picture === undefined) return undefined;
  if ("sha256" in picture) return picture.sha256.toLowerCase();
  return createHash("sha256").update(picture).digest("hex");
}
