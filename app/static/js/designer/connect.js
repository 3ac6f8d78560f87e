// Connecting: by dragging from a port, by tapping port and node, or with C and the arrow keys.
import { course, inOf, outOf, trace } from "./draw.js";
import { barred, drawn, edges, endsOf, leaving, nodes } from "./model.js";
import { announce, around, byId, canvas, flag, only } from "./page.js";
import { choose, chosenEdge, titleOf } from "./select.js";
import { send } from "./send.js";
import { at, reveal } from "./view.js";

/** What is being connected. @type {{from: FlowItem, port: string, edge: FlowEdge | null, no: Set<string>, target: string} | null} */
let wish = null;
const line = byId("wish");

export const isConnecting = () => wish !== null;

/** Begin an edge at a port; with `edge`, lead that one elsewhere. @param {string} node @param {string} port @param {FlowEdge | null} [edge] */
export function begin(node, port, edge = null) {
  cancel();
  const from = nodes.get(node);
  if (!from) return;
  wish = { from, port, edge, no: barred(node), target: "" };
  only("is-lifted", [edge?.el]);
  flag(canvas, "is-connecting");
  only("is-barred", [...wish.no].map((id) => nodes.get(id)?.el));
  only("is-open", [from.el.querySelector(`[data-port="${CSS.escape(port)}"]`)]);
  announce(`Connecting from ${titleOf(node)}, port ${port}: arrows, then Enter`);
}

export function cancel() {
  wish = null;
  trace(line);
  flag(canvas, "is-connecting", false);
  for (const name of ["is-lifted", "is-barred", "is-open", "is-target"]) only(name);
}

/** Aim at a node, or at a point where there is none. @param {string} id @param {Point} [point] */
function aim(id, point) {
  if (!wish) return;
  const target = wish.no.has(id) ? undefined : nodes.get(id);
  wish.target = id;
  only("is-target", [target?.el]);
  flag(line, "is-bad", id !== "" && !target);
  const end = target ? inOf(target) : point;
  if (end) trace(line, course(outOf(wish.from, wish.port), end));
}

/** Follow the pointer. @param {PointerEvent} event */
export function follow(event) {
  if (wish) aim(nodeAt(event), at(event));
}

/** @param {{clientX: number, clientY: number}} event */
export const nodeAt = (event) => around(document.elementFromPoint(event.clientX, event.clientY), "[data-node]")?.dataset.node ?? "";

/** End the edge at a node; nowhere, a lifted edge is taken away. @param {string} id */
export function finish(id) {
  if (!wish) return;
  const { from, port, edge } = wish, node = from.id;
  cancel();
  if (!edge) {
    if (id) send("connect", { node, port, to: id });
  } else if (!id) send("disconnect", { edges: [endsOf(edge)] });
  else if (id !== edge.to || port !== edge.port) send("reconnect", { edge: endsOf(edge), node, port, to: id });
}

/** `C`: begin at the selected node or lift the selected edge, then go on to the next port. @param {string} id */
export function connectKey(id) {
  const edge = wish ? wish.edge : edges.get(chosenEdge), node = wish?.from ?? nodes.get(edge?.from ?? id);
  if (!node) return;
  const { ports } = node, used = leaving(node.id).map(({ port }) => port);
  begin(node.id, wish ? ports[(ports.indexOf(wish.port) + 1) % ports.length] : (edge?.port ?? ports.find((port) => !used.includes(port)) ?? ports[0]), edge);
}

/** Choose the next target that the arrow key points to. @param {string} arrow */
export function step(arrow) {
  if (!wish) return;
  const { no, target } = wish, fits = (/** @type {FlowItem} */ node) => !no.has(node.id) && node.id !== target;
  const next = nearest(nodes.get(target) ?? wish.from, arrow, fits) ?? drawn().find((node) => !no.has(node.id));
  if (!next) return announce("There is no node to connect to.");
  aim(next.id);
  reveal(next);
  announce(titleOf(next.id));
}

export function confirm() {
  const target = wish?.target;
  if (!target) return;
  finish(target);
  choose([target]);
}

/** Where an arrow key points to. @param {string} arrow @returns {[number, number]} */
export const toward = (arrow) => [Number(arrow === "ArrowRight") - Number(arrow === "ArrowLeft"), Number(arrow === "ArrowDown") - Number(arrow === "ArrowUp")];

/** @param {FlowItem} from @param {string} arrow @param {(node: FlowItem) => boolean} [fits] */
export function nearest(from, arrow, fits = () => true) {
  const [dx, dy] = toward(arrow);
  const along = (/** @type {FlowItem} */ node) => (node.x - from.x) * dx + (node.y - from.y) * dy;
  const far = (/** @type {FlowItem} */ node) => along(node) + 3 * (Math.abs((node.x - from.x) * dy) + Math.abs((node.y - from.y) * dx));
  const ahead = drawn().filter((node) => along(node) > 0 && fits(node));
  return ahead.sort((a, b) => far(a) - far(b)).at(0);
}

const pen = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));
/** The edge under the pointer: one that lies there, else one that is near. @param {Point} point @param {number} reach */
export function edgeAt(point, reach) {
  for (const width of [2, reach, 2 * reach]) {
    pen.lineWidth = width;
    for (const { id, el, far } of edges.values()) if (!far && pen.isPointInStroke(new Path2D(el.getAttribute("d") ?? ""), point.x, point.y)) return id;
  }
  return "";
}
