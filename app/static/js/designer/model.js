// What is on the canvas, read from the elements that the server rendered. Patches add and remove
// elements; an observer keeps these maps in step with them.
import { byId } from "./page.js";

/** @type {Map<string, FlowNode>} */
export const nodes = new Map();
/** @type {Map<string, FlowEdge>} */
export const edges = new Map();
/** @type {Map<string, FlowNote>} */
export const notes = new Map();
/** Edges by the nodes at their ends. @type {Map<string, Set<FlowEdge>>} */
const near = new Map();

/** @param {string} id @returns {FlowNode | FlowNote | undefined} */
export const itemOf = (id) => nodes.get(id) ?? notes.get(id);
export const items = () => [...nodes.values(), ...notes.values()];
/** @param {string} id @returns {FlowEdge[]} */
export const edgesOf = (id) => [...(near.get(id) ?? [])];
/** @param {string} id */
export const leaving = (id) => edgesOf(id).filter((edge) => edge.from === id);
/** @param {string} id */
export const entering = (id) => edgesOf(id).filter((edge) => edge.to === id);
/** @param {FlowEdge} edge @returns {[string, string]} */
export const endsOf = (edge) => [`${edge.from}.${edge.port}`, `${edge.to}.in`];

/** Nodes that cannot be connected to from `id`: itself, those before it, and triggers. @param {string} id */
export function barred(id) {
  const found = new Set([id]);
  const open = [id];
  while (open.length > 0) {
    for (const edge of entering(/** @type {string} */ (open.pop()))) {
      if (!found.has(edge.from)) {
        found.add(edge.from);
        open.push(edge.from);
      }
    }
  }
  for (const node of nodes.values()) if (node.start) found.add(node.id);
  return found;
}

/** @param {Element} el */
function readNode(el) {
  if (!(el instanceof HTMLElement) || !el.dataset.node) return;
  const { node: id, x, y, h, ports, within, start, container } = el.dataset;
  nodes.set(id, {
    id, el, x: Number(x), y: Number(y), h: Number(h), ports: (ports ?? "").split("\n"), within: within ?? "",
    start: start !== undefined, container: container !== undefined,
  });
}

/** @param {Element} el */
function readNote(el) {
  if (!(el instanceof HTMLElement) || !el.dataset.note) return;
  notes.set(el.dataset.note, { id: el.dataset.note, el, x: Number(el.dataset.x), y: Number(el.dataset.y) });
}

/** @param {Element} el */
function readEdge(el) {
  if (!(el instanceof SVGPathElement)) return;
  const { from = "", port = "", to = "" } = el.dataset;
  const edge = { id: el.id, el, from, port, to };
  edges.set(el.id, edge);
  for (const end of [from, to]) near.set(end, (near.get(end) ?? new Set()).add(edge));
}

/** @param {Node} el */
function forget(el) {
  if (el instanceof SVGPathElement) {
    const edge = edges.get(el.id);
    if (edge?.el !== el) return;
    edges.delete(el.id);
    near.get(edge.from)?.delete(edge);
    near.get(edge.to)?.delete(edge);
  } else if (el instanceof HTMLElement) {
    const { node = "", note = "" } = el.dataset;
    if (nodes.get(node)?.el === el) nodes.delete(node);
    if (notes.get(note)?.el === el) notes.delete(note);
  }
}

/**
 * Read everything, and go on reading what patches bring.
 * @param {(added: Element[]) => void} changed called after each patch
 */
export function watch(changed) {
  const places = ["nodes", "edges", "notes"].map(byId);
  const read = (/** @type {Element} */ el) => (readNode(el), readNote(el), readEdge(el));
  for (const place of places) [...place.children].forEach(read);
  const observer = new MutationObserver((records) => {
    /** @type {Element[]} */ const added = [];
    for (const record of records) {
      record.removedNodes.forEach(forget);
      for (const el of record.addedNodes) {
        if (!(el instanceof Element)) continue;
        read(el);
        added.push(el);
      }
    }
    changed(added.filter((el) => el.isConnected));
  });
  for (const place of places) observer.observe(place, { childList: true });
}
