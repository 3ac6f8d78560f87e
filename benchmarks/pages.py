"""`pages`: the order page, its live fragment and the dashboard, under 20 users who never think.

One web process. The peer is a bare Litestar handler that returns a static page of the same size,
on the same server software, measured in the same run right before the page.
"""

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from app.cli.demo.browser import PortalClient
from app.cli.demo.logins import Login
from app.cli.demo.processes import Processes
from benchmarks.delivery import deliver
from benchmarks.load import User, load
from benchmarks.machine import start_floor
from benchmarks.percentile import spread
from benchmarks.report import say, table
from benchmarks.result import Result
from benchmarks.site import Site, running

LAB_SPEED = 400.0
DELIVERED = 12
AWAITING_PAYMENT = 4
"""What the pages show: deliveries done, and orders that wait for their payment."""
USERS = 20
REQUESTS = 1_000
WARM_UP = 100
REQUESTS_ALONE = 100
SAYS = {
    "pages-order": "the page of a delivered order",
    "pages-progress": "the part of it that renews itself",
    "pages-unpaid": "the page of an order that waits for its payment",
    "pages-admin": "the admin's dashboard",
}
GOAL_S = 1.0
"""Nielsen's limit for a flow of thought that stays uninterrupted, at p99 and in a crowd that
asks without pause."""


async def measure() -> list[Result]:
    """Return the figures of each page; the last is the slowest page's."""
    async with running(speed=LAB_SPEED) as site:
        courses = await deliver(site, DELIVERED, at_once=True, limit_s=120)
        waiting = [
            await site.order(f"waiting{number}.slipway.example")
            for number in range(AWAITING_PAYMENT)
        ]
        async with site.stack.database.snapshot() as tx:
            order = await tx.fetchval(
                "SELECT id FROM client_order WHERE hostname = $1", courses[0].hostname
            )
        client = await signed_in(site, site.stack.logins.client)
        owner = await signed_in(site, site.stack.logins.owner)
        asked = (
            ("pages-order", f"/orders/{order}", client),
            ("pages-progress", f"/orders/{order}/progress", client),
            ("pages-unpaid", f"/orders/{waiting[0].id}", client),
            ("pages-admin", "/admin", owner),
        )
        results = [await _page(site, *each) for each in asked]
    _show(results)
    slowest = max(results, key=lambda each: each.ours)
    parts = {each.name: each.details for each in results}
    return [*results, msgspec.structs.replace(slowest, name="pages", details=parts)]


async def signed_in(site: Site, login: Login) -> dict[str, str]:
    """Return the headers of a browser that is signed in."""
    portal = PortalClient(site.stack.base_url)
    try:
        await portal.sign_in(login)
        cookies = portal.http.cookies
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    finally:
        await portal.close()


async def _page(site: Site, name: str, path: str, headers: Mapping[str, str]) -> Result:
    url = site.stack.base_url
    user = User(url, headers)
    await user.open()
    size_bytes = len(await user.get(path))
    await user.close()
    with tempfile.TemporaryDirectory(prefix="slipway-floor-", ignore_cleanup_errors=True) as folder:
        processes = Processes(Path(folder))
        floor_url = await start_floor(processes, "litestar", size_bytes)
        try:
            floor = await _figures(floor_url, "/", None)
        finally:
            await processes.stop()
    ours = await _figures(url, path, headers)
    return Result(
        name=name,
        ours=ours["crowd"]["p99"],
        peer=floor["crowd"]["p99"],
        goal=GOAL_S,
        says=f"p99 of {SAYS[name]} with {USERS} users at once; "
        "peer: a static page of that size by a bare Litestar handler",
        details={"path": path, "bytes": size_bytes, "ours": ours, "floor": floor},
    )


async def _figures(url: str, path: str, headers: Mapping[str, str] | None) -> dict[str, Any]:
    """Return the seconds alone and in a crowd, and the answers per second of the crowd."""
    alone = await load(
        url, path, users=1, requests=REQUESTS_ALONE, warm_up=WARM_UP, headers=headers
    )
    began = time.perf_counter()
    crowd = await load(url, path, users=USERS, requests=REQUESTS, warm_up=0, headers=headers)
    wall_s = time.perf_counter() - began
    return {"alone": spread(alone), "crowd": spread(crowd), "per_s": REQUESTS / wall_s}


def _show(results: list[Result]) -> None:
    rows = []
    for result in results:
        for who in ("ours", "floor"):
            part = result.details[who]
            rows.append((
                f"{result.name} {who}, {result.details['bytes']} bytes",
                *(f"{part['alone'][key] * 1e3:.1f}" for key in ("p50", "p99")),
                *(f"{part['crowd'][key] * 1e3:.1f}" for key in ("p50", "p99")),
                f"{part['per_s']:.0f}",
            ))  # fmt: skip
    head = ("ms", "alone p50", "p99", f"{USERS} users p50", "p99", "answers/s")
    say(table(head, rows))
