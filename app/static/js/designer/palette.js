// The palette: found by typing, added by Enter, by click, or by dragging to the canvas.
import { nodeAt } from "./connect.js";
import { nodes } from "./model.js";
import { all, announce, around, byId, canvas, on } from "./page.js";
import { chosenNodes, editorClass } from "./select.js";
import { send } from "./send.js";
import { at, seen } from "./view.js";

const search = /** @type {HTMLInputElement} */ (byId("palette-search"));
const entries = () => all("[data-type]", byId("palette"));
let active = 0;

export function openPalette() {
  const tab = /** @type {HTMLElement} */ (document.querySelector('[data-drawer="palette"]'));
  tab.click();
  editorClass("has-drawer", true);
  search.focus();
  search.select();
}

function shown() {
  return entries().filter((entry) => !entry.hidden);
}

function filter() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const entry of entries()) entry.hidden = !words.every((word) => entry.dataset.words?.includes(word));
  for (const group of all(".fl-type-group")) group.hidden = !group.querySelector("[data-type]:not([hidden])");
  byId("palette-none").hidden = shown().length > 0;
  // What begins with the words comes first for Enter.
  const list = shown();
  active = Math.max(0, list.findIndex((entry) => words.length > 0 && entry.dataset.words?.startsWith(words[0])));
  markActive();
}

function markActive() {
  for (const entry of entries()) entry.classList.remove("is-active");
  const entry = search === document.activeElement ? shown()[active] : undefined;
  entry?.classList.add("is-active");
  entry?.scrollIntoView({ block: "nearest" });
}

/** Add a node: where it is dropped, or behind the selected node and connected to it. @param {string} type @param {Point} [spot] @param {string} [onto] */
export function add(type, spot, onto) {
  const behind = onto || (!spot && chosenNodes().length === 1 ? chosenNodes()[0] : null);
  const view = seen();
  const free = spot ?? (behind ? {} : { x: view.x + view.w / 3, y: view.y + view.h / 3 });
  return send("add_node", { type, ...(behind ? { behind } : {}), ...(onto ? {} : free) });
}

export function startPalette() {
  on(search, "input", filter);
  on(search, "focus", filter);
  on(search, "blur", markActive);
  on(search, "keydown", async (event) => {
    const list = shown();
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      active = (active + (event.key === "ArrowDown" ? 1 : -1) + list.length) % Math.max(1, list.length);
      markActive();
      announce(list[active]?.querySelector(".fl-type-title")?.textContent ?? "");
      event.preventDefault();
    } else if (event.key === "Enter" && list[active]) {
      event.preventDefault();
      const type = list[active].dataset.type ?? "";
      search.value = "";
      filter();
      editorClass("has-drawer", false);
      canvas.focus();
      await add(type);
    } else if (event.key === "Escape") {
      editorClass("has-drawer", false);
      canvas.focus();
    }
  });
  drags();
}

function drags() {
  const palette = byId("palette");
  let wasDragged = false;
  /** @type {{entry: HTMLElement, ghost: HTMLElement | null, x: number, y: number} | null} */
  let held = null;
  on(palette, "pointerdown", (event) => {
    const entry = around(event.target, "[data-type]");
    if (entry && event.button === 0 && event.pointerType !== "touch") held = { entry, ghost: null, x: event.clientX, y: event.clientY };
  });
  on(window, "pointermove", (event) => {
    if (!held) return;
    if (!held.ghost && Math.hypot(event.clientX - held.x, event.clientY - held.y) > 6) {
      held.ghost = /** @type {HTMLElement} */ (held.entry.cloneNode(true));
      held.ghost.classList.add("is-ghost");
      document.body.append(held.ghost);
    }
    if (held.ghost) held.ghost.style.transform = `translate(${event.clientX + 6}px,${event.clientY + 6}px)`;
  });
  on(window, "pointerup", (event) => {
    const drop = held;
    held = null;
    if (!drop?.ghost) return;
    drop.ghost.remove();
    wasDragged = true;
    setTimeout(() => { wasDragged = false; });
    const over = document.elementFromPoint(event.clientX, event.clientY);
    if (!over || !canvas.contains(over)) return;
    const onto = nodeAt(event);
    add(drop.entry.dataset.type ?? "", at(event), nodes.has(onto) ? onto : "");
  });
  on(palette, "click", (event) => {
    const entry = around(event.target, "[data-type]");
    if (!entry || wasDragged) return;
    add(entry.dataset.type ?? "");
    editorClass("has-drawer", false);
    canvas.focus();
  });
}
