const { useRunwareMock } = require("runware-mock/jest");

const { upload } = require("./upload");

const PICTURE = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
const mock = useRunwareMock();

beforeEach(() => Object.assign(process.env, mock().env()));

test("a picture comes back as it was", async () => {
  const { imageURL } = await upload(PICTURE);
  const answer = await fetch(imageURL);
  expect(Buffer.from(await answer.arrayBuffer())).toEqual(PICTURE);
});

test("an upload survives a bad gateway", async () => {
  await mock().faults.plan({ kind: "http", status: 502 });
  await upload(PICTURE);
  await mock().assertUploaded(PICTURE, { times: 1 });
});
