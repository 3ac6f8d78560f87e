// What is selected: nodes, notes and one edge; the form at the right follows.
import { all, announce, byId, canvas, editor, fetchInto, find, flag, focused, focusOn, isTyping, on, only } from "./page.js";
import { drawEdge, place } from "./draw.js";
import { edges, entering, itemOf, leaving, nodes, notes } from "./model.js";
import { typing } from "./send.js";
import { reveal, unveil } from "./view.js";

/** @type {Set<string>} */
export const chosen = new Set();
/** The edge that is selected. */
export let chosenEdge = "";
/** The node from which the arrow keys go on. */
export let current = "";
const here = /** @type {HTMLFormElement} */ (byId("here"));
let panelTimer = 0, shownPanel = "";

export const chosenNodes = () => [...chosen].filter((id) => nodes.has(id));
/** What is selected, as gestures name it. */
export const selection = () => ({ nodes: chosenNodes(), notes: [...chosen].filter((id) => notes.has(id)) });

/** Mark what is selected; patches bring elements that know nothing of it. */
export function mark() {
  for (const id of chosen) if (!itemOf(id)) chosen.delete(id);
  if (!edges.has(chosenEdge)) chosenEdge = "";
  only("is-chosen", [...[...chosen].map((id) => itemOf(id)?.el), edges.get(chosenEdge)?.el]);
}

/** @param {Iterable<string>} ids @param {boolean} [isQuiet] */
export function choose(ids, isQuiet = false) {
  const wanted = [...ids], last = wanted.at(-1) ?? "", item = itemOf(last);
  chosen.clear();
  wanted.forEach((id) => chosen.add(id));
  chosenEdge = "";
  flag(editor, "has-flow", false);
  current = last || current;
  mark();
  if (item) unveil(item);
  const active = focused();
  // A note that was being written is left, too: fingers have no other way.
  if (item ? !item.el.contains(active) : canvas.contains(active) || !isTyping(active)) focusOn(item?.el ?? canvas);
  if (!isQuiet && item) announce(chosen.size > 1 ? `${chosen.size} selected` : describe(item));
  clearTimeout(panelTimer);
  panelTimer = setTimeout(() => loadPanel(), 60);
  htmx.trigger(here, "rest");
}

/** @param {string} id */
export function toggle(id) {
  const next = new Set(chosen);
  if (!next.delete(id)) next.add(id);
  choose(next);
}

/** @param {string} id */
export function chooseEdge(id) {
  choose([]);
  chosenEdge = id;
  mark();
  const edge = edges.get(id);
  if (edge) announce(`Edge from ${titleOf(edge.from)}, port ${edge.port}, to ${titleOf(edge.to)}. Delete takes it away.`);
}

/** Select a node and bring it into sight. @param {string} id */
export function pick(id) {
  const item = itemOf(id);
  if (!item) return;
  choose([id]);
  reveal(item);
}

/** @param {string} id */
export const titleOf = (id) => nodes.get(id)?.el.querySelector(".fl-title")?.textContent ?? id;

/** @param {FlowItem} item */
function describe({ id, el, start }) {
  const words = el.ariaLabel ?? id, after = leaving(id).map((edge) => titleOf(edge.to)).join(", ");
  if (notes.has(id)) return words;
  return `${words}. Leads ${after ? `to ${after}` : "nowhere"}.${start || entering(id).length > 0 ? "" : " Nothing leads to it."}`;
}

/** What changes the panel waits for its turn: an answer never lands on one that was asked for later. */
let turn = Promise.resolve();
/** @param {() => Promise<void>} act */
export const inPanel = (act) => (turn = turn.then(act, act));
/** Give a parameter in another way. @param {HTMLElement} button */
export const switchField = (button) => {
  const target = `#${button.closest(".fl-field")?.id}`;
  return inPanel(async () => {
    if (document.querySelector(target)) await fetchInto(button.dataset.field ?? "", target);
  });
};

/** Fetch the form of what is selected, unless it is there already; by force, what is typed in it stays. */
export const loadPanel = (force = false) => inPanel(async () => {
  const wanted = chosenNodes().join(" "), before = byId("panel");
  if (!force && wanted === shownPanel) return;
  shownPanel = wanted;
  byId("ghosts").replaceChildren();
  flag(editor, "has-panel", wanted !== "");
  const kept = (/** @type {string} */ selector) => (force ? all(`#panel ${selector}`) : []);
  const opened = kept("details[open]");
  // What was turned into an expression, or back, and is not saved as such yet, stays that.
  const views = kept("[data-view]").map((el) => `&views=${el.dataset.view}`).join("");
  await fetchInto(`/panel?chosen=${encodeURIComponent(wanted)}${views}`, "#panel", force ? "outerMorph" : "outerHTML");
  // No answer: selected again, it is asked for again.
  if (!force && byId("panel") === before) shownPanel = "?";
  for (const el of opened) find(el.id)?.setAttribute("open", "");
  // A field takes the server's value unless its letters are not saved yet.
  for (const field of /** @type {HTMLInputElement[]} */ (kept("[data-set]"))) {
    if (!typing.has(field)) field.value = field.defaultValue ?? /** @type {HTMLInputElement | null} */ (field.querySelector("[selected]"))?.value ?? field.value;
  }
});

/** The panel shows something else: the next selection fetches its form. */
export function forgetPanel() {
  clearTimeout(panelTimer);
  shownPanel = "?";
}

/** Put elements that a patch brought where they belong. @param {Element[]} added */
export function settleAdded(added) {
  for (const el of added) {
    const { node = "", note = "" } = /** @type {HTMLElement} */ (el).dataset, edge = edges.get(el.id);
    const item = nodes.get(node) ?? notes.get(note);
    for (const each of item ? [...entering(item.id), ...leaving(item.id)] : [edge]) if (each) drawEdge(each);
    if (!item) continue;
    place(item);
    if (chosen.has(current) && item.id === current && focused() === document.body) focusOn(item.el);
  }
}

/** Tell the others what this window has selected: when that rests, and every 20 s while it is looked at. */
export function startPresence() {
  on(here, "htmx:config:request", (event) => event.detail.ctx.request.body.set("node", [...chosen].at(-1) ?? ""));
  setInterval(() => document.hidden || htmx.trigger(here, "rest"), 20_000);
  on(window, "pagehide", () => {
    const form = new FormData(here);
    form.set("gone", "1");
    navigator.sendBeacon(here.action, form);
  });
}

/** What others have selected. @type {HTMLElement[]} */
let named = [];
/** Mark what others have selected. */
export function markOthers() {
  for (const el of named) delete el.dataset.held;
  const faces = all("#people [data-holds]").filter(({ dataset }) => nodes.has(dataset.holds ?? ""));
  named = faces.map(({ dataset: { holds = "", who, colour } }) => {
    const { el } = /** @type {FlowItem} */ (nodes.get(holds));
    Object.assign(el.dataset, { held: who, colour });
    return el;
  });
}
