// The flow editor: the server draws, this moves things about and sends what was done.
import { DEEDS, showTrial } from "./act.js";
import { drawAll, drawEdgesOf, place, putBack } from "./draw.js";
import { inkAll, saveAll, startForm } from "./form.js";
import { startKeys } from "./keys.js";
import { edges, itemOf, nodes, notes, watch } from "./model.js";
import { all, around, byId, canvas, editor, find, flag, on, only, onPage } from "./page.js";
import { drawer, startPalette } from "./palette.js";
import { held, startPointer } from "./pointer.js";
import { choose, chosen, current, forgetPanel, loadPanel, mark, markOthers, pick, settleAdded, startPresence, switchField } from "./select.js";
import { isMoving, onAnswer, resolve, rev, send } from "./send.js";
import { keepInSight, open, settleLater } from "./view.js";

let live = byId("draft-live"), trial = byId("trial");
let newest = 0;

const lookAgain = () => htmx.ajax("GET", live.dataset.liveUrl ?? "", { source: live, target: live, swap: "none" });

/** Show what patches know nothing of: what is selected, wrong, held by others, tried, changed. */
function markAll() {
  mark();
  markOthers();
  showTrial();
  only("is-wrong", all("#problems [data-bad]").map((el) => nodes.get(el.dataset.bad ?? "")?.el));
  for (const fate of ["added", "changed"]) {
    only(`is-${fate}`, all(`#panel [data-fate=${fate}]`).map(({ dataset }) => nodes.get(dataset.diffNode ?? "")?.el ?? edges.get(dataset.diffEdge ?? "")?.el));
  }
}

/** Take over places that a patch brought, but not of what is in someone's hand. */
function takeNews() {
  const { moved = "{}", select = "", others } = live.dataset;
  // An answer that was made before one that came earlier: what it took back is fetched again.
  if (rev() < newest) lookAgain();
  newest = Math.max(newest, rev());
  /** @type {Object<string, [number, number]>} */
  const places = JSON.parse(moved);
  for (const [id, [x, y]] of Object.entries(places)) {
    const node = nodes.get(id);
    if (!node) continue;
    Object.assign(node.el.dataset, { x, y });
    if (held.has(id) || isMoving(id)) continue;
    place(Object.assign(node, { x, y }));
  }
  drawEdgesOf(new Set(Object.keys(places)));
  settleLater();
  const made = select.split(" ").filter(Boolean);
  if (made.length > 1) choose(made);
  else if (made.length === 1) {
    pick(made[0]);
    notes.get(made[0])?.el.querySelector("textarea")?.focus();
  }
  // The node whose form is open was changed, and not by what was typed into it.
  if (others !== undefined && byId("panel").dataset.diff === undefined) loadPanel(true);
  htmx.trigger(byId("problems"), "check");
}

watch((added) => {
  settleAdded(added);
  settleLater();
  markAll();
});

on(byId("problems"), "htmx:before:swap", () => {
  for (const el of all("#panel [data-wrong]")) el.replaceChildren();
});
onPage("htmx:after:swap", () => {
  if (byId("draft-live") !== live) {
    live = byId("draft-live");
    takeNews();
  }
  if (byId("trial") !== trial) {
    trial = byId("trial");
    /** @type {HTMLDialogElement} */ (byId("sheet")).close();
    loadPanel(true);
  }
  if (byId("panel").dataset.diff !== undefined) {
    forgetPanel();
    flag(editor, "has-panel");
  }
  for (const el of all("#ghosts > *")) place({ el, x: el.dataset.x ?? "", y: el.dataset.y ?? "" });
  inkAll();
  markAll();
});

/** The field whose text was given and stays, to be mended, until it is taken. */
let given = "";

onAnswer((status) => {
  const field = /** @type {HTMLTextAreaElement | null} */ (find(given));
  given = "";
  if (status === 200) {
    if (field) field.value = "";
    return;
  }
  putBack();
  if (status) return;
  // Theirs is kept: see it.
  lookAgain();
  loadPanel(true);
});

/** What a click does, by the attribute of what is clicked. @type {Object<string, (el: HTMLElement) => unknown>} */
const CLICKS = {
  do: (el) => DEEDS[el.dataset.do ?? ""]?.(),
  give({ dataset }) {
    const field = find(dataset.from ?? "");
    send(dataset.give ?? "", { ...JSON.parse(dataset.with ?? "{}"), ...(field && { text: field.value }) });
    if (dataset.keep !== undefined) given = dataset.from ?? "";
    else if (field) field.value = "";
  },
  pick({ dataset }) {
    flag(editor, "has-drawer", false);
    byId("problems").removeAttribute("open");
    pick(dataset.pick ?? "");
  },
  drawer: (el) => drawer(el.dataset.drawer),
  field: switchField,
  resolve,
};
onPage("click", (event) => {
  for (const [name, act] of Object.entries(CLICKS)) {
    const el = around(event.target, `[data-${name}]`);
    if (!el) continue;
    saveAll();
    act(el);
    return;
  }
});

startPointer();
startKeys();
startPalette();
startForm();
startPresence();
drawAll();
open();
keepInSight(() => (chosen.size > 0 ? itemOf(current) : undefined));
markAll();

canvas.dataset.ready = "";
