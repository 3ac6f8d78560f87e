// The console page: gets a ticket, opens the machine's screen with it by noVNC, says what happens.
(() => {
  "use strict";

  const place = document.querySelector("[data-console]");
  if (!place) return;
  const part = (name) => place.querySelector(`[data-console-${name}]`);
  const [open, keys, full, state, screen] = ["open", "keys", "full", "state", "screen"].map(part);
  const UNREACHABLE = "The server could not be reached. Check the connection and try again.";
  const CLOSED = "The screen was closed. Open it again to go on.";
  const BROKEN = "The connection to the screen broke. Open it again.";
  let shown = null;
  let library = null;

  function say(text, is_open) {
    state.textContent = text;
    open.hidden = is_open;
    keys.hidden = full.hidden = !is_open;
  }

  function load() {
    library ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = place.dataset.novnc;
      script.onload = () => resolve(globalThis.noVNC);
      script.onerror = () => {
        library = null;
        reject(new Error(UNREACHABLE));
      };
      document.head.append(script);
    });
    return library;
  }

  async function ticket() {
    let answer;
    try {
      answer = await fetch(place.dataset.console, {
        method: "POST",
        headers: { "x-csrftoken": place.dataset.csrf, accept: "application/json" },
      });
    } catch {
      throw new Error(UNREACHABLE);
    }
    const said = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(said.detail ?? UNREACHABLE);
    return said;
  }

  async function begin() {
    open.disabled = true;
    state.textContent = "Opening the screen…";
    try {
      const Screen = await load();
      const given = await ticket();
      const address = new URL(given.path, location.href);
      address.protocol = address.protocol.replace("http", "ws");
      shown = new Screen(screen, address.href, {
        credentials: { password: given.password },
        wsProtocols: ["binary"],
      });
      shown.scaleViewport = true;
      let words = "The screen is open.";
      shown.addEventListener("desktopname", (event) => {
        words = `This is ${event.detail.name}.`; // told before it is connected
      });
      shown.addEventListener("connect", () => {
        say(words, true);
        shown.focus();
      });
      shown.addEventListener("securityfailure", (event) => {
        state.textContent = `The machine refuses: ${event.detail.reason ?? "the password is wrong"}.`;
      });
      shown.addEventListener("disconnect", (event) => {
        shown = null;
        say(event.detail.clean ? CLOSED : BROKEN, false);
      });
    } catch (error) {
      say(error.message, false);
    } finally {
      open.disabled = false;
    }
  }

  open.addEventListener("click", begin);
  keys.addEventListener("click", () => {
    shown?.sendCtrlAltDel();
    shown?.focus();
  });
  full.addEventListener("click", () => {
    screen.requestFullscreen?.();
    shown?.focus();
  });
})();
