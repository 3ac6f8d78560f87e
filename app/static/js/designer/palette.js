// The drawers at the left. The palette: found by typing, added by Enter, by click, or by dragging.
import { nodeAt } from "./connect.js";
import { all, announce, around, byId, canvas, editor, flag, neighbour, on } from "./page.js";
import { chosenNodes } from "./select.js";
import { send } from "./send.js";
import { at, spot } from "./view.js";

const KIND = "text/x-slipway-node";
const palette = byId("palette");
const search = /** @type {HTMLInputElement} */ (byId("palette-search"));

/** @param {string} [name] */
export function drawer(name) {
  for (const tab of all("[data-drawer]")) {
    const is = tab.dataset.drawer === name;
    tab.ariaPressed = String(is);
    byId(tab.dataset.drawer ?? "").hidden = !is;
  }
  flag(editor, "has-drawer");
  if (name !== "outline") return;
  htmx.trigger(byId("outline-list"), "open");
  byId("outline").querySelector("button")?.focus();
}

export function openPalette() {
  drawer("palette");
  search.focus();
  search.select();
}

const shown = () => all("[data-type]:not([hidden])", palette);
const active = () => all(".is-active", palette).at(0);

/** @param {HTMLElement} [entry] */
function activate(entry) {
  flag(active(), "is-active", false);
  flag(entry, "is-active");
  entry?.scrollIntoView({ block: "nearest" });
}

function filter() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const entry of all("[data-type]", palette)) entry.hidden = !words.every((word) => entry.dataset.words?.includes(word));
  // What begins with the words comes first for Enter.
  activate(shown().find((entry) => words[0] && entry.dataset.words?.startsWith(words[0])) ?? shown()[0]);
}

/** Add a node: where it is dropped, or behind the selected node and connected to it. @param {string} [type] @param {Point} [place] @param {string} [onto] */
function add(type, place, onto) {
  const behind = onto || (place || chosenNodes().length !== 1 ? undefined : chosenNodes()[0]);
  send("add_node", { type, behind, ...(onto ? {} : (place ?? (behind ? {} : spot(1 / 3)))) });
}

/** Go back to the canvas, with a node or without. @param {HTMLElement | null} [entry] */
function leave(entry) {
  flag(editor, "has-drawer", false);
  canvas.focus();
  if (entry) add(entry.dataset.type);
}

export function startPalette() {
  for (const name of ["input", "focus"]) on(search, name, filter);
  on(search, "blur", () => activate());
  on(search, "keydown", (event) => {
    const entry = active(), next = neighbour(shown(), entry, event.key);
    if (next) {
      activate(next);
      announce(next.querySelector(".fl-type-title")?.textContent ?? "");
    } else if (event.key === "Enter" && entry) {
      search.value = "";
      filter();
      leave(entry);
    } else if (event.key === "Escape") leave();
    else return;
    event.preventDefault();
  });
  on(palette, "click", (event) => {
    const entry = around(event.target, "[data-type]");
    if (entry) leave(entry);
  });
  on(palette, "keydown", (event) => {
    if (!event.target.dataset.type || (event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    leave(event.target);
  });
  on(palette, "dragstart", (event) => event.dataTransfer.setData(KIND, around(event.target, "[data-type]")?.dataset.type ?? ""));
  on(canvas, "dragover", (event) => event.preventDefault());
  on(canvas, "drop", (event) => {
    event.preventDefault();
    const type = event.dataTransfer.getData(KIND);
    if (type) add(type, at(event), nodeAt(event));
  });
}
