// The form at the right: what is typed is saved as it is typed; expressions get ink and aid.
import { all, around, base, byId, focused, neighbour, onPage } from "./page.js";
import { rev, send, showState, typing } from "./send.js";

const REST_MS = 400;

/** @param {EventTarget | null} target */
const fieldOf = (target) => /** @type {HTMLInputElement | null} */ (around(target, "[data-set]"));
/** @param {EventTarget | null} target */
const codeOf = (target) => /** @type {HTMLTextAreaElement | null} */ (around(target, ".fl-code-text"));

/** Save a field, which says of itself by which gesture. @param {HTMLElement} field */
function save(field) {
  const wait = typing.get(field), { set = "", key = "" } = field.dataset;
  if (!wait) return;
  clearTimeout(wait.timer);
  typing.delete(field);
  const payload = { ...JSON.parse(field.dataset.with ?? "{}"), [key]: /** @type {HTMLInputElement} */ (field).value };
  send(set, payload, wait.seen).then((ok) => ok && around(field, "[data-view]")?.removeAttribute("data-view"));
}

/** Save whatever is still waiting, before anything that depends on it. */
export const saveAll = () => [...typing.keys()].forEach(save);

const TOKENS = /(?<text>"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?)|\b(?<word>true|false|null|in)\b|\b(?<number>\d+(?:\.\d+)?)\b|\b(?<name>input|steps|vars|item|index|iteration|error|run|now|result)\b|\b(?<call>[a-zA-Z_]\w*)(?=\()|(?<sign>[=!<>&|?:+\-*/%]+)/g;

/** Colour an expression: the letters of the field are transparent, the ink lies under them. @param {HTMLTextAreaElement} field */
function ink(field) {
  const parts = [];
  let from = 0;
  for (const { 0: word, index, groups } of field.value.matchAll(TOKENS)) {
    const span = document.createElement("span");
    span.className = `ink-${Object.entries(groups ?? {}).find(([, part]) => part)?.[0]}`;
    span.textContent = word;
    parts.push(field.value.slice(from, index), span);
    from = index + word.length;
  }
  field.previousElementSibling?.replaceChildren(...parts, field.value.slice(from), "\n");
}
/** Colour the expressions of what was fetched. */
export const inkAll = () => all("#panel .fl-code-text").forEach((field) => ink(/** @type {HTMLTextAreaElement} */ (field)));

/** @param {HTMLElement} field */
const aidOf = (field) => byId(`${field.id}-aid`);
/** @param {HTMLElement} field */
const optionsOf = (field) => all("[role=option]", aidOf(field));

let aidTimer = 0;
/** Ask the server what may follow and what it comes to. @param {HTMLTextAreaElement} field */
function aid(field) {
  clearTimeout(aidTimer);
  aidTimer = setTimeout(async () => {
    if (focused() !== field) return;
    const target = aidOf(field), values = { with: field.dataset.with, text: field.value, cursor: field.selectionStart, key: field.id };
    await htmx.ajax("POST", `${base}/aid`, { source: target, target, swap: "innerHTML", values });
    field.ariaExpanded = String(optionsOf(field).length > 0);
    field.removeAttribute("aria-activedescendant");
  }, 120);
}

/** @param {HTMLTextAreaElement} field @param {HTMLElement} option */
function take(field, { dataset }) {
  field.setRangeText(dataset.insert ?? "", Number(dataset.from), Number(dataset.to), "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

/** Keys of the list under an expression; returns whether the key was its own. @param {HTMLTextAreaElement} field @param {string} key */
function listKey(field, key) {
  const options = optionsOf(field), active = options.find((option) => option.ariaSelected === "true"), next = neighbour(options, active, key);
  if (next) {
    for (const option of options) option.ariaSelected = String(option === next);
    field.setAttribute("aria-activedescendant", next.id);
    next.scrollIntoView({ block: "nearest" });
  } else if (key === "Escape" && options.length > 0) {
    aidOf(field).replaceChildren();
    field.ariaExpanded = "false";
  } else if (active && (key === "Enter" || key === "Tab")) take(field, active);
  // An expression is one line, however long.
  else return key === "Enter";
  return true;
}

export function startForm() {
  onPage("input", ({ target }) => {
    const field = fieldOf(target), code = codeOf(target);
    if (!field) return;
    const wait = typing.get(field);
    clearTimeout(wait?.timer);
    // What is named is saved once it is named whole.
    typing.set(field, { timer: field.dataset.late ? 0 : setTimeout(() => save(field), REST_MS), seen: wait?.seen ?? rev() });
    showState();
    if (!code) return;
    ink(code);
    aid(code);
  });
  for (const name of ["change", "focusout"]) onPage(name, ({ target }) => target.dataset && save(target));
  onPage("focusin", ({ target }) => {
    const code = codeOf(target);
    if (code) aid(code);
  });
  onPage("keydown", (event) => {
    const code = codeOf(event.target);
    if (!code || !listKey(code, event.key)) return;
    event.preventDefault();
    event.stopPropagation();
  }, true);
  onPage("pointerdown", (event) => {
    const option = around(event.target, "[data-insert]"), field = option?.closest(".fl-code-field")?.querySelector("textarea");
    if (!option || !field) return;
    event.preventDefault();
    take(field, option);
  });
}
