"""Flows to draw on, and what a page says of itself while someone draws."""

from app.flows.document import Document, NodeSpec

COLUMNS = 25

WATCH = """
window.seen = {trips: [], frames: [], ready: 0};
(() => {
  let began = 0, last = 0;
  for (const name of ["pointerup", "keydown", "change"])
    addEventListener(name, event => { began = event.timeStamp; }, true);
  document.addEventListener("htmx:after:swap", event => {
    const isGesture = event.detail.ctx.sourceElement?.id === "gesture";
    if (isGesture) seen.trips.push(performance.now() - began);
  });
  window.startFrames = () => {
    seen.frames = [];
    last = 0;
    const frame = at => {
      if (last) seen.frames.push(at - last);
      last = at;
      window.frameTimer = requestAnimationFrame(frame);
    };
    window.frameTimer = requestAnimationFrame(frame);
  };
  new MutationObserver((_, observer) => {
    if (!document.querySelector("#canvas[data-ready]")) return;
    seen.ready = performance.now();
    observer.disconnect();
  }).observe(document, {subtree: true, childList: true, attributeFilter: ["data-ready"]});
})();
"""
"""An init script. A trip runs from the input that ends a gesture to its fragments in place."""


def flow_of(count: int, slug: str) -> Document:
    """Return a flow of `count` nodes in rows of 25: a trigger, then mails one after the other.

    Every fifth has an edge of its error port too.
    """
    names = ["paid", *(f"mail{number}" for number in range(1, count))]
    nodes = {
        name: NodeSpec(
            type="action.send_mail" if number else "trigger.order_paid",
            name=f"Mail {number}" if number else "Order paid",
            params={"template": f"=steps.{names[number - 1]}.mail"} if number > 1 else {},
        )
        for number, name in enumerate(names)
    }
    edges = [(f"{names[at]}.out", f"{names[at + 1]}.in") for at in range(count - 1)]
    edges += [(f"{names[at]}.error", f"{names[at + 2]}.in") for at in range(0, count - 2, 5)]
    places = {
        name: {"x": 40 + 280 * (number % COLUMNS), "y": 120 + 160 * (number // COLUMNS)}
        for number, name in enumerate(names)
    }
    return Document(flow=slug, name=slug, nodes=nodes, edges=tuple(edges), ui=places)
