// Grids of cells, such as the map of a prefix: one cell in the tab order, arrows to the others.
(() => {
  "use strict";

  function columns(grid) {
    return getComputedStyle(grid).gridTemplateColumns.split(" ").length;
  }

  const STEPS = {
    ArrowLeft: () => -1,
    ArrowRight: () => 1,
    ArrowUp: (grid) => -columns(grid),
    ArrowDown: columns,
  };

  document.addEventListener("keydown", (event) => {
    const here = event.target;
    const grid = here instanceof Element ? here.closest("[data-grid]") : null;
    const step = STEPS[event.key];
    if (!grid || !step || event.ctrlKey || event.metaKey || event.altKey) return;
    const cells = [...grid.children];
    const next = cells[cells.indexOf(here) + step(grid)];
    event.preventDefault();
    if (!next) return;
    here.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
})();
