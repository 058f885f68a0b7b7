/**
 * Runs a command for as long as this program's standard input stays open.
 *
 * The system closes that pipe when the process at its other end ends, in whatever way, SIGKILL included: no server
 * outlives the tests that have started it.
 */
import { spawn } from "node:child_process";

const KILLED_AFTER_MS = 8_000;

const [command = "", ...parameters] = process.argv.slice(2);
const hasGroups = process.platform !== "win32";
// A group of its own: `uvx` starts the server as a child, and Ctrl-C is for the test runner, which stops us in order.
const child = spawn(command, parameters, { stdio: ["ignore", "inherit", "inherit"], detached: hasGroups });

function end(signal: NodeJS.Signals): void {
  try {
    if (hasGroups && child.pid !== undefined) process.kill(-child.pid, signal);
    else child.kill(signal);
  } catch {
    // It has ended already.
  }
}

function stop(): void {
  end("SIGTERM");
  setTimeout(() => end("SIGKILL"), KILLED_AFTER_MS).unref();
}

child.on("error", (error: NodeJS.ErrnoException) => {
  // A command that pip has installed names the Python to run it, which may be gone.
  const why = error.code === "ENOENT" ? "it, or the Python that it names, does not exist" : error.message;
  process.stderr.write(`cannot run ${command}: ${why}\n`);
  process.exit(127);
});
child.on("exit", (code, signal) => {
  process.exitCode = code ?? 1;
  if (signal !== null) process.stderr.write(`it was ended by ${signal}\n`);
  process.stdin.destroy();
});
process.stdin.on("close", stop).resume();
process.on("SIGINT", () => undefined);
process.on("SIGTERM", stop);
