"""A wish matched to the stock over HTTP with a token: ours against OpenStack's Placement."""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from itertools import cycle, islice
from pathlib import Path

import msgspec

from app.core.database import Database
from app.domain.accounts.scopes import Scope
from app.solver.want import DiskKind, ServerWant, StorageWant
from benchmarks import plot
from benchmarks.load import User
from benchmarks.percentile import percentile
from benchmarks.report import say, table
from benchmarks.result import Result
from benchmarks.site import running
from benchmarks.solver import placement
from benchmarks.solver.fleet import servers
from benchmarks.solver.process import SEED
from benchmarks.solver.stock import empty, stock

SIZES = (1_000, 10_000)
CLIENTS = (1, 8)
FASTER = 50.0
FOR_S = 4.0
"""How long the clients of a case ask."""
WRITES_PER_S = 20
LAB_SPEED = 400.0
RANKED = 32
"""Servers that both are asked for at most."""
WANT = ServerWant(
    cpu_models=("E-2388G",),
    min_cores=8,
    ram_gb=64,
    storage=(StorageWant(kind=DiskKind.nvme, capacity_gb=960, count=2, hardware_raid=True),),
    datacentres=("ams",),
    datacentre_required=True,
)
RESOURCES = {
    "VCPU": 8, "MEMORY_MB": 64 * 1024, "DISK_GB": 1920, "CUSTOM_NVME_DISK": 2,
    "CUSTOM_SWITCH_PORT": 1,
}  # fmt: skip
TRAITS = (
    placement.place_trait("ams"), placement.model_trait("E-2388G"), placement.FEEDS,
    "CUSTOM_DISK_NVME", "CUSTOM_RAID_CONTROLLER",
)  # fmt: skip
"""The same wish in Placement's words."""


class Case(msgspec.Struct, frozen=True):
    """So many servers in stock, and how many clients ask."""

    servers: int
    clients: int

    def __str__(self) -> str:
        return f"{self.servers:,} servers, {self.clients} at once"


class Rate(msgspec.Struct, frozen=True):
    per_s: float
    p50_ms: float
    p99_ms: float


class NotTheSame(Exception):
    """The two found different numbers of servers for the same wish."""


async def measure(size: float) -> list[Result]:
    """Return the worst ratio among the most servers; `size` is a share of the time."""
    wanted = [*servers(SIZES[-1], SEED)]
    ours: dict[Case, Rate] = {}
    theirs: dict[Case, Rate] = {}
    with tempfile.TemporaryDirectory(prefix="slipway-bench-", ignore_cleanup_errors=True) as folder:
        async with running(speed=LAB_SPEED, webs=placement.PROCESSES, workers=0) as site:
            token = {"Authorization": f"Bearer {await site.token(Scope.ALLOCATION_READ)}"}
            await empty(site.stack.database)
            at = Path(folder) / "placement"
            async with placement.running(site.stack.servers, at) as peer:
                for before, number in zip((0, *SIZES), SIZES, strict=False):
                    await stock(site.stack.database, wanted[before:number])
                    await placement.add(peer, wanted[before:number])
                    await _agree(site.stack.base_url, token, peer)
                    for clients in CLIENTS:
                        case = Case(number, clients)
                        theirs[case] = await _rate(
                            [peer.url], placement.HEADERS, clients, _their_ask, FOR_S * size
                        )
                        async with _others_write(site.stack.database):
                            ours[case] = await _rate(
                                site.stack.base_urls, token, clients, _our_ask, FOR_S * size
                            )
    return [_result(ours, theirs)]


@contextlib.asynccontextmanager
async def _others_write(database: Database) -> AsyncIterator[None]:
    """Commit something elsewhere in our database all the time, as a busy Slipway does.

    What was read of the stock is kept only as long as nobody writes at all.
    """
    async with database.transaction() as tx:
        await tx.execute("CREATE TABLE IF NOT EXISTS elsewhere (at timestamptz)")

    async def write() -> None:
        while True:
            async with database.transaction() as tx:
                await tx.execute("INSERT INTO elsewhere VALUES (now())")
            await asyncio.sleep(1 / WRITES_PER_S)

    writing = asyncio.create_task(write())
    try:
        yield
    finally:
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)


async def _our_ask(user: User) -> bytes:
    return await user.post("/api/v1/server-matches", _BODY, status=200)


async def _their_ask(user: User) -> bytes:
    return await user.get(placement.candidates(RESOURCES, TRAITS, RANKED))


_BODY = msgspec.json.encode({"want": WANT})


async def _agree(url: str, token: Mapping[str, str], peer: placement.Placement) -> None:
    """Have both look at the whole stock once, and see that they find as many. Raises NotTheSame."""
    our, their = User(url, token), User(peer.url, placement.HEADERS)
    await our.open()
    await their.open()
    try:
        eligible = msgspec.json.decode(await _our_ask(our))["eligible"]
        said = await their.get(placement.candidates(RESOURCES, TRAITS, None))
        found = len(msgspec.json.decode(said)["allocation_requests"])
    finally:
        await our.close()
        await their.close()
    if not eligible or eligible != found:
        raise NotTheSame(f"ours found {eligible} servers, Placement {found}")


async def _rate(
    urls: Sequence[str],
    headers: Mapping[str, str],
    clients: int,
    ask: Callable[[User], Awaitable[bytes]],
    for_s: float,
) -> Rate:
    """Return what clients reach who ask again as soon as they are answered."""
    crowd = [User(url, headers) for url in islice(cycle(urls), max(clients, len(urls)))]
    for user in crowd:
        await user.open()
        await ask(user)  # each process has read the stock by then
    taken: list[float] = []

    async def go_on(user: User) -> None:
        while time.perf_counter() < ends:
            asked = time.perf_counter()
            await ask(user)
            taken.append((time.perf_counter() - asked) * 1e3)

    began = time.perf_counter()
    ends = began + for_s
    try:
        await asyncio.gather(*(go_on(user) for user in crowd[:clients]))
    finally:
        for user in crowd:
            await user.close()
    passed_s = time.perf_counter() - began
    return Rate(len(taken) / passed_s, percentile(taken, 0.5), percentile(taken, 0.99))


def _result(ours: Mapping[Case, Rate], theirs: Mapping[Case, Rate]) -> Result:
    ratios = {case: one.per_s / theirs[case].per_s for case, one in ours.items()}
    say(table(
        ("matches over HTTP", "ours/s", "p50 ms", "p99 ms", "Placement/s", "p50 ms", "ratio"),
        [(str(case), f"{one.per_s:.0f}", f"{one.p50_ms:.1f}", f"{one.p99_ms:.1f}",
          f"{theirs[case].per_s:.1f}", f"{theirs[case].p50_ms:.0f}", f"{ratios[case]:.0f}")
         for case, one in ours.items()],
    ))  # fmt: skip
    largest = [case for case in ours if case.servers == SIZES[-1]]
    worst = min(largest, key=lambda case: ratios[case])
    return Result(
        name="solver-http", ours=ratios[worst], peer=1.0, goal=FASTER, unit="x", at_least=True,
        says="matches a second of two web processes, with a token, while others write "
        f"{WRITES_PER_S} times a second, as a multiple of the allocation "
        "candidates a second (5 resources, 5 traits) of OpenStack Placement 16.0.0, of two "
        f"processes and on the same PostgreSQL; the worse of {len(largest)} cases ({worst})",
        details={
            str(case): {"ours": msgspec.to_builtins(one), "placement":
                        msgspec.to_builtins(theirs[case]), "ratio": ratios[case]}
            for case, one in ours.items()
        },
        plots={"solver-http": plot.bars(
            f"Matches a second among {worst.servers:,} servers, by {worst.clients} at once",
            [("Slipway", ours[worst].per_s), ("Placement", theirs[worst].per_s)], "a second",
        )},
    )  # fmt: skip
