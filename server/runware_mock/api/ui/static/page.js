// What the page does beyond showing: it keeps itself up to date, calls /_mock/, copies, and uploads dropped files.
"use strict";
const main = document.getElementById("main");
const live = document.getElementById("live");
const note = document.getElementById("note");
let hiding;

function say(text) {
  note.textContent = text;
  clearTimeout(hiding);
  hiding = setTimeout(() => { note.textContent = ""; }, 6000);
}

function connection(state, text) {
  live.dataset.state = state;
  live.textContent = text;
}

// What the server has sent of an element: nothing unfolded.
function folded(element) {
  const copy = element.cloneNode(true);
  for (const one of copy.querySelectorAll("details[open]")) one.removeAttribute("open");
  return copy.innerHTML.trim();
}

// Swaps in what has changed, unless the person is typing in it; what was unfolded stays unfolded.
let updating = false, again = false;
async function update() {
  if (updating) { again = true; return; }
  updating = true;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html", "X-Fragment": "1" } });
    const open = [...main.querySelectorAll("details[open]")].map((one) => one.id);
    const busy = document.activeElement && main.contains(document.activeElement)
      && document.activeElement.matches("input, select");
    const fresh = document.createElement("template");
    fresh.innerHTML = await answer.text();
    const isPage = answer.headers.get("content-type").startsWith("text/html");
    if (!busy && isPage && fresh.innerHTML.trim() !== folded(main)) {
      const at = document.activeElement && document.activeElement.dataset.call;
      main.replaceChildren(fresh.content);
      for (const id of open) document.getElementById(id)?.setAttribute("open", "");
      if (at) [...main.querySelectorAll("[data-call]")].find((one) => one.dataset.call === at)?.focus();
    }
  } catch { /* the stream tells that the server is gone */ }
  updating = false;
  if (again) { again = false; setTimeout(update, 300); }
}

function listen() {
  const stream = new EventSource("/ui/events");
  stream.onopen = () => connection("live", "live");
  // The first one comes with the connection: something may have happened since the page was made.
  stream.addEventListener("change", update);
  stream.onerror = () => {
    connection("lost", "server gone, reconnecting …");
    stream.close();
    setTimeout(listen, 1000);
  };
}

async function call(method, target, body) {
  const options = { method, headers: {} };
  if (method !== "DELETE") {
    options.headers["Content-Type"] = "application/json";
    options.body = body || "{}";
  }
  try {
    const answer = await fetch(target, options);
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) { say(told.error ? told.error.message : `${answer.status} ${answer.statusText}`); return false; }
    if (told.purged) say(`${told.clock.now_at}: ${told.purged.media} media purged, ${told.delivered} webhooks called`);
    return true;
  } catch (error) { say(String(error)); return false; }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-call]");
  if (!button) return;
  if (button.dataset.copy) {
    try { await navigator.clipboard.writeText(button.dataset.copy); say("Copied " + button.dataset.copy); }
    catch { say(button.dataset.copy); }
    return;
  }
  if (button.dataset.ask && !confirm(button.dataset.ask)) return;
  const [method, target] = button.dataset.call.split(" ");
  if (!await call(method, target, button.dataset.body)) return;
  if (button.dataset.then) location.href = button.dataset.then; else update();
});

document.addEventListener("submit", async (event) => {
  const form = event.target;
  const data = new FormData(form);
  if (form.id === "plan") {
    event.preventDefault();
    const fault = { ...JSON.parse(data.get("fault")), times: Number(data.get("times")) };
    if (data.get("task_type")) fault.task_type = data.get("task_type");
    if (await call("POST", form.dataset.target, JSON.stringify({ faults: [fault], must_be_met: false }))) update();
  } else if (form.id === "snapshot") {
    event.preventDefault();
    document.activeElement.blur();
    if (await call("POST", form.dataset.target + encodeURIComponent(data.get("name")) + form.dataset.of)) update();
  } else if (form.id === "upload-form") {
    event.preventDefault();
    await upload([...form.elements.files.files], data.get("key"));
  }
});

// Through the real API, one file after the other.
async function upload(files, key) {
  if (!key) { say("Type the API key to upload with first."); return; }
  let stored = 0, refused = "";
  for (const file of files) {
    const image = await new Promise((done, fail) => {
      const reader = new FileReader();
      reader.onload = () => done(reader.result);
      reader.onerror = () => fail(reader.error);
      reader.readAsDataURL(file);
    });
    const kind = file.type.startsWith("image/")
      ? { taskType: "imageUpload", image }
      : { taskType: "mediaStorage", operation: "upload", media: image };
    const task = [{ ...kind, taskUUID: crypto.randomUUID() }];
    const answer = await fetch("/v1", {
      method: "POST",
      headers: { Authorization: "Bearer " + key, "Content-Type": "application/json" },
      body: JSON.stringify(task),
    });
    const told = await answer.json();
    if (told.errors) refused = `${file.name}: ${told.errors[0].message}`; else stored += 1;
  }
  say(`${stored} of ${files.length} stored. ${refused}`);
}

for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    const zone = document.getElementById("upload-form");
    if (!zone || !event.dataTransfer) return;
    event.preventDefault();
    zone.classList.toggle("over", kind === "dragover");
    if (kind === "drop") upload([...event.dataTransfer.files], zone.elements.key.value);
  });
}

listen();
