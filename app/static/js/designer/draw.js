// Puts elements in their places and draws edges and the minimap. The sizes are those of
// app/flows/drafts/place.py and of 70-designer.css.
import { all, byId, canvas, flag } from "./page.js";
import { drawn, edges, items, nodes } from "./model.js";

export const WIDTH = 200;
export const GRID = 20;
const HEAD = 50;
const PORT = 22;

/** @param {FlowItem} node @returns {Point} */
export const inOf = (node) => ({ x: node.x, y: node.y + HEAD / 2 });
/** @param {FlowItem} node @param {string} port @returns {Point} */
export const outOf = (node, port) => ({
  x: node.x + WIDTH,
  y: node.y + HEAD + PORT * (Math.max(0, node.ports.indexOf(port)) + 0.5),
});

/** Give a path its course. @param {Element} el @param {string} [d] */
export const trace = (el, d = "") => el.setAttribute("d", d);
/** @param {Point} a @param {Point} b */
export function course(a, b) {
  const bend = Math.max(36, Math.min(160, Math.abs(b.x - a.x) / 2));
  return `M${a.x} ${a.y}C${a.x + bend} ${a.y} ${b.x - bend} ${b.y} ${b.x} ${b.y}`;
}
/** @param {Box} box */
export const rectangle = ({ x, y, w, h }) => `M${x} ${y}h${w}v${h}h${-w}z`;

/** @param {FlowEdge} edge */
export function drawEdge(edge) {
  const from = nodes.get(edge.from), to = nodes.get(edge.to);
  if (from && to) trace(edge.el, course(outOf(from, edge.port), inOf(to)));
}

/** @param {{el: HTMLElement, x: number | string, y: number | string}} item */
export function place({ el, x, y }) {
  el.style.transform = `translate(${x}px,${y}px)`;
}

/** @param {Set<string>} ids */
export function drawEdgesOf(ids) {
  for (const edge of edges.values()) if (ids.has(edge.from) || ids.has(edge.to)) drawEdge(edge);
}

export function drawAll() {
  items().forEach(place);
  edges.forEach(drawEdge);
}

/** What was drawn ahead of the server goes back to where that has it. */
export function putBack() {
  for (const item of items()) Object.assign(item, { x: Number(item.el.dataset.x), y: Number(item.el.dataset.y) });
  drawAll();
}

/** @param {Iterable<{x: number, y: number, h: number, w?: number}>} found @returns {Box} */
export function boundsOf(found) {
  const list = [...found];
  const x = Math.min(...list.map((item) => item.x)), y = Math.min(...list.map((item) => item.y));
  const right = Math.max(...list.map((item) => item.x + (item.w ?? WIDTH))), bottom = Math.max(...list.map((item) => item.y + item.h));
  return { x, y, w: right - x, h: bottom - y };
}

/** Every node as one path: a picture of 500 costs as much as one of five. @param {Box} view */
export function drawMinimap(view) {
  const map = byId("minimap"), { x, y, w, h } = boundsOf([...drawn(), view]);
  flag(map, "is-empty", nodes.size < 3);
  map.setAttribute("viewBox", `${x} ${y} ${w} ${h}`);
  trace(byId("minimap-nodes"), drawn().map((node) => rectangle({ ...node, w: WIDTH })).join(""));
}

/** Put copies of signs into the nodes that they are of; where they are all, other nodes lose theirs. @param {HTMLElement} source @param {boolean} isAll */
export function putSigns(source, isAll) {
  const signs = new Map(all("[data-on]", source).map((el) => [el.dataset.on ?? "", el]));
  for (const shown of [...canvas.getElementsByClassName("fl-state")]) if (isAll && !signs.has(shown.parentElement?.dataset.node ?? "")) shown.remove();
  for (const [id, sign] of signs) {
    const el = nodes.get(id)?.el, shown = el?.querySelector(".fl-state");
    if (shown?.isEqualNode(sign)) continue;
    shown?.remove();
    el?.append(sign.cloneNode(true));
  }
}
