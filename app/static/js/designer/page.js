// The page's fixed elements, and a voice for those who hear it.

/** One that may be gone. @param {string} id @returns {any} */
export const find = (id) => document.getElementById(id);
/** @type {(id: string) => HTMLElement} */
export const byId = find;

export const editor = byId("editor");
export const canvas = byId("canvas");
export const world = byId("world");
/** The draft's address; every request of the editor begins with it. */
export const base = /** @type {string} */ (editor.dataset.url);

/** Say something to a screen reader. @param {string} words */
export function announce(words) {
  byId("voice").textContent = words;
}

/** Show a message; the sheet lets it fade. @param {string} words */
export function say(words) {
  const line = document.createElement("p");
  line.textContent = words;
  byId("said").replaceChildren(line);
}

/** The element at or around an event's target that fits. @param {any} target @param {string} selector @returns {HTMLElement | null} */
export const around = (target, selector) => target?.closest?.(selector) ?? null;
/** Whether a key belongs to what is being typed. @param {EventTarget | null} target */
export const isTyping = (target) => around(target, "input, textarea, select") === target;

/** Fetch a fragment of the draft. @param {string} rest @param {string} target @param {string} [swap] */
export const fetchInto = (rest, target, swap = "outerHTML") =>
  htmx.ajax("GET", base + rest, { source: byId(target.slice(1)), target, swap });

/** @param {string} selector @param {ParentNode} [root] @returns {HTMLElement[]} */
export const all = (selector, root = document) => [...root.querySelectorAll(selector)].map((el) => /** @type {HTMLElement} */ (el));
/** @param {EventTarget} target @param {string} name @param {(event: any) => void} act @param {AddEventListenerOptions | boolean} [how] */
export const on = (target, name, act, how) => target.addEventListener(name, act, how);
/** @param {string} name @param {(event: any) => void} act @param {boolean} [how] */
export const onPage = (name, act, how) => on(document, name, act, how);
/** Without a jump of the canvas. @param {Element | SVGElement} el */
export const focusOn = (el) => /** @type {HTMLElement} */ (el).focus({ preventScroll: true });
export const focused = () => document.activeElement;
/** @param {Element | null | undefined} el @param {string} name @param {boolean} [is] */
export const flag = (el, name, is = true) => el?.classList.toggle(name, is);
/** What bears a class that is given below. @type {Map<string, (Element | null | undefined)[]>} */
const bearers = new Map();
/** Give a class to these elements, and to no others. @param {string} name @param {(Element | null | undefined)[]} [els] */
export function only(name, els = []) {
  for (const el of bearers.get(name) ?? []) flag(el, name, els.includes(el));
  for (const el of els) flag(el, name);
  bearers.set(name, els);
}
/** The option before or after one of a list, round and round; none where the key is no arrow. @param {HTMLElement[]} options @param {HTMLElement | undefined} option @param {string} key */
export function neighbour(options, option, key) {
  const by = { ArrowDown: 1, ArrowUp: -1 }[key];
  return by && options.at((options.indexOf(/** @type {HTMLElement} */ (option)) + by) % options.length);
}
