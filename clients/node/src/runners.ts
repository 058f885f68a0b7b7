import { RunwareMock } from "./mock";
import { freshKey, startRunwareMock, type RunwareMockServer, type StartOptions } from "./server";

/** What Jest, Vitest, Mocha and node:test call before and after each test. */
export interface Hooks {
  beforeEach(act: () => unknown): unknown;
  afterEach(act: () => Promise<void>): unknown;
}

/**
 * Return a global setup for Vitest, Jest or Playwright Test: it starts one server for the run and puts its address
 * into RUNWARE_MOCK_URL, where all workers find it.
 */
export function globalSetup(options: StartOptions = {}): () => Promise<() => Promise<void>> {
  let server: RunwareMockServer | undefined;
  return async () => {
    // Jest calls this again for each run of its watch mode.
    const isThere = server !== undefined && process.env["RUNWARE_MOCK_URL"] === server.url;
    if (server === undefined || !isThere) server = await startRunwareMock(options);
    const { url, token, stop } = server;
    process.env["RUNWARE_MOCK_URL"] = url;
    if (token !== undefined) process.env["RUNWARE_MOCK_CONTROL_TOKEN"] = token;
    return stop;
  };
}

/** Return a fresh account on the server that the global setup has started. */
export function freshAccount(): RunwareMock {
  const url = process.env["RUNWARE_MOCK_URL"];
  if (!url) {
    const remedy = 'set globalSetup to "runware-mock/global-setup", or use `runware-mock exec -- …`';
    throw new Error(`there is no server for this run: ${remedy}`);
  }
  return new RunwareMock(url, freshKey(), { token: process.env["RUNWARE_MOCK_CONTROL_TOKEN"] });
}

/** Open one account a test, and fail the test if its plans were not met; the returned function gives the account. */
export function accountPerTest(hooks: Hooks): () => RunwareMock {
  let current: RunwareMock | undefined;
  hooks.beforeEach(() => {
    current = freshAccount();
  });
  hooks.afterEach(async () => {
    const mock = current;
    current = undefined;
    await mock?.verify();
  });
  return () => {
    if (current === undefined) throw new Error("the account of a test is there only while the test runs");
    return current;
  };
}
