// Gestures on their way to the server: one at a time, in order, each under an id of its own. One
// that was not answered is sent again under the same id, so that nothing is done twice or lost.
import { announce, base, byId, hushLater, on, say } from "./page.js";

/** @typedef {{id: string, kind: string, payload: Object<string, any>, base_rev: number, tries: number, done: (ok: boolean) => void}} Gesture */

/** @type {Gesture[]} */
const queue = [];
/** Fields whose last letters are not sent yet: when they will be, and what was seen when typing began. @type {Map<HTMLElement, {timer: number, seen: number}>} */
export const typing = new Map();
const PAUSES_MS = [300, 1_000, 2_000, 5_000];
const GIVE_UP = 5;
const HEADERS = "hx-headers:inherited";
let busy = false;
let wake = () => {};
/** @type {Gesture | null} */
let refused = null;
/** @type {(gesture: Gesture | null, status: number) => void} */
let after = () => {};

/** @param {(gesture: Gesture | null, status: number) => void} listener told of each answer */
export function onAnswer(listener) {
  after = listener;
}

export const rev = () => Number(byId("draft-live").dataset.rev);
/** Whether a gesture on its way concerns this node's place. @param {string} id */
export const isMoving = (id) => queue.some((each) => each.kind === "move" && (each.payload.nodes?.[id] || each.payload.notes?.[id]));
export const isQuiet = () => queue.length + typing.size === 0;

/**
 * Send a gesture; resolves to whether the server took it. `seen` is the revision that the designer
 * saw when the gesture began: what others changed since is a conflict, not to be overwritten.
 * @param {string} kind @param {Object<string, any>} [payload] @param {number} [seen] @returns {Promise<boolean>}
 */
export function send(kind, payload = {}, seen = rev()) {
  return new Promise((done) => {
    queue.push({ id: freshId(), kind, payload, base_rev: seen, tries: 0, done });
    showState();
    if (!busy) pump();
  });
}

// crypto.randomUUID is there in secure contexts only; 32 hexadecimal digits are a UUID too.
const freshId = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** Say how much is saved. @param {string} [state] */
export function showState(state = queue.length + typing.size ? "saving" : "saved") {
  const sign = byId("saved");
  sign.dataset.state = state;
  sign.textContent = state === "saved" ? "Saved" : state === "saving" ? "Saving…" : `${state === "out" ? "Signed out" : "Not connected"}: ${queue.length} to save`;
}

/** Post the gesture by htmx, which swaps the answer; returns its status, 0 without an answer. @param {Gesture} gesture */
async function post({ id, kind, payload, base_rev }) {
  const source = byId("gesture");
  let status = 0;
  const note = (/** @type {any} */ event) => {
    status = event.detail.ctx?.response?.status ?? 0;
  };
  source.addEventListener("htmx:finally:request", note, { once: true });
  await htmx.ajax("POST", `${base}/commands`, {
    source, target: source, swap: "none",
    values: { id, kind, base_rev, known: rev(), payload: JSON.stringify(payload) },
  });
  source.removeEventListener("htmx:finally:request", note);
  return status;
}

/** Take the form's token of whoever is signed in now, in whichever window that was. */
async function renewToken() {
  const answer = await fetch(location.href).catch(() => null);
  const page = new DOMParser().parseFromString((await answer?.text()) ?? "", "text/html");
  const headers = page.body.getAttribute(HEADERS);
  if (headers) document.body.setAttribute(HEADERS, headers);
}

async function pump() {
  busy = true;
  while (queue.length > 0) {
    const gesture = queue[0];
    const status = await post(gesture);
    const isOut = status === 401 || status === 403;
    if (status === 0 || status === 401 || ((isOut || status >= 500) && gesture.tries < GIVE_UP)) {
      if (isOut) await renewToken();
      // A token that was only stale is no news.
      if (status !== 403) showState(isOut ? "out" : "offline");
      if (status === 401) gesture.tries = Math.min(gesture.tries, 3);
      if (gesture.tries === 1) announce(isOut ? "You are signed out; what you draw is kept until you are signed in again." : "The connection is lost; what you draw is kept and sent again.");
      await new Promise((resolve) => {
        wake = () => resolve(null);
        setTimeout(wake, PAUSES_MS[Math.min(gesture.tries++, PAUSES_MS.length - 1)]);
      });
      continue;
    }
    queue.shift();
    gesture.done(status === 200);
    after(gesture, status);
    if (status === 409) decide(gesture);
    else if (status === 422) hushLater();
    else if (status !== 200) say("That could not be saved. Reload the page to see how the draft stands.");
    showState();
  }
  busy = false;
}
for (const name of ["online", "focus"]) on(window, name, () => wake());
// Who is signed out stays on the page, which holds what is not saved yet.
on(document, "htmx:before:response", (event) => {
  if (event.detail.ctx.response.status === 401 && queue.length > 0) event.preventDefault();
});

// Two people changed the same: the dialog holds both values.
/** @param {Gesture} gesture */
function decide(gesture) {
  refused = gesture;
  const dialog = /** @type {HTMLDialogElement} */ (byId("conflict"));
  if (!dialog.open) dialog.showModal();
}

/** @param {HTMLElement} button */
export function resolve(button) {
  const gesture = refused;
  refused = null;
  /** @type {HTMLDialogElement} */ (byId("conflict")).close();
  if (button.dataset.resolve === "mine" && gesture) send(gesture.kind, gesture.payload, Number(button.dataset.rev));
  else if (button.dataset.resolve === "skip") send("skip", { rev: Number(button.dataset.rev) });
  else after(null, 200);
}

// What fails on the way is told by the sign beside the title, not by the page's own message.
for (const name of ["htmx:error", "htmx:response:error"]) byId("gesture").addEventListener(name, (event) => event.stopPropagation());
on(window, "beforeunload", (event) => {
  if (queue.length > 0) event.preventDefault();
});
