// Mouse, pen and fingers on the canvas: what is pressed is dragged, two fingers zoom, the wheel pans.
import { around, canvas, focused, on } from "./page.js";
import { at, pan, startMinimap, zoomBy } from "./view.js";

const SLOP_PX = 4;

/**
 * What a press has begun; `up` is told whether the pointer moved meanwhile.
 * @typedef {{move: (event: PointerEvent, dx: number, dy: number) => void, up: (event: PointerEvent, moved: boolean) => void}} Drag
 */
/** Where each finger that is down was last. @type {Map<number, PointerEvent>} */
const fingers = new Map();
/** @type {Drag | null | undefined} */
let drag = null;
let moved = false;

/**
 * @param {(event: PointerEvent) => Drag | null} begin called for a press
 * @param {(event: PointerEvent) => void} [hover] called for moves without one
 * @param {() => void} [quit] called when what was begun is not to be ended
 */
export function startHand(begin, hover = () => {}, quit = () => {}) {
  on(canvas, "pointerdown", (event) => {
    if (fingers.size > 0) {
      drag = null;
      quit();
    } else {
      drag = around(event.target, "#minimap") ? null : begin(event);
      if (!drag) return;
      moved = false;
      if (event.target.tagName !== "TEXTAREA") event.preventDefault();
    }
    fingers.set(event.pointerId, event);
    canvas.setPointerCapture(event.pointerId);
  });
  on(canvas, "pointermove", (event) => {
    const last = fingers.get(event.pointerId);
    if (!last) return hover(event);
    const dx = event.clientX - last.clientX, dy = event.clientY - last.clientY;
    if (!moved && Math.hypot(dx, dy) < SLOP_PX) return;
    moved = true;
    fingers.set(event.pointerId, event);
    const other = [...fingers.values()].find((finger) => finger.pointerId !== event.pointerId);
    if (other) {
      const far = (/** @type {PointerEvent} */ finger) => Math.hypot(finger.clientX - other.clientX, finger.clientY - other.clientY);
      pan(dx / 2, dy / 2);
      zoomBy(far(event) / Math.max(far(last), 1), at({ clientX: (event.clientX + other.clientX) / 2, clientY: (event.clientY + other.clientY) / 2 }));
    } else drag?.move(event, dx, dy);
  });
  const lift = (/** @type {PointerEvent} */ event) => {
    const ending = fingers.delete(event.pointerId) && drag;
    if (!ending) return;
    drag = null;
    if (event.type === "pointerup") ending.up(event, moved);
    else quit();
  };
  on(canvas, "pointerup", lift);
  on(canvas, "pointercancel", lift);
  on(canvas, "wheel", (event) => {
    if (event.target === focused() && event.target !== canvas && event.target.tagName === "TEXTAREA") return;
    event.preventDefault();
    if (event.ctrlKey || event.metaKey) zoomBy(Math.exp(-event.deltaY / 300), at(event));
    else if (event.shiftKey) pan(-event.deltaY, -event.deltaX);
    else pan(-event.deltaX, -event.deltaY);
  }, { passive: false });
  startMinimap();
}
