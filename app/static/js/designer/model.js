// What is on the canvas, read from the elements that the server rendered. Patches add and remove
// elements; an observer keeps these maps in step with them.
import { byId } from "./page.js";

/** @type {Map<string, FlowItem>} */
export const nodes = new Map();
/** @type {Map<string, FlowItem>} */
export const notes = new Map();
/** @type {Map<string, FlowEdge>} */
export const edges = new Map();

/** @param {string} id */
export const itemOf = (id) => nodes.get(id) ?? notes.get(id);
export const drawn = () => [...nodes.values()];
export const items = () => [...drawn(), ...notes.values()];
/** @param {string} id */
export const leaving = (id) => [...edges.values()].filter((edge) => edge.from === id);
/** @param {string} id */
export const entering = (id) => [...edges.values()].filter((edge) => edge.to === id);
/** @param {FlowEdge} edge @returns {[string, string]} */
export const endsOf = (edge) => [`${edge.from}.${edge.port}`, `${edge.to}.in`];

/** Nodes that cannot be connected to from `id`: itself, those before it, and triggers. @param {string} id */
export function barred(id) {
  const found = new Set([id]);
  // A set is walked on into what is added meanwhile.
  for (const at of found) for (const edge of entering(at)) found.add(edge.from);
  for (const node of nodes.values()) if (node.start) found.add(node.id);
  return found;
}

/** The map in which an element is kept, and its key there. @param {HTMLElement | SVGPathElement} el @returns {[Map<string, any>, string]} */
function slotOf(el) {
  const { node, note } = el.dataset;
  return node ? [nodes, node] : note ? [notes, note] : [edges, el.id];
}

/** @param {HTMLElement | SVGPathElement} el */
function read(el) {
  const [map, id] = slotOf(el), { x, y, h = 100, ports = "", start, from, port, to } = el.dataset;
  map.set(id, from ? { id, el, from, port, to } : { id, el, x: Number(x), y: Number(y), h: Number(h), ports: ports.split("\n"), start: start !== undefined });
}

/** @param {HTMLElement | SVGPathElement} el */
function forget(el) {
  const [map, id] = slotOf(el);
  if (map.get(id)?.el === el) map.delete(id);
}

/**
 * Read everything, and go on reading what patches bring.
 * @param {(added: Element[]) => void} changed called after each patch
 */
export function watch(changed) {
  const observer = new MutationObserver((records) => {
    const elements = (/** @type {NodeList} */ list) => [...list].filter((el) => el.nodeType === 1).map((el) => /** @type {HTMLElement} */ (el));
    for (const { removedNodes, addedNodes } of records) {
      elements(removedNodes).forEach(forget);
      elements(addedNodes).forEach(read);
    }
    changed(records.flatMap((record) => elements(record.addedNodes)).filter((el) => el.isConnected));
  });
  for (const place of ["nodes", "edges", "notes"].map(byId)) {
    [...place.children].forEach((el) => read(/** @type {HTMLElement} */ (el)));
    observer.observe(place, { childList: true });
  }
}
