// Draws `[data-chart]` with uPlot, which is fetched only when a chart comes into view.
(() => {
  "use strict";

  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const LEGEND_PX = 30;
  const heightOf = (place, labels) => place.clientHeight - (labels.length > 1 ? LEGEND_PX : 0);
  let library = null;
  const drawn = new Map();

  function load(address) {
    library ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = address;
      script.onload = () => resolve(globalThis.uPlot);
      script.onerror = reject;
      document.head.append(script);
    });
    return library;
  }

  const colour = (name) => {
    // Canvas knows no light-dark(): let the browser resolve the token.
    const probe = document.createElement("span");
    probe.className = `sw-ink-${name}`;
    document.body.append(probe);
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
  };

  async function draw(place) {
    const uPlot = await load(place.dataset.uplot);
    const data = JSON.parse(place.dataset.chart);
    const labels = JSON.parse(place.dataset.labels);
    const inks = ["accent", "warning", "success", "info"].map(colour);
    const axis = { stroke: colour("muted"), grid: { stroke: colour("line"), width: 1 }, ticks: { show: false }, font: "11px Inter Variable, sans-serif" };
    const unit = place.dataset.unit;
    const two = (number) => String(number).padStart(2, "0");
    const clock = (seconds) => {
      const at = new Date(seconds * 1000);
      const day = `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]}`;
      return at.getUTCHours() + at.getUTCMinutes() === 0 ? day : `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
    };
    drawn.get(place)?.plot.destroy();
    const plot = new uPlot({
      width: place.clientWidth,
      height: heightOf(place, labels),
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      cursor: { points: { size: 7 } },
      legend: { show: labels.length > 1 },
      axes: [{ ...axis, values: (_, ticks) => ticks.map(clock) }, { ...axis, size: 56, values: (_, ticks) => ticks.map((tick) => (unit ? `${tick} ${unit}` : tick)) }],
      series: [
        { label: "UTC", value: (_, seconds) => (seconds == null ? "" : clock(seconds)) },
        ...labels.map((label, i) => ({ label, stroke: inks[i % inks.length], width: 1.75, points: { show: false } })),
      ],
    }, data, place);
    drawn.set(place, { plot, labels, data: place.dataset.chart });
  }

  function drawAll(again) {
    for (const place of drawn.keys()) if (!place.isConnected) drawn.delete(place);
    for (const place of document.querySelectorAll("[data-chart]")) {
      const before = drawn.get(place);
      if (again || before?.data !== place.dataset.chart) draw(place);
    }
  }

  drawAll(false);
  document.addEventListener("htmx:after:swap", () => drawAll(false));
  addEventListener("resize", () => {
    for (const [place, { plot, labels }] of drawn) {
      plot.setSize({ width: place.clientWidth, height: heightOf(place, labels) });
    }
  });
  new MutationObserver(() => drawAll(true)).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawAll(true));
})();
