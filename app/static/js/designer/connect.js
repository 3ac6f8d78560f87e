// Connecting: by dragging from a port, by tapping port and node, or with C and the arrow keys.
import { course, inOf, outOf } from "./draw.js";
import { barred, edges, endsOf, leaving, nodes } from "./model.js";
import { announce, around, byId, canvas, flag } from "./page.js";
import { choose, chosenEdge, titleOf } from "./select.js";
import { send } from "./send.js";
import { at, reveal } from "./view.js";

/** What is being connected. @type {{node: string, port: string, edge: FlowEdge | null, line: SVGPathElement, no: Set<string>, target: string} | null} */
let wish = null;

export const isConnecting = () => wish !== null;

/** Begin an edge at a port; with `edge`, lead that one elsewhere. @param {string} node @param {string} port @param {FlowEdge | null} [edge] */
export function begin(node, port, edge = null) {
  cancel();
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  line.setAttribute("class", "fl-wish");
  byId("edges").parentElement?.append(line);
  wish = { node, port, edge, line, no: barred(node), target: "" };
  flag(edge?.el, "is-lifted");
  flag(canvas, "is-connecting");
  for (const id of wish.no) flag(nodes.get(id)?.el, "is-barred");
  flag(nodes.get(node)?.el.querySelector(`[data-port="${CSS.escape(port)}"]`), "is-open");
  announce(`Connecting from ${titleOf(node)}, port ${port}: arrows, then Enter`);
}

export function cancel() {
  if (!wish) return;
  wish.line.remove();
  flag(wish.edge?.el, "is-lifted", false);
  wish = null;
  flag(canvas, "is-connecting", false);
  for (const el of canvas.querySelectorAll(".is-barred, .is-target, .is-open")) el.classList.remove("is-barred", "is-target", "is-open");
}

/** @param {string} id */
function aim(id) {
  if (!wish || wish.target === id) return;
  flag(nodes.get(wish.target)?.el, "is-target", false);
  wish.target = id;
  if (!wish.no.has(id)) flag(nodes.get(id)?.el, "is-target");
}

/** Follow the pointer. @param {PointerEvent} event */
export function follow(event) {
  const from = wish && nodes.get(wish.node);
  if (!wish || !from) return;
  const id = nodeAt(event);
  aim(id);
  const target = wish.no.has(id) ? null : nodes.get(id);
  wish.line.classList.toggle("is-bad", id !== "" && !target);
  wish.line.setAttribute("d", course(outOf(from, wish.port), target ? inOf(target) : at(event)));
}

/** @param {{clientX: number, clientY: number}} event */
export function nodeAt(event) {
  return around(document.elementFromPoint(event.clientX, event.clientY), "[data-node]")?.dataset.node ?? "";
}

/** End the edge at a node; nowhere, a lifted edge is taken away. @param {string} id */
export function finish(id) {
  if (!wish) return;
  const { node, port, edge } = wish;
  cancel();
  if (edge && id === edge.to && port === edge.port) return;
  if (id && edge) {
    send("reconnect", { edge: endsOf(edge), node, port, to: id });
  } else if (id) {
    send("connect", { node, port, to: id });
  } else if (edge) {
    send("disconnect", { edges: [endsOf(edge)] });
  }
}

/** `C`: begin at the selected node or lift the selected edge, then go on to the next port. @param {string} id */
export function connectKey(id) {
  const edge = wish ? wish.edge : edges.get(chosenEdge);
  const node = nodes.get(wish?.node ?? edge?.from ?? id);
  if (!node) return;
  const used = new Set(leaving(node.id).map((edge) => edge.port));
  const port = wish ? node.ports[(node.ports.indexOf(wish.port) + 1) % node.ports.length] : (edge?.port ?? node.ports.find((each) => !used.has(each)) ?? node.ports[0]);
  begin(node.id, port, edge);
}

/** Choose the next target that the arrow key points to. @param {string} arrow */
export function step(arrow) {
  if (!wish) return;
  const from = nodes.get(wish.target) ?? nodes.get(wish.node);
  const no = wish.no;
  const next = from && nearest(from, arrow, (node) => !no.has(node.id) && node.id !== wish?.target);
  const first = next ?? [...nodes.values()].find((node) => !no.has(node.id));
  if (!first) {
    announce("There is no node to connect to.");
    return;
  }
  aim(first.id);
  reveal(first);
  const start = nodes.get(wish.node);
  if (start) wish.line.setAttribute("d", course(outOf(start, wish.port), inOf(first)));
  announce(titleOf(first.id));
}

export function confirm() {
  const target = wish?.target ?? "";
  if (!target) return;
  finish(target);
  choose([target]);
}

/** @param {FlowNode} from @param {string} arrow @param {(node: FlowNode) => boolean} fits */
export function nearest(from, arrow, fits) {
  const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[arrow] ?? [0, 0];
  /** @type {FlowNode | null} */ let best = null;
  let least = Infinity;
  for (const node of nodes.values()) {
    if (node === from || !fits(node)) continue;
    const along = (node.x - from.x) * dx + (node.y - from.y) * dy;
    const aside = Math.abs((node.x - from.x) * dy) + Math.abs((node.y - from.y) * dx);
    if (along <= 0) continue;
    const far = along + 3 * aside;
    if (far < least) [best, least] = [node, far];
  }
  return best;
}

/** The edge under the pointer, found by walking along the curves. @param {Point} point @param {number} reach */
export function edgeAt(point, reach) {
  let best = "", least = reach;
  for (const edge of edges.values()) {
    const a = nodes.get(edge.from), b = nodes.get(edge.to);
    if (!a || !b) continue;
    const p = outOf(a, edge.port), q = inOf(b);
    if (point.x < Math.min(p.x, q.x) - 170 || point.x > Math.max(p.x, q.x) + 170) continue;
    if (point.y < Math.min(p.y, q.y) - reach || point.y > Math.max(p.y, q.y) + reach) continue;
    const bend = Math.max(36, Math.min(160, Math.abs(q.x - p.x) / 2));
    for (let i = 0; i <= 24; i++) {
      const t = i / 24, u = 1 - t;
      const x = u ** 3 * p.x + 3 * u * u * t * (p.x + bend) + 3 * u * t * t * (q.x - bend) + t ** 3 * q.x;
      const y = u ** 3 * p.y + 3 * u * u * t * p.y + 3 * u * t * t * q.y + t ** 3 * q.y;
      const far = Math.hypot(point.x - x, point.y - y);
      if (far < least) [best, least] = [edge.id, far];
    }
  }
  return best;
}
