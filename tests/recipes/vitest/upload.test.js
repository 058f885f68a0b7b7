import { test } from "runware-mock/vitest";
import { expect } from "vitest";

import { upload } from "./upload.js";

const PICTURE = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

test("a picture comes back as it was", async ({ runwareMock }) => {
  Object.assign(process.env, runwareMock.env());
  const { imageURL } = await upload(PICTURE);
  const answer = await fetch(imageURL);
  expect(Buffer.from(await answer.arrayBuffer())).toEqual(PICTURE);
});

test("an upload survives a bad gateway", async ({ runwareMock }) => {
  Object.assign(process.env, runwareMock.env());
  await runwareMock.faults.plan({ kind: "http", status: 502 });
  await upload(PICTURE);
  await runwareMock.assertUploaded(PICTURE, { times: 1 });
});
