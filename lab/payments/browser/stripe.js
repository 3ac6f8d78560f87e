// A stand-in of Stripe.js: as much of it as Slipway's pay page uses, with the same names.
// As with Stripe, what is typed stays in a frame of this origin; the page never sees a card.
(() => {
  "use strict";

  const BASE = new URL(".", document.currentScript.src);

  function frame(name, title) {
    const element = document.createElement("iframe");
    element.src = new URL(name, BASE).href;
    element.title = title;
    Object.assign(element.style, { display: "block", width: "100%", border: "0", colorScheme: "light" });
    return element;
  }

  // Hand the frame one end of a channel once it has loaded; messages go nowhere else.
  function connect(element, first, heard) {
    const channel = new MessageChannel();
    channel.port1.onmessage = (event) => heard(event.data, channel.port1);
    element.addEventListener("load", () => {
      element.contentWindow.postMessage(first, BASE.origin, [channel.port2]);
    }, { once: true });
    return channel.port1;
  }

  class PaymentElement {
    constructor(key, options) {
      this._first = { kind: "begin", key, clientSecret: options.clientSecret, appearance: options.appearance ?? {} };
      this._listeners = {};
      this._waiting = null;
    }

    mount(place) {
      const target = typeof place === "string" ? document.querySelector(place) : place;
      if (!target) throw new Error(`IntegrationError: no element matches ${place}`);
      this._frame = frame("element.html", "Secure payment input frame");
      // The frame's own edge leaves room for the ring around a focused field.
      Object.assign(this._frame.style, { height: "0", margin: "-3px", width: "calc(100% + 6px)" });
      this._port = connect(this._frame, this._first, (message) => this._hear(message));
      this._dress(this._first.appearance);
      target.replaceChildren(this._frame);
    }

    on(name, listener) {
      (this._listeners[name] ??= []).push(listener);
      return this;
    }

    update() {
      return this;
    }

    _dress(appearance) {
      // A frame whose colour scheme differs from the page's gets an opaque ground.
      this._frame.style.colorScheme = appearance.theme === "night" ? "dark" : "light";
      this._port.postMessage({ kind: "dress", appearance });
    }

    _hear(message) {
      if (message.kind === "height") this._frame.style.height = `${message.px}px`;
      else if (message.kind === "result") this._waiting?.(message.result);
      else for (const listener of this._listeners[message.kind] ?? []) listener({ elementType: "payment", ...message.event });
    }

    _confirm() {
      return new Promise((resolve) => {
        this._waiting = resolve;
        this._port.postMessage({ kind: "confirm" });
      });
    }
  }

  // 3-D Secure: the bank's own page, here one with two buttons, over the shop's.
  function challenge(key, clientSecret, appearance) {
    return new Promise((resolve) => {
      const dialog = document.createElement("dialog");
      dialog.setAttribute("aria-label", "3-D Secure");
      Object.assign(dialog.style, { padding: "0", border: "0", borderRadius: "12px", width: "min(420px, calc(100vw - 32px))", overflow: "hidden" });
      const inside = frame("challenge.html", "3-D Secure challenge frame");
      inside.style.colorScheme = appearance.theme === "night" ? "dark" : "light";
      const port = connect(inside, { kind: "begin", key, clientSecret, appearance }, (message) => {
        if (message.kind === "height") {
          inside.style.height = `${message.px}px`;
        } else if (message.kind === "result") {
          dialog.close();
          dialog.remove();
          resolve(message.result);
        }
      });
      dialog.addEventListener("cancel", (event) => {
        event.preventDefault();
        port.postMessage({ kind: "fail" });
      });
      dialog.append(inside);
      document.body.append(dialog);
      dialog.showModal();
    });
  }

  globalThis.Stripe = (key) => {
    if (!/^pk_/.test(key)) throw new Error("IntegrationError: a publishable key begins with pk_");
    return {
      elements(options) {
        if (!options?.clientSecret) throw new Error("IntegrationError: elements() needs a clientSecret");
        let element = null;
        let appearance = options.appearance ?? {};
        return {
          create(type) {
            if (type !== "payment") throw new Error(`IntegrationError: there is no ${type} element here`);
            if (element) throw new Error("IntegrationError: there is one payment element already");
            element = new PaymentElement(key, options);
            return element;
          },
          getElement: (type) => (type === "payment" ? element : null),
          update(changed) {
            appearance = changed.appearance ?? appearance;
            element?._dress(appearance);
          },
          _confirm: () => element._confirm(),
          _clientSecret: options.clientSecret,
          _appearance: () => appearance,
        };
      },

      async confirmPayment({ elements, confirmParams, redirect = "always" }) {
        if (!confirmParams?.return_url) throw new Error("IntegrationError: confirmParams.return_url is missing");
        let result = await elements._confirm();
        if (result.paymentIntent?.status === "requires_action") {
          result = await challenge(key, elements._clientSecret, elements._appearance());
        }
        if (result.error || redirect === "if_required") return result;
        const back = new URL(confirmParams.return_url);
        back.searchParams.set("payment_intent", result.paymentIntent.id);
        back.searchParams.set("redirect_status", result.paymentIntent.status);
        location.assign(back);
        return new Promise(() => {});
      },
    };
  };
})();
