// What is selected: nodes, notes and one edge; the form at the right follows.
import { all, announce, base, byId, canvas, fetchInto, flag, isTyping, on } from "./page.js";
import { drawEdge, place } from "./draw.js";
import { edges, entering, itemOf, items, leaving, nodes, notes } from "./model.js";
import { typing } from "./send.js";
import { reveal, unveil } from "./view.js";

/** @type {Set<string>} */
export const chosen = new Set();
/** The edge that is selected. */
export let chosenEdge = "";
/** The node from which the arrow keys go on. */
export let current = "";
const tab = Math.random().toString(36).slice(2);
let panelTimer = 0, hereTimer = 0, shownPanel = "";

export const chosenNodes = () => [...chosen].filter((id) => nodes.has(id));
export const chosenNotes = () => [...chosen].filter((id) => notes.has(id));

/** Mark what is selected; patches bring elements that know nothing of it. */
export function mark() {
  for (const id of [...chosen]) if (!nodes.has(id) && !notes.has(id)) chosen.delete(id);
  if (!edges.has(chosenEdge)) chosenEdge = "";
  for (const item of items()) {
    const is = chosen.has(item.id);
    if (item.el.classList.contains("is-chosen") !== is) flag(item.el, "is-chosen", is);
  }
  for (const edge of edges.values()) flag(edge.el, "is-chosen", edge.id === chosenEdge);
}

/** @param {Iterable<string>} ids @param {{focus?: boolean, quiet?: boolean}} [how] */
export function choose(ids, { focus = true, quiet = false } = {}) {
  chosen.clear();
  for (const id of ids) chosen.add(id);
  chosenEdge = "";
  editorClass("has-flow", false);
  const last = [...chosen].at(-1) ?? "";
  if (last) current = last;
  mark();
  const item = itemOf(last);
  if (item) unveil(item);
  if (focus && item && !item.el.contains(document.activeElement)) item.el.focus({ preventScroll: true });
  // A note that was being written is left, too: fingers have no other way.
  else if (focus && !item && (canvas.contains(document.activeElement) || !isTyping(document.activeElement))) canvas.focus({ preventScroll: true });
  if (!quiet) {
    if (chosen.size === 1 && item) announce(describe(last));
    else if (chosen.size > 1) announce(`${chosen.size} selected`);
  }
  showPanel();
  tellOthers();
}

/** @param {string} id */
export function toggle(id) {
  const next = new Set(chosen);
  if (!next.delete(id)) next.add(id);
  choose(next);
}

/** @param {string} id */
export function chooseEdge(id) {
  choose([], { quiet: true });
  chosenEdge = id;
  const edge = edges.get(id);
  if (edge) announce(`Edge from ${titleOf(edge.from)}, port ${edge.port}, to ${titleOf(edge.to)}. Delete takes it away.`);
  mark();
}

/** @param {string} id */
export const titleOf = (id) => nodes.get(id)?.el.querySelector(".fl-title")?.textContent ?? id;

/** @param {string} id */
function describe(id) {
  const item = itemOf(id);
  if (!item) return "";
  const after = leaving(id).map((edge) => titleOf(edge.to));
  const words = item.el.getAttribute("aria-label") ?? id;
  if (notes.has(id)) return words;
  return `${words}. ${after.length ? `Leads to ${after.join(", ")}` : "Leads nowhere"}.${entering(id).length || nodes.get(id)?.start ? "" : " Nothing leads to it."}`;
}

// The form: fetched when the selection rests, and again only when it changes.
function showPanel() {
  clearTimeout(panelTimer);
  panelTimer = setTimeout(() => loadPanel(), 60);
}

/** What changes the panel waits for its turn: an answer never lands on one that was asked for later. */
let turn = Promise.resolve();
/** @param {() => Promise<void>} act */
export const inPanel = (act) => (turn = turn.then(act, act));
/** Give a parameter in another way. @param {HTMLElement} button */
export const switchField = (button) => {
  const { field = "" } = button.dataset, target = `#${button.closest(".fl-field")?.id}`;
  return inPanel(async () => {
    if (document.querySelector(target)) await fetchInto(field, target);
  });
};

export const loadPanel = (force = false) => inPanel(async () => {
  const wanted = chosenNodes().join(" ");
  if (!force && wanted === shownPanel) return;
  shownPanel = wanted;
  byId("ghosts").replaceChildren();
  editorClass("has-panel", wanted !== "");
  const opened = force ? all("#panel details[open]").map((el) => el.id) : [];
  // What was turned into an expression, or back, and is not saved as such yet, stays that.
  const views = force ? all("#panel [data-view]").map((el) => `&views=${el.dataset.view}`).join("") : "";
  const before = byId("panel");
  await fetchInto(`/panel?chosen=${encodeURIComponent(wanted)}${views}`, "#panel", force ? "outerMorph" : "outerHTML");
  // No answer: selected again, it is asked for again.
  if (!force && byId("panel") === before) shownPanel = "?";
  for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
  if (force) for (const field of byId("panel").querySelectorAll("input, textarea, select")) adopt(field);
});
/** A field takes the server's value unless its letters are not saved yet. @param {Element} field */
function adopt(field) {
  if (!(field instanceof HTMLElement) || typing.has(field)) return;
  if (field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement) field.value = field.defaultValue;
  else if (field instanceof HTMLSelectElement) field.value = [...field.options].find((option) => option.defaultSelected)?.value ?? field.value;
}
/** The panel shows something else: the next selection fetches its form. */
export function forgetPanel() {
  clearTimeout(panelTimer);
  shownPanel = "?";
}

/** @param {string} name @param {boolean} on */
export const editorClass = (name, on) => byId("editor").classList.toggle(name, on);

/** Select a node and bring it into sight. @param {string} id */
export function pick(id) {
  const node = itemOf(id);
  if (!node) return;
  choose([id]);
  reveal(node);
}

/** Put elements that a patch brought where they belong. @param {Element[]} added */
export function settleAdded(added) {
  for (const el of added) {
    if (el instanceof SVGPathElement) {
      const edge = edges.get(el.id);
      if (edge) drawEdge(edge);
    } else if (el instanceof HTMLElement) {
      const item = nodes.get(el.dataset.node ?? "") ?? notes.get(el.dataset.note ?? "");
      if (item) place(item);
      for (const edge of item ? [...entering(item.id), ...leaving(item.id)] : []) drawEdge(edge);
      if (item && item.id === current && chosen.has(current) && document.activeElement === document.body) el.focus({ preventScroll: true });
    }
  }
}

// Presence: what this window has selected, told when it rests and every 20 s.
function tellOthers() {
  clearTimeout(hereTimer);
  hereTimer = setTimeout(tell, 250);
}
function here() {
  const form = new FormData();
  form.set("_csrf_token", byId("editor").dataset.csrf ?? "");
  form.set("tab", tab);
  form.set("node", [...chosen].at(-1) ?? "");
  return form;
}
function tell() {
  fetch(`${base}/here`, { method: "POST", body: here() }).catch(() => {});
}
export function startPresence() {
  tell();
  setInterval(() => {
    if (!document.hidden) tell();
  }, 20_000);
  on(window, "pagehide", () => {
    const form = here();
    form.set("gone", "1");
    navigator.sendBeacon(`${base}/here`, form);
  });
  on(window, "pageshow", (event) => {
    if (event.persisted) tell();
  });
}

/** Mark what others have selected; our own face is left out. */
export function markOthers() {
  for (const el of all("[data-held]")) delete el.dataset.held;
  for (const face of all("#people [data-tab]")) {
    const isMine = face.dataset.tab === tab;
    face.hidden = isMine;
    const node = nodes.get(face.dataset.holds ?? "");
    if (isMine || !node) continue;
    node.el.dataset.held = face.dataset.who;
    node.el.dataset.colour = face.dataset.colour;
  }
}
