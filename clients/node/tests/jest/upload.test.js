const { randomUUID } = require("node:crypto");

const { Runware } = require("@runware/sdk-js");
const { useRunwareMock } = require("runware-mock/jest");

const mock = useRunwareMock();
const PICTURE = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
const IMAGE = `data:image/png;base64,${PICTURE.toString("base64")}`;

test("the official SDK uploads, and the picture lasts 30 days", async () => {
  const runware = new Runware({ apiKey: mock().apiKey, url: mock().wsUrl });
  const { imageUUID } = await runware.imageUpload({ image: IMAGE });
  await runware.disconnect();
  await mock().assertUploaded(PICTURE, { times: 1 });
  await mock().clock.advance("31d");
  expect(await mock().isStored(imageUUID)).toBe(false);
});

test("a bad gateway is met, while time stands still for the test", async () => {
  jest.useFakeTimers();
  await mock().faults.plan({ kind: "http", status: 502 });
  const { RUNWARE_API_KEY, RUNWARE_BASE_URL } = mock().env();
  const body = JSON.stringify([{ taskType: "imageUpload", taskUUID: randomUUID(), image: IMAGE }]);
  const headers = { authorization: `Bearer ${RUNWARE_API_KEY}` };
  expect((await fetch(RUNWARE_BASE_URL, { method: "POST", headers, body })).status).toBe(502);
  await mock().assertNotUploaded();
  jest.useRealTimers();
});

test("each test has an account of its own", async () => {
  expect(await mock().tasks()).toEqual([]);
});
