// Keeps an open page up to date: filters, changes on the server, and what the person was doing meanwhile.
import "./actions.js";
import "./entries.js";
import "./faults.js";
import "./keyboard.js";
import "./upload.js";

const live = document.getElementById("live");

// Where the focus is, in words that also fit the same element of a page that was made anew.
function focused() {
  const at = document.activeElement;
  for (const name of ["id", "href", "data-call", "data-copy"]) {
    const value = at?.getAttribute(name);
    if (value) return `${at.localName}[${name}="${CSS.escape(value)}"]`;
  }
  return at?.name ? `${at.localName}[name="${CSS.escape(at.name)}"]` : null;
}

// Elements with data-keep stay as they are: always, or while the focus is in them.
function swap(fresh) {
  const main = document.getElementById("main");
  const at = main.contains(document.activeElement) && focused();
  for (const next of fresh.querySelectorAll("#main [data-keep]")) {
    const old = document.getElementById(next.id);
    if (!old || (next.dataset.keep !== "always" && !old.contains(document.activeElement))) continue;
    // What it calls may be another account's now.
    for (const name of next.getAttributeNames()) old.setAttribute(name, next.getAttribute(name));
    next.replaceWith(old);
  }
  main.replaceChildren(...fresh.getElementById("main").childNodes);
  for (const part of ["nav", "#states"]) {
    document.querySelector(part).replaceChildren(...fresh.querySelector(part).childNodes);
  }
  document.title = fresh.title;
  if (at && !main.contains(document.activeElement)) main.querySelector(at)?.focus({ preventScroll: true });
  document.dispatchEvent(new Event("swapped"));
}

// What a page shows, as the server has written it.
const written = (page) => ["nav", "#states", "#main"].map((part) => page.querySelector(part)?.innerHTML).join("");

let updating = false;
let again = false;
let last = written(document);
async function update() {
  if (updating) {
    again = true;
    return;
  }
  updating = true;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const isPage = answer.headers.get("content-type").startsWith("text/html");
    if (isPage && written(fresh) !== last) {
      last = written(fresh);
      swap(fresh);
    }
  } catch {
    /* the stream below tells that the server is gone */
  }
  updating = false;
  if (again) {
    again = false;
    setTimeout(update, 300);
  }
}
document.addEventListener("update", update);

function connection(state, text) {
  live.dataset.state = state;
  live.textContent = text;
}

function listen() {
  const stream = new EventSource("/ui/events");
  stream.onopen = () => connection("live", "live");
  // The first one comes with the connection: something may have happened since the page was made.
  stream.addEventListener("change", update);
  stream.onerror = () => {
    connection("lost", "server gone, reconnecting");
    stream.close();
    setTimeout(listen, 1000);
  };
}

// Filters apply at once and stay in the address.
let typing;
function filter(form) {
  const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
  history.pushState(null, "", form.getAttribute("action") + (query.size ? `?${query}` : ""));
  update();
}
document.addEventListener("change", (event) => {
  if (event.target.form?.id === "filters" && event.target.localName === "select") filter(event.target.form);
});
document.addEventListener("input", (event) => {
  if (event.target.form?.id !== "filters" || event.target.type !== "search") return;
  clearTimeout(typing);
  typing = setTimeout(filter, 300, event.target.form);
});
document.addEventListener("submit", (event) => {
  if (event.target.id === "filters") {
    event.preventDefault();
    filter(event.target);
  }
});
addEventListener("popstate", () => location.reload());

listen();
if (location.hash) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.setAttribute("open", "");
