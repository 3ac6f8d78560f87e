// Pan and zoom: one transform of one element, which the compositor moves without painting.
import { boundsOf, drawMinimap, rectangle, trace, WIDTH } from "./draw.js";
import { byId, canvas, flag, on, world } from "./page.js";
import { drawn, edges, items, nodes } from "./model.js";

const LEAST = 0.1;
const MOST = 2;
/** A node's name is 6 pixels high then. */
const LEGIBLE = 0.45;
/** A node's name is 10 pixels high then; a node and the one behind it are as wide as a phone. */
const READABLE = 0.75;
const TALL = 120;
const PAD = 40;
let x = 0, y = 0, scale = 1;
let frame = 0, settle = 0, drawnScale = 0;
/** Fits the flow as it was fitted last; does nothing once the view was moved. */
let fitAgain = () => {};
/** What was in sight when elements were last hidden. @type {Box} */
let culled = { x: 0, y: 0, w: 0, h: 0 };

/** The part of the flow that is seen. @returns {Box} */
export const seen = () => ({ x: -x / scale, y: -y / scale, w: canvas.clientWidth / scale, h: canvas.clientHeight / scale });
export const zoom = () => scale;

/** @param {{clientX: number, clientY: number}} event @returns {Point} */
export function at({ clientX, clientY }) {
  const box = canvas.getBoundingClientRect();
  return { x: (clientX - box.left - x) / scale, y: (clientY - box.top - y) / scale };
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
  trace(byId("minimap-view"), rectangle(view));
  if (Math.abs(view.x - culled.x) > view.w / 4 || Math.abs(view.y - culled.y) > view.h / 4 || view.w !== culled.w || view.h !== culled.h) cull();
  settleLater();
}
const later = () => (frame ||= requestAnimationFrame(show));

/** What costs more is drawn when things rest. */
export function settleLater() {
  clearTimeout(settle);
  settle = setTimeout(() => {
    cull();
    drawMinimap(seen());
  }, 120);
}

/** Take what is out of sight out of the page's reckoning: work then follows what is seen, not the flow's size. */
function cull() {
  const view = (culled = seen());
  const left = view.x - view.w / 2, right = view.x + 1.5 * view.w, top = view.y - view.h / 2, bottom = view.y + 1.5 * view.h;
  /** @param {{el: Element, far?: boolean}} item @param {FlowItem} a @param {FlowItem} b @param {number} w @param {number} h */
  const put = (item, a, b, w, h) => {
    const far = Math.min(a.x, b.x) > right || Math.max(a.x, b.x) + w < left || Math.min(a.y, b.y) > bottom || Math.max(a.y, b.y) + h < top;
    if (item.far !== far) flag(item.el, "is-far", (item.far = far));
  };
  for (const node of nodes.values()) put(node, node, node, WIDTH, node.h);
  for (const edge of edges.values()) {
    const a = nodes.get(edge.from), b = nodes.get(edge.to);
    if (a && b) put(edge, a, b, 2 * WIDTH, 300);
  }
}

/** Whatever is far away can be seen from now on. @param {FlowItem} item */
export function unveil(item) {
  flag(item.el, "is-far", (item.far = false));
}

/** @param {number} dx @param {number} dy */
export function pan(dx, dy) {
  if (dx || dy) fitAgain = () => {};
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

/** A point of what is seen: the middle, or so far from the upper left corner. @param {number} [part] @returns {Point} */
export function spot(part = 1 / 2) {
  const view = seen();
  return { x: view.x + view.w * part, y: view.y + view.h * part };
}

/** Zoom around a point, which stays where it is. @param {number} factor @param {Point} [around] */
export function zoomBy(factor, around = spot()) {
  const before = scale;
  scale = Math.min(MOST, Math.max(LEAST, scale * factor));
  pan(around.x * (before - scale), around.y * (before - scale));
}

export const zoomFull = () => zoomBy(1 / scale);

/** Show the whole flow, never larger than life, below the `top` pixels that something lies over. */
export function fit(top = 0) {
  const { clientWidth: w, clientHeight } = canvas, h = clientHeight - top;
  const box = items().length > 0 ? boundsOf(items()) : { x: w / 4, y: h / 4, w, h };
  scale = Math.max(LEAST, Math.min(1, (w - 2 * PAD) / box.w, (h - 2 * PAD) / box.h));
  x = (w - (2 * box.x + box.w) * scale) / 2;
  y = top + (h - (2 * box.y + box.h) * scale) / 2;
  fitAgain = () => fit(top);
  show();
}

/** A phone: too narrow for a map beside the flow. */
const narrow = matchMedia("(max-width: 767.98px)");

/**
 * Show the whole flow; of one that could not be read as a whole the upper left, where a map shows the rest, or on a phone
 * where it starts.
 */
export function open(top = 0) {
  fit(top);
  fitAgain = () => open(top);
  if (scale >= (narrow.matches ? READABLE : LEGIBLE)) return;
  const box = boundsOf(nodes.values());
  scale = narrow.matches ? READABLE : 0.8;
  const start = narrow.matches && drawn().find((node) => node.start), room = (canvas.clientHeight - top) / scale - (2 * PAD) / scale;
  // Of a flow that is taller than the paper, the start lies in the middle, unless that left room at an end.
  const upper = start ? Math.max(box.y, Math.min(start.y + start.h / 2 - room / 2, box.y + box.h - room)) : box.y;
  x = PAD - (start || box).x * scale;
  y = PAD + top - upper * scale;
  show();
}

/** Bring a node into sight. @param {FlowItem} node */
export function reveal(node) {
  unveil(node);
  const view = seen(), pad = 40 / scale;
  /** How far a stretch lies outside another. @param {number} from @param {number} to @param {number} start @param {number} end */
  const outside = (from, to, start, end) => Math.min(0, from - pad - start) || Math.max(0, to + pad - end);
  pan(-scale * outside(node.x, node.x + WIDTH, view.x, view.x + view.w), -scale * outside(node.y, node.y + TALL, view.y, view.y + view.h));
}

/** When the canvas changes its size, what was fitted is fitted again, and what is selected stays in sight. @param {() => FlowItem | undefined} selected */
export function keepInSight(selected) {
  new ResizeObserver(() => {
    fitAgain();
    const item = selected();
    if (item) reveal(item);
    settleLater();
  }).observe(canvas);
}

/** Let the minimap be pressed: what lies there is shown. */
export function startMinimap() {
  const map = /** @type {SVGSVGElement} */ (/** @type {unknown} */ (byId("minimap")));
  const jump = (/** @type {PointerEvent} */ event) => {
    if (event.buttons === 0) return;
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(map.getScreenCTM()?.inverse()), middle = spot();
    pan((middle.x - point.x) * scale, (middle.y - point.y) * scale);
  };
  on(map, "pointerdown", jump);
  on(map, "pointermove", jump);
}
