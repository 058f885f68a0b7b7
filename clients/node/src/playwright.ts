import { test as base } from "@playwright/test";

import type { RunwareMock } from "./mock";
import { useFreshAccount } from "./runners";

/** Playwright's `test` with the fixture `runwareMock`, a fresh account; unmet plans fail the test. */
export const test = base.extend<{ runwareMock: RunwareMock }>({ runwareMock: useFreshAccount });
