import { afterEach, beforeEach, test as base, type TestAPI } from "vitest";

import type { RunwareMock } from "./mock.js";
import { accountPerTest, useFreshAccount } from "./runners.js";

/** Vitest's `test` with the fixture `runwareMock`, a fresh account; unmet plans fail the test. */
export const test: TestAPI<{ runwareMock: RunwareMock }> = base.extend<{ runwareMock: RunwareMock }>({
  runwareMock: useFreshAccount,
});

/** One account a test: `const mock = useRunwareMock()` in a file or a `describe`, `mock()` in its tests. */
export function useRunwareMock(): () => RunwareMock {
  return accountPerTest({ beforeEach, afterEach });
}
