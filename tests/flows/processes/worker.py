"""The worker of these tests: `slipway worker` whose peers, and whose bad luck, are the test's own.

Run as `python -m tests.flows.processes.worker`. `WORLD_URL` is whom its drivers ask; the folder
`WORLD_FOLDER` has `plan.json` (by run: the commit at which it stands still until the process is
killed, and whether before or after it), `commits` (what was committed, and who stands still) and
`clock` (by how many seconds the machine's own clock is wrong).
"""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import arq.worker
import msgspec

import app.worker
from app.cli.worker import worker
from app.core import clock
from app.drivers.bmc.contract import BmcAddress, Health, Inventory
from app.drivers.errors import Refused
from app.drivers.hypervisor.contract import (
    Capacity,
    Offer,
    Offers,
    Ref,
    Size,
    Vm,
    VmPower,
    VmWant,
)
from app.drivers.power import Power
from app.flows import answering, interpreter, journal, machines, rest
from app.flows.interpreter import Interpreter
from app.flows.nodes import vm_plan
from app.flows.step import Doer
from app.flows.writer import Writer
from tests.flows.processes.world import NO
from tests.services.hall import NOTHING_TOLD

FOLDER = Path(os.environ["WORLD_FOLDER"])
URL = os.environ["WORLD_URL"]


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
    """Counts the commits of each run, and stops it at one."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.stopped: set[str] = set()
        """Runs whose commit is made, and who go no further."""

    def stops(self, run: Any, side: str) -> bool:
        plan = msgspec.json.decode((FOLDER / "plan.json").read_bytes())
        return bool(plan.get(str(run)) == [self.counts[str(run)], side])

    def begin(self, run: Any) -> None:
        self.counts[str(run)] += 1
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


async def ask(peer: str, deed: str, *said: str) -> Any:
    async with (
        aiohttp.ClientSession() as session,
        session.post(URL, json={"peer": peer, "deed": deed, "said": said}) as answer,
    ):
        return await answer.json()


class Bmc:
    def __init__(self, url: str) -> None:
        self.url = url

    power = boot = media = property(lambda self: self)

    async def read(self) -> Power:
        return Power(await self._ask("read"))

    async def ensure(self, wanted: Power, *, deadline_s: float) -> None:
        await self._ask("power", wanted)

    async def shut_down(self) -> None:
        await self._ask("power", Power.OFF)

    async def set_once(self, device: str) -> None:
        await self._ask("boot", device)

    async def inventory(self) -> Inventory:
        return NOTHING_TOLD

    async def health(self, *, within_s: float) -> Health:
        await self._ask("read")
        return Health(critical=(), told=())

    async def _ask(self, deed: str, *said: str) -> Any:
        answer = await ask("bmc", deed, self.url, *said)
        if answer == NO:
            raise Refused("bmc", field="power", reason="it is locked")
        return answer


class Fleet:
    def bmc(self, address: BmcAddress) -> Bmc:
        return Bmc(address.url)

    async def close(self) -> None:
        """Nothing is open."""


class Mailer:
    async def send(self, message: Any) -> None:
        await ask("mail", "send", message.message_id, message.to, message.subject)


class Chat:
    async def send(self, room: Any, message: Any) -> None:
        await ask("chat", "send", room.name, message.text)


class Dns:
    async def read(self, server: Any, name: str, kind: str) -> Any:
        return await ask("dns", "read", name, kind)

    async def create(self, server: Any, records: Any) -> None:
        await ask("dns", "set", records.name, records.type, *records.values)

    async def replace(self, server: Any, records: Any) -> None:
        await ask("dns", "set", records.name, records.type, *records.values)

    async def delete(self, server: Any, name: str, kind: str, values: Any = ()) -> None:
        await ask("dns", "set", name, kind)


class Cluster:
    """A provider of virtual machines that has room for all of them."""

    takes_keys = True
    names_addresses = True

    async def offers(self) -> Offers:
        return Offers(templates=(Offer("debian-12", "Debian 12"),))

    async def capacity(self, storage: str = "") -> tuple[Capacity, ...]:
        room = {"memory_mb": 1 << 30, "free_memory_mb": 1 << 30}
        disk = {"disk_gb": 1 << 30, "free_disk_gb": 1 << 30}
        return (Capacity(node="pve1", is_up=True, cores=64, machines=0, **room, **disk),)

    async def create(self, want: VmWant, memo: Any) -> Vm:
        return await self._has(want.ref, "running")

    async def reinstall(self, want: VmWant, memo: Any) -> Vm:
        return await self._has(want.ref, "anew")

    async def resize(self, ref: Ref, size: Size, memo: Any, *, plan: str = "") -> Vm:
        return await self._has(ref, "running")

    async def suspend(self, ref: Ref, memo: Any) -> Vm:
        return await self._has(ref, "suspended")

    async def unsuspend(self, ref: Ref, memo: Any) -> Vm:
        return await self._has(ref, "running")

    async def delete(self, ref: Ref, memo: Any) -> None:
        await self._has(ref, "gone")

    async def _has(self, ref: Ref, state: str) -> Vm:
        await ask("pve", "has", ref.hostname, state)
        power = VmPower.RUNNING if state in ("running", "anew") else VmPower.STOPPED
        size = Size(cores=1, memory_mb=512, disk_gb=5)
        return Vm(
            id="1", node="pve1", name=ref.hostname, power=power, size=size, service=ref.service
        )


async def hypervisor_at(*_: Any, **__: Any) -> Any:
    return Cluster()


def with_the_world() -> None:
    make_peers = app.worker.make_peers

    def peers(*given: Any) -> Any:
        made = make_peers(*given)
        object.__setattr__(made, "dns", Dns())
        object.__setattr__(made, "chat", Chat())
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
