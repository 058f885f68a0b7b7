import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Settings of `runware-mock serve`, named as its flags are: `{ retention: "7d", maxMessageBytes: "1MB" }`. */
export type Settings = Record<string, string | number | boolean | readonly string[]>;

export interface Start {
  settings?: Settings;
  /** The command to run instead of `runware-mock`: `["python3", "-m", "runware_mock"]`. */
  command?: readonly string[];
  /** Where `uvx --from` takes runware-mock from, if it is not installed: a folder, an address or a requirement. */
  from?: string;
}

/** Return the command that starts a server on a free port, in memory unless the settings say otherwise. */
export function serveCommand({ settings = {}, command, from }: Start): string[] {
  const isStored = settings["dataDir"] !== undefined || settings["databaseUrl"] !== undefined;
  const defaults: Settings = isStored ? { port: 0 } : { port: 0, inMemory: true };
  return [...(command ?? found(from)), "serve", ...flags({ ...defaults, ...settings })];
}

function found(from: string | undefined): string[] {
  const installed = onPath("runware-mock");
  if (installed !== undefined) return [installed];
  // Without a source of the user's choice, this would run whatever an index has under our name.
  if (from === undefined) {
    throw new Error(
      "there is no command runware-mock on the PATH: run pip install . in its checkout, or set `command`, " +
        "`from` (for uvx) or RUNWARE_MOCK_URL (a server that runs)",
    );
  }
  const uvx = onPath("uvx");
  if (uvx === undefined) throw new Error("`from` needs uvx, which is not on the PATH: install uv");
  return [uvx, "--from", from, "runware-mock"];
}

function onPath(name: string): string | undefined {
  const endings = process.platform === "win32" ? [".exe", ".com"] : [""];
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.flatMap((folder) => endings.map((ending) => join(folder, name + ending))).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

function flags(settings: Settings): string[] {
  return Object.entries(settings).flatMap(([name, value]) => {
    const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`).replaceAll("_", "-");
    if (typeof value === "boolean") return [value ? `--${flag}` : `--no-${flag}`];
    const values = typeof value === "object" ? value : [String(value)];
    return values.map((one) => `--${flag}=${one}`);
  });
}
