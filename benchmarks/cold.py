"""`cold`: a clean clone with empty caches, to a delivered server and to a green test suite.

`make demo ONCE=1` and `make test`, each in a clone of this repository's last commit in a
temporary folder, with the package caches in that folder too. The peer is the same in another
clone that finds the caches full. What the system brings (Python, make, uv, npm, Chromium) is used
as it is; a private copy of a package index is not made, so the network's speed is in the figures.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from app.core.errors import Refusal
from benchmarks.report import say, table
from benchmarks.result import Result

ROOT = Path(__file__).parent.parent
NESTED = "SLIPWAY_BENCH_NESTED"
DEMO_GOAL_S = 120.0
TEST_GOAL_S = 1_200.0
SETTINGS = ("SLIPWAY_", "DATABASE_URL", "REDIS_URL", "VIRTUAL_ENV", "PYTHONPATH", "MAKE")
LAST_LINES = 25


class ColdFailed(Refusal):
    code = "bench.cold_failed"


class Said:
    """The lines of a command and when each was said, in seconds from its start."""

    def __init__(self) -> None:
        self.lines: list[tuple[float, str]] = []
        self.wall_s = 0.0

    def at(self, part: str) -> float | None:
        return next((at_s for at_s, line in self.lines if part in line), None)


async def measure() -> list[Result]:
    """Return the wall time of `make test` and, last, of `make demo ONCE=1`."""
    if os.environ.get(NESTED):
        raise ColdFailed("`cold` was started inside of `cold`; it does not measure itself.")
    commit = await _commit()
    with tempfile.TemporaryDirectory(prefix="slipway-cold-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        demo_cold = await _make(folder, "demo-cold", "caches-a", "demo", "ONCE=1")
        demo_warm = await _make(folder, "demo-warm", "caches-a", "demo", "ONCE=1")
        test_cold = await _make(folder, "test-cold", "caches-b", "test")
        test_warm = await _make(folder, "test-cold", "caches-b", "test")
    phases = {"cold": demo_phases(demo_cold), "warm": demo_phases(demo_warm)}
    say(table(
        ("make demo ONCE=1", *phases["cold"]),
        [(name, *(f"{took_s:.1f} s" for took_s in each.values())) for name, each in phases.items()],
    ))  # fmt: skip
    say(f"\nmake test: {test_cold.wall_s:.0f} s, right after it again {test_warm.wall_s:.0f} s")
    return [
        Result(
            name="cold-test",
            ours=test_cold.wall_s,
            peer=test_warm.wall_s,
            goal=TEST_GOAL_S,
            says="make test on a clean clone with empty caches; peer: right after it again",
            details={"commit": commit},
        ),
        Result(
            name="cold",
            ours=demo_cold.wall_s,
            peer=demo_warm.wall_s,
            goal=DEMO_GOAL_S,
            says="make demo ONCE=1 on a clean clone with empty caches; peer: with full caches",
            details={"commit": commit, "phases_s": phases},
        ),
    ]


def demo_phases(said: Said) -> dict[str, float]:
    """Return the seconds of: set-up, start of all servers, delivery and stop, and of all."""
    started = said.at("Everything runs after")
    if started is None:
        raise ColdFailed("The demo did not say that everything runs.")
    line = next(line for _, line in said.lines if "Everything runs after" in line)
    start_s = float(line.split("after")[1].split("s.")[0])
    return {
        "set-up": started - start_s,
        "start": start_s,
        "delivery and stop": said.wall_s - started,
        "all": said.wall_s,
    }


async def _make(folder: Path, clone: str, caches: str, *target: str) -> Said:
    """Run a make target in a clone (made when missing); raises ColdFailed when it fails."""
    where = folder / clone
    if not where.exists():
        await _run("git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(where))
    say(f"make {' '.join(target)} in {clone}…")
    said = await _run("make", *target, cwd=where, environment=_environment(folder / caches))
    say(f"  {said.wall_s:.1f} s")
    return said


def _environment(caches: Path) -> Mapping[str, str]:
    """Return ours without Slipway's settings, and with the caches of uv, pip and npm moved."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    return kept | {
        NESTED: "1",
        "UV_CACHE_DIR": str(caches / "uv"),
        "PIP_CACHE_DIR": str(caches / "pip"),
        "npm_config_cache": str(caches / "npm"),
        "XDG_CACHE_HOME": str(caches / "other"),
    }


async def _commit() -> str:
    said = await _run("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD")
    return said.lines[0][1]


async def _run(
    *command: str, cwd: Path | None = None, environment: Mapping[str, str] | None = None
) -> Said:
    said, began = Said(), time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env=dict(environment) if environment else None,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    if process.stdout is None:
        raise ColdFailed(f"{command[0]} has no output.")
    async for line in process.stdout:
        said.lines.append((time.monotonic() - began, line.decode(errors="replace").rstrip()))
    if await process.wait():
        last = "\n".join(line for _, line in said.lines[-LAST_LINES:])
        raise ColdFailed(f"{' '.join(command)} ended with {process.returncode}:\n{last}")
    said.wall_s = time.monotonic() - began
    return said
