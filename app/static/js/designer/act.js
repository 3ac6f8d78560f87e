// Everything that a button or a key does.
import { cancel, connectKey, isConnecting } from "./connect.js";
import { boundsOf, GRID, putSigns } from "./draw.js";
import { edges, endsOf, itemOf, nodes, notes } from "./model.js";
import { announce, base, byId, canvas, editor, fetchInto, find, flag, only, say } from "./page.js";
import { drawer, openPalette } from "./palette.js";
import { choose, chooseEdge, chosen, chosenEdge, chosenNodes, current, forgetPanel, inPanel, loadPanel, pick, selection } from "./select.js";
import { isQuiet, send } from "./send.js";
import { fit, spot, zoomBy, zoomFull } from "./view.js";

function remove() {
  const edge = edges.get(chosenEdge), gone = selection(), count = chosen.size;
  if (edge) {
    send("disconnect", { edges: [endsOf(edge)] });
    announce("The edge is taken away.");
  } else if (count > 0) {
    choose([]);
    send("delete", gone);
    announce(`${count} deleted. Control Z brings it back.`);
  }
}

const NO_CLIPBOARD = "The browser does not let this page use the clipboard. Over HTTPS it does.";

/** @param {boolean} [isCut] */
async function copy(isCut) {
  const count = chosen.size;
  if (count === 0) return;
  // The promise is handed over, so that the key press still counts when the answer comes.
  const text = fetch(`${base}/copy?chosen=${encodeURIComponent([...chosen].join(" "))}`).then((answer) => answer.blob());
  try {
    await navigator.clipboard.write([new ClipboardItem({ "text/plain": text.then((blob) => new Blob([blob], { type: "text/plain" })) })]);
    announce(`${count} copied.`);
    if (isCut) remove();
  } catch {
    say(NO_CLIPBOARD);
  }
}

/** @param {string} text */
export function paste(text) {
  if (!text.trim().startsWith("{")) return say("What is on the clipboard is no part of a flow.");
  const below = [...chosen].flatMap((id) => itemOf(id) ?? []), { x, y, h } = boundsOf(below);
  send("paste", { text, ...(below.length > 0 ? { x: x + 2 * GRID, y: y + h + 2 * GRID } : spot(1 / 3)) });
}

export function toForm() {
  const field = notes.get(current)?.el ?? byId("panel");
  /** @type {HTMLElement | null} */ (field.querySelector("[data-set=set_param]") ?? field.querySelector("input, select, textarea"))?.focus();
}

function nextEdge() {
  const ways = [...edges.values()].filter(({ from, to }) => from === current || to === current), next = ways[(ways.findIndex((edge) => edge.id === chosenEdge) + 1) % ways.length];
  if (next) chooseEdge(next.id);
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

/** Show the signs of a trial in their nodes, and its way on the edges. */
export function showTrial() {
  const trial = byId("trial");
  putSigns(trial, true);
  only("is-taken", (trial.dataset.ways ?? "").split(" ").map((id) => edges.get(id)?.el));
}

/** By the names that the page's buttons and its list of keys give them. @type {Object<string, () => unknown>} */
export const DEEDS = {
  "run-this": () => tryOut({ only: current }),
  "run-here": () => tryOut({ until: current }),
  try: () => byId("try").click(),
  undo: () => send("undo"),
  redo: () => send("redo"),
  delete: remove,
  duplicate: () => chosen.size > 0 && send("duplicate", selection()),
  copy: () => copy(),
  cut: () => copy(true),
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
  note: () => send("add_note", spot(1 / 3)),
  arrange: () => send("layout", { nodes: chosenNodes().length > 1 ? chosenNodes() : [] }),
  "zoom-in": () => zoomBy(1.25),
  "zoom-out": () => zoomBy(0.8),
  "zoom-full": zoomFull,
  fit: () => fit(),
  keys: () => /** @type {HTMLDialogElement} */ (byId("keys")).showModal(),
  drawer: openPalette,
  outline: () => drawer("outline"),
  flow: () => {
    choose([]);
    flag(editor, "has-flow");
  },
  form: toForm,
  rename: () => find("node-name")?.select(),
  connect: () => connectKey(current),
  edge: nextEdge,
  changes: () => {
    // The form of what was selected just before would take their place.
    forgetPanel();
    inPanel(async () => {
      await quiet();
      await fetchInto("/diff", "#panel-place", "innerHTML");
    });
  },
  "close-diff": () => {
    forgetPanel();
    loadPanel();
  },
  all: () => choose([...nodes.keys(), ...notes.keys()]),
  none: () => {
    if (isConnecting()) cancel();
    else if (chosen.size > 0 || chosenEdge) choose([]);
    else find("trial-close")?.click();
  },
};
