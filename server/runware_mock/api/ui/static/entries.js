// What can be done with an entry of the journal: copy its JSON, send its request again, make a test of it.
import { answered, call, copy, say } from "./calls.js";
import { dataUri, sender } from "./upload.js";

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;
// Types whose taskUUID is that of an earlier task.
const ABOUT_EARLIER = ["getResponse", "getTaskDetails"];
const PILLOW = { jpeg: "JPEG", png: "PNG", webp: "WEBP", bmp: "BMP", gif: "GIF" };

const isCut = (value) => typeof value?.head === "string" && typeof value.chars === "number";
const isFile = (value) => isCut(value) && (/^data:/i.test(value.head) || /^[A-Za-z\d+/]{64}$/.test(value.head));

function mapped(value, change) {
  const changed = change(value);
  if (changed !== value) return changed;
  if (Array.isArray(value)) return value.map((one) => mapped(one, change));
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, mapped(one, change)]));
  }
  return value;
}

function found(value, test) {
  const all = [];
  mapped(value, (one) => {
    if (test(one)) all.push(one);
    return one;
  });
  return all;
}

async function replay(entry) {
  const cut = found(entry.task, isCut);
  const uuid = entry.answer[0]?.imageUUID ?? entry.answer[0]?.mediaUUID;
  const stored = entry.audit && uuid && cut.length === 1 && (await call("GET", `/_mock/media/${uuid}`));
  if (cut.length && !stored) {
    if (!(entry.audit && uuid))
      say("The journal keeps only the beginning of long values, so this request cannot be sent again.");
    return;
  }
  const about = stored?.downsized ? "The sent file is not kept, so the stored one is sent instead. " : "";
  const headers = await sender(
    "Replay this request",
    `${about}Use the key of account ${entry.account} to meet the same state.`,
    false,
  );
  if (!headers) return;
  const file = stored && (await dataUri(await (await fetch(new URL(stored.url).pathname)).blob()));
  const task = mapped(entry.task, (value) => (isCut(value) ? file : value));
  if (!ABOUT_EARLIER.includes(task.taskType)) task.taskUUID = crypto.randomUUID();
  if (await call("POST", "/v1", [task], headers)) say("Sent again: the answer is the newest entry of the journal.");
}

// Python that stands for itself, where other strings are quoted.
class Code {
  constructor(code) {
    this.code = code;
  }
}

// Writes a value as Python.
function python(value, indent = "    ") {
  if (value instanceof Code) return value.code;
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value !== "object") return JSON.stringify(value);
  const inner = `${indent}    `;
  const items = Array.isArray(value)
    ? value.map((one) => python(one, inner))
    : Object.entries(value).map(([name, one]) => `${JSON.stringify(name)}: ${python(one, inner)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  return items.length ? `${open}\n${items.map((one) => `${inner}${one},\n`).join("")}${indent}${close}` : open + close;
}

function pictureOf(medium) {
  return `picture(${medium.width_px ?? 64}, ${medium.height_px ?? 64}, "${PILLOW[medium.format] ?? "PNG"}")`;
}

async function plannedFault(entry) {
  const [met] = entry.faults;
  if (!met) return [];
  const plans = (
    await Promise.all(
      ["", `?account=${entry.account}`].map((of) => fetch(`/_mock/faults${of}`).then((one) => one.json())),
    )
  ).flatMap((told) => told.plans);
  const fault = plans.find((plan) => plan.name === met.plan)?.faults.find((one) => one.kind === met.kind) ?? {
    kind: met.kind,
  };
  const counted = ["seen", "met", "remaining", "nth", "task_uuid", "seed", "probability"];
  const fields = Object.entries(fault).filter(
    ([name, value]) => value !== null && value !== "" && !counted.includes(name),
  );
  return [`    runware_mock.faults.plan(${python({ ...Object.fromEntries(fields), times: 1 })})`];
}

export async function testOf(entry) {
  const sent = entry.audit?.sent;
  const file = new Code(pictureOf({ ...sent, format: entry.audit?.format }));
  const uuids = new Set(
    found({ ...entry.task, taskUUID: null }, (value) => typeof value === "string" && UUID.test(value)),
  );
  const used = new Map();
  for (const uuid of uuids) {
    const answer = await fetch(`/_mock/media/${uuid}`);
    // A UUID of the test's own: two tests of one server may not store the same.
    if (answer.ok) used.set(uuid, { medium: await answer.json(), name: new Code(`medium_${used.size + 1}`) });
  }
  const task = mapped(
    entry.task,
    (value) => used.get(value)?.name ?? (isFile(value) ? file : isCut(value) ? value.head : value),
  );
  if (!ABOUT_EARLIER.includes(task.taskType)) task.taskUUID = new Code("str(uuid.uuid4())");
  const needsPicture = used.size > 0 || JSON.stringify(task).includes('"code":"picture(');
  const title = (entry.task_type || "task")
    .replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    .replace(/\W/g, "_");
  const expected = {
    success: [`    assert [item["taskType"] for item in answer.json()["data"]] == ["${entry.answer[0]?.taskType}"]`],
    error: [`    assert answer.json()["errors"][0]["code"] == "${entry.answer[0]?.code}"`],
  }[entry.outcome] ?? [`    assert runware_mock.journal.list()[0].outcome == "${entry.outcome}"`];
  const send = "answer = httpx.post(runware_mock.rest_url, json=[task], headers=headers, timeout=60)";
  const mayFail = entry.outcome === "fault";
  return [
    ...(needsPicture ? ["import base64", "import io"] : []),
    "import uuid",
    ...(mayFail ? ["from contextlib import suppress"] : []),
    "",
    "import httpx",
    ...(needsPicture ? ["from PIL import Image"] : []),
    "",
    "",
    ...(needsPicture
      ? [
          "def picture(width, height, format):",
          "    file = io.BytesIO()",
          '    Image.new("RGB", (width, height), "teal").save(file, format)',
          "    return base64.b64encode(file.getvalue()).decode()",
          "",
          "",
        ]
      : []),
    `def test_${title}_ends_in_${entry.outcome}(runware_mock):`,
    ...[...used.values()].map(
      ({ medium, name }) => `    ${name.code} = runware_mock.media.add(base64.b64decode(${pictureOf(medium)})).uuid`,
    ),
    ...(await plannedFault(entry)),
    `    task = ${python(task)}`,
    '    headers = {"Authorization": f"Bearer {runware_mock.api_key}"}',
    ...(mayFail
      ? ["    with suppress(httpx.HTTPError):", `        ${send.replace("answer = ", "")}`]
      : [`    ${send}`]),
    ...expected,
    "",
  ].join("\n");
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-entry]");
  if (!button) return;
  const id = button.closest(".entry").id.replace("entry-", "");
  const entry = await call("GET", `/_mock/journal/${id}`);
  if (!entry) return;
  const what = button.dataset.entry;
  if (what === "replay") replay(entry);
  else if (what === "resend") {
    if (await call("POST", `/_mock/webhooks/${id}/resend`)) say("The webhook is called again: see the newest entry.");
  } else if (what === "test") {
    const dialog = document.getElementById("test");
    dialog.querySelector("pre").textContent = await testOf(entry);
    answered(dialog);
  } else copy(JSON.stringify(what === "copy-task" ? entry.task : entry.answer, null, 2), "the JSON");
});
