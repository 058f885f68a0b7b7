import type { RunwareMock } from "./mock";
import { accountPerTest, type Hooks } from "./runners";

/** One account a test: `const mock = useRunwareMock()` in a file or a `describe`, `mock()` in its tests. */
export function useRunwareMock(): () => RunwareMock {
  return accountPerTest(globalThis as unknown as Hooks);
}
