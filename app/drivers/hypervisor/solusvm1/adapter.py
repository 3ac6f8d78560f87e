"""SolusVM 1 as a provider of virtual machines."""

from typing import Any, ClassVar

from app.drivers.http.client import HttpClient
from app.drivers.hypervisor.contract import (
    UNLIMITED,
    Capacity,
    Console,
    HypervisorPeer,
    Offer,
    Offers,
    Ref,
    Size,
    Turns,
    Usage,
    Vm,
    VmPower,
    VmWant,
    Working,
)
from app.drivers.hypervisor.solusvm1 import create, life
from app.drivers.hypervisor.solusvm1.api import WORK_S, Api, Failed
from app.drivers.hypervisor.solusvm1.machine import find_machine, listed, need_machine, nodes
from app.drivers.hypervisor.waiting import patiently
from app.drivers.secret import Secret


class SolusVm1:
    """A master and its nodes of one virtualisation. The contract says what each call does."""

    takes_keys: ClassVar[bool] = False
    names_addresses: ClassVar[bool] = False
    chooses_extras: ClassVar[bool] = True

    def __init__(self, http: HttpClient, peer: HypervisorPeer, turns: Turns) -> None:
        self._api = Api(http, peer)

    async def check(self) -> str:
        names = sorted(str(row.get("name")) for row in await nodes(self._api))
        if not names:
            reason = f"it has no node for {self._api.virt}; choose another virtualisation"
            raise Failed(self._api.name, field="nodes", reason=reason)
        return f"SolusVM 1 with {', '.join(names)}"

    async def offers(self) -> Offers:
        there = await nodes(self._api)
        templates = await self._api.names("listtemplates", "templates")
        plans = await self._api.names("listplans", "plans")
        return Offers(
            nodes=tuple(Offer(str(row["name"]), str(row["name"])) for row in there),
            templates=tuple(Offer(name, name) for name in templates),
            plans=tuple(Offer(name, name) for name in plans),
        )

    async def capacity(self, storage: str = "") -> tuple[Capacity, ...]:
        """Return nodes without limits: what is free there is told in no unit that is known."""
        return tuple(
            Capacity(
                node=str(row["name"]),
                is_up=int(row.get("freeips") or 0) > 0,
                cores=UNLIMITED,
                memory_mb=UNLIMITED,
                free_memory_mb=UNLIMITED,
                disk_gb=UNLIMITED,
                free_disk_gb=UNLIMITED,
                machines=int(row.get("virtualservers") or 0),
            )
            for row in await nodes(self._api)
        )

    async def machines(self) -> tuple[Vm, ...]:
        """Return every machine; others' power is not asked, a call each."""
        return tuple(one.vm for one in await listed(self._api))

    async def find(self, ref: Ref) -> Vm | None:
        machine = await find_machine(self._api, ref)
        return None if machine is None else machine.vm

    async def create(self, want: VmWant, memo: dict[str, Any]) -> Vm | Working:
        return await patiently(memo, create.create(self._api, want, memo))

    async def power(self, ref: Ref, wanted: VmPower, memo: dict[str, Any]) -> Vm | Working:
        return await patiently(memo, life.power(self._api, ref, wanted, memo))

    async def reboot(self, ref: Ref, memo: dict[str, Any]) -> Vm | Working:
        return await patiently(memo, life.reboot(self._api, ref, memo))

    async def suspend(self, ref: Ref, memo: dict[str, Any]) -> Vm | Working:
        return await patiently(memo, life.suspend(self._api, ref, memo))

    async def unsuspend(self, ref: Ref, memo: dict[str, Any]) -> Vm | Working:
        return await patiently(memo, life.unsuspend(self._api, ref, memo))

    async def reinstall(self, want: VmWant, memo: dict[str, Any]) -> Vm | Working:
        return await patiently(memo, create.reinstall(self._api, want, memo))

    async def resize(
        self, ref: Ref, size: Size, memo: dict[str, Any], *, plan: str = ""
    ) -> Vm | Working:
        return await patiently(memo, life.resize(self._api, ref, size, memo, plan))

    async def delete(self, ref: Ref, memo: dict[str, Any]) -> Working | None:
        return await patiently(memo, life.delete(self._api, ref, memo))

    async def set_password(self, ref: Ref, user: str, password: Secret) -> None:
        if user != "root":
            reason = "SolusVM 1 sets the password of root alone"
            raise Failed(self._api.name, field="user", reason=reason)
        machine = await need_machine(self._api, ref)
        await self._api.ask(
            "vserver-rootpassword",
            vserverid=machine.id,
            rootpassword=password.reveal(),
            timeout_s=WORK_S,
        )

    async def addresses(self, ref: Ref) -> tuple[str, ...]:
        """Return what the panel gave it, the main address first."""
        info = (await need_machine(self._api, ref)).info
        found = [
            str(info.get("mainipaddress") or ""),
            *str(info.get("ipaddresses") or "").split(","),
        ]
        return tuple(dict.fromkeys(one.strip() for one in found if one.strip()))

    async def usage(self, ref: Ref) -> tuple[Usage, ...]:
        """Return nothing: the panel measures no rates that its API tells."""
        await need_machine(self._api, ref)
        return ()

    async def console(self, ref: Ref) -> Console:
        """Return where its VNC server listens: `vnc://HOST:PORT`, for TCP and not a web socket."""
        machine = await need_machine(self._api, ref)
        found = await self._api.ask("vserver-vnc", vserverid=machine.id)
        return Console(
            url=f"vnc://{found.get('vncip')}:{found.get('vncport')}",
            headers={},
            password=Secret(str(found.get("vncpassword") or "")),
        )
