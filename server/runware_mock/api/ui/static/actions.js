// Buttons and forms with data-call: they call the control API, and ask first where something is deleted.
import { ask, call, copy, say } from "./calls.js";

const UNITS = ["bytes", "KB", "MB", "GB"];

function size(bytes) {
  const power = Math.min(3, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return power ? `${(bytes / 1000 ** power).toFixed(1)} ${UNITS[power]}` : `${bytes} bytes`;
}

function count(number, one, many) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

// Says what an action is going to delete; nothing if it deletes nothing, null if that cannot be found out.
async function deletions(data, values) {
  const account = new URLSearchParams(data.call.split("?")[1]).get("account");
  if (data.forecast) {
    const [name, value] = data.forecast.split("=");
    const query = new URLSearchParams({ [name]: values?.[value] ?? value, ...(account && { account }) });
    const told = await call("GET", `/_mock/forecast?${query}`);
    if (!told) return null;
    const { media, bytes } = told.would_purge;
    return media ? `This deletes ${count(media, "medium", "media")}${bytes ? ` (${size(bytes)})` : ""} for good.` : "";
  }
  const told = data.scope && (await call("GET", "/_mock/accounts"));
  if (!told) return data.scope ? null : (data.about ?? "");
  const chosen = told.accounts.filter((one) => !account || String(one.id) === account);
  const sum = (name) => chosen.reduce((total, one) => total + one[name], 0);
  const parts = {
    media: count(sum("media"), "medium", "media"),
    journal: count(sum("journal"), "journal entry", "journal entries"),
    faults: account ? count(sum("plans"), "plan", "plans") : "all plans",
  };
  if (data.scope === "clock") return "The clock shows the real time again. Nothing is deleted.";
  const named = data.scope === "all" ? Object.values(parts) : [parts[data.scope]];
  return `This deletes ${named.join(", ")}. It cannot be undone.`;
}

async function act(element, values, body) {
  const data = element.dataset;
  if (data.ask) {
    const about = await deletions(data, values);
    // Moving a clock is only asked about where it deletes something.
    const isHarmless = data.forecast && about === "" && data.verb !== "Purge";
    const otherwise = data.forecast ? "Nothing has expired." : "It cannot be undone.";
    if (about === null || (!isHarmless && !(await ask(data.ask, about || otherwise, data.verb)))) return;
  }
  const [method, path] = data.call.split(" ");
  const target = path.replace("{name}", encodeURIComponent(values?.name ?? ""));
  const told = await call(method, target, body ?? (method === "DELETE" ? undefined : JSON.parse(data.body ?? "{}")));
  if (!told) return;
  const purged = told.purged?.media ?? (data.verb === "Purge" ? told.media : undefined);
  if (purged !== undefined) say(`${count(purged, "medium", "media")} purged.`);
  if (data.then) location.href = data.then;
  else document.dispatchEvent(new Event("update"));
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.copy) copy(button.dataset.copy, button.dataset.copy);
  else if ("copyCode" in button.dataset) copy(button.closest(".snippet").querySelector("pre").textContent, "the code");
  else if (button.dataset.call) act(button);
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.dataset.call) return;
  event.preventDefault();
  const values = Object.fromEntries(new FormData(form));
  document.activeElement.blur();
  act(form, values, values.file ?? (values.name ? {} : values));
});
