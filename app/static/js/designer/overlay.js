// A run over its flow: the server says how each node stands, this puts the signs into the nodes,
// steps through the run, and moves about.
import { drawAll, drawMinimap } from "./draw.js";
import { edges, entering, leaving, nodes, watch } from "./model.js";
import { all, announce, around, byId, canvas, editor, fetchInto, flag, isTyping, on } from "./page.js";
import { cull, fit, open, pan, reveal, seen, startMinimap, zoomBy, zoomFull } from "./view.js";

const story = /** @type {HTMLInputElement} */ (byId("story"));
let current = "", shownPanel = "", isFollowing = true, said = "", active = "", position = "", timer = 0;
/** @type {Map<number, PointerEvent>} */
const fingers = new Map();

/** Put the signs that came into their nodes. */
function takeSigns() {
  const now = byId("run-now"), { count = "0", ways = "", says = "" } = now.dataset;
  const signs = new Map(all("[data-on]", now).map((el) => [el.dataset.on, el]));
  for (const node of nodes.values()) {
    const sign = signs.get(node.id), shown = node.el.querySelector(".fl-state");
    if (!sign && now.dataset.whole === undefined) continue;
    shown?.remove();
    if (sign) node.el.append(sign.cloneNode(true));
    node.el.setAttribute("aria-description", sign?.title ?? "Not reached");
  }
  const taken = new Set(ways.split(" "));
  for (const edge of edges.values()) flag(edge.el, "is-taken", taken.has(edge.id));
  position = now.dataset.position ?? "0";
  story.max = String(Math.max(Number(count), 1));
  story.value = position;
  byId("follow").setAttribute("aria-pressed", String(isFollowing));
  if (says !== said) announce((said = says));
  const wanted = nodes.get(now.dataset.active ?? "");
  if (isFollowing && wanted && wanted.id !== active) reveal(wanted);
  active = wanted?.id ?? active;
  if (current) loadPanel(true);
}

let isLoading = false;
/** Fetch what the chosen node did; one request at a time, and the last wish is granted. */
async function loadPanel(again = false) {
  if (isLoading) return;
  isLoading = true;
  try {
    await loadWanted(again);
  } finally {
    isLoading = false;
  }
}

/** @param {boolean} again */
async function loadWanted(again) {
  while (shownPanel !== `${current}@${position}`) {
    const isSame = again && shownPanel.startsWith(`${current}@`);
    shownPanel = `${current}@${position}`;
    flag(editor, "has-panel", current !== "");
    const round = isSame && byId("panel").querySelector("[aria-current]")?.getAttribute("hx-get");
    const path = round ? round.slice(round.indexOf("/panel")).replace(/&at=\d+/, "") : `/panel?chosen=${encodeURIComponent(current)}`;
    await fetchInto(path + (isFollowing ? "" : `&at=${position}`), "#panel", isSame ? "outerMorph" : "outerHTML");
  }
}

/** @param {string} id */
function select(id) {
  flag(nodes.get(current)?.el, "is-chosen", false);
  current = id;
  const node = nodes.get(id);
  flag(node?.el, "is-chosen");
  if (node) {
    node.el.focus({ preventScroll: true });
    reveal(node);
  }
  loadPanel();
}

/** Show the run as it stood after an event; the last one is followed. @param {number} to */
function goTo(to) {
  const last = Number(story.max);
  isFollowing = to >= last;
  story.value = String(to);
  clearTimeout(timer);
  timer = setTimeout(() => fetchInto(isFollowing ? "/now" : `/now?at=${Math.max(to, 1)}`, "#run-now"), 80);
}

/** @param {string} key */
function walk(key) {
  const node = nodes.get(current) ?? [...nodes.values()].sort((a, b) => a.x - b.x)[0];
  if (!node || !current) return node && select(node.id);
  const ways = key === "ArrowLeft" ? entering(node.id).map((edge) => edge.from) : leaving(node.id).map((edge) => edge.to);
  const far = (/** @type {FlowNode} */ one) => Math.hypot(one.x - node.x, 2 * (one.y - node.y));
  if (key === "ArrowLeft" || key === "ArrowRight") {
    const next = ways.flatMap((id) => nodes.get(id) ?? []).sort((a, b) => far(a) - far(b))[0];
    return next && select(next.id);
  }
  const others = [...nodes.values()].filter((one) => one !== node && Math.sign(one.y - node.y) === (key === "ArrowUp" ? -1 : 1));
  others.sort((a, b) => far(a) - far(b));
  if (others[0]) select(others[0].id);
}

/** @type {Object<string, () => void>} */
const DEEDS = {
  back: () => goTo(Number(story.value) - 1), forth: () => goTo(Number(story.value) + 1),
  follow: () => {
    isFollowing = !isFollowing;
    byId("follow").setAttribute("aria-pressed", String(isFollowing));
    if (isFollowing) goTo(Number(story.max));
  },
  "zoom-in": () => zoomBy(1.2), "zoom-out": () => zoomBy(1 / 1.2), "zoom-full": zoomFull, fit, none: () => select(""),
};
/** @type {Object<string, () => void>} */
const KEYS = {
  ",": DEEDS.back, ".": DEEDS.forth, f: DEEDS.follow, "+": DEEDS["zoom-in"], "=": DEEDS["zoom-in"], "-": DEEDS["zoom-out"],
  0: zoomFull, 1: fit, Home: () => goTo(1), End: () => goTo(Number(story.max)), Escape: DEEDS.none,
};

on(document, "keydown", (event) => {
  if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key.startsWith("Arrow")) walk(event.key);
  else if (event.key === "Enter" && around(event.target, "button, a, summary")) return;
  else if (event.key === "Enter") byId("panel").focus();
  else if (KEYS[event.key]) KEYS[event.key]();
  else return;
  event.preventDefault();
});
on(document, "click", (event) => {
  const deed = around(event.target, "[data-do]"), pick = around(event.target, "[data-pick]");
  if (deed) DEEDS[deed.dataset.do ?? ""]?.();
  else if (pick) select(pick.dataset.pick ?? "");
});
on(story, "input", () => goTo(Number(story.value)));

let moved = false;
on(canvas, "pointerdown", (event) => {
  if (around(event.target, "#minimap")) return;
  fingers.set(event.pointerId, event);
  moved = false;
  canvas.setPointerCapture(event.pointerId);
});
on(canvas, "pointermove", (event) => {
  const before = fingers.get(event.pointerId);
  if (!before) return;
  const [dx, dy] = [event.clientX - before.clientX, event.clientY - before.clientY];
  if (!moved && Math.hypot(dx, dy) < 4) return;
  moved = true;
  const other = [...fingers.values()].find((one) => one.pointerId !== event.pointerId);
  if (other) {
    const gap = (/** @type {PointerEvent} */ one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
    zoomBy(gap(event) / Math.max(gap(before), 1), other);
  } else pan(dx, dy);
  fingers.set(event.pointerId, event);
});
for (const name of ["pointerup", "pointercancel"]) {
  on(canvas, name, (event) => {
    if (!fingers.delete(event.pointerId) || moved || name !== "pointerup") return;
    const under = around(document.elementFromPoint(event.clientX, event.clientY), "[data-node]");
    select(under?.dataset.node ?? "");
  });
}
on(canvas, "wheel", (event) => {
  event.preventDefault();
  if (event.ctrlKey || event.metaKey) zoomBy(Math.exp(-event.deltaY / 300), event);
  else pan(-event.deltaX, -event.deltaY);
}, { passive: false });

let shown = byId("run-now");
on(document, "htmx:after:swap", () => {
  if (byId("run-now") === shown && shown.dataset.position === position && shown.dataset.taken) return;
  shown = byId("run-now");
  shown.dataset.taken = "1";
  takeSigns();
});

startMinimap();
watch(() => {});
drawAll();
// Clear of what says how the run stands, where that lies over the canvas.
open(Math.max(60, shown.getBoundingClientRect().bottom - canvas.getBoundingClientRect().top + 24));
takeSigns();
new ResizeObserver(() => {
  cull();
  drawMinimap(seen());
}).observe(canvas);
canvas.dataset.ready = "";
