// A rack's elevation: a server is dragged to a unit, and the page of that place opens, which says
// whether it may stand there. Nothing is written before it is accepted. Without a mouse, the form
// on that same page does it.
(() => {
  "use strict";

  let dragged = null;

  const rowOf = (event) =>
    dragged && event.target instanceof Element
      ? event.target.closest("[data-rack] [data-unit]")
      : null;

  const mark = (row) => {
    for (const one of document.querySelectorAll(".is-drop")) one.classList.remove("is-drop");
    row?.classList.add("is-drop");
  };

  document.addEventListener("dragstart", (event) => {
    const cell = event.target instanceof Element ? event.target.closest("[data-machine]") : null;
    dragged = cell;
    if (!cell) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", cell.dataset.machine);
  });

  document.addEventListener("dragover", (event) => {
    const row = rowOf(event);
    if (!row) return;
    event.preventDefault();
    mark(row);
  });

  document.addEventListener("dragend", () => {
    dragged = null;
    mark(null);
  });

  document.addEventListener("drop", (event) => {
    const row = rowOf(event);
    if (!row) return;
    event.preventDefault();
    // One drops the top of a machine; a place is named by its lowest unit.
    const unit = Math.max(1, Number(row.dataset.unit) - Number(dragged.dataset.height) + 1);
    const face = row.closest("[data-face]").dataset.face;
    const query = new URLSearchParams({
      rack: row.closest("[data-rack]").dataset.rack,
      u: String(unit),
      side: dragged.dataset.side === "both" ? "both" : face,
    });
    location.assign(`/admin/servers/${dragged.dataset.machine}/place?${query}`);
  });
})();
