// The pay page: which way to pay is shown, and the card form, which is Stripe's own.
(() => {
  "use strict";

  const WENT_WELL = new Set(["succeeded", "processing", "requires_capture"]);
  const FOR_PEOPLE = new Set(["card_error", "validation_error"]);
  const NOT_LOADED = "The card form could not be loaded. Check the connection and reload the page, or choose another way to pay.";
  const UNREACHABLE = "The server could not be reached, and nothing was charged. Check the connection and try again.";
  const UNFINISHED = "The payment could not be completed. Try again in a moment, or choose another way to pay.";

  const choice = document.querySelector("[data-pay-choice]");
  function showPanel() {
    const chosen = choice.querySelector("input:checked")?.value;
    for (const panel of document.querySelectorAll("[data-pay-panel]")) panel.hidden = panel.dataset.payPanel !== chosen;
    return chosen;
  }
  if (choice) {
    showPanel(); // a browser that comes back restores the choice, not the panel
    choice.addEventListener("change", () => {
      const here = new URL(location.href);
      here.searchParams.set("way", showPanel());
      history.replaceState(history.state, "", here);
    });
  }

  const form = document.querySelector("[data-pay-card]");
  if (!form) return;
  const facts = form.dataset;
  const place = form.querySelector("[data-pay-element]");
  const trouble = form.querySelector("[data-pay-error]");
  let stripe = null;
  let elements = null;
  let ready = false;
  let paying = false;

  function complain(text) {
    trouble.querySelector("p").textContent = text;
    trouble.hidden = text === "";
    if (text) trouble.scrollIntoView({ block: "nearest" });
  }

  // The button was locked by the page's own script when the form was sent.
  function release() {
    paying = false;
    for (const button of form.querySelectorAll(".btn.is-busy")) {
      button.querySelector(".btn-label").textContent = button.dataset.idle;
      button.removeAttribute("aria-disabled");
      button.classList.remove("is-busy");
    }
  }

  function colour(className) {
    const probe = document.createElement("span");
    probe.className = className;
    form.append(probe);
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
  }

  const dark = matchMedia("(prefers-color-scheme: dark)");
  function appearance() {
    const chosen = document.documentElement.dataset.bsTheme;
    const body = getComputedStyle(document.body);
    return {
      theme: (chosen ? chosen === "dark" : dark.matches) ? "night" : "stripe",
      variables: {
        colorPrimary: colour("sw-ink-accent"),
        colorBackground: getComputedStyle(form.closest(".card")).backgroundColor,
        colorText: body.color,
        colorTextSecondary: colour("sw-ink-muted"),
        colorDanger: colour("sw-error"),
        fontFamily: body.fontFamily,
        borderRadius: "8px",
      },
    };
  }

  function load(address) {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = address;
      script.onload = resolve;
      script.onerror = reject;
      document.head.append(script);
    });
  }

  async function begin() {
    try {
      await load(facts.script);
      stripe = Stripe(facts.key);
      elements = stripe.elements({ clientSecret: facts.secret, appearance: appearance() });
    } catch {
      place.replaceChildren();
      complain(NOT_LOADED);
      return;
    }
    const element = elements.create("payment");
    element.on("ready", () => {
      ready = true;
      place.setAttribute("aria-busy", "false");
    });
    element.on("change", () => complain(""));
    place.replaceChildren();
    element.mount(`#${place.id}`);
    const dress = () => elements.update({ appearance: appearance() });
    new MutationObserver(dress).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
    dark.addEventListener("change", dress);
  }

  // Nobody should pay for a server that is gone: have it held again where that has expired.
  // Returns what there is to say against it, or "".
  async function holdAgain() {
    const answer = await fetch(facts.hold, { method: "POST", headers: { "x-csrftoken": facts.csrf, accept: "application/json" } });
    if (answer.ok) return "";
    if (answer.status === 401) location.reload();
    const problem = await answer.json().catch(() => ({}));
    return problem.detail ?? UNFINISHED;
  }

  async function pay() {
    let refused;
    try {
      refused = await holdAgain();
    } catch {
      refused = UNREACHABLE;
    }
    if (refused) return refused;
    const { error, paymentIntent } = await stripe.confirmPayment({
      elements,
      confirmParams: { return_url: facts.returnUrl },
      redirect: "if_required",
    });
    // Also when it was paid a moment ago in another window.
    if (WENT_WELL.has((paymentIntent ?? error?.payment_intent)?.status)) return null;
    return FOR_PEOPLE.has(error?.type) || error?.code === "payment_intent_authentication_failure" ? error.message : UNFINISHED;
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (paying) return;
    if (!ready) {
      release();
      return;
    }
    paying = true;
    complain("");
    let words;
    try {
      words = await pay();
    } catch {
      words = UNFINISHED;
    }
    if (words === null) {
      location.assign(facts.done);
      return;
    }
    release();
    complain(words);
  });

  begin();
})();
