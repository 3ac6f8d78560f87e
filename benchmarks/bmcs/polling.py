"""All BMCs asked for their power: how long it takes, what it costs, who is noticed when."""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from typing import Any

import msgspec
import psutil

from app.drivers.bmc.contract import BmcAddress, BmcProtocol
from app.drivers.bmc.fleet import MixedFleet
from app.drivers.bmc.guard import OwnGuard
from app.drivers.errors import DriverError
from app.drivers.secret import Secret
from benchmarks.bmcs.beat import beating
from benchmarks.bmcs.peers import Peer, running
from benchmarks.bmcs.watching import Watched, watching
from benchmarks.percentile import percentile, spread
from benchmarks.report import say
from benchmarks.result import Result

BMCS = 200
BROKEN_SHARE = 0.1
WALL_GOAL_S, LAG_GOAL_S = 30.0, 0.05
NOTICE_GOAL_S = {"dead": 3.0, "hung": 3.0, "wrongly-keyed": 1.0}
DELAY_GOAL = 1.25
"""How much longer the slowest whole BMC may take beside broken ones."""
AT_ONCE = 32
"""BMCs asked side by side: the slots of two workers of `app.jobs.watch_power`."""


class Round(msgspec.Struct, frozen=True):
    """One poll of every BMC by a fleet with no session open. Seconds by BMC; lags in seconds."""

    wall_s: float
    taken_s: list[float]
    errors: list[str]
    """The class of what was raised, empty for an answer; in the order of `taken_s`."""
    lags_s: list[float]
    memory_bytes: int
    """What this process and those of the fleet grew by."""


async def measure(size: float = 1.0) -> list[Result]:
    """Return wall time, lag, the delay of whole BMCs and the time to notice each fault."""
    half = max(10, round(BMCS * size / 2))
    broken = max(2, round(half * BROKEN_SHARE))
    async with contextlib.AsyncExitStack() as stack:
        redfish, ipmi = await stack.enter_async_context(running(half, half))
        peers = [*redfish, *ipmi]
        addresses = [peer.address for peer in peers]
        clean = await poll(addresses)
        if any(clean.errors):
            raise RuntimeError(f"a whole BMC did not answer: {sorted({*clean.errors} - {''})}")
        watch = await stack.enter_async_context(watching(addresses))
        watched = [await watch.ask_all()]
        kinds = ["whole"] * len(peers)
        for first in (0, half):
            for number in range(broken):
                kinds[first + number] = "hung" if number % 2 else "dead"
                await _break(peers[first + number], kinds[first + number])
        mixed = await poll(addresses)
        watched.append(await watch.ask_all())
        wrong = [_wrongly_keyed(each[-1].address) for each in (redfish, ipmi)]
        keyed = await poll(wrong)
    if set(keyed.errors) != {"Unauthorised"}:
        raise RuntimeError(f"a wrong password was not told as such: {keyed.errors}")
    if watched[1].silent != [kind != "whole" for kind in kinds]:
        raise RuntimeError("the watch did not tell the broken BMCs from the whole ones")
    return [*_results(clean, mixed, keyed, kinds), _watched(*watched, kinds)]


async def poll(addresses: Sequence[BmcAddress]) -> Round:
    """Ask every BMC for its power, `AT_ONCE` side by side, by a new fleet."""
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    memory = _memory_bytes(before)
    fleet = MixedFleet(OwnGuard())
    await fleet.prepare(BmcProtocol)  # as a worker does when it starts
    slots = asyncio.Semaphore(AT_ONCE)

    async def read(address: BmcAddress) -> tuple[float, str]:
        async with slots:
            began = time.perf_counter()
            error = ""
            try:
                await fleet.bmc(address).power.read()
            except DriverError as problem:
                error = type(problem).__name__
            return time.perf_counter() - began, error

    try:
        async with beating() as lags:
            began = time.perf_counter()
            read_of = await asyncio.gather(*(read(address) for address in addresses))
            wall_s = time.perf_counter() - began
        grown = _memory_bytes(before) - memory
    finally:
        await fleet.close()
    taken, errors = [each[0] for each in read_of], [each[1] for each in read_of]
    return Round(wall_s, taken, errors, lags or [0.0], grown)


def _memory_bytes(others: set[int]) -> int:
    """Return what this process and its children but `others` have, shared pages by share."""
    own = psutil.Process()
    mine = [own, *(each for each in own.children(recursive=True) if each.pid not in others)]
    return sum(each.memory_full_info().pss for each in mine if each.is_running())


async def _break(peer: Peer, kind: str) -> None:
    await (peer.hang() if kind == "hung" else peer.die())


def _wrongly_keyed(address: BmcAddress) -> BmcAddress:
    return msgspec.structs.replace(address, password=Secret("not-the-password"))


def _results(clean: Round, mixed: Round, keyed: Round, kinds: Sequence[str]) -> list[Result]:
    taken = {
        kind: [each for each, its in zip(mixed.taken_s, kinds, strict=True) if its == kind]
        for kind in ("whole", "dead", "hung")
    } | {"wrongly-keyed": keyed.taken_s}
    missed = [
        error
        for error, kind in zip(mixed.errors, kinds, strict=True)
        if bool(error) == (kind == "whole")
    ]
    if missed:
        raise RuntimeError(f"{len(missed)} BMCs were not told for what they are: {missed[:3]}")
    whole_before = [
        each for each, kind in zip(clean.taken_s, kinds, strict=True) if kind == "whole"
    ]
    half = len(kinds) // 2
    by_protocol = {"redfish": slice(0, half), "ipmi": slice(half, None)}
    details: dict[str, Any] = {
        "memory_bytes_per_bmc": mixed.memory_bytes / len(kinds),
        "taken_s": {kind: spread(each) for kind, each in taken.items()},
        "slowest_s": {
            f"{protocol} {kind}": max(
                each
                for each, its in zip(mixed.taken_s[those], kinds[those], strict=True)
                if its == kind
            )
            for protocol, those in by_protocol.items()
            for kind in ("whole", "dead", "hung")
        },
    }
    share = sum(kind != "whole" for kind in kinds) / len(kinds)
    about = f"{len(kinds)} BMCs, half Redfish, half IPMI, {share:.0%} dead or hung"
    slowest = ", ".join(f"{what} {each:.2f} s" for what, each in details["slowest_s"].items())
    say(f"the slowest: {slowest}")
    say(f"{about}: {mixed.wall_s:.2f} s, {details['memory_bytes_per_bmc']:.0f} bytes a BMC")
    return [
        Result(name="hardware-poll", ours=mixed.wall_s, peer=clean.wall_s, goal=WALL_GOAL_S,
               says=f"power of {about}; peer: all of them whole", details=details),
        Result(name="hardware-lag", ours=max(mixed.lags_s), peer=max(clean.lags_s),
               goal=LAG_GOAL_S, says="the event loop's longest lag meanwhile; peer: all whole",
               details=spread(mixed.lags_s)),
        Result(name="hardware-whole", ours=max(taken["whole"]), peer=max(whole_before),
               goal=DELAY_GOAL * max(whole_before),
               says="the slowest whole BMC's answer beside the broken; peer: the same, none broken",
               details={"p50": percentile(taken["whole"], 0.5)}),
        *(
            Result(name=f"hardware-{kind}", ours=max(taken[kind]), peer=goal, goal=goal,
                   says=f"until the last {kind} BMC is told as such; peer: the goal")
            for kind, goal in NOTICE_GOAL_S.items()
        ),
    ]  # fmt: skip


def _watched(clean: Watched, mixed: Watched, kinds: Sequence[str]) -> Result:
    told = [each for each, kind in zip(mixed.told_s, kinds, strict=True) if kind == "whole"]
    say(f"by a worker: {mixed.wall_s:.2f} s, the last whole one after {max(told):.2f} s")
    return Result(
        name="hardware-watch", ours=mixed.wall_s, peer=clean.wall_s, goal=WALL_GOAL_S,
        says=f"the same {len(kinds)} BMCs asked by one worker's watch, with turns and what they "
        "say in PostgreSQL; peer: all of them whole",
        details={"whole_told_s": spread(told), "lags_s": spread(mixed.lags_s),
                 "clean_lags_s": spread(clean.lags_s)},
    )  # fmt: skip
