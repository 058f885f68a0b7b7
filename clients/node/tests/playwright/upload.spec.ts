import { expect } from "@playwright/test";
import { test } from "runware-mock/playwright";

import { PICTURE } from "../picture";

test("a picture is stored and served", async ({ runwareMock, request }) => {
  const medium = await runwareMock.media.add(PICTURE);
  expect(await (await request.get(medium.url)).body()).toEqual(PICTURE);
});

test("each test has an account of its own", async ({ runwareMock }) => {
  expect(await runwareMock.media.list()).toEqual([]);
});
