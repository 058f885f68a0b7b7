import { readFileSync } from "node:fs";

import type { components, operations } from "./openapi";
import { named, type Wire } from "./wire";

export type Schemas = components["schemas"];
export type Entry = Schemas["Entry"];
export type Medium = Schemas["Medium"];
export type PlanState = Schemas["PlanState"];
export type RuleState = Schemas["RuleState"];
export type Fault = Schemas["Plan"]["faults"][number];
export type PlanOptions = Omit<Schemas["Plan"], "faults">;
export type EntryFilter = Omit<QueryOf<"list_journal">, "account" | "limit">;
/** Which tasks a rule answers; `prompt`, `model` and `where` take regular expressions, too. */
export type RuleOptions = Omit<Schemas["Rule"], "give" | "prompt" | "model"> & { prompt?: Pattern; model?: Pattern };
/** A text in which * and ? are wildcards, a regular expression, or `{ exact: text }`. */
export type Pattern = string | RegExp | { exact: string } | { regex: string };
/** One answer; its picture is bytes, a UUID, a data URI or a colour, or `{ file: path }`. */
export type Given = Omit<Schemas["Step"], "picture"> & { picture?: string | Uint8Array | { file: string } };

type QueryOf<Name extends keyof operations> = NonNullable<operations[Name]["parameters"]["query"]>;
type MediaFilter = Omit<QueryOf<"list_media">, "account">;

abstract class Calls {
  constructor(protected readonly wire: Wire) {}
}

/** The account's clock. Durations are written `"31d"` or `"2h30m"`. */
export class ClockCalls extends Calls {
  get(): Promise<Schemas["Clock"]> {
    return this.wire.get("clock");
  }

  async now(): Promise<Date> {
    return new Date((await this.get()).now_at);
  }

  freeze(): Promise<Schemas["Clock"]> {
    return this.wire.post("clock/freeze");
  }

  resume(): Promise<Schemas["Clock"]> {
    return this.wire.post("clock/resume");
  }

  /** Go back to the real time. */
  reset(): Promise<Schemas["Clock"]> {
    return this.wire.post("clock/reset");
  }

  /** Move the clock ahead to an instant: a Date, ISO 8601, or milliseconds since 1970. */
  set(at: Date | string | number): Promise<Schemas["Moved"]> {
    return this.wire.post("clock/set", { at });
  }

  /** Move the clock ahead; whatever falls due on the way has happened when this resolves. */
  advance(by: string): Promise<Schemas["Moved"]> {
    return this.wire.post("clock/advance", { by });
  }
}

export class MediaCalls extends Calls {
  async list(chosen: MediaFilter = {}): Promise<Medium[]> {
    return (await this.wire.get<Schemas["Media"]>("media", chosen)).media;
  }

  async get(uuid: string): Promise<Medium> {
    return this.wire.get(named("media", uuid));
  }

  async delete(uuid: string): Promise<number> {
    return this.wire.delete(named("media", uuid));
  }

  /** Store bytes as if they had been uploaded `age` ago; without a UUID they get a random one. */
  add(picture: Uint8Array, options: { uuid?: string; age?: string } = {}): Promise<Medium> {
    return this.wire.post("media", picture, options);
  }

  async expire(uuid: string): Promise<Medium> {
    return this.wire.post(`${named("media", uuid)}/expire`);
  }

  /** Return what a purge would delete `at` an instant, or `in` a time from now, by the account's clock. */
  forecast(when: Omit<QueryOf<"forecast">, "account"> = {}): Promise<Schemas["Forecast"]> {
    return this.wire.get("forecast", when);
  }
}

export class FaultCalls extends Calls {
  /** Plan faults that happen in this order: `plan({ kind: "http", status: 502, times: 2 })`. */
  plan(faults: Fault | readonly Fault[], options: PlanOptions = {}): Promise<PlanState> {
    return this.wire.post("faults", { faults: [faults].flat(), ...options });
  }

  async list(): Promise<PlanState[]> {
    return (await this.wire.get<Schemas["Plans"]>("faults")).plans;
  }

  async get(name: string): Promise<PlanState> {
    return this.wire.get(named("faults", name));
  }

  /** Delete one plan or, without a name, all of them. */
  async delete(name?: string): Promise<number> {
    return this.wire.delete(name === undefined ? "faults" : named("faults", name));
  }

  /** Return the plans and rules that must be met but are not yet fully met. */
  async unmet(): Promise<PlanState[]> {
    return (await this.list()).filter((plan) => plan.must_be_met && !plan.is_met);
  }
}

export class AnswerCalls extends Calls {
  /** Begin a rule; `give` makes it: `on("imageInference", { prompt: "*cat*" }).give({ picture: "orange" })`. */
  on(taskType?: string, options: RuleOptions = {}): { give(...answers: Given[]): Promise<RuleState> } {
    const where = Object.entries(options.where ?? {}).map(([path, value]) => [path, pattern(value)]);
    const asked = {
      task_type: taskType,
      ...options,
      prompt: pattern(options.prompt),
      model: pattern(options.model),
      where: Object.fromEntries(where) as Record<string, unknown>,
    };
    return { give: (...answers) => this.wire.post("answers", { ...asked, give: answers.map(written) }) };
  }

  async list(): Promise<RuleState[]> {
    return (await this.wire.get<Schemas["Rules"]>("answers")).rules;
  }

  async get(name: string): Promise<RuleState> {
    return this.wire.get(named("answers", name));
  }

  /** Delete one rule or, without a name, all of them. */
  async delete(name?: string): Promise<number> {
    return this.wire.delete(name === undefined ? "answers" : named("answers", name));
  }
}

/** The tasks that were sent, and their answers. */
export class JournalCalls extends Calls {
  /** List entries, the newest first. */
  async list(chosen: EntryFilter & { limit?: number } = {}): Promise<Entry[]> {
    return (await this.page(chosen)).entries;
  }

  page(chosen: EntryFilter & { limit?: number }): Promise<Schemas["Entries"]> {
    return this.wire.get("journal", chosen);
  }

  async count(chosen: EntryFilter = {}): Promise<number> {
    return (await this.wire.get<Schemas["Count"]>("journal/count", chosen)).count;
  }

  async get(id: number): Promise<Entry> {
    return this.wire.get(named("journal", id));
  }

  /** Wait for `count` entries; throws a ControlError with the code `timeout` after `timeoutS` seconds. */
  async wait(count = 1, { timeoutS = 5, ...chosen }: EntryFilter & { timeoutS?: number } = {}): Promise<Entry[]> {
    const query = { count, timeout: `${Math.round(timeoutS * 1000)}ms`, ...chosen };
    return (await this.wire.get<Schemas["Waited"]>("journal/wait", query, timeoutS)).entries;
  }

  clear(): Promise<number> {
    return this.wire.delete("journal");
  }
}

/** The calls of webhooks, one journal entry for each attempt. */
export class WebhookCalls extends Calls {
  async list(chosen: EntryFilter & { limit?: number } = {}): Promise<Entry[]> {
    return (await this.wire.get<Schemas["Entries"]>("webhooks", chosen)).entries;
  }

  /** Call a webhook again, with the body that the call with this id has carried. */
  async resend(id: number): Promise<Schemas["Queued"]> {
    return this.wire.post(`${named("webhooks", id)}/resend`);
  }
}

/** Named states of the account. */
export class SnapshotCalls extends Calls {
  async save(name: string): Promise<Schemas["Snapshot"]> {
    return this.wire.post(named("snapshots", name));
  }

  async restore(name: string): Promise<Schemas["Snapshot"]> {
    return this.wire.post(`${named("snapshots", name)}/restore`);
  }

  async list(): Promise<Schemas["Snapshot"][]> {
    return (await this.wire.get<Schemas["Snapshots"]>("snapshots")).snapshots;
  }

  async delete(name: string): Promise<number> {
    return this.wire.delete(named("snapshots", name));
  }
}

function pattern(value: unknown): unknown {
  if (!(value instanceof RegExp)) return value;
  const flags = [...value.flags].filter((flag) => "ims".includes(flag)).join("");
  return { regex: flags === "" ? value.source : `(?${flags})${value.source}` };
}

function written({ picture, ...rest }: Given): object {
  if (picture === undefined) return rest;
  const bytes = typeof picture === "object" && "file" in picture ? readFileSync(picture.file) : picture;
  return { ...rest, picture: typeof bytes === "string" ? bytes : Buffer.from(bytes).toString("base64") };
}
