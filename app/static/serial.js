// The page of a serial console: gets a ticket, opens the line in a terminal, says what happens.
(() => {
  "use strict";

  const place = document.querySelector("[data-serial]");
  if (!place) return;
  const part = (name) => place.querySelector(`[data-serial-${name}]`);
  const [open, take, shut, state, screen] = ["open", "take", "close", "state", "screen"].map(part);
  const UNREACHABLE = "The server could not be reached. Check the connection and try again.";
  const CLOSED = "The console was closed. Open it again to go on.";
  const BROKEN = "The connection to the console broke. Open it again.";
  const IN_USE = 4409;
  const COLUMNS = 80;
  const ROWS = 25; // a serial line tells no size: firmware and boot loaders draw for this one
  const LARGEST_PX = 15;
  const SMALLEST_PX = 9; // what is wider is scrolled
  const WIDTH_OF_A_LETTER = 0.62; // of its height, a little more than the widest of the fonts
  let terminal = null;
  let line = null;

  function show(text, { isOpen = false, isTaken = false } = {}) {
    state.textContent = text;
    open.hidden = isOpen || isTaken;
    take.hidden = !isTaken;
    shut.hidden = !isOpen;
    open.disabled = take.disabled = false;
  }

  function fit() {
    const size = Math.floor(screen.clientWidth / COLUMNS / WIDTH_OF_A_LETTER);
    terminal.options.fontSize = Math.min(LARGEST_PX, Math.max(SMALLEST_PX, size));
  }

  function send(data) {
    if (line?.readyState === WebSocket.OPEN) line.send(data);
  }

  async function draw() {
    if (terminal) return;
    const { Terminal } = await import(place.dataset.xterm).catch(() => {
      throw new Error(UNREACHABLE);
    });
    terminal = new Terminal({
      cols: COLUMNS,
      rows: ROWS,
      fontFamily: "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace",
      screenReaderMode: true,
      scrollback: 2000,
    });
    terminal.open(screen);
    fit();
    new ResizeObserver(fit).observe(screen);
    terminal.onData((text) => send(new TextEncoder().encode(text)));
    terminal.onBinary((text) => send(Uint8Array.from(text, (each) => each.charCodeAt(0))));
  }

  async function ticket(isTaking) {
    let answer;
    try {
      answer = await fetch(`${place.dataset.serial}?take_over=${isTaking}`, {
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

  async function begin(isTaking) {
    open.disabled = take.disabled = true;
    state.textContent = "Opening the console…";
    try {
      await draw();
      const given = await ticket(isTaking);
      const address = new URL(given.path, location.href);
      address.protocol = address.protocol.replace("http", "ws");
      line = new WebSocket(address);
      line.binaryType = "arraybuffer";
      line.addEventListener("message", ({ data }) => {
        if (typeof data !== "string") {
          terminal.write(new Uint8Array(data));
          return;
        }
        show("The console is open.", { isOpen: true });
        terminal.focus();
      });
      line.addEventListener("close", ({ code, reason }) => {
        line = null;
        if (code === IN_USE) {
          show(`${reason} Taking it over ends it for them.`, { isTaken: true });
        } else {
          show(reason || (code === 1000 || code === 1005 ? CLOSED : BROKEN));
        }
      });
    } catch (error) {
      show(error.message);
    }
  }

  open.addEventListener("click", () => begin(false));
  take.addEventListener("click", () => begin(true));
  shut.addEventListener("click", () => line?.close());
})();
