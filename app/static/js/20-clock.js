// Keeps times current: relative times, counters that run up, clocks that run down.
(() => {
  "use strict";

  const stated = Date.parse(document.querySelector('meta[name="slipway-now"]')?.content ?? "");
  const skewMs = Number.isNaN(stated) ? 0 : stated - Date.now();
  const UNITS = [
    ["year", 31_536_000],
    ["month", 2_592_000],
    ["day", 86_400],
    ["hour", 3_600],
    ["minute", 60],
  ];
  const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "long" });

  // Where each counter began, by the browser's own steady clock. A morph that brings a new
  // value begins again from there.
  const begun = new WeakMap();
  function sinceMs(element, stamp) {
    let start = begun.get(element);
    if (!start || start.stamp !== stamp) {
      start = { stamp, at: performance.now() };
      begun.set(element, start);
    }
    return performance.now() - start.at;
  }

  function ago(element) {
    const seconds = (Date.parse(element.dateTime) - (Date.now() + skewMs)) / 1000;
    const unit = UNITS.find(([, size]) => Math.abs(seconds) >= size);
    if (unit) return relative.format(Math.round(seconds / unit[1]), unit[0]);
    return seconds > 1 ? "in a moment" : "just now";
  }

  function length(ms) {
    if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`;
    const total = Math.floor(ms / 1000);
    if (total < 60) return `${total} s`;
    const minutes = Math.floor(total / 60);
    if (minutes < 60) return `${minutes} min ${String(total % 60).padStart(2, "0")} s`;
    return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
  }

  function left(element) {
    const stamp = element.dataset.countdownS;
    const seconds = Math.ceil(Number(stamp) - sinceMs(element, stamp) / 1000);
    element.classList.toggle("is-short", seconds <= 60);
    if (seconds <= 0) return element.dataset.over;
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  }

  function write(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  const quickly = () => {
    for (const element of document.querySelectorAll("[data-elapsed-ms]")) {
      const stamp = element.dataset.elapsedMs;
      write(element, length(Number(stamp) + sinceMs(element, stamp)));
    }
    for (const bar of document.querySelectorAll("[data-progress-ms]")) {
      const stamp = bar.dataset.progressMs;
      bar.value = Math.min(Number(stamp) + sinceMs(bar, stamp), bar.max);
    }
    for (const element of document.querySelectorAll("[data-countdown-s]")) {
      write(element, left(element));
    }
  };
  const slowly = () => {
    for (const element of document.querySelectorAll("time[data-relative]")) {
      write(element, ago(element));
    }
  };

  quickly();
  slowly();
  setInterval(quickly, 100);
  setInterval(slowly, 15_000);
  document.addEventListener("htmx:after:swap", () => {
    quickly();
    slowly();
  });
})();
