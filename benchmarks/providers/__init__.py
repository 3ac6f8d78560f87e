"""`providers`: fifty virtual servers ordered at once at Proxmox VE, against its own limits.

From the payments to the last credentials mail, by the shipped flow `vps-proxmox`, one web and one
worker process. The ideal is what the cluster's locks leave: on each node the disk of one machine
after the other is copied and grown, the last one is started, and nobody loses a moment.
"""

import asyncio
import contextlib
import math
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from ipaddress import IPv4Address
from pathlib import Path
from uuid import UUID

import msgspec

from app.cli.demo.catalogue import demo_catalogue
from app.domain.addresses.register import register_addresses
from app.domain.addresses.seed import AddressSeed, PrefixSeed
from app.domain.catalog.register import register_catalog
from app.domain.catalog.seed import CatalogSeed, CategorySeed
from app.domain.connections.add import add_connection
from app.domain.connections.kinds import Kind
from app.domain.machines.rules import MachinePlace, MachineRules, MachineSize
from app.domain.orders.views import OrderView
from app.flows.shipped import serve_categories
from app.ipam.wants import AddressRules
from benchmarks.delivery import NotDelivered
from benchmarks.providers.cluster import NODES, PASSWORD, TASK_S, TEMPLATE, cluster
from benchmarks.report import say, table
from benchmarks.result import Result
from benchmarks.site import Site, running
from benchmarks.usage import rss_bytes

ORDERS = 50
GOAL = 1.3
PRODUCT = "vm-s"
PURPOSE = "virtual"
GATEWAY = IPv4Address("127.40.0.1")
LOOK_S = 0.1
LIMIT_S = 180.0
MEMORY_GOAL_MB = 5.0
PROVIDER = "bench-pve"


async def measure(size: float = 1.0) -> list[Result]:
    """Return the time against the ideal, the locks that timed out, and the memory of an order."""
    number = max(len(NODES), round(ORDERS * size))
    with tempfile.TemporaryDirectory(prefix="slipway-pve-", ignore_cleanup_errors=True) as folder:
        async with (
            cluster(Path(folder)) as (door, address, authority),
            running(speed=60.0, environment={"SLIPWAY_EGRESS_ALLOW": "127.0.0.0/8"}) as site,
            systems(number, int(site.stack.lab.ssh_port)),
        ):
            await _sell(site, address, authority)
            orders = [
                await site.order(f"vm{n}.slipway.example", product=PRODUCT) for n in range(number)
            ]
            await site.quiet()
            before, calls = _memory(site), Counter(door.calls)
            most = before
            began = time.monotonic()
            await asyncio.gather(*(site.pay(order) for order in orders))
            while not await _all_delivered(site, [order.id for order in orders]):
                most = max(most, _memory(site))
                if time.monotonic() - began > LIMIT_S:
                    raise NotDelivered(f"Not all of {number} within {LIMIT_S:.0f} s.")
                await asyncio.sleep(LOOK_S)
            taken_s = time.monotonic() - began
            memory = (most - before) / number / 2**20
            return _results(
                Seen(
                    orders=number,
                    taken_s=taken_s,
                    calls=door.calls - calls,
                    tasks=door.tasks,
                    failed=await _failed(site, orders),
                    locks_timed_out=door.timed_out,
                    memory_mb=memory,
                )
            )


def ideal_s(number: int) -> float:
    """Return how long the cluster itself takes for so many machines, spread evenly."""
    on_one = math.ceil(number / len(NODES))
    return on_one * 2 * TASK_S + TASK_S


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What fifty orders took."""

    orders: int
    taken_s: float
    calls: Counter[str]
    """To the provider, by method and path."""
    tasks: Counter[str]
    failed: Sequence[str]
    """What attempts of steps failed with."""
    locks_timed_out: int
    memory_mb: float
    """Of web and worker, a running order."""


def _results(seen: Seen) -> list[Result]:
    number, ideal = seen.orders, ideal_s(seen.orders)
    each = seen.calls.total() / number
    say(
        table(
            ("what", "value"),
            [
                ("until all were delivered", f"{seen.taken_s:.2f} s"),
                ("ideal", f"{ideal:.2f} s"),
                ("calls a delivery", f"{each:.1f}"),
                ("tasks", ", ".join(f"{n} {kind}" for kind, n in sorted(seen.tasks.items()))),
                ("attempts that failed", str(len(seen.failed))),
                ("memory a running order", f"{seen.memory_mb:.2f} MB"),
            ],
        )
    )
    for error in seen.failed[:5]:
        say(error)
    return [
        Result(
            name="providers-failed", ours=len(seen.failed) + seen.locks_timed_out, peer=number,
            goal=1.0, unit="",
            details={"attempts": list(seen.failed), "locks_timed_out": seen.locks_timed_out},
            says=f"attempts of steps that failed, and locks of the cluster that timed out, in "
            f"{number} orders at once; peer: the orders",
        ),
        Result(
            name="providers-memory", ours=seen.memory_mb, peer=MEMORY_GOAL_MB, goal=MEMORY_GOAL_MB,
            unit="MB", says="memory of web and worker a running order; peer: the goal",
        ),
        Result(
            name="providers", ours=seen.taken_s / ideal, peer=1.0, goal=GOAL, unit="x",
            details={"taken_s": seen.taken_s, "ideal_s": ideal, "calls_per_delivery": each,
                     "tasks": dict(seen.tasks),
                     "calls": dict(seen.calls.most_common())},
            says=f"payment to mail of {number} virtual servers at once on {len(NODES)} nodes of "
            f"Proxmox VE with tasks of {TASK_S * 1e3:.0f} ms, over what the cluster's locks on "
            f"its storages leave ({ideal:.1f} s); {each:.1f} calls a delivery",
        ),
    ]  # fmt: skip


async def _sell(site: Site, address: str, authority: str) -> None:
    """Put machines at the cluster on sale, with addresses that answer here."""
    stack = site.stack
    (category,) = demo_catalogue(stack.lab.mirror_url).categories
    like = category.products[0]
    product = msgspec.structs.replace(
        like,
        slug=PRODUCT,
        name="VM S",
        address_rules=AddressRules(primary_purpose=PURPOSE, ipv6_length=None, vlan=False),
        machine_rules=MachineRules(
            size=MachineSize(cores=1, memory_mb=256, disk_gb=4),
            templates={
                option.code: TEMPLATE
                for group in like.groups
                if group.code == "os"
                for option in group.options
            },
            places=(MachinePlace(connection=PROVIDER, datacentre="ams1"),),
        ),
        groups=tuple(group for group in like.groups if group.code == "os"),
    )
    virtual = CategorySeed(slug="virtual", name="Virtual servers", products=(product,))
    prefix = PrefixSeed(
        network=f"{GATEWAY - 1}/24", datacentre="ams1", purpose=PURPOSE, gateway=str(GATEWAY)
    )
    async with stack.database.transaction() as tx:
        await add_connection(
            tx, stack.vault, name=PROVIDER, kind=Kind.HYPERVISOR,
            typed={"provider": "proxmox", "base_url": address, "username": "root@pam",
                   "secret": PASSWORD, "trust": "ca", "ca_pem": authority},
            actor=None, actor_label="benchmark",
        )  # fmt: skip
        await register_addresses(tx, AddressSeed(prefixes=(prefix,)))
        await register_catalog(tx, CatalogSeed(categories=(virtual,)))
        await serve_categories(tx)


@contextlib.asynccontextmanager
async def systems(number: int, port: int) -> AsyncIterator[None]:
    """Answer as an SSH server does on the first addresses that orders get."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        with contextlib.suppress(OSError):
            await writer.drain()
        writer.close()

    hosts = [str(GATEWAY + n) for n in range(1, number + 1)]
    async with await asyncio.start_server(answer, hosts, port):
        yield


async def _all_delivered(site: Site, orders: Sequence[UUID]) -> bool:
    """Return whether all runs succeeded. Raises NotDelivered where one stands still."""
    async with site.stack.database.snapshot() as tx:
        rows = await tx.fetch("SELECT status, error FROM run WHERE subject = ANY($1)", list(orders))
    for row in rows:
        if row["status"] in ("halted", "failed", "cancelled"):
            raise NotDelivered(f"A run is {row['status']}: {row['error']}")
    return sum(1 for row in rows if row["status"] == "succeeded") == len(orders)


async def _failed(site: Site, orders: Sequence[OrderView]) -> list[str]:
    async with site.stack.database.snapshot() as tx:
        rows = await tx.fetch(
            "SELECT a.node, a.error FROM step_attempt a JOIN run r ON r.id = a.run "
            "WHERE r.subject = ANY($1) AND a.error <> '' ORDER BY a.id",
            [order.id for order in orders],
        )
    return [f"{row['node']}: {row['error']}" for row in rows]


def _memory(site: Site) -> int:
    """Return what web and worker hold now, in bytes."""
    children = [*site.stack.web, *site.stack.workers]
    return sum(rss_bytes(child.process.pid) for child in children)
