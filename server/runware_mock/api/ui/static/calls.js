// Calls of the server's APIs, and what is said of them.
const note = document.getElementById("note");
let hiding;

export function say(text) {
  note.textContent = text;
  clearTimeout(hiding);
  hiding = setTimeout(() => {
    note.textContent = "";
  }, 8000);
}

// Returns the answer, or null after saying why there is none.
export async function call(method, path, body, headers = {}) {
  const options = { method, headers: { ...headers } };
  if (body instanceof Blob) options.body = body;
  else if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  try {
    const answer = await fetch(path, options);
    const told = await answer.json();
    if (answer.ok) return told;
    const error = told.error ?? told.errors[0];
    say(error.field ? `${error.field}: ${error.message}` : error.message);
    document.querySelector(`main [name="${CSS.escape(error.field?.split(".").pop() ?? "")}"]`)?.focus();
  } catch (error) {
    say(`The call failed: ${error.message}`);
  }
  return null;
}

// Asks in a dialog; the answer is whether to go on.
export function ask(question, about, verb) {
  const dialog = document.getElementById("ask");
  dialog.querySelector("h2").textContent = question;
  dialog.querySelector(".about").textContent = about ?? "";
  dialog.querySelector("[value=yes]").textContent = verb;
  return answered(dialog).then((value) => value === "yes");
}

// Opens a dialog; returns the value of the button that closed it.
export function answered(dialog) {
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((done) => dialog.addEventListener("close", () => done(dialog.returnValue), { once: true }));
}

export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    say(`Copied ${what}`);
  } catch {
    say("This browser does not let the page copy: select the text instead.");
  }
}
