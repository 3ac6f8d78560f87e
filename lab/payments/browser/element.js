// The card fields. They talk to the page by a channel, and to the stand-in by fetch.
(() => {
  "use strict";

  const number = document.getElementById("number");
  const expiry = document.getElementById("expiry");
  const cvc = document.getElementById("cvc");
  const fields = [number, expiry, cvc];
  const digits = (field) => field.value.replace(/\D/g, "");
  let port = null;
  let begun = null;

  function dress({ theme, variables = {} }) {
    const root = document.documentElement;
    root.style.colorScheme = theme === "night" ? "dark" : "light";
    for (const [name, value] of Object.entries(variables)) root.style.setProperty(`--${name}`, value);
  }

  function luhn(text) {
    let sum = 0;
    [...text].reverse().forEach((digit, at) => {
      const twice = Number(digit) * (at % 2 ? 2 : 1);
      sum += twice > 9 ? twice - 9 : twice;
    });
    return sum % 10 === 0;
  }

  function faultOf(field) {
    const text = digits(field);
    if (field === number) {
      if (text.length < 16) return "Your card number is incomplete.";
      return luhn(text) ? "" : "Your card number is invalid.";
    }
    if (field === expiry) {
      if (text.length < 4) return "Your card’s expiration date is incomplete.";
      const month = Number(text.slice(0, 2));
      if (month < 1 || month > 12) return "Your card’s expiration date is invalid.";
      const ends = new Date(2000 + Number(text.slice(2)), month, 1);
      return ends > new Date() ? "" : "Your card’s expiration date is in the past.";
    }
    return text.length < 3 ? "Your card’s security code is incomplete." : "";
  }

  function show(field, fault) {
    document.getElementById(`${field.id}-error`).textContent = fault;
    field.setAttribute("aria-invalid", String(fault !== ""));
  }

  function format(field) {
    const text = digits(field);
    if (field === number) field.value = text.slice(0, 16).replace(/(.{4})(?=.)/g, "$1 ");
    else if (field === expiry) field.value = text.length > 2 ? `${text.slice(0, 2)} / ${text.slice(2, 4)}` : text;
    else field.value = text;
  }

  for (const field of fields) {
    field.addEventListener("input", () => {
      // Formatting would throw the caret to the end while someone corrects the middle.
      if (field.selectionStart === field.value.length) format(field);
      if (field.getAttribute("aria-invalid") === "true") show(field, faultOf(field));
      port?.postMessage({ kind: "change", event: { complete: fields.every((each) => !faultOf(each)), empty: fields.every((each) => !each.value), value: { type: "card" } } });
    });
    field.addEventListener("blur", () => {
      if (field.value) show(field, faultOf(field));
    });
  }
  document.getElementById("card").addEventListener("submit", (event) => event.preventDefault());

  async function confirm() {
    const faults = fields.map((field) => [field, faultOf(field)]).filter(([, fault]) => fault);
    for (const field of fields) show(field, faultOf(field));
    if (faults.length > 0) {
      faults[0][0].focus();
      return { error: { type: "validation_error", message: faults[0][1] } };
    }
    const date = digits(expiry);
    const card = { number: digits(number), exp_month: Number(date.slice(0, 2)), exp_year: 2000 + Number(date.slice(2)), cvc: digits(cvc) };
    try {
      const answer = await fetch("/api/confirm", { method: "POST", body: JSON.stringify({ key: begun.key, client_secret: begun.clientSecret, card }) });
      return await answer.json();
    } catch {
      return { error: { type: "api_connection_error", message: "We could not reach the bank. Check your connection and try again." } };
    }
  }

  addEventListener("message", (event) => {
    if (port || event.data?.kind !== "begin") return;
    begun = event.data;
    dress(begun.appearance);
    [port] = event.ports;
    port.onmessage = async ({ data }) => {
      if (data.kind === "dress") dress(data.appearance);
      else if (data.kind === "confirm") port.postMessage({ kind: "result", result: await confirm() });
    };
    new ResizeObserver(() => port.postMessage({ kind: "height", px: document.documentElement.offsetHeight })).observe(document.documentElement);
    port.postMessage({ kind: "ready" });
  });
})();
