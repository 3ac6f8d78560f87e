// A run over its flow: the server says how each node stands, this puts the signs into the nodes,
// steps through the run, and moves about.
import { drawAll, putSigns } from "./draw.js";
import { startHand } from "./hand.js";
import { edges, entering, leaving, nodes, watch } from "./model.js";
import { announce, around, byId, canvas, editor, fetchInto, flag, isTyping, on, only } from "./page.js";
import { fit, keepInSight, open, pan, reveal, zoomBy, zoomFull } from "./view.js";

const story = /** @type {HTMLInputElement} */ (byId("story"));
let current = "", shownPanel = "", isFollowing = true, said = "", active = "", position = "", timer = 0;

/** Put the signs that came into their nodes. */
function takeSigns() {
  const now = byId("run-now"), { count = "0", ways = "", says = "", whole } = now.dataset;
  putSigns(now, whole !== undefined);
  for (const { el } of nodes.values()) el.ariaDescription = /** @type {HTMLElement | null} */ (el.querySelector(".fl-state"))?.title ?? "Not reached";
  only("is-taken", ways.split(" ").map((id) => edges.get(id)?.el));
  position = now.dataset.position ?? "0";
  story.max = String(Math.max(Number(count), 1));
  story.value = position;
  byId("follow").ariaPressed = String(isFollowing);
  if (says !== said) announce((said = says));
  const wanted = nodes.get(now.dataset.active ?? "");
  if (isFollowing && wanted && wanted.id !== active) reveal(wanted);
  active = wanted?.id ?? active;
  if (current) loadPanel(true);
}

/** How much of the canvas lies under what says how the run stands, in pixels from its upper edge. */
const covered = () => Math.max(0, byId("run-now").getBoundingClientRect().bottom - canvas.getBoundingClientRect().top);

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
  current = id;
  const node = nodes.get(id);
  only("is-chosen", [node?.el]);
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
  const far = (/** @type {FlowItem} */ one) => Math.hypot(one.x - node.x, 2 * (one.y - node.y));
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
    byId("follow").ariaPressed = String(isFollowing);
    if (isFollowing) goTo(Number(story.max));
  },
  "zoom-in": () => zoomBy(1.2), "zoom-out": () => zoomBy(1 / 1.2), "zoom-full": zoomFull, fit: () => fit(covered()), none: () => select(""),
};
/** @type {Object<string, () => void>} */
const KEYS = {
  ",": DEEDS.back, ".": DEEDS.forth, f: DEEDS.follow, "+": DEEDS["zoom-in"], "=": DEEDS["zoom-in"], "-": DEEDS["zoom-out"],
  0: zoomFull, 1: DEEDS.fit, Home: () => goTo(1), End: () => goTo(Number(story.max)), Escape: DEEDS.none,
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

startHand((event) => {
  const node = around(event.target, "[data-node]")?.dataset.node ?? "";
  return { move: (_, dx, dy) => pan(dx, dy), up: (_, moved) => moved || select(node) };
});

let shown = byId("run-now");
on(document, "htmx:after:swap", () => {
  if (byId("run-now") === shown && shown.dataset.position === position && shown.dataset.taken) return;
  shown = byId("run-now");
  shown.dataset.taken = "1";
  takeSigns();
});

watch(() => {});
drawAll();
open(covered());
takeSigns();
keepInSight(() => nodes.get(current));
canvas.dataset.ready = "";
