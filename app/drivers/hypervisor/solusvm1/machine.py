"""One machine at SolusVM 1: how it is found and what it is.

Each has a client of its own at the panel, whose user name names the service: it is there before
the machine is, it cannot be changed by whoever uses the machine, and it goes with the machine.
"""

import asyncio
import base64
import re
from typing import Any
from uuid import UUID

import msgspec

from app.drivers.hypervisor.contract import Ref, Size, Vm, VmPower
from app.drivers.hypervisor.solusvm1.api import Api, Failed, rows_of

MIB, GIB = 1024**2, 1024**3
AT_ONCE = 8
"""Machines that are asked about at the same time."""
_MARK = re.compile(r"sw([a-z2-7]{26})")
POWER = {"online": VmPower.RUNNING, "offline": VmPower.STOPPED, "disabled": VmPower.STOPPED}


def username(service: UUID) -> str:
    """Return the service's id in 28 small letters and digits."""
    return "sw" + base64.b32encode(service.bytes).decode().rstrip("=").lower()


def service_in(name: str) -> UUID | None:
    found = _MARK.fullmatch(name)
    if found is None:
        return None
    try:
        return UUID(bytes=base64.b32decode(found[1].upper() + "======"))
    except ValueError:
        return None


class Machine(msgspec.Struct, frozen=True):
    """A machine as its node lists it, with what the panel tells of it alone."""

    row: dict[str, Any]
    node: str
    service: UUID | None
    info: dict[str, Any] = {}

    @property
    def id(self) -> str:
        return str(self.row["vserverid"])

    @property
    def is_running(self) -> bool:
        return self.info.get("state") == "online"

    @property
    def is_suspended(self) -> bool:
        return self.info.get("state") == "disabled"

    @property
    def vm(self) -> Vm:
        info = self.info
        return Vm(
            id=self.id,
            node=self.node,
            name=str(self.row.get("hostname", "")),
            power=POWER.get(str(info.get("state")), VmPower.UNKNOWN),
            size=Size(
                cores=_first(info.get("cpus")),
                memory_mb=_first(info.get("memory")) // MIB,
                disk_gb=_first(info.get("hdd")) // GIB,
            ),
            service=self.service,
            is_suspended=self.is_suspended,
        )


async def clients(api: Api) -> dict[str, UUID]:
    """Return the services whose clients there are, by the client's number."""
    found = rows_of(await api.ask("client-list"), "clients")
    services = {str(row.get("id")): service_in(str(row.get("username", ""))) for row in found}
    return {number: service for number, service in services.items() if service is not None}


async def nodes(api: Api) -> list[dict[str, Any]]:
    """Return what each node says of itself: its number, name, free addresses, machines."""
    numbers = await api.names("node-idlist", "nodes")
    found = await asyncio.gather(*(api.ask("node-statistics", nodeid=one) for one in numbers))
    return [{"id": number, **row} for number, row in zip(numbers, found, strict=True)]


async def listed(api: Api) -> list[Machine]:
    """Return every machine, as its node lists it; of ours also what is told of it alone."""
    services, there = await asyncio.gather(clients(api), nodes(api))
    found = await asyncio.gather(
        *(api.ask("node-virtualservers", nodeid=node["id"]) for node in there)
    )
    machines = [
        Machine(row, str(node.get("name", "")), services.get(str(row.get("clientid"))))
        for node, answer in zip(there, found, strict=True)
        for row in rows_of(answer, "virtualservers")
    ]
    free = asyncio.Semaphore(AT_ONCE)

    async def whole(machine: Machine) -> Machine:
        if machine.service is None:
            return machine
        async with free:
            return await told(api, machine)

    return list(await asyncio.gather(*map(whole, machines)))


async def told(api: Api, machine: Machine) -> Machine:
    info = await api.ask("vserver-infoall", vserverid=machine.id, nographs="true")
    return msgspec.structs.replace(machine, info=info)


async def find_machine(api: Api, ref: Ref) -> Machine | None:
    """Return the service's machine; as many calls as there are nodes, and three."""
    ours = [number for number, service in (await clients(api)).items() if service == ref.service]
    if not ours:
        return None
    for node in await nodes(api):
        answer = await api.ask("node-virtualservers", nodeid=node["id"])
        for row in rows_of(answer, "virtualservers"):
            if str(row.get("clientid")) in ours:
                return await told(api, Machine(row, str(node.get("name", "")), ref.service))
    return None


async def need_machine(api: Api, ref: Ref) -> Machine:
    """Return the service's machine. Raises Refused when there is none."""
    found = await find_machine(api, ref)
    if found is None:
        reason = f"there is no machine of service {ref.service} ({ref.hostname}) at this provider"
        raise Failed(api.name, field="machine", reason=reason)
    return found


def refuse_suspended(api: Api, machine: Machine) -> None:
    if machine.is_suspended:
        reason = "it is suspended; lift the suspension, which starts it"
        raise Failed(api.name, field="machine", reason=reason)


def _first(value: Any) -> int:
    """Return the first number of `total,used,free,percent`; 0 where nothing is told."""
    text = str(value or "").partition(",")[0].strip()
    return int(float(text)) if re.fullmatch(r"\d+(\.\d+)?", text) else 0
