"""What is done to a machine: each call looks at what is there, and does what lacks."""

from typing import Any

from app.drivers.errors import Refused
from app.drivers.hypervisor.contract import Ref, Size, Vm, VmPower, VmWant, Working
from app.drivers.hypervisor.waiting import again, began
from slipway_nimbus.api import Api, Row
from slipway_nimbus.machine import find_row, need_row, tag_of, vm_of

AT_WORK = "Nimbus works on the machine"


async def create(api: Api, want: VmWant, memo: dict[str, Any]) -> Vm | Working:
    """Make it, unless it is there: a call whose answer was lost is not made again."""
    row = await find_row(api, want.ref)
    if row is None:
        asked = {"tag": tag_of(want.ref), "name": want.ref.hostname, "hosts": want.nodes}
        await api.post("/machines", asked | _size(want.size) | _system(want))
        return began(memo, None, "Nimbus makes the machine")
    return await _reach(api, row, VmPower.RUNNING, memo)


async def power(api: Api, ref: Ref, wanted: VmPower, memo: dict[str, Any]) -> Vm | Working:
    row = await need_row(api, ref)
    if wanted is VmPower.RUNNING:
        _refuse_suspended(api, row)
    return await _reach(api, row, wanted, memo)


async def suspend(api: Api, ref: Ref, memo: dict[str, Any]) -> Vm | Working:
    """Lock it: that stops it too, and only the token's owner unlocks it."""
    row = await need_row(api, ref)
    if not row["locked"]:
        return await _do(api, row, "lock", {}, memo)
    return await _reach(api, row, VmPower.STOPPED, memo)


async def unsuspend(api: Api, ref: Ref, memo: dict[str, Any]) -> Vm | Working:
    row = await need_row(api, ref)
    if row["locked"]:
        return await _do(api, row, "unlock", {}, memo)
    return await _reach(api, row, VmPower.RUNNING, memo)


async def resize(api: Api, ref: Ref, size: Size, memo: dict[str, Any]) -> Vm | Working:
    row = await need_row(api, ref)
    if size.disk_gb < row["disk_gb"]:
        reason = f"the disk has {row['disk_gb']} GiB and cannot be made smaller"
        raise Refused(api.name, field="disk_gb", reason=reason)
    if not row["is_busy"] and vm_of(row).size == size:
        return vm_of(row)
    return await _do(api, row, "resize", _size(size), memo)


async def reboot(api: Api, ref: Ref, memo: dict[str, Any]) -> Vm | Working:
    row = await need_row(api, ref)
    _refuse_suspended(api, row)
    return await _once(api, row, "reboot", {}, memo)


async def reinstall(api: Api, want: VmWant, memo: dict[str, Any]) -> Vm | Working:
    row = await need_row(api, want.ref)
    _refuse_suspended(api, row)
    return await _once(api, row, "rebuild", _system(want), memo)


async def delete(api: Api, ref: Ref, memo: dict[str, Any]) -> Working | None:
    row = await find_row(api, ref)
    if row is None:
        return None
    if row["is_busy"]:
        return again(memo, AT_WORK, api.name)
    await api.delete(f"/machines/{row['id']}")
    return began(memo, None, "Nimbus removes the machine")


async def _reach(api: Api, row: Row, wanted: VmPower, memo: dict[str, Any]) -> Vm | Working:
    """Start or stop it, unless it is so."""
    if not row["is_busy"] and vm_of(row).power is wanted:
        return vm_of(row)
    deed = "start" if wanted is VmPower.RUNNING else "stop"
    return await _do(api, row, deed, {}, memo)


async def _once(api: Api, row: Row, deed: str, asked: Row, memo: dict[str, Any]) -> Vm | Working:
    """Do what leaves no trace in the machine: only the memo knows that it was asked for."""
    if memo.get("did") == deed:
        return await _reach(api, row, VmPower.RUNNING, memo)
    doing = await _do(api, row, deed, asked, memo)
    return doing if row["is_busy"] else began({**memo, "did": deed}, None, doing.says)


async def _do(api: Api, row: Row, deed: str, asked: Row, memo: dict[str, Any]) -> Working:
    """Ask for it, unless Nimbus is at work: it does one thing at a time."""
    if row["is_busy"]:
        return again(memo, AT_WORK, api.name)
    await api.post(f"/machines/{row['id']}/{deed}", asked)
    return began(memo, None, f"{AT_WORK}: {deed}")


def _refuse_suspended(api: Api, row: Row) -> None:
    if row["locked"]:
        reason = "the machine is suspended; unsuspend it first"
        raise Refused(api.name, field="machine", reason=reason)


def _size(size: Size) -> Row:
    return {"cores": size.cores, "memory_mb": size.memory_mb, "disk_gb": size.disk_gb}


def _system(want: VmWant) -> Row:
    """Return what its system begins with: addresses, and how its client gets in."""
    nic = want.nic
    return {
        "image": want.template,
        "addresses": [address for address in (nic.address4, nic.address6) if address],
        "gateways": [gateway for gateway in (nic.gateway4, nic.gateway6) if gateway],
        "user": want.user,
        "password": want.password.reveal() if want.password else "",
        "ssh_keys": want.ssh_keys,
    }
