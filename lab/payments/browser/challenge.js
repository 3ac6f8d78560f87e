// The bank's page of 3-D Secure: agree or not, once.
(() => {
  "use strict";

  const buttons = document.querySelectorAll("button");
  let port = null;
  let begun = null;

  async function answer(success) {
    if (!port || buttons[0].disabled) return;
    for (const button of buttons) button.disabled = true;
    let result;
    try {
      const said = await fetch("/api/authenticate", { method: "POST", body: JSON.stringify({ key: begun.key, client_secret: begun.clientSecret, success }) });
      result = await said.json();
    } catch {
      result = { error: { type: "api_connection_error", message: "We could not reach the bank. Check your connection and try again." } };
    }
    port.postMessage({ kind: "result", result });
  }

  document.getElementById("complete").addEventListener("click", () => answer(true));
  document.getElementById("fail").addEventListener("click", () => answer(false));
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") answer(false);
  });
  addEventListener("message", (event) => {
    if (port || event.data?.kind !== "begin") return;
    begun = event.data;
    const root = document.documentElement;
    root.style.colorScheme = begun.appearance.theme === "night" ? "dark" : "light";
    for (const [name, value] of Object.entries(begun.appearance.variables ?? {})) root.style.setProperty(`--${name}`, value);
    [port] = event.ports;
    port.onmessage = ({ data }) => {
      if (data.kind === "fail") answer(false);
    };
    new ResizeObserver(() => port.postMessage({ kind: "height", px: root.offsetHeight })).observe(root);
    document.getElementById("complete").focus();
  });
})();
