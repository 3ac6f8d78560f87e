// The page's one SSE connection; see app/components/live.py for what it promises.
(() => {
  "use strict";

  const POLL_MS = 20_000;
  // A message can be lost while the stream stays open: a commit waits for Redis for a second only.
  const SURE_MS = 60_000;
  const HIDDEN_CLOSE_MS = 15_000;
  const RETRY_MS = [1_000, 2_000, 5_000, 10_000, 20_000];
  const WORDS = { live: "Live", reconnecting: "Reconnecting", off: "" };

  let source = null;
  let open = false;
  let connectedTopics = "";
  let attempt = 0;
  let retryTimer = 0;
  let hiddenTimer = 0;

  const regions = () => [...document.querySelectorAll("[data-live]")];
  const topicsOf = (region) => region.dataset.live.split(" ").filter(Boolean);
  const topics = () => [...new Set(regions().flatMap(topicsOf))].sort();
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  // By region id: one request at a time and a pause after it. An event that comes in between
  // makes one more round, which begins later and so sees what the event was about.
  const rounds = new Map();
  async function refresh({ id }) {
    if (rounds.has(id)) {
      rounds.set(id, "again");
      return;
    }
    do {
      const region = document.getElementById(id);
      if (!region?.dataset.live) break;
      rounds.set(id, "once");
      try {
        await htmx.ajax("GET", region.dataset.liveUrl, { source: region, target: region, swap: "outerMorph" });
      } catch {
        // The next event or the poll asks again; a round that never ended would keep it from that.
      }
      await pause(Number(region.dataset.liveEveryMs));
    } while (rounds.get(id) === "again");
    rounds.delete(id);
  }
  const refreshAll = () => regions().forEach(refresh);

  function show(state) {
    const sign = document.getElementById("live-state");
    if (!sign) return;
    sign.hidden = state === "off";
    if (sign.dataset.state === state) return;
    sign.dataset.state = state;
    sign.querySelector(".sw-live-word").textContent = WORDS[state];
  }

  function close() {
    clearTimeout(retryTimer);
    source?.close();
    source = null;
    open = false;
    connectedTopics = "";
  }

  function connect() {
    close();
    const wanted = topics();
    if (wanted.length === 0) {
      show("off");
      return;
    }
    connectedTopics = wanted.join(",");
    const mine = new EventSource(`/live?topics=${encodeURIComponent(connectedTopics)}`);
    source = mine;
    mine.onopen = () => {
      open = true;
      attempt = 0;
      show("live");
      refreshAll();
    };
    mine.onerror = () => {
      open = false;
      show("reconnecting");
      // The browser retries a broken stream by itself, but gives up on an HTTP error.
      if (mine.readyState !== EventSource.CLOSED) return;
      clearTimeout(retryTimer);
      retryTimer = setTimeout(connect, RETRY_MS[Math.min(attempt++, RETRY_MS.length - 1)]);
    };
    for (const topic of wanted) {
      mine.addEventListener(topic, () => {
        regions().filter((region) => topicsOf(region).includes(topic)).forEach(refresh);
      });
    }
  }

  setInterval(() => {
    if (!open && !document.hidden) refreshAll();
  }, POLL_MS);
  setInterval(() => {
    if (open && !document.hidden) refreshAll();
  }, SURE_MS);

  // A browser allows six connections to a host over HTTP/1.1, shared by all tabs: a tab
  // that nobody looks at gives its own back.
  document.addEventListener("visibilitychange", () => {
    clearTimeout(hiddenTimer);
    if (document.hidden) {
      hiddenTimer = setTimeout(close, HIDDEN_CLOSE_MS);
    } else if (!source) {
      connect();
    }
  });
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => {
    if (event.persisted) connect();
  });

  // A swap may bring regions with other topics, or take the last one away.
  document.addEventListener("htmx:after:swap", () => {
    if (topics().join(",") !== connectedTopics && !document.hidden) connect();
  });
  if (regions().length > 0) {
    show("reconnecting");
    connect();
  }
})();
