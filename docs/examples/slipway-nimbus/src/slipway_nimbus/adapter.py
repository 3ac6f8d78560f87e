"""Nimbus as a provider of virtual machines."""

from typing import Any, ClassVar

from app.drivers.http.client import HttpClient
from app.drivers.hypervisor.contract import (
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
from app.drivers.hypervisor.waiting import patiently
from app.drivers.secret import Secret
from slipway_nimbus import life
from slipway_nimbus.api import Api
from slipway_nimbus.machine import find_row, need_row, vm_of


class Nimbus:
    """A region. The contract says what each call does; Nimbus needs no turns."""

    takes_keys: ClassVar[bool] = True
    names_addresses: ClassVar[bool] = True

    def __init__(self, http: HttpClient, peer: HypervisorPeer, turns: Turns) -> None:
        self._api = Api(http, peer)

    async def check(self) -> str:
        about = await self._api.get("")
        return f"Nimbus {self._api.region}, as {about['account']}"

    async def offers(self) -> Offers:
        about = await self._api.get("")
        return Offers(
            nodes=tuple(Offer(host["name"], host["name"]) for host in about["hosts"]),
            templates=tuple(Offer(image["code"], image["name"]) for image in about["images"]),
        )

    async def capacity(self, storage: str = "") -> tuple[Capacity, ...]:
        hosts = (await self._api.get(""))["hosts"]
        return tuple(Capacity(node=host.pop("name"), **host) for host in hosts)

    async def machines(self) -> tuple[Vm, ...]:
        return tuple(vm_of(row) for row in (await self._api.get("/machines"))["machines"])

    async def find(self, ref: Ref) -> Vm | None:
        row = await find_row(self._api, ref)
        return None if row is None else vm_of(row)

    async def create(self, want: VmWant, memo: dict[str, Any]) -> Vm | Working:
        return await patiently(memo, life.create(self._api, want, memo))

    async def power(self, ref: Ref, wanted: VmPower, memo: dict[str, Any]) -> Vm | Working:
        return await patiently(memo, life.power(self._api, ref, wanted, memo))

    async def reboot(self, ref: Ref, memo: dict[str, Any]) -> Vm | Working:
        return await patiently(memo, life.reboot(self._api, ref, memo))

    async def suspend(self, ref: Ref, memo: dict[str, Any]) -> Vm | Working:
        return await patiently(memo, life.suspend(self._api, ref, memo))

    async def unsuspend(self, ref: Ref, memo: dict[str, Any]) -> Vm | Working:
        return await patiently(memo, life.unsuspend(self._api, ref, memo))

    async def reinstall(self, want: VmWant, memo: dict[str, Any]) -> Vm | Working:
        return await patiently(memo, life.reinstall(self._api, want, memo))

    async def resize(
        self, ref: Ref, size: Size, memo: dict[str, Any], *, plan: str = ""
    ) -> Vm | Working:
        return await patiently(memo, life.resize(self._api, ref, size, memo))

    async def delete(self, ref: Ref, memo: dict[str, Any]) -> Working | None:
        return await patiently(memo, life.delete(self._api, ref, memo))

    async def set_password(self, ref: Ref, user: str, password: Secret) -> None:
        row = await need_row(self._api, ref)
        asked = {"user": user, "password": password.reveal()}
        await self._api.post(f"/machines/{row['id']}/password", asked)

    async def addresses(self, ref: Ref) -> tuple[str, ...]:
        return tuple((await need_row(self._api, ref))["addresses"])

    async def usage(self, ref: Ref) -> tuple[Usage, ...]:
        row = await need_row(self._api, ref)
        samples = (await self._api.get(f"/machines/{row['id']}/usage"))["samples"]
        return tuple(Usage(**sample) for sample in samples)

    async def console(self, ref: Ref) -> Console:
        row = await need_row(self._api, ref)
        opened = await self._api.post(f"/machines/{row['id']}/console")
        return Console(url=opened["url"], headers={}, password=Secret(opened["password"]))
