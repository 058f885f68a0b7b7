import { test as base } from "@playwright/test";

import type { RunwareMock } from "./mock";
import { freshAccount } from "./runners";

/** Playwright's `test` with the fixture `runwareMock`, a fresh account; unmet plans fail the test. */
export const test = base.extend<{ runwareMock: RunwareMock }>({
  // Playwright reads which fixtures this one needs from the braces.
  runwareMock: async ({}, use) => {
    const mock = freshAccount();
    await use(mock);
    await mock.verify();
  },
});
