"""The peers of the workers of these tests: each asks the world, at `WORLD_URL`."""

import os
from typing import Any

import aiohttp
import msgspec

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
from app.drivers.metal.contract import (
    MetalNode,
    MetalWant,
    NodeLost,
    NodeRef,
    WorkFailed,
    Working,
)
from app.drivers.power import Power
from app.drivers.secret import Secret
from tests.flows.processes.cloud import FAILED, LOST, NAME, WORKING
from tests.flows.processes.world import NO
from tests.services.hall import NOTHING_TOLD

URL = os.environ["WORLD_URL"]


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

    async def set_once(self, device: str, **where: str) -> None:
        assert (device == "uefi_http") == ("http_boot_uri" in where)
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


class Cloud:
    """One cloud that has every server."""

    async def nodes(self) -> Any:
        return msgspec.convert(await ask("cloud", "nodes", ""), tuple[MetalNode, ...])

    async def find(self, *, name: str = "", macs: tuple[str, ...] = ()) -> Any:
        return await self._ask("find", *macs) if macs else None

    async def read(self, node: str) -> Any:
        return await self._ask("read", node)

    async def deploy(self, want: MetalWant, memo: Any) -> Any:
        return await self._of("deploy", want.ref, memo, want.attempt)

    async def reinstall(self, want: MetalWant, memo: Any) -> Any:
        return await self._of("reinstall", want.ref, memo, want.attempt)

    async def power(self, ref: NodeRef, wanted: Power, memo: Any, *, soft: bool = False) -> Any:
        return await self._of("power", ref, memo, wanted)

    async def rescue(self, ref: NodeRef, password: Secret, memo: Any) -> Any:
        return await self._of("rescue", ref, memo, password.reveal())

    async def unrescue(self, ref: NodeRef, memo: Any) -> Any:
        return await self._of("unrescue", ref, memo)

    async def release(self, ref: NodeRef, memo: Any) -> Any:
        return await self._of("release", ref, memo)

    async def _of(self, deed: str, ref: NodeRef, memo: Any, *said: str) -> Any:
        found = await self._ask(deed, ref.node, str(ref.service), *said)
        return (
            Working({**memo, "asked": deed}, 0.0, f"{deed} goes on") if found == WORKING else found
        )

    async def _ask(self, deed: str, node: str, *said: str) -> Any:
        match await ask("cloud", deed, node, *said):
            case str(word) if word == LOST:
                raise NodeLost(NAME, node, "another has it")
            case str(word) if word == FAILED:
                raise WorkFailed(NAME, state=f"{deed} failed", words="no disk")
            case dict(seen):
                return msgspec.convert(seen, MetalNode)
            case found:
                return found


class Clouds:
    def at(self, peer: Any) -> Cloud:
        return Cloud()

    async def close(self) -> None:
        """Nothing is open."""
