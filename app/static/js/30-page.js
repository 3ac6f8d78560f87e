// Small behaviours of single elements, by data attribute; all through delegation, so that
// fragments swapped in by htmx need no set-up.
(() => {
  "use strict";

  // The tab that is shown is in sight, also where not all of them fit.
  const shown = document.querySelector(".sw-tabs [aria-current]");
  if (shown) {
    const strip = shown.closest(".sw-tabs");
    strip.scrollLeft += Math.max(0, shown.getBoundingClientRect().right - strip.getBoundingClientRect().right);
  }

  // Theme: system → light → dark. The server reads the cookie, so a page never flashes.
  const THEMES = ["auto", "light", "dark"];
  const WORDS = { auto: "system", light: "light", dark: "dark" };
  const root = document.documentElement;
  const themeButton = document.getElementById("theme");

  function showTheme(theme) {
    if (theme === "auto") delete root.dataset.bsTheme;
    else root.dataset.bsTheme = theme;
    themeButton.dataset.theme = theme;
    themeButton.setAttribute("aria-label", `Theme: ${WORDS[theme]}`);
    themeButton.title = `Theme: ${WORDS[theme]}`;
  }

  if (themeButton) {
    showTheme(root.dataset.bsTheme ?? "auto");
    themeButton.hidden = false;
    themeButton.addEventListener("click", () => {
      const next = THEMES[(THEMES.indexOf(themeButton.dataset.theme) + 1) % THEMES.length];
      document.cookie = `slipway_theme=${next}; path=/; max-age=31536000; samesite=lax`;
      showTheme(next);
    });
  }

  function say(tone, text) {
    const place = document.getElementById("flashes");
    if (!place) return;
    const box = document.createElement("div");
    box.className = `sw-notice sw-flash tone-${tone}`;
    const words = document.createElement("p");
    words.className = "sw-notice-title";
    words.textContent = text;
    const close = document.createElement("button");
    close.type = "button";
    close.className = "sw-flash-close";
    close.dataset.dismiss = "";
    close.setAttribute("aria-label", "Dismiss");
    close.textContent = "×";
    box.append(words, close);
    place.replaceChildren(box);
  }

  async function copy(button) {
    await navigator.clipboard.writeText(button.dataset.copy);
    const said = button.querySelector(".sw-copied");
    said.textContent = "Copied";
    setTimeout(() => { said.textContent = ""; }, 1_600);
  }

  function reveal(button) {
    const entry = document.getElementById(button.dataset.reveal);
    const shown = entry.type === "text";
    entry.type = shown ? "password" : "text";
    button.setAttribute("aria-pressed", String(!shown));
  }

  function step(button) {
    const entry = document.getElementById(button.dataset.for);
    const before = entry.value;
    if (Number(button.dataset.step) > 0) entry.stepUp();
    else entry.stepDown();
    if (entry.value === before) return;
    entry.dispatchEvent(new Event("input", { bubbles: true }));
    entry.dispatchEvent(new Event("change", { bubbles: true }));
  }

  document.addEventListener("click", (event) => {
    const target = event.target;
    if (!(target instanceof Element)) return;
    const button = target.closest("button");
    if (button?.dataset.copy !== undefined) copy(button);
    else if (button?.dataset.reveal) reveal(button);
    else if (button?.dataset.step) step(button);
    else if (button?.dataset.dismiss !== undefined) button.closest(".sw-flash").remove();
    else if (button?.dataset.dialogOpen) document.getElementById(button.dataset.dialogOpen).showModal();
    else if (button?.dataset.dialogClose !== undefined) button.closest("dialog").close();
    else if (target instanceof HTMLDialogElement) target.close(); // the backdrop
    for (const menu of document.querySelectorAll("details.sw-menu[open]")) {
      if (!menu.contains(target)) menu.open = false;
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = document.querySelector("details.sw-menu[open], details.sw-fold[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });

  // A form on its way: its button is locked and says so, and a second click does nothing.
  function busy(form, submitter) {
    const button = submitter ?? form.querySelector("[data-busy]");
    const label = button?.querySelector(".btn-label");
    if (!label) return;
    button.dataset.idle = label.textContent;
    label.textContent = button.dataset.busy;
    button.setAttribute("aria-disabled", "true");
    button.classList.add("is-busy");
  }

  function idle(scope) {
    for (const button of scope.querySelectorAll(".btn.is-busy")) {
      button.querySelector(".btn-label").textContent = button.dataset.idle;
      button.removeAttribute("aria-disabled");
      button.classList.remove("is-busy");
    }
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    const word = form.dataset.typed;
    if (word && form.elements.typed.value.trim() !== word) {
      event.preventDefault();
      form.elements.typed.setAttribute("aria-invalid", "true");
      form.elements.typed.focus();
      return;
    }
    // What is to be done to rows that are chosen: without one it says so where one looks.
    if (form.dataset.chooses && ![...form.elements].some((entry) => entry.checked)) {
      event.preventDefault();
      event.stopImmediatePropagation();
      const words = form.querySelector("[role=status]");
      words.className = "sw-late";
      words.textContent = form.dataset.chooses;
      return;
    }
    if (form.querySelector(".btn.is-busy")) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    busy(form, event.submitter);
  }, true);
  addEventListener("pageshow", () => idle(document));
  document.addEventListener("htmx:finally:request", (event) => {
    const source = event.detail.ctx?.sourceElement;
    if (source && source.dataset.live === undefined) idle(source.closest("form") ?? source);
  });

  // What htmx does not swap (see the page's htmx-config) is told in words.
  document.addEventListener("htmx:response:error", (event) => {
    const { response, sourceElement } = event.detail.ctx;
    const status = response?.raw?.status ?? response?.status;
    // A session that has ended: the page as a whole knows where to sign in.
    if (status === 401 && document.querySelector(".sw-menu")) location.reload();
    else if (sourceElement?.dataset.live !== undefined) return;
    else if (status === 429) say("warning", "A little too fast. Wait a minute and try again.");
    else if (status === 403) say("danger", "Your account may not do this.");
    else if (status === 404) say("warning", "That is not there any more. Reload the page.");
    else if (status >= 500) say("danger", "Something broke on our side. Try again in a moment.");
  });
  document.addEventListener("htmx:error", (event) => {
    if (event.detail.ctx?.sourceElement?.dataset.live !== undefined) return;
    say("danger", "The server could not be reached. Check the connection and try again.");
  });
})();
