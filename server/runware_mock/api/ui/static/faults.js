// The form that adds a fault plan: its kinds and fields are those of the models in the API's own description.
import { call, say } from "./calls.js";

const NAMES = { task_uuid: "Task UUID", uuid: "UUID", nth: "Only the n-th", bytes_per_s: "Bytes per second" };
let schemas;

function field(name, schema, isRequired) {
  const type = schema.anyOf?.find((one) => one.type !== "null") ?? schema;
  const mayBeNull = schema.anyOf?.some((one) => one.type === "null") && schema.default !== undefined;
  const label = document.createElement("label");
  label.append(NAMES[name] ?? name[0].toUpperCase() + name.slice(1).replaceAll("_", " "));
  const kind = type.type === "object" || name === "body" ? "textarea" : type.enum ? "select" : "input";
  const input = document.createElement(kind);
  input.name = name;
  input.required = isRequired;
  if (type.enum) {
    if (!schema.default) input.append(new Option("Any", ""));
    for (const value of type.enum) input.append(new Option(value, value, false, value === schema.default));
  } else if (type.type === "boolean") {
    input.type = "checkbox";
    input.checked = schema.default === true;
    label.classList.add("check");
  } else if (["integer", "number"].includes(type.type)) {
    input.type = "number";
    input.min = type.minimum ?? type.exclusiveMinimum ?? "";
    input.max = type.maximum ?? "";
    input.step = type.type === "integer" ? 1 : "any";
  }
  // It takes both: "64KiB", and a number, which is not written as a text.
  if (schema.anyOf?.some((one) => one.type === "integer") && type.type === "string") input.dataset.number = "";
  if (type.type === "object") input.placeholder = name === "headers" ? "Retry-After: 1" : '{"width": 512}';
  else if (schema.default !== undefined && schema.default !== null) input.placeholder = schema.default;
  if (name === "task_type") input.setAttribute("list", "task-types");
  if (type.examples) {
    const list = document.createElement("datalist");
    list.id = `known-${name}`;
    list.append(...type.examples.map((value) => new Option(value, value)));
    input.setAttribute("list", list.id);
    // Not in the label: its options would be read as part of the field's name.
    if (!document.getElementById(list.id)) document.body.append(list);
  }
  label.append(input);
  if (mayBeNull) {
    const always = Object.assign(document.createElement("input"), { type: "checkbox", name: `${name}:null` });
    const text = document.createElement("label");
    text.className = "check";
    text.append("Every time", always);
    // What it says of null is what the box is for.
    label.append(hint(schema.description.replace(/; null .*/, ".")));
    const both = document.createElement("div");
    both.append(label, text);
    return [both];
  }
  if (schema.description) label.append(hint(schema.description));
  return [label];
}

function hint(text) {
  const made = document.createElement("small");
  // Every second part stands between backticks.
  text.split("`").forEach((part, index) => {
    made.append(index % 2 ? Object.assign(document.createElement("code"), { textContent: part }) : part);
  });
  return made;
}

function model(kind) {
  const { mapping } = schemas.Plan.properties.faults.items.discriminator;
  return schemas[mapping[kind].split("/").pop()];
}

function draw(form) {
  const { properties, required, description } = model(form.elements.kind.value);
  const shared = Object.keys(schemas.SplitFault.properties).filter((name) => name !== "kind");
  form.querySelector(".about").textContent = description;
  const fields = (names) => names.flatMap((name) => field(name, properties[name], required.includes(name)));
  form
    .querySelector(".own")
    .replaceChildren(...fields(Object.keys(properties).filter((name) => name !== "kind" && !shared.includes(name))));
  form.querySelector(".common").replaceChildren(...fields(shared));
}

async function prepare() {
  const form = document.getElementById("plan");
  if (!form || form.elements.kind.options.length) return;
  schemas ??= (await call("GET", "/openapi.json"))?.components.schemas;
  if (!schemas) return;
  const { faults, ...own } = schemas.Plan.properties;
  form.elements.kind.append(...Object.keys(faults.items.discriminator.mapping).map((kind) => new Option(kind, kind)));
  form.elements.kind.value = "error";
  const plan = Object.entries(own).flatMap(([name, schema]) => field(name, schema, false));
  form.querySelector(".of-plan").append(...plan);
  // Nothing on this page fails because a plan was not met.
  form.elements.must_be_met.checked = false;
  form.elements.kind.addEventListener("change", () => draw(form));
  draw(form);
}

// What was filled in, as the API wants it.
function values(box) {
  const found = {};
  for (const input of box.querySelectorAll("[name]")) {
    if (input.name.endsWith(":null")) {
      if (input.checked) found[input.name.split(":")[0]] = null;
    } else if (input.type === "checkbox") found[input.name] = input.checked;
    else if (input.value && input.type === "number") found[input.name] = Number(input.value);
    else if ("number" in input.dataset && /^\d+$/.test(input.value)) found[input.name] = Number(input.value);
    else if (input.value && input.name === "headers") {
      found.headers = Object.fromEntries(
        input.value
          .trim()
          .split("\n")
          .map((line) => line.split(/:\s*(.*)/, 2)),
      );
    } else if (/^\s*[[{]/.test(input.value) && input.name !== "body") {
      // If it is no JSON, the server says what is wrong with it.
      try {
        found[input.name] = JSON.parse(input.value);
      } catch {
        found[input.name] = input.value;
      }
    } else if (input.value) found[input.name] = input.value;
  }
  return found;
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.id !== "plan") return;
  event.preventDefault();
  const fault = {
    kind: form.elements.kind.value,
    ...values(form.querySelector(".own")),
    ...values(form.querySelector(".common")),
  };
  const added = await call("POST", form.dataset.target, { ...values(form.querySelector(".of-plan")), faults: [fault] });
  if (!added) return;
  say(added.warnings[0] ?? `Added ${added.name}.`);
  document.dispatchEvent(new Event("update"));
});

document.addEventListener("swapped", prepare);
prepare();
