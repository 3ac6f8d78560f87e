"""The worker of these tests: `slipway worker` whose peers, and whose bad luck, are the test's own.

Run as `python -m tests.flows.processes.worker`. `WORLD_URL` is whom its drivers ask; the folder
`WORLD_FOLDER` has `plan.json` (by run: the commit at which it stands still until the process is
killed, and whether before or after it), `commits` (what was committed, and who stands still) and
`clock` (by how many seconds the machine's own clock is wrong).
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import arq.worker
import msgspec

import app.worker
from app.cli.worker import worker
from app.core import clock
from app.flows import answering, interpreter, journal, machines, rest
from app.flows.interpreter import Interpreter
from app.flows.nodes import vm_plan
from app.flows.runner import Runner
from app.flows.step import Doer
from app.flows.writer import Writer
from tests.flows.processes.peers import Chat, Clouds, Cluster, Dns, Fleet, Mailer

SLOTS = 1_000
"""Runs that stand still are driven all the while: more than there are."""
FOLDER = Path(os.environ["WORLD_FOLDER"])


def wrong_by_s() -> float:
    file = FOLDER / "clock"
    return float(file.read_text() or 0) if file.exists() else 0.0


class Wall(datetime):
    """The machine's own clock."""

    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return datetime.now(tz) + timedelta(seconds=wrong_by_s())


class StandsStill(BaseException):
    """The run has come to where the plan says."""


class Boundaries:
    """Counts the commits of each run, whichever worker makes them, and stops it at one."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.stopped: set[str] = set()
        """Runs whose commit is made, and who go no further."""

    def stops(self, run: Any, side: str) -> bool:
        plan = msgspec.json.decode((FOLDER / "plan.json").read_bytes())
        return bool(plan.get(str(run)) == [self.counts[str(run)], side])

    def begin(self, run: Any) -> None:
        with (FOLDER / f"begun-{run}").open("ab") as file:  # one mark each
            file.write(b".")
            self.counts[str(run)] = file.tell()
        if self.stops(run, "before"):
            raise StandsStill

    def end(self, run: Any) -> None:
        say(f"committed {run}")
        if self.stops(run, "after"):
            self.stopped.add(str(run))

    def look(self, run: Any) -> None:
        if str(run) in self.stopped:
            raise StandsStill


def say(words: str) -> None:
    with (FOLDER / "commits").open("a") as file:
        file.write(words + "\n")


def with_boundaries() -> None:
    found = Boundaries()
    write, write_with, drive = Writer.write, journal.write_with, Interpreter.drive

    async def by_writer(writer: Writer, change: Any) -> Any:
        found.begin(change.run)
        written = await write(writer, change)
        found.end(change.run)
        found.look(change.run)
        return written

    async def in_transaction(tx: Any, run: Any, change: Any) -> Any:
        found.begin(run)
        written = await write_with(tx, run, change)
        found.end(run)
        return written  # it is not committed yet: see below

    def committed(do: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def done(*given: Any) -> Any:
            result = await do(*given)
            found.look(given[1].id)  # (self or database, course, …)
            return result

        return done

    async def until_killed(driver: Interpreter, course: Any) -> None:
        try:
            await drive(driver, course)
        except StandsStill:
            say(f"stands {course.id}")
            await asyncio.Event().wait()

    Writer.write = by_writer  # type: ignore[method-assign]
    journal.write_with = in_transaction  # type: ignore[assignment]
    Doer._do_here = committed(Doer._do_here)  # type: ignore[method-assign]
    rest._sleep_by_signal = committed(rest._sleep_by_signal)  # type: ignore[assignment]
    interpreter.listen = committed(interpreter.listen)  # type: ignore[assignment]
    Interpreter.drive = until_killed  # type: ignore[method-assign]
    Runner.__init__.__kwdefaults__["slots"] = SLOTS


async def hypervisor_at(*_: Any, **__: Any) -> Any:
    return Cluster()


def with_the_world() -> None:
    make_peers = app.worker.make_peers

    def peers(*given: Any) -> Any:
        made = make_peers(*given)
        object.__setattr__(made, "dns", Dns())
        object.__setattr__(made, "chat", Chat())
        object.__setattr__(made, "clouds", Clouds())
        return made

    async def banner(*_: Any, **__: Any) -> str:
        return "SSH-2.0-OpenSSH"

    app.worker.make_peers = peers
    app.worker.make_fleet = lambda *_: Fleet()  # type: ignore[assignment]
    app.worker.make_mailer = lambda *_: Mailer()  # type: ignore[assignment]
    machines.hypervisor_at = hypervisor_at
    vm_plan.hypervisor_at = hypervisor_at
    answering.ssh_banner = banner


if __name__ == "__main__":
    clock.datetime = Wall  # type: ignore[misc]
    arq.worker.datetime = Wall  # type: ignore[attr-defined]
    with_boundaries()
    with_the_world()
    sys.argv = ["slipway-worker"]
    worker()
