"""SolusVM 2 as a provider of virtual machines."""

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
from app.drivers.hypervisor.solusvm2 import create, life, panel
from app.drivers.hypervisor.solusvm2.api import Api, Failed
from app.drivers.hypervisor.solusvm2.server import Server, find_server, need_server
from app.drivers.hypervisor.solusvm2.usage import samples
from app.drivers.hypervisor.waiting import patiently
from app.drivers.secret import Secret


class SolusVm2:
    """A panel. The contract says what each call does; the panel needs no turns."""

    takes_keys: ClassVar[bool] = True
    names_addresses: ClassVar[bool] = True
    chooses_extras: ClassVar[bool] = True

    def __init__(self, http: HttpClient, peer: HypervisorPeer, turns: Turns) -> None:
        self._api = Api(http, peer)

    async def check(self) -> str:
        await panel.project_id(self._api)
        locations = await panel.locations(self._api)
        up = sorted(one.name for one in locations if one.capacity.is_up)
        if not up:
            reason = "no compute resource is active with this token; use one of an administrator"
            raise Failed(self._api.name, field="permission", reason=reason)
        return f"SolusVM 2 with {', '.join(up)}"

    async def offers(self) -> Offers:
        return await panel.offers(self._api)

    async def capacity(self, storage: str = "") -> tuple[Capacity, ...]:
        return tuple(one.capacity for one in await panel.locations(self._api))

    async def machines(self) -> tuple[Vm, ...]:
        return tuple(Server(row).vm for row in await self._api.list("servers"))

    async def find(self, ref: Ref) -> Vm | None:
        server = await find_server(self._api, ref)
        return None if server is None else server.vm

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
        """Refuse: the panel makes a password of its own and mails it to its user."""
        await need_server(self._api, ref)
        reason = "SolusVM 2 takes no password, it makes one; install the machine anew to set it"
        raise Failed(self._api.name, field="password", reason=reason)

    async def addresses(self, ref: Ref) -> tuple[str, ...]:
        """Return what the panel gave it: no guest says anything of itself here."""
        server = await need_server(self._api, ref)
        return tuple(str(row["ip"]) for row in server.row.get("ips") or ())

    async def usage(self, ref: Ref) -> tuple[Usage, ...]:
        server = await need_server(self._api, ref)
        return await samples(self._api, str(server.row["uuid"]), server.vm.size.cores)

    async def console(self, ref: Ref) -> Console:
        server = await need_server(self._api, ref)
        opened = await self._api.post(f"{server.path}/vnc_up")
        settings = (await self._api.get(server.path)).get("settings") or {}
        password = settings.get("vnc_password") or (settings.get("vnc") or {}).get("password") or ""
        scheme, _, host = self._api.host.partition("://")
        return Console(
            url=f"{'wss' if scheme == 'https' else 'ws'}://{host}/vnc?url={opened['url']}",
            headers={},
            password=Secret(str(password)),
        )
