"""Virtualizor as a provider of virtual machines."""

import time
from typing import Any, ClassVar

from app.drivers.http.client import HttpClient
from app.drivers.hypervisor.contract import (
    Capacity,
    Console,
    HypervisorPeer,
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
from app.drivers.hypervisor.virtualizor import create, life, panel
from app.drivers.hypervisor.virtualizor.api import Api, Failed, is_done
from app.drivers.hypervisor.virtualizor.machine import (
    Machine,
    find_machine,
    need_machine,
    with_power,
)
from app.drivers.hypervisor.virtualizor.sign_on import sign_on
from app.drivers.hypervisor.waiting import patiently
from app.drivers.secret import Secret

MIB = 1024**2
AT_ONCE = 100
"""Machines whose power is asked for in one call: their numbers are in its address."""


class Virtualizor:
    """A master and its servers. The contract says what each call does."""

    takes_keys: ClassVar[bool] = False
    names_addresses: ClassVar[bool] = True

    def __init__(self, http: HttpClient, peer: HypervisorPeer, turns: Turns) -> None:
        self._api = Api(http, peer)
        self._http = http
        self._peer = peer

    async def check(self) -> str:
        up = sorted(one.name for one in await panel.read_nodes(self._api) if one.capacity.is_up)
        if not up:
            reason = "no server is up and unlocked"
            raise Failed(self._api.name, field="servers", reason=reason)
        return f"Virtualizor with {', '.join(up)}"

    async def offers(self) -> Offers:
        return await panel.offers(self._api)

    async def capacity(self, storage: str = "") -> tuple[Capacity, ...]:
        return tuple(one.capacity for one in await panel.read_nodes(self._api))

    async def machines(self) -> tuple[Vm, ...]:
        found = [Machine(row) for row in await self._api.rows("vs", "vs")]
        told: list[Machine] = []
        for first in range(0, len(found), AT_ONCE):
            told += await with_power(self._api, found[first : first + AT_ONCE])
        return tuple(one.vm for one in told)

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
        """Set it in the panel; the guest has it after its next start."""
        if user != "root":
            reason = "Virtualizor sets the password of root alone"
            raise Failed(self._api.name, field="user", reason=reason)
        machine = await need_machine(self._api, ref)
        form = {"editvps": 1, "rootpass": password.reveal()}
        answer = await self._api.post("managevps", form, vpsid=machine.id)
        if not is_done(answer):
            raise Failed(self._api.name, field="password", reason="it did not confirm it")

    async def addresses(self, ref: Ref) -> tuple[str, ...]:
        """Return what the panel gave it: no guest says anything of itself here."""
        row = (await need_machine(self._api, ref)).row
        found = (row.get("ips") or {}, row.get("ips6") or {})
        return tuple(
            str(one)
            for some in found
            for one in (some.values() if isinstance(some, dict) else some)
        )

    async def usage(self, ref: Ref) -> tuple[Usage, ...]:
        """Return one sample, of now: the panel is asked for no history."""
        machine = await need_machine(self._api, ref)
        answer = await self._api.get("vs", vs_status=machine.id)
        found = (answer.get("status") or {}).get(str(machine.id)) or {}
        if not isinstance(found, dict) or "used_cpu" not in found:
            return ()
        return (
            Usage(
                at_s=int(time.time()),
                period_s=60,
                cpu=min(1.0, float(found.get("used_cpu") or 0) / 100),
                memory_bytes=int(float(found.get("used_ram") or 0) * MIB),
                disk_read_bytes_s=0.0,
                disk_write_bytes_s=0.0,
                net_in_bytes_s=float(found.get("net_in") or 0),
                net_out_bytes_s=float(found.get("net_out") or 0),
            ),
        )

    async def sign_on(self, ref: Ref) -> Secret:
        return await sign_on(self._http, self._peer, ref)

    async def console(self, ref: Ref) -> Console:
        """Return where its VNC server listens: `vnc://HOST:PORT`, for TCP and not a web socket."""
        machine = await need_machine(self._api, ref)
        info = (await self._api.post("vnc", {"novnc": machine.id})).get("info") or {}
        if not info.get("port"):
            raise Failed(self._api.name, field="vnc", reason="VNC is not turned on for it")
        return Console(
            url=f"vnc://{info.get('ip')}:{info['port']}",
            headers={},
            password=Secret(str(info.get("password") or "")),
        )
