import { randomUUID } from "node:crypto";

import { Runware } from "@runware/sdk-js";
import { ControlError, startRunwareMock, type RunwareMock } from "runware-mock";
import { test, useRunwareMock } from "runware-mock/vitest";
import { describe, expect } from "vitest";

import { PICTURE } from "../picture";

const IMAGE = `data:image/png;base64,${PICTURE.toString("base64")}`;

/** Upload as an application does that uses the official SDK. */
async function uploadWithSdk(mock: RunwareMock): Promise<string> {
  const runware = new Runware({ apiKey: mock.apiKey, url: mock.wsUrl });
  await runware.ensureConnection();
  const { imageUUID } = await runware.imageUpload({ image: IMAGE });
  await runware.disconnect();
  // The SDK declares a number, and returns a string.
  return String(imageUUID);
}

/** Upload as an application does that tries three times. */
async function uploadOverRest({ RUNWARE_API_KEY, RUNWARE_BASE_URL }: Record<string, string>): Promise<string> {
  const task = { taskType: "imageUpload", taskUUID: randomUUID(), image: IMAGE };
  const headers = { authorization: `Bearer ${RUNWARE_API_KEY}`, "content-type": "application/json" };
  for (let tries = 1; tries <= 3; tries += 1) {
    const answer = await fetch(String(RUNWARE_BASE_URL), { method: "POST", headers, body: JSON.stringify([task]) });
    if (answer.ok) return ((await answer.json()) as { data: [{ imageUUID: string }] }).data[0].imageUUID;
  }
  throw new Error("three tries were not enough");
}

test("the official SDK uploads, and the picture lasts 30 days", async ({ runwareMock }) => {
  const uuid = await uploadWithSdk(runwareMock);
  const [entry] = await runwareMock.assertUploaded(PICTURE, { times: 1 });
  expect(entry?.audit?.format).toBe("png");
  await runwareMock.clock.advance("29d");
  expect(await runwareMock.isStored(uuid)).toBe(true);
  await runwareMock.clock.advance("2d");
  expect(await runwareMock.isStored(uuid)).toBe(false);
});

test("two bad gateways do not matter", async ({ runwareMock }) => {
  await runwareMock.faults.plan({ kind: "http", status: 502, times: 2 });
  await uploadOverRest(runwareMock.env());
  await runwareMock.assertUploaded(PICTURE, { times: 1 });
});

test("each test has an account of its own", async ({ runwareMock }) => {
  await runwareMock.assertNotUploaded();
  expect(await runwareMock.tasks()).toEqual([]);
  expect((await runwareMock.accounts()).length).toBeGreaterThan(0);
});

test("a rule scripts what the SDK is answered with", async ({ runwareMock }) => {
  await runwareMock.answers
    .on("imageInference", { prompt: /\bcats?\b/i, must_be_used: true })
    .give({ picture: PICTURE, times: 1 });
  const runware = new Runware({ apiKey: runwareMock.apiKey, url: runwareMock.wsUrl });
  const size = { width: 512, height: 512 };
  const request = { positivePrompt: "Two CATS", model: "runware:100@1", ...size, deliveryMethod: "sync" };
  const images = await runware.requestImages(request as Parameters<typeof runware.requestImages>[0]);
  await runware.disconnect();
  expect(images?.length).toBe(1);
  expect((await runwareMock.answers.list())[0]?.is_used).toBe(true);
});

test("media, snapshots, the journal and an export are at hand", async ({ runwareMock }) => {
  const medium = await runwareMock.media.add(PICTURE, { age: "3d" });
  await runwareMock.snapshots.save("one picture");
  const archive = await runwareMock.export();
  expect((await runwareMock.exportFixtures()).toString("latin1")).toContain("manifest.json");
  await runwareMock.reset();
  expect(await runwareMock.media.list()).toEqual([]);
  await runwareMock.snapshots.restore("one picture");
  expect((await runwareMock.media.get(medium.uuid)).size_bytes).toBe(PICTURE.length);
  await runwareMock.load(archive);
  await uploadOverRest(runwareMock.env());
  expect(await runwareMock.waitForUploads()).toHaveLength(1);
  expect(await runwareMock.journal.count({ task_type: "imageUpload" })).toBe(1);
  expect(await runwareMock.webhooks.list()).toEqual([]);
});

test("a failure lists what was sent", async ({ runwareMock }) => {
  await uploadOverRest(runwareMock.env());
  await expect(runwareMock.assertNotUploaded(PICTURE)).rejects.toThrow(
    /expected 0 uploads of the file .*, but there was 1\ntasks sent to the mock:\n  success imageUpload .*: png 1x1/,
  );
  await expect(runwareMock.waitForUploads(2, { timeoutS: 0.05 })).rejects.toThrow("waited 0.05 s for 2 uploads, but");
});

test("bad input is refused with the field that is wrong", async ({ runwareMock }) => {
  const refused = runwareMock.faults.plan({ kind: "htttp" } as never);
  await expect(refused).rejects.toMatchObject({ field: "faults[0].kind", code: "badField", status: 400 });
  await expect(refused).rejects.toThrow("did you mean http");
  await expect(refused).rejects.toBeInstanceOf(ControlError);
  await expect(runwareMock.media.get("a/b")).rejects.toMatchObject({ code: "notFound" });
});

describe("with hooks", () => {
  const mock = useRunwareMock();
  const keys = new Set<string>();

  for (const turn of [1, 2]) {
    test(`each test has a key of its own, ${turn}`, () => {
      keys.add(mock().apiKey);
      expect(keys.size).toBe(turn);
    });
  }
});

test("a server of one's own can have settings, and then keys of its own", async () => {
  const settings = { retention: "7d", dataShape: "object", apiKey: ["the-only-key-of-this-server-0123456789"] };
  await expect(startRunwareMock({ settings })).rejects.toThrow("settings cannot change the server at http://");
  await using server = await startRunwareMock({ url: null, settings });
  expect(server.url).not.toBe(process.env["RUNWARE_MOCK_URL"]);
  expect((await server.account().status()).settings).toMatchObject({ retention: "7d" });
  expect(server.account().apiKey).toBe(settings.apiKey[0]);
});
