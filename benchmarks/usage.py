"""Who used the cores, and how much memory, while something was measured."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import psutil

OTHERS = "others"
QUIET_CORES = 0.3
FULL = 0.9
"""From this share of the cores on they are what bounds it."""


class Sample(msgspec.Struct, frozen=True):
    """CPU seconds until now, by part and of the whole machine."""

    at_s: float
    parts: dict[str, dict[int, float]]
    """By part and process; what a process used that ended before the next look is not seen."""
    machine_s: float


def sample(parts: Mapping[str, int]) -> Sample:
    """Look at the processes and their descendants; `parts` names the first of each family.

    Of this process, whose descendants all the others are, only itself is counted.
    """
    return Sample(
        time.perf_counter(), {name: _family(pid) for name, pid in parts.items()}, _machine_s()
    )


def cpu_s(before: Sample, after: Sample) -> dict[str, float]:
    """Return the CPU seconds of each part between two samples, and of all others together."""
    used = {
        name: sum(
            max(0.0, seconds - before.parts.get(name, {}).get(pid, 0.0))
            for pid, seconds in family.items()
        )
        for name, family in after.parts.items()
    }
    whole = after.machine_s - before.machine_s
    return {**used, OTHERS: max(0.0, whole - sum(used.values()))}


def cores(before: Sample, after: Sample) -> dict[str, float]:
    """Return how many cores each part kept busy between two samples, and all others together."""
    wall_s = max(after.at_s - before.at_s, 1e-9)
    return {name: used / wall_s for name, used in cpu_s(before, after).items()}


def told(used: Mapping[str, float]) -> str:
    """Return one line: `worker 0.98, postgres 0.61, … of 2 cores`."""
    parts = ", ".join(f"{name} {share:.2f}" for name, share in used.items())
    return f"{parts} of {os.cpu_count() or 1} cores"


def bound_by(used: dict[str, float], cores: int) -> str:
    """Say what bounded it: the cores and who had them, or one process that had a whole one."""
    all_used = sum(used.values())
    most = sorted(used.items(), key=lambda pair: -pair[1])
    told = ", ".join(f"{name} {share:.2f}" for name, share in most if share >= 0.05)
    if all_used >= FULL * cores:
        return f"bound by the {cores} cores, all busy ({told})"
    full = [name for name, share in most if share >= FULL]
    if full:
        return f"bound by one core's worth of {', '.join(full)} ({told})"
    return f"no core was full ({told}): bound by commits and round trips"


@contextlib.asynccontextmanager
async def watching(
    parts: Mapping[str, int], interval_s: float = 0.25
) -> AsyncIterator[list[tuple[datetime, float]]]:
    """Collect (moment, CPU seconds of the parts until then) for as long as the block lasts."""
    first = sample(parts)
    seen: list[tuple[datetime, float]] = []

    def look() -> None:
        used = cpu_s(first, sample(parts))
        seen.append((datetime.now(UTC), sum(used[name] for name in parts)))

    async def keep_looking() -> None:
        while True:
            look()
            await asyncio.sleep(interval_s)

    task = asyncio.create_task(keep_looking(), name="usage")
    try:
        yield seen
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        look()


async def quiet(limit_s: float = 20.0, look_s: float = 0.5) -> float:
    """Wait for a moment in which little else runs here, `limit_s` at most.

    Returns how many cores were busy at the last look. So nobody's figure is taken in the one
    minute in which the machine did something else.
    """
    deadline_s = time.perf_counter() + limit_s
    while True:
        began_s, busy_s = time.perf_counter(), _machine_s()
        await asyncio.sleep(look_s)
        now_s = time.perf_counter()
        busy = (_machine_s() - busy_s) / (now_s - began_s)
        if busy < QUIET_CORES or now_s >= deadline_s:
            return busy


def postmaster(data: Path) -> int:
    """Return the first process of the PostgreSQL that runs in this data directory."""
    return int((data / "postmaster.pid").read_text().splitlines()[0])


def rss_bytes(pid: int) -> int:
    return int(psutil.Process(pid).memory_info().rss)


@contextlib.asynccontextmanager
async def memory_of(pid: int, interval_s: float = 0.1) -> AsyncIterator[list[tuple[float, int]]]:
    """Collect (seconds since the beginning, resident bytes) for as long as the block lasts."""
    began = time.perf_counter()
    seen: list[tuple[float, int]] = []

    async def look() -> None:
        while True:
            seen.append((time.perf_counter() - began, rss_bytes(pid)))
            await asyncio.sleep(interval_s)

    task = asyncio.create_task(look(), name="memory")
    try:
        yield seen
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _family(pid: int) -> dict[int, float]:
    try:
        first = psutil.Process(pid)
        members = [first, *([] if pid == os.getpid() else first.children(recursive=True))]
    except psutil.NoSuchProcess:
        return {}
    found = {}
    for member in members:
        with contextlib.suppress(psutil.NoSuchProcess):
            times = member.cpu_times()
            found[member.pid] = times.user + times.system
    return found


def _machine_s() -> float:
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system + getattr(times, "softirq", 0.0))
