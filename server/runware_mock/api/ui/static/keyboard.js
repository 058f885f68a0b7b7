// Arrows move through the items of a page, "/" goes to the search, Esc goes back.
const typed = "input, textarea, select, dialog *, video, audio";

function columns(items) {
  const top = items[0].getBoundingClientRect().top;
  return items.filter((one) => Math.abs(one.getBoundingClientRect().top - top) < 4).length;
}

document.addEventListener("keydown", (event) => {
  const at = document.activeElement;
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.key === "Escape") {
    const open = at.closest("details.entry[open]");
    if (at.matches("input, textarea, select")) at.blur();
    else if (open) {
      open.removeAttribute("open");
      open.querySelector("summary").focus();
    } else document.querySelector("[data-back]")?.click();
    return;
  }
  if (at.matches(typed)) return;
  if (event.key === "/") {
    const search = document.querySelector("main input[type=search]");
    if (search) {
      event.preventDefault();
      search.select();
      search.focus();
    }
    return;
  }
  const items = [...document.querySelectorAll("main [data-item]")].filter((one) => one.checkVisibility());
  const step = {
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: -columns(items.length ? items : [document.body]),
    ArrowDown: columns(items.length ? items : [document.body]),
  }[event.key];
  // In a box that scrolls, the arrows scroll.
  if (!step || !items.length || at.matches("pre")) return;
  const place = items.indexOf(at.closest("[data-item]"));
  const next = items[place < 0 ? 0 : Math.min(items.length - 1, Math.max(0, place + step))];
  event.preventDefault();
  next.focus();
  next.scrollIntoView({ block: "nearest" });
});

// Back to where the person came from, filters included.
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-back]") || !document.referrer.startsWith(location.origin)) return;
  event.preventDefault();
  history.back();
});
