// The keyboard: app/components/designer/keys.py lists what each key does.
import { copy, DEEDS, nudge, paste, remove } from "./act.js";
import { cancel, confirm, isConnecting, connectKey, nearest, step } from "./connect.js";
import { GRID } from "./draw.js";
import { edgesOf, entering, leaving, nodes, notes } from "./model.js";
import { around, byId, canvas, isTyping, on } from "./page.js";
import { openPalette } from "./palette.js";
import { chooseEdge, chosen, chosenEdge, chosenNodes, current, pick, toggle } from "./select.js";
import { pan } from "./view.js";

const PAN_PX = 120;

/** Follow an edge, or go to the neighbour above or below. @param {string} arrow @param {boolean} isMore */
function go(arrow, isMore) {
  const node = nodes.get(current) ?? [...nodes.values()].find((each) => each.start) ?? nodes.values().next().value;
  if (!node) return;
  let next = "";
  if (!chosen.has(node.id)) next = node.id;
  else if (arrow === "ArrowRight") next = node.ports.flatMap((port) => leaving(node.id).filter((edge) => edge.port === port))[0]?.to ?? "";
  else if (arrow === "ArrowLeft") next = entering(node.id)[0]?.from ?? "";
  else next = nearest(node, arrow, () => true)?.id ?? "";
  if (!next) return;
  if (isMore) toggle(next);
  else pick(next);
}

function nextEdge() {
  const ways = edgesOf(current);
  if (ways.length === 0) return;
  const at = ways.findIndex((edge) => edge.id === chosenEdge);
  chooseEdge(ways[(at + 1) % ways.length].id);
}

function toForm() {
  const note = notes.get(current);
  const field = note ? note.el.querySelector("textarea") : (byId("panel").querySelector("[data-param]") ?? byId("panel").querySelector("input, select, textarea"));
  if (field instanceof HTMLElement) field.focus();
}

/** @type {Object<string, () => unknown>} */
const PLAIN = {
  "/": openPalette, "?": DEEDS.keys, c: () => connectKey(current), n: DEEDS.note, m: DEEDS["next-note"], l: DEEDS.arrange, o: DEEDS.outline, e: nextEdge,
  t: () => byId("try").click(), r: DEEDS["run-this"], u: DEEDS["run-here"],
  Delete: remove, Backspace: remove, "+": DEEDS["zoom-in"], "=": DEEDS["zoom-in"], "-": DEEDS["zoom-out"],
  0: DEEDS["zoom-full"], 1: DEEDS.fit, Enter: toForm,
  F2: () => /** @type {HTMLInputElement | null} */ (document.getElementById("node-name"))?.select(),
};
/** @type {Object<string, () => unknown>} */
const CONTROL = {
  k: openPalette, z: DEEDS.undo, y: DEEDS.redo, d: DEEDS.duplicate, a: DEEDS.all, c: () => copy(), x: () => copy(true),
};

/** @param {KeyboardEvent} event */
function keyDown(event) {
  const typing = isTyping(event.target);
  if (document.querySelector("dialog[open]")) return;
  const control = event.ctrlKey || event.metaKey;
  const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (typing) {
    if (event.key === "Escape") {
      /** @type {HTMLElement} */ (event.target).blur();
      (nodes.get(current)?.el ?? canvas).focus({ preventScroll: true });
    } else if (control && name === "k") {
      event.preventDefault();
      openPalette();
    }
    return;
  }
  if (around(event.target, "button, a, summary") && (event.key === "Enter" || event.key === " ") && !isConnecting()) return;
  if (event.key.startsWith("Arrow")) {
    if (event.altKey) {
      const far = event.shiftKey ? 5 * GRID : GRID;
      nudge({ ArrowLeft: -far, ArrowRight: far }[event.key] ?? 0, { ArrowUp: -far, ArrowDown: far }[event.key] ?? 0);
    } else if (control) pan({ ArrowLeft: PAN_PX, ArrowRight: -PAN_PX }[event.key] ?? 0, { ArrowUp: PAN_PX, ArrowDown: -PAN_PX }[event.key] ?? 0);
    else if (isConnecting()) step(event.key);
    else go(event.key, event.shiftKey);
  } else if (event.key === "Escape") {
    if (isConnecting()) cancel();
    else DEEDS.none();
  } else if (event.key === "Enter" && isConnecting()) confirm();
  else if (control && name === "z" && event.shiftKey) DEEDS.redo();
  else if (control) {
    // Copying words that are marked stays the browser's.
    if (!CONTROL[name] || (name === "c" && String(getSelection()))) return;
    CONTROL[name]();
  } else if (PLAIN[name] && !event.altKey) PLAIN[name]();
  else return;
  event.preventDefault();
}

export function startKeys() {
  on(document, "keydown", keyDown);
  on(document, "paste", (event) => {
    if (isTyping(event.target)) return;
    event.preventDefault();
    paste(event.clipboardData?.getData("text/plain") ?? "");
  });
  on(canvas, "dblclick", (event) => {
    if (around(event.target, "[data-node]") && chosenNodes().length === 1) toForm();
    else around(event.target, "[data-note]")?.querySelector("textarea")?.focus();
  });
}
