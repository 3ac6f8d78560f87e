// The form at the right: what is typed is saved as it is typed; expressions get ink and aid.
import { all, around, base, byId, isTyping, on } from "./page.js";
import { chosenNodes } from "./select.js";
import { rev, send, showState, typing } from "./send.js";

const REST_MS = 400;

/** @typedef {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} Field */
/** @param {EventTarget | null} target @returns {Field | null} */
const fieldOf = (target) =>
  target instanceof HTMLElement && isTyping(target) && target.closest("#panel, #notes") ? /** @type {Field} */ (target) : null;

/** Save a field. @param {Field} field */
function save(field) {
  const wait = typing.get(field);
  if (!wait) return;
  clearTimeout(wait.timer);
  typing.delete(field);
  const seen = wait.seen;
  const { param, path = "[]", mode, policy, set, key = "", flow } = field.dataset;
  const node = (around(field, "[data-panel]") ?? byId("panel")).dataset.panel ?? "";
  const note = around(field, "[data-note]")?.dataset.note;
  const value = field.value;
  if (note) send("edit_note", { note, text: value }, seen);
  else if (param) send("set_param", { node, param, path: JSON.parse(path), value, mode }, seen).then((ok) => ok && around(field, "[data-view]")?.removeAttribute("data-view"));
  else if (policy) send("set_policy", { node, field: policy, value }, seen);
  else if (flow) send("set_flow", { field: flow, value }, seen);
  else if (set === "set_within") send(set, { nodes: chosenNodes(), [key]: value || null }, seen);
  else if (set) send(set, { node, ...JSON.parse(field.dataset.with ?? "{}"), [key]: value }, seen);
}

/** Save whatever is still waiting, before anything that depends on it. */
export function saveAll() {
  for (const field of [...typing.keys()]) save(/** @type {Field} */ (field));
}

const TOKENS = /("(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?)|\b(true|false|null|in)\b|\b(\d+(?:\.\d+)?)\b|\b(input|steps|vars|item|index|iteration|error|run|now|result)\b|\b([a-zA-Z_]\w*)(?=\()|([=!<>&|?:+\-*/%]+)/g;
const INKS = ["", "text", "word", "number", "name", "call", "sign"];

/** Colour an expression: the letters of the field are transparent, the ink lies under them. @param {HTMLTextAreaElement} field */
function ink(field) {
  const paper = field.parentElement?.querySelector(".fl-ink");
  if (!paper) return;
  /** @type {(string | Node)[]} */
  const parts = [];
  let from = 0;
  for (const found of field.value.matchAll(TOKENS)) {
    parts.push(field.value.slice(from, found.index));
    const span = document.createElement("span");
    span.className = `ink-${INKS[found.slice(1).findIndex((part) => part !== undefined) + 1]}`;
    span.textContent = found[0];
    parts.push(span);
    from = found.index + found[0].length;
  }
  paper.replaceChildren(...parts, field.value.slice(from), "\n");
}

let aidTimer = 0;
/** Ask the server what may follow and what it comes to. @param {HTMLTextAreaElement} field */
function aid(field) {
  clearTimeout(aidTimer);
  aidTimer = setTimeout(async () => {
    const place = byId(`${field.id}-aid`);
    if (!place || document.activeElement !== field) return;
    const node = byId("panel").dataset.panel ?? "";
    await htmx.ajax("POST", `${base}/aid`, {
      source: place, target: place, swap: "innerHTML",
      values: { node, param: field.dataset.param, text: field.value, cursor: field.selectionStart, key: field.id },
    });
    const list = place.querySelector("[role=listbox]");
    field.setAttribute("aria-expanded", String(list !== null && !(/** @type {HTMLElement} */ (list).hidden)));
    field.removeAttribute("aria-activedescendant");
  }, 120);
}

/** @param {HTMLTextAreaElement} field */
const optionsOf = (field) => all("[role=listbox]:not([hidden]) [role=option]", byId(`${field.id}-aid`));

/** @param {HTMLTextAreaElement} field @param {HTMLElement} option */
function take(field, option) {
  field.setRangeText(option.dataset.insert ?? "", Number(option.dataset.from), Number(option.dataset.to), "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
}

/** Keys of the list under an expression. @param {KeyboardEvent} event @returns {boolean} whether the key was its own */
function listKey(event) {
  const field = /** @type {HTMLTextAreaElement} */ (event.target);
  const options = optionsOf(field);
  const at = options.findIndex((option) => option.id === field.getAttribute("aria-activedescendant"));
  if (event.key === "Escape" && options.length > 0) {
    byId(`${field.id}-aid`).replaceChildren();
    field.setAttribute("aria-expanded", "false");
    return true;
  }
  if (options.length > 0 && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    const next = options[(at + (event.key === "ArrowDown" ? 1 : -1) + options.length) % options.length];
    for (const option of options) option.setAttribute("aria-selected", String(option === next));
    field.setAttribute("aria-activedescendant", next.id);
    next.scrollIntoView({ block: "nearest" });
    return true;
  }
  if ((event.key === "Enter" || event.key === "Tab") && options[at]) {
    take(field, options[at]);
    return true;
  }
  // An expression is one line, however long.
  return event.key === "Enter";
}

/** @param {ParentNode} [root] */
export function prepare(root = document) {
  for (const field of root.querySelectorAll(".fl-code-text")) ink(/** @type {HTMLTextAreaElement} */ (field));
}

export function startForm() {
  on(document, "input", (event) => {
    const field = fieldOf(event.target);
    if (!field || field.id === "node-comment") return;
    const wait = typing.get(field);
    clearTimeout(wait?.timer);
    // What is named is saved once it is named whole.
    typing.set(field, { timer: field.dataset.late ? 0 : setTimeout(() => save(field), REST_MS), seen: wait?.seen ?? rev() });
    showState();
    if (field instanceof HTMLTextAreaElement && field.classList.contains("fl-code-text")) {
      ink(field);
      aid(field);
    }
  });
  on(document, "change", (event) => {
    const field = fieldOf(event.target);
    if (field && field.id !== "node-comment") save(field);
  });
  on(document, "focusin", (event) => {
    if (event.target instanceof HTMLTextAreaElement && event.target.classList.contains("fl-code-text")) aid(event.target);
  });
  on(document, "focusout", (event) => {
    const field = fieldOf(event.target);
    if (field) save(field);
    if (field?.classList.contains("fl-code-text")) {
      setTimeout(() => {
        if (document.activeElement !== field) document.getElementById(`${field.id}-aid`)?.querySelector("[role=listbox]")?.setAttribute("hidden", "");
      }, 150);
    }
  });
  on(document, "keydown", (event) => {
    if (event.target instanceof HTMLTextAreaElement && event.target.classList.contains("fl-code-text") && listKey(event)) {
      event.preventDefault();
      event.stopPropagation();
    }
  }, true);
  on(document, "pointerdown", (event) => {
    const option = around(event.target, "[data-insert]");
    const field = option?.closest(".fl-field")?.querySelector("textarea");
    if (!option || !field) return;
    event.preventDefault();
    take(field, option);
  });
}
