// Gestures on their way to the server: one at a time, in order, each under an id of its own. One
// that was not answered is sent again under the same id, so that nothing is done twice or lost.
import { announce, base, byId, on, onPage, say } from "./page.js";

/** @typedef {{id: string, kind: string, payload: Object<string, any>, base_rev: number, tries: number, done: (ok: boolean) => void}} Gesture */

/** @type {Gesture[]} */
const queue = [];
/** Fields whose last letters are not sent yet: when they will be, and what was seen when typing began. @type {Map<HTMLElement, {timer: number, seen: number}>} */
export const typing = new Map();
const PAUSES_MS = [300, 1_000, 2_000, 5_000];
const GIVE_UP = 5;
const HEADERS = "hx-headers:inherited";
const source = byId("gesture"), dialog = /** @type {HTMLDialogElement} */ (byId("conflict"));
let busy = false;
/** How the gesture on its way was answered; 0 without an answer. */
let status = 0;
let wake = () => {};
/** @type {Gesture | null} */
let refused = null;
/** @type {(status: number) => void} */
let after = () => {};

/** @param {(status: number) => void} listener told of each answer; of 0 when the other's value is kept */
export function onAnswer(listener) {
  after = listener;
}

export const rev = () => Number(byId("draft-live").dataset.rev);
/** Whether a gesture on its way concerns this node's place. @param {string} id */
export const isMoving = (id) => queue.some(({ kind, payload }) => kind === "move" && (payload.nodes[id] || payload.notes[id]));
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

/** @type {Object<string, string>} */
const WORDS = { saved: "Saved", saving: "Saving…", out: "Signed out: ", offline: "Not connected: " };
/** Say how much is saved. @param {string} [state] */
export function showState(state = isQuiet() ? "saved" : "saving") {
  const sign = byId("saved");
  sign.dataset.state = state;
  sign.textContent = WORDS[state] + (WORDS[state].endsWith(" ") ? `${queue.length} to save` : "");
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
    const gesture = queue[0], { id, kind, payload, base_rev } = gesture;
    status = 0;
    await htmx.ajax("POST", `${base}/commands`, {
      source, target: source, swap: "none",
      values: { id, kind, base_rev, known: rev(), payload: JSON.stringify(payload) },
    });
    const isOut = status === 401 || status === 403;
    if (status === 0 || status === 401 || ((isOut || status >= 500) && gesture.tries < GIVE_UP)) {
      if (isOut) await renewToken();
      // A token that was only stale is no news.
      if (status !== 403) showState(isOut ? "out" : "offline");
      if (status === 401) gesture.tries = Math.min(gesture.tries, 3);
      if (gesture.tries === 1) announce(`${isOut ? "You are signed out" : "The connection is lost"}; what you draw is kept and sent later.`);
      await new Promise((resolve) => {
        wake = () => resolve(null);
        setTimeout(wake, PAUSES_MS[Math.min(gesture.tries++, 3)]);
      });
      continue;
    }
    queue.shift();
    gesture.done(status === 200);
    after(status);
    if (status === 409) {
      // Two people changed the same: the dialog holds both values.
      refused = gesture;
      if (!dialog.open) dialog.showModal();
    } else if (status !== 200 && status !== 422) say("That could not be saved. Reload the page to see how the draft stands.");
    showState();
  }
  busy = false;
}
for (const name of ["online", "focus"]) on(window, name, () => wake());
onPage("htmx:before:response", (event) => {
  const { sourceElement, response } = event.detail.ctx;
  if (sourceElement === source) status = response.status;
  // Who is signed out stays on the page, which holds what is not saved yet.
  if (response.status === 401 && queue.length > 0) event.preventDefault();
});

/** Settle a conflict. @param {HTMLElement} button */
export function resolve({ dataset }) {
  const gesture = refused, seen = Number(dataset.rev);
  refused = null;
  dialog.close();
  if (dataset.resolve === "mine" && gesture) send(gesture.kind, gesture.payload, seen);
  else if (dataset.resolve === "skip") send("skip", { rev: seen });
  else after(0);
}

// What fails on the way is told by the sign beside the title, not by the page's own message.
for (const el of [source, byId("here")]) for (const name of ["htmx:error", "htmx:response:error"]) on(el, name, (event) => event.stopPropagation());
on(window, "beforeunload", (event) => {
  if (queue.length > 0) event.preventDefault();
});
