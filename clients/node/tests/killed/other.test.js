const { useRunwareMock } = require("runware-mock/jest");

const mock = useRunwareMock();

test("the server goes on for the other worker", async () => {
  expect(await mock().tasks()).toEqual([]);
});
