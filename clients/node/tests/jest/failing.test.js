/** Each of these tests fails, but for what the mock has seen, not for what it expects. */
const { useRunwareMock } = require("runware-mock/jest");

const mock = useRunwareMock();

test("a plan is not met", async () => {
  await mock().faults.plan({ kind: "http", status: 502, times: 2 }, { name: "twice" });
});

test("a rule is not used", async () => {
  await mock()
    .answers.on("imageInference", { name: "cats", must_be_used: true })
    .give({ picture: "orange", times: 1 });
});
