import { afterEach, beforeEach, test as base, type TestAPI } from "vitest";

import type { RunwareMock } from "./mock.js";
import { accountPerTest, freshAccount } from "./runners.js";

/** Vitest's `test` with the fixture `runwareMock`, a fresh account; unmet plans fail the test. */
export const test: TestAPI<{ runwareMock: RunwareMock }> = base.extend<{ runwareMock: RunwareMock }>({
  // Not after `use`: Vitest would report the error twice.
  runwareMock: async ({ onTestFinished }, use) => {
    const mock = freshAccount();
    onTestFinished(() => mock.verify());
    await use(mock);
  },
});

/** One account a test: `const mock = useRunwareMock()` in a file or a `describe`, `mock()` in its tests. */
export function useRunwareMock(): () => RunwareMock {
  return accountPerTest({ beforeEach, afterEach });
}
