import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { accountPerTest } from "runware-mock";

// A PNG of one pixel.
const PICTURE = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
const mock = accountPerTest({ beforeEach, afterEach });

test("each test has an account of its own", async () => {
  await mock().media.add(PICTURE);
  assert.equal((await mock().media.list()).length, 1);
});

test("nothing of another test is seen", async () => {
  assert.deepEqual(await mock().media.list(), []);
});

test("a plan is not met", async () => {
  await mock().faults.plan({ kind: "http", status: 502, times: 2 }, { name: "twice" });
});
