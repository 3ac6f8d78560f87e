// The flow editor: the server draws, this moves things about and sends what was done.
import { DEEDS, drawer, showTrial } from "./act.js";
import { drawAll, drawEdgesOf, drawFrames, drawMinimap, place, putBack } from "./draw.js";
import { prepare, saveAll, startForm } from "./form.js";
import { startKeys } from "./keys.js";
import { nodes, notes, watch } from "./model.js";
import { all, around, base, byId, canvas, flag, on } from "./page.js";
import { startPalette } from "./palette.js";
import { held, startPointer } from "./pointer.js";
import { choose, chosenNodes, editorClass, forgetPanel, loadPanel, mark, markOthers, pick, settleAdded, startPresence, switchField } from "./select.js";
import { isMoving, isQuiet, onAnswer, resolve, rev, send } from "./send.js";
import { cull, open, seen } from "./view.js";

// After these the form shows something else than what was typed into it.
const REWRITES = new Set(["undo", "redo", "comment", "uncomment", "set_within", "connect", "reconnect", "disconnect", "set_pin"]);
let live = byId("draft-live"), trial = byId("trial");
let problemTimer = 0, mapTimer = 0, newest = 0;

const lookAgain = () => htmx.ajax("GET", live.dataset.liveUrl ?? "", { source: live, target: live, swap: "none" });

function checkLater() {
  clearTimeout(problemTimer);
  problemTimer = setTimeout(async () => {
    if (!isQuiet()) return checkLater();
    const node = chosenNodes().length === 1 ? chosenNodes()[0] : "";
    for (const el of byId("panel").querySelectorAll("[data-wrong]")) el.replaceChildren();
    const wasOpen = byId("problems").hasAttribute("open");
    await htmx.ajax("GET", `${base}/problems?node=${encodeURIComponent(node)}`, { source: byId("problems"), target: byId("problems"), swap: "outerHTML" });
    byId("problems").toggleAttribute("open", wasOpen);
    markProblems();
  }, 300);
}

function markProblems() {
  const bad = new Set(all("#problems [data-bad]").map((el) => el.dataset.bad));
  for (const node of nodes.values()) flag(node.el, "is-wrong", bad.has(node.id));
}

/** Take over places that a patch brought, but not of what is in someone's hand. */
function takePlaces() {
  const fresh = byId("draft-live");
  if (fresh === live) return;
  live = fresh;
  // An answer that was made before one that came earlier: what it took back is fetched again.
  if (rev() < newest) lookAgain();
  newest = Math.max(newest, rev());
  /** @type {Object<string, [number, number]>} */
  const moved = JSON.parse(fresh.dataset.moved ?? "{}");
  for (const [id, [x, y]] of Object.entries(moved)) {
    const node = nodes.get(id);
    if (!node) continue;
    node.el.dataset.x = String(x);
    node.el.dataset.y = String(y);
    if (held.has(id) || isMoving(id)) continue;
    node.x = x;
    node.y = y;
    place(node);
  }
  if (Object.keys(moved).length > 0) {
    drawEdgesOf(Object.keys(moved));
    drawFrames();
    mapLater();
  }
  const made = (fresh.dataset.select ?? "").split(" ").filter(Boolean);
  if (made.length > 0) choose(made);
  if (made.length === 1) pick(made[0]);
  const note = made.length === 1 ? notes.get(made[0]) : undefined;
  note?.el.querySelector("textarea")?.focus();
  checkLater();
}

function mapLater() {
  clearTimeout(mapTimer);
  mapTimer = setTimeout(() => {
    cull();
    drawMinimap(seen());
  }, 100);
}

function showDiff() {
  for (const el of all("#panel [data-fate]")) {
    const { fate = "", diffNode, diffEdge } = el.dataset;
    const drawn = diffNode ? nodes.get(diffNode)?.el : document.getElementById(diffEdge ?? "");
    flag(drawn, `is-${fate}`);
  }
  drawAll();
}

watch((added) => {
  settleAdded(added);
  mark();
  drawFrames();
  mapLater();
  markProblems();
  markOthers();
  showTrial();
});

on(document, "htmx:after:swap", (event) => {
  const source = event.detail.ctx.sourceElement;
  const isNews = byId("draft-live") !== live;
  takePlaces();
  if (source?.id === "people" || document.getElementById("people")) markOthers();
  prepare(byId("panel-place"));
  if (byId("trial") !== trial) {
    trial = byId("trial");
    /** @type {HTMLDialogElement} */ (byId("sheet")).close();
    showTrial();
    if (chosenNodes().length === 1) loadPanel(true);
  }
  if (byId("panel").dataset.diff !== undefined) {
    forgetPanel();
    editorClass("has-panel", true);
    showDiff();
  }
  // Others changed the node whose form is open.
  if (isNews && live.dataset.others !== undefined && chosenNodes().length === 1) loadPanel(true);
});

onAnswer((gesture, status) => {
  if (status !== 200) putBack();
  // Theirs is kept: see it.
  if (!gesture) lookAgain();
  if (!gesture || (status === 200 && REWRITES.has(gesture.kind))) {
    forgetPanel();
    loadPanel(true);
  }
});

on(document, "click", (event) => {
  const own = (/** @type {string} */ name) => around(event.target, `[${name}]`);
  const deed = own("data-do"), tab = own("data-drawer"), target = own("data-pick");
  const choice = own("data-resolve"), settled = own("data-settle"), sheet = own("data-sheet"), field = own("data-field"), gift = own("data-give");
  if (deed?.dataset.do) {
    saveAll();
    DEEDS[deed.dataset.do]?.();
  } else if (tab?.dataset.drawer) drawer(tab.dataset.drawer);
  else if (target) {
    editorClass("has-drawer", false);
    pick(target.dataset.pick ?? "");
    const list = /** @type {HTMLDetailsElement | null} */ (target.closest("details"));
    if (list?.id === "problems") list.open = false;
  } else if (choice) resolve(choice);
  else if (field) switchField(field);
  else if (gift?.dataset.give) {
    saveAll();
    send(gift.dataset.give, JSON.parse(gift.dataset.with ?? "{}"));
  }
  else if (settled) send("uncomment", { node: chosenNodes()[0], comment: settled.dataset.settle });
  else if (sheet) /** @type {HTMLDialogElement} */ (byId("sheet")).showModal();
});

startPointer();
startKeys();
startPalette();
startForm();
startPresence();
drawAll();
open();
markProblems();
markOthers();
showTrial();
prepare();
new ResizeObserver(mapLater).observe(canvas);
canvas.dataset.ready = "";
