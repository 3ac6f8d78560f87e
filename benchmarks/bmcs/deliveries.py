"""Orders delivered from a fleet of which a part is broken, and nobody helps."""

import asyncio
import math
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import httpx
import msgspec

from app.settings import Settings
from benchmarks.bmcs.breakage import FAULTS, broken
from benchmarks.course import LETTER
from benchmarks.percentile import percentile, spread
from benchmarks.report import say, table
from benchmarks.result import Result
from benchmarks.site import Site, running
from lab import client

ORDERS = 200
BROKEN_SHARE = 0.2
MACHINES_AN_ORDER = 1.4
"""A fifth is broken, and an order may meet several of those."""
SPEED = 4.0
"""Seconds of hardware, and of Slipway's own deadlines, in a second of the benchmark."""
PAID_EVERY_S = 0.75
"""The lab's BMCs are one process: asked by 200 orders at one moment, none answers in time."""
DELIVERED_GOAL, TIMES_GOAL = 99.5, 2.0
DEADLINES = ("install_timeout_minutes", "power_timeout_s", "health_timeout_s")
"""Settings that are shortened as the hardware is quickened."""
SEED = 7
LIMIT_HARDWARE_S = 2 * 3600.0
LOOK_S = 0.5
ENDED = ("succeeded", "halted", "failed", "cancelled")


class Delivered(msgspec.Struct, frozen=True):
    """One order: seconds from payment to mail, None where it was not delivered."""

    taken_s: float | None
    met: tuple[str, ...]
    """The faults of the machines that were put aside for it, in order."""
    failed: tuple[str, ...] = ()
    """What attempts of steps failed with."""
    stands: str = ""
    """Where it stands and why, if it was not delivered."""


async def measure(size: float = 1.0) -> list[Result]:
    """Return the share that was delivered, and the slowest against those of a whole fleet."""
    number = max(10, round(ORDERS * size))
    clean = await deliver(number, share=0.0)
    if undelivered := [each for each in clean if each.taken_s is None]:
        raise RuntimeError(f"a whole fleet did not deliver all: {undelivered[0].stands}")
    faulty = await deliver(number, share=BROKEN_SHARE)
    return results(clean, faulty)


async def deliver(number: int, *, share: float) -> list[Delivered]:
    """Order, pay one after the other, and wait until each order is delivered or stands still."""
    machines = math.ceil(number * MACHINES_AN_ORDER)
    async with running(speed=SPEED, machines=machines, environment=compressed(SPEED)) as site:
        faults = broken([each["name"] for each in site.stack.lab.machines], share, seed=SEED)
        await asyncio.to_thread(_break, site, faults)
        orders = [await site.order(f"fleet{n}.slipway.example") for n in range(number)]
        await site.quiet()
        began = time.monotonic()
        for order in orders:
            await site.pay(order)
            await asyncio.sleep(PAID_EVERY_S)
        await _ended(site, [order.id for order in orders])
        await site.quiet()
        say(f"{number} orders, {len(faults)} of {machines} machines broken: "
            f"{time.monotonic() - began:.0f} s")  # fmt: skip
        return await _read(site, [order.id for order in orders], faults)


def compressed(speed: float) -> dict[str, str]:
    """Return Slipway's deadlines, as they come, in the time of a lab that runs at `speed`."""
    usual = {name: float(Settings.model_fields[name].default) for name in DEADLINES}
    return {f"SLIPWAY_{name.upper()}": f"{value / speed:.3f}" for name, value in usual.items()}


def _break(site: Site, faults: Mapping[str, str]) -> None:
    folder = site.stack.plan.data_dir / "lab"
    for machine, fault in faults.items():
        client.call(folder, "POST", f"/api/machines/{machine}/fault", {"fault": fault})


async def _ended(site: Site, orders: Sequence[UUID]) -> None:
    """Return once every run ended or stands still, at the latest after `LIMIT_HARDWARE_S`."""
    deadline = time.monotonic() + LIMIT_HARDWARE_S / SPEED
    while time.monotonic() < deadline:
        async with site.stack.database.snapshot() as tx:
            ended: int = await tx.fetchval(
                "SELECT count(*) FROM run WHERE subject = ANY($1) AND status = ANY($2)",
                list(orders),
                list(ENDED),
            )
        if ended == len(orders):
            return
        await asyncio.sleep(LOOK_S)


async def _read(site: Site, orders: Sequence[UUID], faults: Mapping[str, str]) -> list[Delivered]:
    async with site.stack.database.snapshot() as tx:
        rows = await tx.fetch(
            "SELECT o.id, max(p.settled_at) AS paid_at, m.recipient, m.subject, r.status, r.error, "
            "o.state_reason FROM client_order o JOIN run r ON r.subject = o.id "
            'JOIN invoice i ON i."order" = o.id '
            "JOIN payment p ON p.invoice = i.id AND p.state = 'succeeded' "
            'LEFT JOIN mail m ON m."order" = o.id AND m.code = $2 '
            "WHERE o.id = ANY($1) GROUP BY 1, 3, 4, 5, 6, 7",
            list(orders),
            LETTER,
        )
        aside = await tx.fetch(
            "SELECT e.before ->> 'holder' AS holder, s.name FROM audit_entry e "
            "JOIN server s ON s.id = e.subject WHERE e.action = 'inventory.quarantine' "
            "ORDER BY e.at, e.id"
        )
        attempts = await tx.fetch(
            "SELECT r.subject, a.node, a.error FROM step_attempt a JOIN run r ON r.id = a.run "
            "WHERE r.subject = ANY($1) AND a.status = 'failed' ORDER BY a.id",
            list(orders),
        )
    failed: defaultdict[UUID, list[str]] = defaultdict(list)
    for row in attempts:
        failed[row["subject"]].append(f"{row['node']}: {row['error']}")
    met: defaultdict[str, list[str]] = defaultdict(list)
    for row in aside:
        met[row["holder"]].append(faults.get(row["name"], "none"))
    letters = await _letters(site)
    return [
        Delivered(
            taken_s=None
            if row["status"] != "succeeded" or row["subject"] not in letters
            else letters[row["subject"]] - row["paid_at"].timestamp(),
            met=tuple(met[str(row["id"])]),
            failed=tuple(failed[row["id"]]),
            stands=f"{row['status']}: {row['error'] or row['state_reason']}",
        )
        for row in rows
    ]


async def _letters(site: Site) -> dict[str, float]:
    """Return when the mailbox took the first mail of each subject; all go to one client."""
    async with httpx.AsyncClient(base_url=site.stack.lab.url, trust_env=False) as lab:
        answer = await lab.get("/api/mailbox", params={"to": site.stack.logins.client.email})
    answer.raise_for_status()
    found: dict[str, float] = {}
    for letter in answer.json():
        found[letter["subject"]] = min(
            letter["received_at"], found.get(letter["subject"], math.inf)
        )
    return found


def results(clean: Sequence[Delivered], faulty: Sequence[Delivered]) -> list[Result]:
    """Return the two rows. One that was not delivered counts as long as it was waited for."""
    whole = [each.taken_s for each in clean if each.taken_s is not None]
    delivered = [each.taken_s for each in faulty if each.taken_s is not None]
    taken = [*delivered, *[LIMIT_HARDWARE_S / SPEED] * (len(faulty) - len(delivered))]
    stands = [each.stands for each in faulty if each.taken_s is None]
    by_met: defaultdict[str, list[float]] = defaultdict(list)
    for each in faulty:
        if each.taken_s is not None:
            by_met[", ".join(each.met) or "none"].append(each.taken_s)
    aside = Counter(fault for each in faulty for fault in each.met)
    say(
        table(
            ("machines put aside", "p50", "max", "n"),
            [
                (met, f"{percentile(each, 0.5):.1f} s", f"{max(each):.1f} s", len(each))
                for met, each in sorted(by_met.items(), key=lambda found: max(found[1]))
            ],
        )
    )
    unneeded = [
        error for each in faulty if "none" in each.met or not each.met for error in each.failed
    ]
    for error in unneeded[:5]:
        say(f"failed where nothing was broken: {error}")
    for each in stands[:5]:
        say(f"not delivered: {each}")
    slowest, usual = percentile(taken, 0.99), percentile(whole, 0.99)
    number = len(faulty)
    details: dict[str, Any] = {
        "speed": SPEED,
        "clean_s": spread(whole),
        "taken_s": spread(delivered),
        "put_aside": {fault: aside[fault] for fault in (*FAULTS, "none")},
        "by_faults_met_s": {met: spread(each) for met, each in by_met.items()},
        "failed_on_whole": unneeded,
        "not_delivered": stands,
    }
    about = (
        f"{number} orders, one every {PAID_EVERY_S:g} s, {BROKEN_SHARE:.0%} of the machines broken "
        "in five ways"
    )
    return [
        Result(
            name="hardware-delivered", ours=100 * len(delivered) / number, peer=100.0,
            goal=DELIVERED_GOAL, unit="%", at_least=True, details=details,
            says=f"{about}: delivered with nobody's help; peer: a whole fleet",
        ),
        Result(
            name="hardware-delivery", ours=slowest / usual, peer=1.0, goal=TIMES_GOAL, unit="x",
            details=details,
            says=f"payment to mail, p99 of {about}, over p99 of a whole fleet ({usual:.0f} s), "
            f"{SPEED:g} times as fast as in earnest",
        ),
    ]  # fmt: skip
