// What a press on the canvas begins: panning, dragging, the rubber band, edges.
import { drawEdgesOf, GRID, place, putBack, rectangle, trace, WIDTH } from "./draw.js";
import { begin, cancel, edgeAt, finish, follow, isConnecting, nodeAt } from "./connect.js";
import { startHand } from "./hand.js";
import { entering, itemOf, items, nodes, notes } from "./model.js";
import { around, byId, canvas, flag, focused, on } from "./page.js";
import { choose, chooseEdge, chosen, toggle } from "./select.js";
import { rev, send, showState } from "./send.js";
import { at, pan, zoom } from "./view.js";

/** @typedef {import("./hand.js").Drag} Drag */
let isSpaceDown = false;
/** What is being dragged: patches leave it where it is. @type {Set<string>} */
export const held = new Set();

/** Whether what is pressed joins what is selected; fingers, which have no Shift, have a tool for it. @param {PointerEvent} event */
const joins = (event) => event.shiftKey || canvas.classList.contains("is-several");

/** @param {PointerEvent} event @returns {Drag | null} */
function press(event) {
  rest();
  const el = event.target;
  const port = around(el, "[data-port]")?.dataset.port, note = around(el, "[data-note]")?.dataset.note;
  const node = nodeAt(event);
  if (event.button === 1 || isSpaceDown) return panning();
  if (event.button !== 0) return null;
  if (isConnecting()) return { move: follow, up: (last) => finish(nodeAt(last)) };
  if (node && port) return wiring(node, port);
  if (node && around(el, "[data-in]") && entering(node).length > 0) return rewiring(node);
  if (node) return dragging(node, event);
  // In a note that is being written the pointer belongs to its words.
  if (note) return el === focused() && around(el, "textarea") ? null : dragging(note, event);
  const edge = edgeAt(at(event), 10 / zoom()), drag = event.pointerType === "touch" && !joins(event) ? panning() : banding(event);
  return { ...drag, up: (last, moved) => (edge && !moved ? chooseEdge(edge) : drag.up(last, moved)) };
}

/** @returns {Drag} */
function panning() {
  flag(canvas, "is-panning");
  return {
    move: (_, dx, dy) => pan(dx, dy),
    up(_, moved) {
      flag(canvas, "is-panning", false);
      if (!moved && !isSpaceDown) choose([]);
    },
  };
}

/** @param {PointerEvent} first @returns {Drag} */
function banding(first) {
  const band = byId("band"), a = at(first), before = joins(first) ? [...chosen] : [];
  /** @type {Box} */
  let box = { ...a, w: 0, h: 0 };
  return {
    move(event) {
      const b = at(event);
      box = { x: Math.min(a.x, b.x), y: Math.min(a.y, b.y), w: Math.abs(a.x - b.x), h: Math.abs(a.y - b.y) };
      trace(band, rectangle(box));
    },
    up(_, moved) {
      trace(band);
      const inside = items().filter((item) => item.x + WIDTH > box.x && item.x < box.x + box.w && item.y + 80 > box.y && item.y < box.y + box.h);
      choose([...before, ...(moved ? inside.map((item) => item.id) : [])]);
    },
  };
}

/** @param {string} id @param {PointerEvent} first @returns {Drag} */
function dragging(id, first) {
  const seen = rev(), isMore = joins(first), wasChosen = chosen.has(id);
  if (!wasChosen && !isMore) choose([id]);
  /** Where everything stood. @type {Map<string, Point>} */
  const from = new Map();
  return {
    move(event) {
      if (from.size === 0) {
        if (isMore && !wasChosen) choose([...chosen, id]);
        for (const key of chosen) {
          const item = itemOf(key);
          if (item) from.set(key, { ...item });
          held.add(key);
        }
      }
      const grid = event.altKey ? 1 : GRID;
      for (const [key, { x, y }] of from) {
        const item = itemOf(key);
        if (!item) continue;
        item.x = Math.round((x + (event.clientX - first.clientX) / zoom()) / grid) * grid;
        item.y = Math.round((y + (event.clientY - first.clientY) / zoom()) / grid) * grid;
        place(item);
      }
      drawEdgesOf(held);
    },
    up(_, moved) {
      if (moved) sendPlaces(seen);
      else if (isMore) toggle(id);
      else choose([id]);
    },
  };
}

/** Let go of what is held, and tell the server where it stands now. @param {number} seen */
function sendPlaces(seen) {
  const places = (/** @type {Map<string, FlowItem>} */ map) => Object.fromEntries([...held].flatMap((id) => {
    const item = map.get(id);
    return item ? [[id, [item.x, item.y]]] : [];
  }));
  send("move", { nodes: places(nodes), notes: places(notes) }, seen);
  held.clear();
}

/** When what the keys move is sent, and what was seen when they began. @type {{timer: number, seen: number} | null} */
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
  drawEdgesOf(held);
  clearTimeout(nudged?.timer);
  nudged = { seen: nudged?.seen ?? rev(), timer: setTimeout(rest, 300) };
  showState("saving");
}

function rest() {
  if (!nudged) return;
  clearTimeout(nudged.timer);
  sendPlaces(nudged.seen);
  nudged = null;
}

/** Draw an edge from a port; a tap leaves it open until the target is tapped. @param {string} node @param {string} port @returns {Drag} */
function wiring(node, port) {
  begin(node, port);
  return { move: follow, up: (event, moved) => moved && finish(nodeAt(event)) };
}

/** Lift the edge that ends at a node. @param {string} node @returns {Drag} */
function rewiring(node) {
  const edge = /** @type {FlowEdge} */ (entering(node).at(-1));
  return {
    move(event) {
      if (!isConnecting()) begin(edge.from, edge.port, edge);
      follow(event);
    },
    up: (event, moved) => (moved ? finish(nodeAt(event)) : chooseEdge(edge.id)),
  };
}

export function startPointer() {
  startHand(press, follow, () => {
    held.clear();
    cancel();
    putBack();
    trace(byId("band"));
    flag(canvas, "is-panning", false);
  });
  on(window, "keydown", (event) => {
    if (event.key !== " " || event.target !== canvas) return;
    isSpaceDown = true;
    event.preventDefault();
  });
  on(window, "keyup", (event) => {
    if (event.key === " ") isSpaceDown = false;
  });
}
