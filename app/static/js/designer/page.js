// The page's fixed elements, and a voice for those who hear it.

/** @param {string} id @returns {HTMLElement} */
export const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

export const editor = byId("editor");
export const canvas = byId("canvas");
export const world = byId("world");
/** The draft's address; every request of the editor begins with it. */
export const base = /** @type {string} */ (editor.dataset.url);

/** Say something to a screen reader. @param {string} words */
export function announce(words) {
  byId("voice").textContent = words;
}

let hush = 0;
/** Show a message for a while. @param {string} words */
export function say(words) {
  byId("said").textContent = words;
  hushLater();
}
export function hushLater() {
  clearTimeout(hush);
  hush = setTimeout(() => byId("said").replaceChildren(), 7_000);
}

/** Whether a key belongs to what is being typed. @param {EventTarget | null} target */
export const isTyping = (target) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

/** Fetch a fragment of the draft. @param {string} rest @param {string} target @param {string} [swap] */
export const fetchInto = (rest, target, swap = "outerHTML") =>
  htmx.ajax("GET", base + rest, { source: byId(target.slice(1)), target, swap });

/** The element at or around an event's target that fits. @param {EventTarget | null} target @param {string} selector @returns {HTMLElement | null} */
export const around = (target, selector) => (target instanceof Element ? target.closest(selector) : null);
/** @param {string} selector @param {ParentNode} [root] @returns {HTMLElement[]} */
export const all = (selector, root = document) => [...root.querySelectorAll(selector)].filter((el) => el instanceof HTMLElement);
/** @param {EventTarget} target @param {string} name @param {(event: any) => void} act @param {AddEventListenerOptions | boolean} [how] */
export const on = (target, name, act, how) => target.addEventListener(name, act, how);
/** @param {Element | null | undefined} el @param {string} name @param {boolean} [is] */
export const flag = (el, name, is = true) => el?.classList.toggle(name, is);
