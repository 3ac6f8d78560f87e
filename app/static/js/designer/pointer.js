// Mouse, pen and touch on the canvas: panning, dragging, the rubber band, edges, pinching.
import { drawEdgesOf, drawFrames, GRID, place, putBack } from "./draw.js";
import { begin, cancel, edgeAt, finish, follow, isConnecting, nodeAt } from "./connect.js";
import { entering, itemOf, items, nodes, notes } from "./model.js";
import { around, byId, canvas, flag, on } from "./page.js";
import { choose, chooseEdge, chosen, toggle } from "./select.js";
import { rev, send } from "./send.js";
import { at, pan, startMinimap, zoom, zoomBy } from "./view.js";

const SLOP_PX = 4;

/** @typedef {{move: (event: PointerEvent) => void, up: (event: PointerEvent, moved: boolean) => void}} Drag */
/** @type {Drag | null} */
let drag = null;
/** @type {PointerEvent | null} */
let start = null;
let moved = false;
/** Fingers that are down, for pinching. @type {Map<number, PointerEvent>} */
const fingers = new Map();
let isSpaceDown = false;
/** What is being dragged: patches leave it where it is. @type {Set<string>} */
export const held = new Set();

/** Whether what is pressed joins what is selected; fingers, which have no Shift, have a tool for it. @param {PointerEvent} event */
const isMore = (event) => event.shiftKey || canvas.classList.contains("is-several");

/** @param {PointerEvent} event */
function down(event) {
  fingers.set(event.pointerId, event);
  if (fingers.size === 2) return pinchBegins();
  const el = event.target;
  if (drag || around(el, "#minimap")) return;
  const isBusy = isConnecting();
  const port = around(el, "[data-port]"), entry = around(el, "[data-in]"), note = around(el, "[data-note]");
  const node = nodeAt(event);
  start = event;
  moved = false;
  if (event.button === 1 || isSpaceDown) drag = panning();
  else if (event.button !== 0) return;
  else if (isBusy) drag = { move: () => {}, up: (last) => finish(nodeAt(last)) };
  else if (port && node) drag = wiring(node, port.dataset.port ?? "");
  else if (entry && node && entering(node).length > 0) drag = rewiring(node);
  else if (node) drag = dragging(node, isMore(event));
  else if (note && !(el instanceof HTMLTextAreaElement && el === document.activeElement)) drag = dragging(note.dataset.note ?? "", isMore(event));
  else if (note) return;
  else drag = onPaper(event);
  if (!(el instanceof HTMLTextAreaElement)) event.preventDefault();
  canvas.setPointerCapture(event.pointerId);
}

/** @param {PointerEvent} event */
function onPaper(event) {
  const edge = edgeAt(at(event), 10 / zoom());
  const more = isMore(event);
  const inner = event.pointerType === "touch" && !more ? panning() : banding(more);
  return {
    move: inner.move,
    up: (/** @type {PointerEvent} */ last, /** @type {boolean} */ wasMoved) => {
      if (!wasMoved && edge) chooseEdge(edge);
      else inner.up(last, wasMoved);
    },
  };
}

/** @param {PointerEvent} event */
function move(event) {
  if (fingers.has(event.pointerId)) {
    if (fingers.size === 2) return pinch(event);
    fingers.set(event.pointerId, event);
  }
  if (isConnecting() && !drag) follow(event);
  if (!drag || !start || event.pointerId !== start.pointerId) return;
  if (!moved && Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY) < SLOP_PX) return;
  moved = true;
  drag.move(event);
}

/** @param {PointerEvent} event */
function up(event) {
  fingers.delete(event.pointerId);
  if (!drag || !start || event.pointerId !== start.pointerId) return;
  const ending = drag;
  drag = start = null;
  if (event.type === "pointercancel") return letGo();
  ending.up(event, moved);
}

/** Nothing comes of what was begun. */
function letGo() {
  held.clear();
  cancel();
  putBack();
}

/** @returns {Drag} */
function panning() {
  let last = /** @type {PointerEvent} */ (start);
  flag(canvas, "is-panning");
  return {
    move(event) {
      pan(event.clientX - last.clientX, event.clientY - last.clientY);
      last = event;
    },
    up(_, wasMoved) {
      flag(canvas, "is-panning", false);
      if (!wasMoved && !isSpaceDown) choose([]);
    },
  };
}

/** @param {boolean} joins @returns {Drag} */
function banding(joins) {
  const first = /** @type {PointerEvent} */ (start);
  const band = byId("band");
  const before = joins ? [...chosen] : [];
  return {
    move(event) {
      const box = canvas.getBoundingClientRect();
      const [left, right] = [first.clientX, event.clientX].sort((a, b) => a - b);
      const [top, bottom] = [first.clientY, event.clientY].sort((a, b) => a - b);
      band.hidden = false;
      band.style.transform = `translate(${left - box.left}px,${top - box.top}px)`;
      band.style.width = `${right - left}px`;
      band.style.height = `${bottom - top}px`;
    },
    up(event, wasMoved) {
      band.hidden = true;
      if (!wasMoved) return choose(before);
      const a = at(first), b = at(event);
      const inside = (/** @type {FlowNode | FlowNote} */ item) =>
        item.x + 200 > Math.min(a.x, b.x) && item.x < Math.max(a.x, b.x) && item.y + 80 > Math.min(a.y, b.y) && item.y < Math.max(a.y, b.y);
      choose([...before, ...items().filter(inside).map((item) => item.id)]);
    },
  };
}

/** @param {string} id @param {boolean} joins @returns {Drag} */
function dragging(id, joins) {
  const first = /** @type {PointerEvent} */ (start);
  const seen = rev();
  const wasChosen = chosen.has(id);
  if (!wasChosen && !joins) choose([id]);
  /** @type {Map<string, Point>} */
  let from = new Map();
  /** @type {PointerEvent | null} */
  let latest = null;
  const frame = () => {
    const event = latest;
    latest = null;
    if (!event) return;
    const grid = event.altKey ? 1 : GRID;
    for (const [key, point] of from) {
      const item = itemOf(key);
      if (!item) continue;
      item.x = Math.round((point.x + (event.clientX - first.clientX) / zoom()) / grid) * grid;
      item.y = Math.round((point.y + (event.clientY - first.clientY) / zoom()) / grid) * grid;
      place(item);
    }
    drawEdgesOf(from.keys());
  };
  return {
    move(event) {
      if (from.size === 0) {
        if (joins && !wasChosen) choose([...chosen, id]);
        for (const key of chosen) {
          const item = itemOf(key);
          if (item) from.set(key, { x: item.x, y: item.y });
          held.add(key);
        }
      }
      if (!latest) requestAnimationFrame(frame);
      latest = event;
    },
    up(event, wasMoved) {
      held.clear();
      if (!wasMoved) {
        if (joins) toggle(id);
        else choose([id]);
        return;
      }
      latest = event;
      frame();
      sendPlaces(from.keys(), seen);
    },
  };
}

/** Tell the server where things stand now. @param {Iterable<string>} ids @param {number} seen */
export function sendPlaces(ids, seen) {
  /** @type {{nodes: Object<string, [number, number]>, notes: Object<string, [number, number]>}} */
  const places = { nodes: {}, notes: {} };
  for (const id of ids) {
    const node = nodes.get(id), note = notes.get(id);
    if (node) places.nodes[id] = [node.x, node.y];
    else if (note) places.notes[id] = [note.x, note.y];
  }
  drawFrames();
  return send("move", places, seen);
}

/** Draw an edge from a port; a tap leaves it open until the target is tapped. @param {string} node @param {string} port @returns {Drag} */
function wiring(node, port) {
  begin(node, port);
  return {
    move: follow,
    up(event, wasMoved) {
      if (wasMoved) finish(nodeAt(event));
    },
  };
}

/** Lift the edge that ends at a node. @param {string} node @returns {Drag} */
function rewiring(node) {
  const edge = /** @type {FlowEdge} */ (entering(node).at(-1));
  return {
    move(event) {
      if (!isConnecting()) begin(edge.from, edge.port, edge);
      follow(event);
    },
    up(event, wasMoved) {
      if (wasMoved) finish(nodeAt(event));
      else chooseEdge(edge.id);
    },
  };
}

let spread = 0;
const middle = () => {
  const [a, b] = [...fingers.values()];
  return { clientX: (a.clientX + b.clientX) / 2, clientY: (a.clientY + b.clientY) / 2, far: Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY) };
};
function pinchBegins() {
  drag = start = null;
  letGo();
  spread = middle().far;
}
/** @param {PointerEvent} event */
function pinch(event) {
  const before = middle();
  fingers.set(event.pointerId, event);
  const now = middle();
  pan(now.clientX - before.clientX, now.clientY - before.clientY);
  if (spread > 0) zoomBy(now.far / spread, now);
  spread = now.far;
}

/** @param {WheelEvent} event */
function wheel(event) {
  if (event.target instanceof HTMLTextAreaElement && event.target === document.activeElement) return;
  event.preventDefault();
  if (event.ctrlKey || event.metaKey) zoomBy(Math.exp(-event.deltaY / 300), event);
  else if (event.shiftKey) pan(-event.deltaY, -event.deltaX);
  else pan(-event.deltaX, -event.deltaY);
}

export function startPointer() {
  on(canvas, "pointerdown", down);
  on(canvas, "pointermove", move);
  on(canvas, "pointerup", up);
  on(canvas, "pointercancel", up);
  on(canvas, "wheel", wheel, { passive: false });
  startMinimap();
  on(window, "keydown", (event) => {
    if (event.key === " " && event.target === canvas) {
      isSpaceDown = true;
      event.preventDefault();
    }
  });
  on(window, "keyup", (event) => {
    if (event.key === " ") isSpaceDown = false;
  });
}
