"""`delivery`: from the payment to the credentials mail, less what the hardware itself takes.

One order at a time, then 24 at once on the demo's 24 machines; the peer does the same by a bare
script (`benchmarks.bare`). Time that a machine waits for an answer over HTTP is ours.
"""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from app.core.errors import Refusal
from benchmarks.bare import deliver_bare
from benchmarks.course import Course, read_course
from benchmarks.machine import cpu_s
from benchmarks.percentile import percentile, spread
from benchmarks.report import say, table
from benchmarks.result import Result
from benchmarks.site import Site, running

SPEED = 60.0
ALONE = 8
"""Deliveries one after the other."""
AT_ONCE = 24
GOAL_S = 2.0
LOOK_INTERVAL_S = 0.25
HARDWARE_S = 900.0
"""More than the hardware takes from power-on to its second boot, at its own speed."""


class NotDelivered(Refusal):
    code = "bench.not_delivered"


async def measure(*, speed: float = SPEED) -> list[Result]:
    """Return the figures for one order at a time and, last, for 24 at once."""
    results = []
    for name, count, at_once in (("delivery-1", ALONE, False), ("delivery", AT_ONCE, True)):
        async with running(speed=speed) as site:
            before = _cpu(site)
            ours = await deliver(site, count, at_once=at_once, limit_s=60 + HARDWARE_S / speed)
            cpu = {name: (used - before[name]) / count for name, used in _cpu(site).items()}
        with tempfile.TemporaryDirectory(
            prefix="slipway-bare-", ignore_cleanup_errors=True
        ) as folder:
            bare = await deliver_bare(Path(folder), speed=speed, count=count, side_by_side=at_once)
        result = _result(name, ours, bare, cpu, speed=speed, at_once=at_once)
        _show(result, ours, bare)
        results.append(result)
    return results


async def deliver(site: Site, count: int, *, at_once: bool, limit_s: float) -> list[Course]:
    """Order, pay and await `count` deliveries."""
    orders = [await site.order(f"bench{number}.slipway.example") for number in range(count)]
    await site.quiet()
    if at_once:
        await asyncio.gather(*(site.pay(order) for order in orders))
        await _delivered(site, [order.id for order in orders], limit_s)
    else:
        for order in orders:
            await site.pay(order)
            await _delivered(site, [order.id], limit_s)
    database, url = site.stack.database, site.stack.lab.url
    async with httpx.AsyncClient(base_url=url, trust_env=False) as lab:
        return [await read_course(database, lab, order.id) for order in orders]


async def _delivered(site: Site, orders: Sequence[UUID], limit_s: float) -> None:
    """Look four times a second, with one short statement: looking must not cost much."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        async with site.stack.database.snapshot() as tx:
            rows = await tx.fetch(
                "SELECT subject, status, error FROM run WHERE subject = ANY($1)", list(orders)
            )
        if stopped := [row for row in rows if row["status"] in ("halted", "failed", "cancelled")]:
            raise NotDelivered(f"A run is {stopped[0]['status']}: {stopped[0]['error']}")
        if sum(row["status"] == "succeeded" for row in rows) == len(orders):
            return
        await asyncio.sleep(LOOK_INTERVAL_S)
    raise NotDelivered(f"Not all of {len(orders)} orders were delivered within {limit_s:.0f} s.")


def _cpu(site: Site) -> dict[str, float]:
    """Return the CPU seconds of the web and worker processes until now."""
    children = [*site.stack.web, *site.stack.workers]
    return {child.name.partition("-")[0]: cpu_s(child.process.pid) or 0.0 for child in children}


def _result(
    name: str,
    ours: Sequence[Course],
    bare: Sequence[Course],
    cpu: dict[str, float],
    *,
    speed: float,
    at_once: bool,
) -> Result:
    own = [course.own_s for course in ours]
    peer = [course.own_s for course in bare]
    how = f"{len(ours)} orders at once" if at_once else f"{len(ours)} orders, one at a time"
    return Result(
        name=name,
        ours=percentile(own, 0.99),
        peer=percentile(peer, 0.99),
        goal=GOAL_S,
        says=f"payment to mail less the hardware's time, p99 of {how}; peer: a bare sushy script",
        details={
            "speed": speed,
            "cpu_s_per_order": cpu,
            "ours_s": spread(own),
            "bare_s": spread(peer),
            "total_s": spread([course.total_s for course in ours]),
            "hardware_s": spread([course.hardware_s for course in ours]),
            "steps_s": shares([course.steps_s for course in ours]),
            "gaps_s": shares([course.gaps_s for course in ours]),
            "bare_gaps_s": shares([course.gaps_s for course in bare]),
        },
    )


def shares(parts: Sequence[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Return each part's p50 and p99 over all deliveries, and its share of the sum."""
    names = list(dict.fromkeys(name for each in parts for name in each))
    total = sum(sum(each.values()) for each in parts) or 1.0
    return {
        name: {
            "p50": percentile([each.get(name, 0.0) for each in parts], 0.50),
            "p99": percentile([each.get(name, 0.0) for each in parts], 0.99),
            "share": sum(each.get(name, 0.0) for each in parts) / total,
        }
        for name in names
    }


def _show(result: Result, ours: Sequence[Course], bare: Sequence[Course]) -> None:
    facts = result.details
    say(f"\n{result.name}: {result.says}")
    say(table(
        ("", "p50", "p99", "n"),
        [
            ("payment to mail", *_row(facts["total_s"]), len(ours)),
            ("of it hardware", *_row(facts["hardware_s"]), len(ours)),
            ("of it ours", *_row(facts["ours_s"]), len(ours)),
            ("bare script's", *_row(facts["bare_s"]), len(bare)),
        ],
    ))  # fmt: skip
    used = ", ".join(
        f"{name} {part * 1e3:.0f} ms" for name, part in facts["cpu_s_per_order"].items()
    )
    say(f"CPU per order: {used}")
    say(_share_table("ours, per step", facts["steps_s"]))
    say(_share_table("ours, between what the hardware did", facts["gaps_s"]))
    say(_share_table("the bare script's, the same way", facts["bare_gaps_s"]))


def _row(figures: dict[str, Any]) -> tuple[str, str]:
    return f"{figures['p50']:.3f} s", f"{figures['p99']:.3f} s"


def _share_table(title: str, parts: dict[str, dict[str, float]]) -> str:
    rows = [
        (name, f"{each['p50'] * 1e3:.0f} ms", f"{each['p99'] * 1e3:.0f} ms", f"{each['share']:.0%}")
        for name, each in parts.items()
    ]
    return table((title, "p50", "p99", "share"), rows)
