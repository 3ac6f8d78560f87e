// Pan and zoom: one transform of one element, which the compositor moves without painting.
import { boundsOf, drawMinimap, moveMinimap } from "./draw.js";
import { byId, canvas, flag, on, world } from "./page.js";
import { edges, items, nodes } from "./model.js";

const LEAST = 0.1;
const MOST = 2;
let x = 0, y = 0, scale = 1;
let frame = 0, settle = 0, drawnScale = 0;

/** The part of the flow that is seen. */
export const seen = () => ({ x: -x / scale, y: -y / scale, w: canvas.clientWidth / scale, h: canvas.clientHeight / scale });
export const zoom = () => scale;

/** @param {{clientX: number, clientY: number}} event @returns {Point} */
export function at(event) {
  const box = canvas.getBoundingClientRect();
  return { x: (event.clientX - box.left - x) / scale, y: (event.clientY - box.top - y) / scale };
}

// The world is a layer that is only shifted; the paper in it is painted anew when the scale changes.
function show() {
  frame = 0;
  world.style.transform = `translate(${x}px,${y}px)`;
  if (drawnScale !== scale) {
    drawnScale = scale;
    byId("paper").style.transform = `scale(${scale})`;
    byId("zoom").textContent = `${Math.round(scale * 100)} %`;
  }
  const view = seen();
  moveMinimap(view);
  if (Math.abs(view.x - culled.x) > view.w / 4 || Math.abs(view.y - culled.y) > view.h / 4 || view.w !== culled.w || view.h !== culled.h) cull();
  clearTimeout(settle);
  settle = setTimeout(() => drawMinimap(seen()), 150);
}

let culled = { x: 0, y: 0, w: 0, h: 0 };
/** Take what is out of sight out of the page's reckoning: work then follows what is seen, not the flow's size. */
export function cull() {
  const view = (culled = seen());
  const left = view.x - view.w / 2, right = view.x + 1.5 * view.w, top = view.y - view.h / 2, bottom = view.y + 1.5 * view.h;
  /** @param {{el: Element, far?: boolean}} item @param {boolean} far */
  const put = (item, far) => {
    if ((item.far ?? false) === far) return;
    item.far = far;
    flag(item.el, "is-far", far);
  };
  for (const node of nodes.values()) put(node, node.x > right || node.x + 200 < left || node.y > bottom || node.y + node.h < top);
  for (const edge of edges.values()) {
    const a = nodes.get(edge.from), b = nodes.get(edge.to);
    if (a && b) put(edge, Math.min(a.x, b.x) > right || Math.max(a.x, b.x) + 400 < left || Math.min(a.y, b.y) > bottom || Math.max(a.y, b.y) + 300 < top);
  }
}

/** Whatever is far away can be seen from now on. @param {FlowNode | FlowNote} item */
export function unveil(item) {
  item.far = false;
  flag(item.el, "is-far", false);
}
const later = () => (frame ||= requestAnimationFrame(show));

/** @param {number} dx @param {number} dy */
export function pan(dx, dy) {
  x += dx;
  y += dy;
  later();
}

// What the browser scrolls into sight by itself, a field being typed into or a text being found, is
// panned to: the places on the canvas are reckoned from an edge that does not scroll.
on(canvas, "scroll", () => {
  const { scrollLeft, scrollTop } = canvas;
  if (!scrollLeft && !scrollTop) return;
  canvas.scrollTo(0, 0);
  x -= scrollLeft;
  y -= scrollTop;
  show();
});

/** @param {number} factor @param {{clientX: number, clientY: number}} [around] */
export function zoomBy(factor, around) {
  const box = canvas.getBoundingClientRect();
  const cx = (around ? around.clientX : box.left + box.width / 2) - box.left;
  const cy = (around ? around.clientY : box.top + box.height / 2) - box.top;
  const next = Math.min(MOST, Math.max(LEAST, scale * factor));
  x = cx - ((cx - x) * next) / scale;
  y = cy - ((cy - y) * next) / scale;
  scale = next;
  later();
}

export const zoomFull = () => zoomBy(1 / scale);

/** Show the whole flow, never larger than life. */
export function fit() {
  const box = boundsOf(items());
  const { clientWidth: w, clientHeight: h } = canvas;
  if (!box) {
    x = w / 4;
    y = h / 4;
    scale = 1;
  } else {
    const pad = 60;
    scale = Math.max(LEAST, Math.min(1, (w - 2 * pad) / (box.right - box.left), (h - 2 * pad) / (box.bottom - box.top)));
    x = (w - (box.right + box.left) * scale) / 2;
    y = (h - (box.bottom + box.top) * scale) / 2;
  }
  show();
}

/** Show the upper left of a flow that would be too small as a whole, `top` pixels below the edge. */
export function open(top = 60) {
  fit();
  const box = boundsOf(nodes.values());
  if (scale >= 0.55 || !box) return;
  scale = 0.8;
  x = 60 - box.left * scale;
  y = top - box.top * scale;
  show();
}

/** Bring a node into sight. @param {FlowNode | FlowNote} node */
export function reveal(node) {
  unveil(node);
  const view = seen();
  const pad = 40 / scale;
  const right = node.x + 200 + pad - (view.x + view.w), left = view.x - (node.x - pad);
  const bottom = node.y + 120 + pad - (view.y + view.h), top = view.y - (node.y - pad);
  if (left > 0) x += left * scale;
  else if (right > 0) x -= right * scale;
  if (top > 0) y += top * scale;
  else if (bottom > 0) y -= bottom * scale;
  later();
}

/** Let the minimap be pressed: what lies there is shown. */
export function startMinimap() {
  const map = /** @type {SVGSVGElement} */ (/** @type {unknown} */ (byId("minimap")));
  const jump = (/** @type {PointerEvent} */ event) => {
    const matrix = map.getScreenCTM();
    if (event.buttons === 0 || !matrix) return;
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
    x = canvas.clientWidth / 2 - point.x * scale;
    y = canvas.clientHeight / 2 - point.y * scale;
    later();
  };
  on(map, "pointerdown", jump);
  on(map, "pointermove", jump);
}
