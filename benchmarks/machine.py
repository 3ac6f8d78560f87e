"""What the machine is and what it can do just now, so that figures of two days can be compared."""

import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import asyncpg

from app.cli.demo.processes import Processes, free_port
from app.core.embedded.postgres import EmbeddedPostgres
from benchmarks.load import load
from benchmarks.percentile import percentile

LOOP_TURNS = 3_000_000
COMMITS = 300
HELLO_REQUESTS = 4_000
HELLO_BYTES = 100
START_LIMIT_S = 30.0


async def calibrate() -> dict[str, Any]:
    """Measure for about 5 s: a Python loop, commits that reach the disk, an HTTP hello."""
    with tempfile.TemporaryDirectory(prefix="slipway-bench-", ignore_cleanup_errors=True) as folder:
        return {
            "cpu": _cpu(),
            "cores": os.cpu_count() or 1,
            "memory_gb": _memory_gb(),
            "system": f"{platform.system()} {platform.release()}",
            "python": platform.python_version(),
            "load_1min": round(os.getloadavg()[0], 2),
            "loop_per_s": round(_loop_per_s()),
            **await _commits(Path(folder)),
            **await _hello(Path(folder)),
        }


def describe(machine: dict[str, Any]) -> str:
    return (
        f"{machine['cores']} cores of {machine['cpu']}, {machine['memory_gb']} GB, "
        f"load {machine['load_1min']}, Python {machine['python']}\n"
        f"one core {machine['loop_per_s'] / 1e6:.1f} M loop turns/s; "
        f"fsync'd commits {machine['commits_per_s']}/s (p50 {machine['commit_p50_ms']} ms); "
        f"HTTP hello {machine['hello_per_s']}/s at 20 users (alone {machine['hello_p50_ms']} ms)"
    )


def _loop_per_s() -> float:
    began = time.perf_counter()
    total = 0
    for turn in range(LOOP_TURNS):
        total += turn & 7
    return LOOP_TURNS / (time.perf_counter() - began)


async def _commits(folder: Path) -> dict[str, Any]:
    """One connection, one row and one commit at a time, `synchronous_commit` on."""
    server = EmbeddedPostgres(folder)
    try:
        connection = await asyncpg.connect(server.dsn)
        try:
            await connection.execute("CREATE TABLE IF NOT EXISTS tick (n bigint)")
            taken = []
            for number in range(COMMITS):
                began = time.perf_counter()
                await connection.execute("INSERT INTO tick VALUES ($1)", number)
                taken.append(time.perf_counter() - began)
        finally:
            await connection.close()
    finally:
        server.stop()
    return {
        "commits_per_s": round(COMMITS / sum(taken)),
        "commit_p50_ms": round(percentile(taken, 0.5) * 1e3, 2),
    }


async def _hello(folder: Path) -> dict[str, Any]:
    processes = Processes(folder / "logs")
    url = await start_floor(processes, "asgi", HELLO_BYTES)
    try:
        alone = await load(url, "/", users=1, requests=HELLO_REQUESTS // 10, warm_up=100)
        began = time.perf_counter()
        await load(url, "/", users=20, requests=HELLO_REQUESTS, warm_up=0)
        wall_s = time.perf_counter() - began
    finally:
        await processes.stop()
    return {
        "hello_per_s": round(HELLO_REQUESTS / wall_s),
        "hello_p50_ms": round(percentile(alone, 0.5) * 1e3, 2),
    }


async def start_floor(processes: Processes, kind: str, size_bytes: int) -> str:
    """Start a floor of `benchmarks.floor` and return its URL once it answers."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.floor", kind, str(port), str(size_bytes)]
    child = await processes.start(f"floor-{port}", command)
    url = f"http://127.0.0.1:{port}"
    await processes.until_ready(child, f"{url}/readyz", timeout_s=START_LIMIT_S)
    return url


def cpu_s(pid: int) -> float | None:
    """Return the CPU seconds that a process has used; None where the system has no /proc.

    Unlike any wall time it says the same on a machine that others keep busy.
    """
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return None
    # The name in brackets may hold anything; the 12th and 13th field after it are the ticks.
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _cpu() -> str:
    """Return the processor's name as Linux tells it, elsewhere its architecture."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory_gb() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
