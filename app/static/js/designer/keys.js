// The keyboard: what each key does is read from the cheat sheet (app/components/designer/keys.py).
import { DEEDS, paste, toForm } from "./act.js";
import { confirm, isConnecting, nearest, step, toward } from "./connect.js";
import { GRID } from "./draw.js";
import { drawn, entering, leaving, nodes } from "./model.js";
import { all, around, canvas, focusOn, isTyping, on, onPage } from "./page.js";
import { nudge } from "./pointer.js";
import { chosen, chosenNodes, current, pick, toggle } from "./select.js";
import { pan } from "./view.js";

const PAN_PX = 120;

/** The deed of each chord. */
const chords = new Map(all("#keys [data-chords]").flatMap((row) => (row.dataset.chords ?? "").split(" ").map((pair) => /** @type {[string, string]} */ (pair.split(":")))));

/** Follow an edge, or go to the neighbour above or below. @param {string} arrow @param {boolean} isMore */
function go(arrow, isMore) {
  const node = nodes.get(current) ?? drawn().sort((a, b) => Number(b.start) - Number(a.start))[0];
  if (!node) return;
  const { id, ports } = node, ways = leaving(id).sort((a, b) => ports.indexOf(a.port) - ports.indexOf(b.port));
  /** @type {Object<string, string | undefined>} */
  const along = { ArrowRight: ways[0]?.to, ArrowLeft: entering(id)[0]?.from };
  const next = !chosen.has(id) ? id : arrow in along ? along[arrow] : nearest(node, arrow)?.id;
  if (next) (isMore ? toggle : pick)(next);
}

/** @param {KeyboardEvent} event */
function keyDown(event) {
  const { key, altKey, shiftKey, target } = event, hasControl = event.ctrlKey || event.metaKey;
  const chord = (hasControl ? `ctrl+${shiftKey ? "shift+" : ""}` : "") + (altKey ? "alt+" : "") + (key.length === 1 ? key.toLowerCase() : key);
  const deed = DEEDS[chords.get(chord) ?? ""];
  if (document.querySelector("dialog[open]")) return;
  if (isTyping(target)) {
    if (key === "Escape") {
      /** @type {HTMLElement} */ (target).blur();
      focusOn(nodes.get(current)?.el ?? canvas);
    } else if (chord === "ctrl+k") deed?.();
    else return;
  } else if (!isConnecting() && (key === "Enter" || key === " ") && around(target, "button, a, summary, [role=button]")) return;
  else if (key.startsWith("Arrow")) {
    const [dx, dy] = toward(key), far = shiftKey ? 5 * GRID : GRID;
    if (altKey) nudge(dx * far, dy * far);
    else if (hasControl) pan(-dx * PAN_PX, -dy * PAN_PX);
    else if (isConnecting()) step(key);
    else go(key, shiftKey);
  } else if (key === "Enter" && isConnecting()) confirm();
  // Copying words that are marked stays the browser's.
  else if (!deed || (chord === "ctrl+c" && String(getSelection()))) return;
  else deed();
  event.preventDefault();
}

export function startKeys() {
  onPage("keydown", keyDown);
  onPage("paste", (event) => {
    if (isTyping(event.target)) return;
    event.preventDefault();
    paste(event.clipboardData?.getData("text/plain") ?? "");
  });
  on(canvas, "dblclick", (event) => {
    if (around(event.target, "[data-node]") && chosenNodes().length === 1) toForm();
    else around(event.target, "[data-note]")?.querySelector("textarea")?.focus();
  });
}
