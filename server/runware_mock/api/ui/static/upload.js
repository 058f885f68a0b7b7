// Uploads files through the real API, chosen or dropped anywhere on the page.
import { answered, call, say } from "./calls.js";

const dialog = document.getElementById("send");
const form = dialog.querySelector("form");
const drop = document.getElementById("drop");

// Asks for the key, and for files unless there are some; returns null if the person would rather not.
export async function sender(title, about, wantsFiles) {
  dialog.querySelector("h2").textContent = title;
  dialog.querySelector(".about").textContent = about;
  dialog.querySelector(".files").hidden = !wantsFiles;
  form.elements.files.required = wantsFiles;
  if ((await answered(dialog)) !== "send") return null;
  return { Authorization: `Bearer ${form.elements.key.value}` };
}

export function dataUri(blob) {
  return new Promise((done, fail) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result);
    reader.onerror = () => fail(reader.error);
    reader.readAsDataURL(blob);
  });
}

async function upload(files, headers) {
  let stored = 0;
  for (const file of files) {
    const data = await dataUri(file);
    const task = file.type.startsWith("image/")
      ? { taskType: "imageUpload", image: data }
      : { taskType: "mediaStorage", operation: "upload", media: data };
    say(`Uploading ${file.name}`);
    // A refusal is said by call().
    if (await call("POST", "/v1", [{ ...task, taskUUID: crypto.randomUUID() }], headers)) stored += 1;
  }
  if (stored === files.length) say(stored === 1 ? "1 file stored." : `${stored} files stored.`);
}

document.addEventListener("click", async (event) => {
  if (!event.target.closest("[data-upload]")) return;
  const headers = await sender("Upload files", "They are sent to POST /v1, as your application would send them.", true);
  if (headers) upload([...form.elements.files.files], headers);
});

const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
let inside = 0;
document.addEventListener("dragenter", (event) => {
  if (hasFiles(event)) {
    inside += 1;
    drop.hidden = false;
  }
});
document.addEventListener("dragleave", (event) => {
  if (hasFiles(event)) inside -= 1;
  drop.hidden = inside < 1;
});
document.addEventListener("dragover", (event) => {
  if (hasFiles(event)) event.preventDefault();
});
document.addEventListener("drop", async (event) => {
  if (!hasFiles(event)) return;
  event.preventDefault();
  inside = 0;
  drop.hidden = true;
  const files = [...event.dataTransfer.files];
  const key = form.elements.key.value;
  const headers = key
    ? { Authorization: `Bearer ${key}` }
    : await sender("Upload files", "Which API key sends them?", false);
  if (headers) upload(files, headers);
});
