import { createRunware } from "@runware/ai-sdk-provider";
import { generateImage } from "ai";
import type { RunwareMock } from "runware-mock";
import { test } from "runware-mock/vitest";
import { expect } from "vitest";

// The provider hands its whole answer on as a warning.
globalThis.AI_SDK_LOG_WARNINGS = false;

/** Generate as an application does that uses the AI SDK. */
async function generate({ apiKey, restUrl }: RunwareMock, prompt: string): Promise<Buffer> {
  const model = createRunware({ apiKey, baseURL: restUrl }).image("runware:101@1");
  const { image } = await generateImage({ model, prompt, size: "192x128" });
  expect(image.mediaType).toBe("image/png");
  return Buffer.from(image.uint8Array);
}

test("a rule scripts the picture that the AI SDK returns", async ({ runwareMock }) => {
  await runwareMock.answers.on("imageInference", { prompt: "*cat*", must_be_used: true }).give({ picture: "orange" });
  const cat = await generate(runwareMock, "a cat");
  const [medium] = await runwareMock.media.list();
  expect(medium).toMatchObject({ width_px: 192, height_px: 128, size_bytes: cat.length });
  expect(await generate(runwareMock, "a dog")).not.toEqual(cat);
});

test("the AI SDK survives a bad gateway, in an account of its own", async ({ runwareMock }) => {
  await runwareMock.faults.plan({ kind: "http", status: 502 });
  await generate(runwareMock, "a cat");
  expect((await runwareMock.tasks()).map((task) => [task.task_type, task.outcome])).toEqual([
    ["imageInference", "fault"],
    ["imageInference", "success"],
  ]);
});
