"""`editor`: gestures in a browser on flows of 10, 100 and 500 nodes, and how smoothly they move.

One web process, one Chromium on the same machine. The peer is a bare round trip: the same number
of bytes fetched by the same browser from a static Litestar handler.
"""

import subprocess
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from playwright.async_api import Browser, Page, Request, async_playwright

from app.cli.assets import ROOT, find_npm
from app.cli.demo.processes import Processes
from app.components.assets import STATIC, join_modules
from app.flows.drafts.open import open_new
from app.flows.drafts.views import Designer
from benchmarks.drawing import WATCH, flow_of
from benchmarks.machine import start_floor
from benchmarks.pages import signed_in
from benchmarks.percentile import spread
from benchmarks.report import say, table
from benchmarks.result import Result
from benchmarks.site import Site, running

CHROMIUM = "/usr/bin/chromium"
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking")
SIZES = (10, 100, 500)
TIMES = 40
WARM_UP = 4
FRAMES_S = 2.0
TRIP_GOAL_S = 0.050
FRAME_GOAL_MS = 20.0
SCRIPT_GOAL_KB = 25.0
BYTES_GOAL_RATIO = 1.25
"""500 nodes against 10: "independent of the size", but for longer ids and numbers."""
PAINT_GOAL_S = 1.0

FIRST_PAINT = """() => new Promise((tell) => new PerformanceObserver((entries) => {
  const first = entries.getEntriesByName("first-contentful-paint")[0];
  if (first) tell({ ready: seen.ready, first: first.startTime });
}).observe({ type: "paint", buffered: true }))"""
"""The script that waits for it: scripts may be ready before the browser has told of its paint."""


async def measure() -> list[Result]:
    """Return the slowest gesture, the longest frame, the growth of bytes, first paint and size."""
    async with running(speed=400.0, workers=0) as site, _browser() as browser:
        headers = await signed_in(site, site.stack.logins.owner)
        found = {count: await _draw(site, browser, headers["Cookie"], count) for count in SIZES}
        size = max(part["bytes"] for part in found[SIZES[-1]]["gestures"].values())
        floor = await _floor(browser, round(size))
    script_kb = _minified() / 1024
    _show(found)
    large, small = found[SIZES[-1]], found[SIZES[0]]
    slowest = max(large["gestures"].values(), key=lambda part: part["trip"]["p99"])
    grown = max(
        part["bytes"] / small["gestures"][name]["bytes"] for name, part in large["gestures"].items()
    )
    frames = max(large["frames"].values(), key=lambda part: part["p99"])
    details = {str(count): part for count, part in found.items()}
    return [
        Result(
            name="editor", ours=slowest["trip"]["p99"], peer=floor["p99"], goal=TRIP_GOAL_S,
            says=f"p99 of the slowest gesture on {SIZES[-1]} nodes, from the input to its "
            "fragments in place; peer: as many bytes from a bare handler to the same browser",
            details=details | {"floor": floor},
        ),
        Result(
            name="editor-frames", ours=frames["p99"], peer=1000 / 60, goal=FRAME_GOAL_MS, unit="ms",
            says=f"p99 of frame times while panning or dragging on {SIZES[-1]} nodes; peer: 60 Hz",
            details={"frames": {str(count): part["frames"] for count, part in found.items()}},
        ),
        Result(
            name="editor-bytes", ours=grown, peer=1.0, goal=BYTES_GOAL_RATIO, unit="x",
            says=f"bytes of a gesture on {SIZES[-1]} nodes against {SIZES[0]}, of the gesture that "
            "grows most; peer: the same number",
        ),
        Result(
            name="editor-paint", ours=large["ready_s"], peer=small["ready_s"], goal=PAINT_GOAL_S,
            says=f"the editor opened with {SIZES[-1]} nodes until it takes gestures; "
            f"peer: with {SIZES[0]}",
            details={str(count): part["paint"] for count, part in found.items()},
        ),
        Result(
            name="editor-script", ours=script_kb, peer=script_kb, goal=SCRIPT_GOAL_KB, unit="KB",
            says="our own JavaScript of the editor, minified by terser (three passes, for ES2022)",
        ),
    ]  # fmt: skip


@asynccontextmanager
async def _browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


async def _draw(site: Site, browser: Browser, cookie: str, count: int) -> dict[str, Any]:
    async with site.stack.database.transaction() as tx:
        who = Designer(UUID(int=1), "Benchmark")
        draft = await open_new(
            tx, name=f"Flow {count}", slug=f"flow-{count}", by=who, template=flow_of(count, "f")
        )
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    cookies = [part.partition("=") for part in cookie.split("; ")]
    await context.add_cookies(
        [{"name": key, "value": held, "url": site.stack.base_url} for key, _, held in cookies]
    )
    page = await context.new_page()
    await page.add_init_script(WATCH)
    url = f"{site.stack.base_url}/designer/drafts/{draft}"
    for _ in range(3):  # the first visit also fills caches
        await page.goto(url)
        await page.locator("#canvas[data-ready]").wait_for()
    paint = await page.evaluate(FIRST_PAINT)
    gestures = {}
    for name, act in GESTURES.items():
        await page.goto(url)
        await page.locator("#canvas[data-ready]").wait_for()
        gestures[name] = await _gesture(page, act)
    frames = {name: await _frames(page, act) for name, act in (("pan", _pan), ("drag", _drag))}
    await context.close()
    return {"gestures": gestures, "frames": frames, "paint": paint, "ready_s": paint["ready"] / 1e3}


async def _gesture(page: Page, act: Callable[[Page, int], Awaitable[None]]) -> dict[str, Any]:
    """Return the round trips in seconds, and the bytes there and back, of one kind of gesture."""
    sizes: list[int] = []

    async def note(request: Request) -> None:
        if request.url.endswith("/commands"):
            found = await request.sizes()
            sizes.append(found["requestBodySize"] + found["responseBodySize"])

    page.on("requestfinished", note)
    for number in range(WARM_UP + TIMES):
        before = await page.evaluate("seen.trips.length")
        await act(page, number)
        await page.wait_for_function("n => seen.trips.length > n", arg=before)
        if number == WARM_UP - 1:
            await page.evaluate("seen.trips = []")
            sizes.clear()
        await page.wait_for_timeout(30)
    page.remove_listener("requestfinished", note)
    trips = await page.evaluate("seen.trips")
    await page.wait_for_timeout(400)  # problems are looked for once it is quiet
    return {"trip": spread([trip / 1e3 for trip in trips]), "bytes": sorted(sizes)[len(sizes) // 2]}


async def _head(page: Page, node: str) -> tuple[float, float]:
    box = await page.locator(f"#n-{node} .fl-head").bounding_box()
    if box is None:
        raise RuntimeError(f"the node {node} is not drawn")
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


async def _move(page: Page, number: int) -> None:
    x, y = await _head(page, "mail1")
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x, y + (40 if number % 2 else -40), steps=3)
    await page.mouse.up()


async def _connect(page: Page, number: int) -> None:
    """Draw the edge of an error port, and take it away by undoing, in turn."""
    if number % 2:
        await page.keyboard.press("Control+z")
        return
    port = await page.locator('#n-mail1 [data-port="error"]').bounding_box()
    target = await _head(page, "mail3")
    if port is None:
        raise RuntimeError("the port is not drawn")
    await page.mouse.move(port["x"] + port["width"] - 2, port["y"] + port["height"] / 2)
    await page.mouse.down()
    await page.mouse.move(*target, steps=4)
    await page.mouse.up()


async def _add(page: Page, number: int) -> None:
    """Add a node, and delete it, in turn."""
    if number % 2:
        await page.keyboard.press("Delete")
        return
    await page.mouse.click(*await _head(page, "mail2"))
    await page.keyboard.press("/")
    await page.keyboard.type("update")
    await page.keyboard.press("Enter")


async def _set(page: Page, number: int) -> None:
    if number == 0:
        await page.mouse.click(*await _head(page, "mail2"))
        await page.locator('#panel[data-panel="mail2"] #node-name').wait_for()
    field = page.locator("#node-name")
    await field.fill(f"Name {number}")
    await field.press("Enter")
    await field.blur()


async def _undo(page: Page, number: int) -> None:
    await page.locator("#canvas").focus()
    await page.keyboard.press("Control+Shift+z" if number % 2 else "Control+z")


GESTURES: dict[str, Callable[[Page, int], Awaitable[None]]] = {
    "move": _move,
    "connect": _connect,
    "add, delete": _add,
    "set": _set,
    "undo, redo": _undo,
}


async def _frames(page: Page, act: Callable[[Page], Awaitable[None]]) -> dict[str, float]:
    await page.wait_for_timeout(500)
    await page.evaluate("startFrames()")
    await act(page)
    frames = await page.evaluate("(cancelAnimationFrame(frameTimer), seen.frames)")
    return spread(frames)


async def _pan(page: Page) -> None:
    box = await page.locator("#canvas").bounding_box()
    if box is None:
        raise RuntimeError("there is no canvas")
    await page.mouse.move(box["x"] + 400, box["y"] + 400)
    for number in range(120):
        await page.mouse.wheel(16 if number < 60 else -16, 8 if number < 60 else -8)
        await page.wait_for_timeout(12)


async def _drag(page: Page) -> None:
    x, y = await _head(page, "mail1")
    await page.mouse.move(x, y)
    await page.mouse.down()
    for number in range(120):
        await page.mouse.move(x + 2 * (number % 60), y + number % 60)
        await page.wait_for_timeout(12)
    await page.mouse.up()


async def _floor(browser: Browser, size_bytes: int) -> dict[str, float]:
    """Return the seconds of a bare fetch of so many bytes, by the same browser."""
    with tempfile.TemporaryDirectory(prefix="slipway-floor-", ignore_cleanup_errors=True) as folder:
        processes = Processes(Path(folder))
        try:
            url = await start_floor(processes, "litestar", size_bytes)
            page = await browser.new_page()
            await page.goto(url)
            trips = await page.evaluate(
                "async n => { const found = []; for (let i = 0; i < n; i++) { const at = "
                "performance.now(); await (await fetch('/', {cache: 'no-store'})).text(); "
                "found.push(performance.now() - at); } return found; }",
                TIMES + WARM_UP,
            )
            await page.close()
        finally:
            await processes.stop()
    return spread([trip / 1e3 for trip in trips[WARM_UP:]])


def _minified() -> int:
    """Return the bytes of `designer.js` as terser leaves it."""
    with tempfile.TemporaryDirectory(prefix="slipway-script-") as folder:
        path = Path(folder) / "designer.mjs"
        path.write_bytes(join_modules(STATIC / "js/designer"))
        node = find_npm()[0] if find_npm()[0].endswith("node") else "node"
        command = [
            node,
            str(ROOT / "node_modules/terser/bin/terser"),
            str(path),
            *("--module", "--ecma", "2022", "-m"),
            *("-c", "passes=3,pure_getters,unsafe_arrows"),  # ours has no `this` and no getters
        ]
        done = subprocess.run(command, capture_output=True, check=True)
    return len(done.stdout)


def _show(found: dict[int, dict[str, Any]]) -> None:
    rows = [
        (
            f"{name}, {count} nodes",
            f"{part['trip']['p50'] * 1e3:.1f}",
            f"{part['trip']['p99'] * 1e3:.1f}",
            part["bytes"],
        )
        for count, all_ in found.items()
        for name, part in all_["gestures"].items()
    ]
    say(table(("gesture, ms", "p50", "p99", "bytes"), rows))
    frames = [
        (f"{name}, {count} nodes", *(f"{part[key]:.1f}" for key in ("p50", "p99", "max")))
        for count, all_ in found.items()
        for name, part in all_["frames"].items()
    ]
    say(table(("frames, ms", "p50", "p99", "max"), frames))
    paints = [
        (f"{count} nodes", f"{all_['paint']['first']:.0f}", f"{all_['paint']['ready']:.0f}")
        for count, all_ in found.items()
    ]
    say(table(("opening, ms", "first paint", "ready"), paints))
