// Puts elements in their places and draws edges, frames of containers and the minimap. The sizes
// are those of app/flows/drafts/place.py and of 70-designer.css.
import { byId } from "./page.js";
import { edges, edgesOf, items, nodes, notes } from "./model.js";

export const WIDTH = 200;
export const GRID = 20;
const HEAD = 50;
const PORT = 22;
const FRAME = 24;

/** @param {FlowNode} node @returns {Point} */
export const inOf = (node) => ({ x: node.x, y: node.y + HEAD / 2 });
/** @param {FlowNode} node @param {string} port @returns {Point} */
export const outOf = (node, port) => ({
  x: node.x + WIDTH,
  y: node.y + HEAD + PORT * (Math.max(0, node.ports.indexOf(port)) + 0.5),
});

/** @param {Point} a @param {Point} b */
export function course(a, b) {
  const bend = Math.max(36, Math.min(160, Math.abs(b.x - a.x) / 2));
  return `M${a.x} ${a.y}C${a.x + bend} ${a.y} ${b.x - bend} ${b.y} ${b.x} ${b.y}`;
}

/** @param {FlowEdge} edge */
export function drawEdge(edge) {
  const from = nodes.get(edge.from);
  const to = nodes.get(edge.to);
  if (from && to) edge.el.setAttribute("d", course(outOf(from, edge.port), inOf(to)));
}

/** @param {FlowNode | FlowNote} item */
export function place(item) {
  item.el.style.transform = `translate(${item.x}px,${item.y}px)`;
}

/** @param {Iterable<string>} ids */
export function drawEdgesOf(ids) {
  const found = new Set();
  for (const id of ids) for (const edge of edgesOf(id)) found.add(edge);
  found.forEach(drawEdge);
}

export function drawAll() {
  nodes.forEach(place);
  notes.forEach(place);
  edges.forEach(drawEdge);
  for (const el of byId("ghosts").children) {
    if (el instanceof HTMLElement) el.style.transform = `translate(${el.dataset.x}px,${el.dataset.y}px)`;
  }
  drawFrames();
}

/** What was drawn ahead of the server goes back to where that has it. */
export function putBack() {
  for (const item of items()) {
    item.x = Number(item.el.dataset.x);
    item.y = Number(item.el.dataset.y);
  }
  drawAll();
}

/** @param {Iterable<{x: number, y: number, h?: number}>} all */
export function boundsOf(all) {
  let left = Infinity, top = Infinity, right = -Infinity, bottom = -Infinity;
  for (const item of all) {
    left = Math.min(left, item.x);
    top = Math.min(top, item.y);
    right = Math.max(right, item.x + WIDTH);
    bottom = Math.max(bottom, item.y + (item.h ?? 100));
  }
  return left === Infinity ? null : { left, top, right, bottom };
}

/** Draw a frame around the body of each container, the innermost last. */
export function drawFrames() {
  /** @type {Map<string, FlowNode[]>} */
  const bodies = new Map();
  for (const node of nodes.values()) {
    let at = node.within;
    for (let depth = 0; at && depth < 20; depth++) {
      bodies.set(at, [...(bodies.get(at) ?? []), node]);
      at = nodes.get(at)?.within ?? "";
    }
  }
  const frames = byId("frames");
  const known = new Map([...frames.children].map((el) => [/** @type {HTMLElement} */ (el).dataset.frame, /** @type {HTMLElement} */ (el)]));
  for (const [id, el] of known) if (!bodies.has(id ?? "")) el.remove();
  for (const [id, body] of [...bodies].sort((a, b) => b[1].length - a[1].length)) {
    const box = boundsOf(body);
    const owner = nodes.get(id);
    if (!box || !owner) continue;
    let el = known.get(id);
    if (!el) {
      el = document.createElement("div");
      el.className = "fl-frame";
      el.dataset.frame = id;
      el.append(document.createElement("span"));
      frames.append(el);
    }
    /** @type {HTMLElement} */ (el.firstElementChild).textContent = owner.el.querySelector(".fl-title")?.textContent ?? id;
    const pad = FRAME - 4 * Math.min(3, depthOf(id));
    el.style.transform = `translate(${box.left - pad}px,${box.top - pad - 18}px)`;
    el.style.width = `${box.right - box.left + 2 * pad}px`;
    el.style.height = `${box.bottom - box.top + 2 * pad + 18}px`;
  }
}

/** @param {string} id */
function depthOf(id) {
  let depth = 0;
  for (let at = nodes.get(id)?.within; at && depth < 20; at = nodes.get(at)?.within) depth++;
  return depth;
}

/** Every node as one path: a picture of 500 costs as much as one of five. @param {{x: number, y: number, w: number, h: number}} view */
export function drawMinimap(view) {
  const box = boundsOf(nodes.values());
  const map = byId("minimap");
  map.classList.toggle("is-empty", nodes.size < 3);
  if (!box) return;
  const left = Math.min(box.left, view.x), top = Math.min(box.top, view.y);
  const width = Math.max(box.right, view.x + view.w) - left, height = Math.max(box.bottom, view.y + view.h) - top;
  map.setAttribute("viewBox", `${left} ${top} ${width} ${height}`);
  let d = "";
  for (const node of nodes.values()) d += `M${node.x} ${node.y}h${WIDTH}v${node.h}h-${WIDTH}z`;
  byId("minimap-nodes").setAttribute("d", d);
  moveMinimap(view);
}

/** @param {{x: number, y: number, w: number, h: number}} view */
export function moveMinimap(view) {
  const rect = byId("minimap-view");
  rect.setAttribute("x", String(view.x));
  rect.setAttribute("y", String(view.y));
  rect.setAttribute("width", String(view.w));
  rect.setAttribute("height", String(view.h));
}
