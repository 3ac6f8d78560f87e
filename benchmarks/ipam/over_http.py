"""`available-ips` over HTTP with a token: ours against Nautobot's, by size, fill and clients."""

import asyncio
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle, islice
from pathlib import Path

import msgspec

from app.core.database import Database
from app.domain.accounts.scopes import Scope
from app.domain.addresses.register import register_addresses
from app.domain.addresses.seed import AddressSeed, PrefixSeed
from benchmarks.ipam.ground import fill
from benchmarks.ipam.nautobot import TOKEN, Nautobot
from benchmarks.ipam.nautobot import running as nautobot
from benchmarks.load import BadAnswer, User
from benchmarks.report import say, table
from benchmarks.result import Result
from benchmarks.site import running

LENGTHS = (24, 16)
FILLS = (0.0, 0.5, 0.95)
CLIENTS = (1, 16)
FASTER = 50.0
A_PREFIX = 8
"""Claims that each prefix of a case gets: a /24 that is 95 % full has room for no more than 12."""
OURS, THEIRS = 25, 2
"""Prefixes of a case, so that it takes 200 and 16 claims."""
LAB_SPEED = 400.0
PROCESSES = 2
"""That serve, of ours and of Nautobot's: as many as there are cores."""
NAUTOBOTS_BODY = b'{"status": "Active"}'
OUR_BODY = b'{"description": "benchmark"}'


class Case(msgspec.Struct, frozen=True):
    """Prefixes of one length, filled alike, and how many clients claim from them."""

    length: int
    fill: float
    clients: int

    def __str__(self) -> str:
        return f"/{self.length}, {self.fill:.0%} full, {self.clients} at once"

    @property
    def taken(self) -> int:
        return int((2 ** (32 - self.length) - 2) * self.fill)


CASES = tuple(
    Case(length, fill, clients) for length in LENGTHS for fill in FILLS for clients in CLIENTS
)
WARM_UP = Case(23, 0.0, PROCESSES)
"""Asked first and not counted, of both: what a process does at its first requests is no rate."""
ASKED = (WARM_UP, *CASES)


async def measure(size: float) -> list[Result]:
    """Return the worst ratio; `size` is a share of our claims."""
    prefixes = max(2, round(OURS * size))
    with tempfile.TemporaryDirectory(prefix="slipway-bench-", ignore_cleanup_errors=True) as folder:
        async with running(speed=LAB_SPEED, webs=PROCESSES, workers=0) as site:
            token = await site.token(Scope.ADDRESSES_READ, Scope.ADDRESSES_WRITE)
            paths = await _lay_out(site.stack.database, prefixes)
            ours = {
                case: await _rate(
                    site.stack.base_urls, f"Bearer {token}", OUR_BODY, case, paths[case]
                )
                for case in ASKED
            }
            networks = [
                (network, case.taken) for case in ASKED for network in _networks(case, THEIRS)
            ]
            async with nautobot(site.stack.servers, Path(folder) / "nautobot", networks) as peer:
                theirs = await _theirs(peer)
    return [_result(ours, theirs)]


async def _theirs(peer: Nautobot) -> dict[Case, tuple[float, int]]:
    left = iter(peer.paths)
    found = {}
    for case in ASKED:
        paths = list(islice(left, len(list(_networks(case, THEIRS)))))
        found[case] = await _rate((peer.url,), f"Token {TOKEN}", NAUTOBOTS_BODY, case, paths)
    return found


def _networks(case: Case, count: int) -> Iterator[str]:
    """Return networks of their own for a case: a /12 of 10.0.0.0/8 each."""
    at = (10 << 24) + (ASKED.index(case) << 20)
    for number in range(count if case.length > 16 else 1):
        base = at + number * 2 ** (32 - case.length)
        yield f"{'.'.join(str(base >> shift & 255) for shift in (24, 16, 8, 0))}/{case.length}"


async def _lay_out(database: Database, count: int) -> dict[Case, list[str]]:
    found = {}
    async with database.snapshot() as tx:
        datacentre = await tx.fetchval("SELECT code FROM datacentre ORDER BY code LIMIT 1")
    for case in ASKED:
        networks = list(_networks(case, count))
        seeds = tuple(PrefixSeed(network=one, datacentre=datacentre) for one in networks)
        async with database.transaction() as tx:
            ids = await register_addresses(tx, AddressSeed(prefixes=seeds))
        for network in networks:
            await fill(database, ids[network], 2 ** (32 - case.length), case.taken)
        found[case] = [f"/api/v1/prefixes/{ids[one]}/available-ips" for one in networks]
    return found


async def _rate(
    urls: Sequence[str], token: str, body: bytes, case: Case, paths: Sequence[str]
) -> tuple[float, int]:
    """Return claims a second, and how many were refused, of clients that ask without pause."""
    each = A_PREFIX * (1 if case.length > 16 else OURS if token.startswith("Bearer") else THEIRS)
    crowd = [User(url, {"Authorization": token}) for url in islice(cycle(urls), case.clients)]
    for user in crowd:
        await user.open()
    failed = 0
    asked = iter([path for _ in range(each) for path in paths])

    async def go_on(user: User) -> None:
        nonlocal failed
        for path in asked:
            try:
                await user.post(path, body)
            except BadAnswer:
                failed += 1

    began = time.perf_counter()
    try:
        await asyncio.gather(*(go_on(user) for user in crowd))
    finally:
        for user in crowd:
            await user.close()
    return (each * len(paths) - failed) / (time.perf_counter() - began), failed


def _result(
    ours: Mapping[Case, tuple[float, int]], theirs: Mapping[Case, tuple[float, int]]
) -> Result:
    ratios = {case: ours[case][0] / theirs[case][0] for case in CASES}
    rows = [
        (str(case), f"{ours[case][0]:.0f}", f"{theirs[case][0]:.2f}", f"{ratios[case]:.0f}",
         ours[case][1], theirs[case][1])
        for case in CASES
    ]  # fmt: skip
    say(table(("claims/s over HTTP", "ours", "Nautobot", "ratio", "failed", "failed there"), rows))
    failed = sum(count for _, count in ours.values())
    worst = min(ratios, key=lambda case: ratios[case])
    return Result(
        name="ipam-http", ours=0.0 if failed else ratios[worst], peer=1.0, goal=FASTER, unit="x",
        at_least=True,
        details={
            str(case): {"ours": ours[case][0], "nautobot": theirs[case][0], "ratio": ratios[case],
                        "failed": ours[case][1], "failed_there": theirs[case][1]}
            for case in CASES
        },
        says="claims a second by available-ips of two web processes, with a token, as a multiple "
        f"of Nautobot 3.2.7's, of two uWSGI processes and the same PostgreSQL; the worst of "
        f"{len(CASES)} cases ({worst}); none if one of ours failed ({failed} did)",
    )  # fmt: skip
