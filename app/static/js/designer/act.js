// Everything that a button or a key does.
import { cancel } from "./connect.js";
import { boundsOf, drawEdgesOf, drawFrames, GRID, place } from "./draw.js";
import { edges, endsOf, itemOf, nodes, notes } from "./model.js";
import { all, announce, base, byId, canvas, fetchInto, flag, say } from "./page.js";
import { openPalette } from "./palette.js";
import { held, sendPlaces } from "./pointer.js";
import { choose, chosen, chosenEdge, chosenNodes, chosenNotes, current, editorClass, forgetPanel, inPanel, loadPanel, pick } from "./select.js";
import { isQuiet, rev, send, showState } from "./send.js";
import { fit, seen, zoomBy, zoomFull } from "./view.js";

export function remove() {
  const edge = edges.get(chosenEdge);
  if (edge) {
    send("disconnect", { edges: [endsOf(edge)] });
    announce("The edge is taken away.");
    return;
  }
  const gone = { nodes: chosenNodes(), notes: chosenNotes() };
  if (gone.nodes.length + gone.notes.length === 0) return;
  choose([], { quiet: true });
  send("delete", gone);
  announce(`${gone.nodes.length + gone.notes.length} deleted. Control Z brings it back.`);
}

export async function copyText() {
  const answer = await fetch(`${base}/copy?chosen=${encodeURIComponent([...chosen].join(" "))}`);
  return answer.ok ? answer.text() : "";
}

const NO_CLIPBOARD = "The browser does not let this page use the clipboard. Over HTTPS it does.";

/** @param {boolean} isCut */
export async function copy(isCut = false) {
  if (chosen.size === 0) return;
  const text = copyText();
  const count = chosen.size;
  try {
    // The promise is handed over, so that the key press still counts when the answer comes.
    await navigator.clipboard.write([new ClipboardItem({ "text/plain": text.then((words) => new Blob([words], { type: "text/plain" })) })]);
    announce(`${count} copied.`);
    if (isCut) remove();
  } catch {
    say(NO_CLIPBOARD);
  }
}

/** @param {string} text */
export function paste(text) {
  if (!text.trim().startsWith("{")) {
    say("What is on the clipboard is no part of a flow.");
    return;
  }
  const view = seen();
  const items = [...chosen].map((id) => itemOf(id)).filter((item) => item !== undefined);
  const box = boundsOf(items);
  const spot = box ? { x: box.left + 2 * GRID, y: box.bottom + 2 * GRID } : { x: view.x + view.w / 3, y: view.y + view.h / 3 };
  send("paste", { text, ...spot });
}

/** What the keys are moving: until they rest, patches leave it where it is. @type {{ids: string[], seen: number, timer: number} | null} */
let nudged = null;

/** Move what is selected by keys; sent when the keys rest. @param {number} dx @param {number} dy */
export function nudge(dx, dy) {
  for (const id of chosen) {
    const item = itemOf(id);
    if (!item) continue;
    item.x += dx;
    item.y += dy;
    place(item);
    held.add(id);
  }
  drawEdgesOf(chosen);
  drawFrames();
  clearTimeout(nudged?.timer);
  nudged = { ids: [...chosen], seen: nudged?.seen ?? rev(), timer: setTimeout(rest, 300) };
  showState("saving");
}

function rest() {
  if (!nudged) return;
  const { ids, seen: before } = nudged;
  nudged = null;
  held.clear();
  sendPlaces(ids, before);
}

export function addNote() {
  const view = seen();
  send("add_note", { x: view.x + view.w / 3, y: view.y + view.h / 3 });
}

/** @param {string} name */
export function drawer(name) {
  for (const tab of all("[data-drawer]")) {
    const is = tab.dataset.drawer === name;
    tab.setAttribute("aria-pressed", String(is));
    byId(tab.dataset.drawer ?? "").hidden = !is;
  }
  editorClass("has-drawer", true);
  if (name === "outline") {
    htmx.trigger(byId("outline-list"), "open");
    byId("outline").querySelector("button")?.focus();
  }
}

/** Once all is saved. */
async function quiet() {
  while (!isQuiet()) await new Promise((wake) => setTimeout(wake, 30));
}

/** Run the draft dry. @param {Object<string, string>} values */
async function tryOut(values) {
  await quiet();
  htmx.ajax("POST", `${base}/trial`, { source: byId("gesture"), target: "#trial", swap: "outerHTML", values });
}

let isTried = false;
/** Put the signs of a trial into their nodes, and its way onto the edges. */
export function showTrial() {
  const signs = new Map(all("#trial [data-on]").map((el) => [el.dataset.on, el]));
  const ways = (byId("trial").dataset.ways ?? "").split(" ");
  if (!isTried && signs.size === 0) return;
  isTried = signs.size > 0;
  for (const node of nodes.values()) {
    const shown = node.el.querySelector(".fl-state"), wanted = signs.get(node.id);
    if (wanted && shown?.isEqualNode(wanted)) continue;
    shown?.remove();
    if (wanted) node.el.append(wanted.cloneNode(true));
  }
  for (const edge of edges.values()) flag(edge.el, "is-taken", ways.includes(edge.id));
}

/** @type {Object<string, () => unknown>} */
export const DEEDS = {
  "run-this": () => tryOut({ only: current }),
  "run-here": () => tryOut({ until: current }),
  undo: () => send("undo"),
  redo: () => send("redo"),
  delete: remove,
  duplicate: () => chosen.size > 0 && send("duplicate", { nodes: chosenNodes(), notes: chosenNotes() }),
  copy: () => copy(),
  paste: async () => {
    const text = await navigator.clipboard?.readText().catch(() => null);
    if (text == null) say(NO_CLIPBOARD);
    else paste(text);
  },
  several: () => (byId("several").ariaPressed = String(canvas.classList.toggle("is-several"))),
  "next-note": () => {
    const ids = [...notes.keys()];
    pick(ids[(ids.indexOf(current) + 1) % ids.length]);
  },
  note: addNote,
  arrange: () => send("layout", { nodes: chosenNodes().length > 1 ? chosenNodes() : [] }),
  "zoom-in": () => zoomBy(1.25),
  "zoom-out": () => zoomBy(0.8),
  "zoom-full": zoomFull,
  fit,
  keys: () => /** @type {HTMLDialogElement} */ (byId("keys")).showModal(),
  drawer: openPalette,
  outline: () => drawer("outline"),
  "close-drawer": () => editorClass("has-drawer", false),
  "close-panel": () => choose([]),
  flow: () => {
    choose([]);
    editorClass("has-flow", true);
  },
  comment: () => {
    const field = /** @type {HTMLTextAreaElement} */ (byId("node-comment"));
    const node = chosenNodes()[0];
    if (field.value.trim() && node) send("comment", { node, text: field.value });
  },
  changes: () => {
    // The form of what was selected just before would take their place.
    forgetPanel();
    inPanel(async () => {
      await quiet();
      await fetchInto("/diff", "#panel-place", "innerHTML");
    });
  },
  "close-diff": () => {
    byId("ghosts").replaceChildren();
    forgetPanel();
    loadPanel();
    for (const el of canvas.querySelectorAll(".is-added, .is-changed")) el.classList.remove("is-added", "is-changed");
  },
  all: () => choose([...nodes.keys(), ...notes.keys()]),
  none: () => {
    cancel();
    if (chosen.size > 0 || chosenEdge) choose([]);
    else document.getElementById("trial-close")?.click();
  },
};
