/** Each of these tests fails, but for what the mock has seen, not for what it expects. */
import { test } from "runware-mock/playwright";

test("a plan is not met", async ({ runwareMock }) => {
  await runwareMock.faults.plan({ kind: "http", status: 502, times: 2 }, { name: "twice" });
});

test("a rule is not used", async ({ runwareMock }) => {
  await runwareMock.answers
    .on("imageInference", { name: "cats", must_be_used: true })
    .give({ picture: "orange", times: 1 });
});
