"""What is done to a machine that is there: power, suspend, resize, make anew, delete."""

from typing import Any

import msgspec

from app.drivers.hypervisor.contract import Ref, Size, Turns, Vm, VmPower, VmWant, Working
from app.drivers.hypervisor.iso import is_iso
from app.drivers.hypervisor.proxmox import ha, marks
from app.drivers.hypervisor.proxmox.api import Api, Failed
from app.drivers.hypervisor.proxmox.cluster import Cluster
from app.drivers.hypervisor.proxmox.create import create, sources_of
from app.drivers.hypervisor.proxmox.guest import (
    Guest,
    find_guest,
    need_guest,
    stop,
    under_way,
)
from app.drivers.hypervisor.proxmox.settings import GIB, first_disk, mac_of
from app.drivers.hypervisor.waiting import again, began

SOFTLY_S = 60
"""What a guest is given to shut down, before PVE ends it."""
KEPT = ("mac", "node", "told")
SUSPENDED = "it is suspended; lift the suspension, which starts it"


async def power(api: Api, ref: Ref, wanted: VmPower, memo: dict[str, Any]) -> Vm | Working:
    """Reach `wanted`, which is RUNNING or STOPPED.

    A task's OK is not believed: that of a machine under HA means that it was asked for.
    """
    if wanted not in (VmPower.RUNNING, VmPower.STOPPED):
        raise Failed(api.name, field="power", reason=f"a machine cannot be made {wanted}")
    guest = await need_guest(api, ref)
    is_start = wanted is VmPower.RUNNING
    if is_start and guest.vm.is_suspended:
        raise Failed(api.name, field="machine", reason=SUSPENDED)
    says = "Starting the machine" if is_start else "Shutting the machine down"
    done = "already running" if is_start else "not running"
    if waiting := await under_way(api, memo, says, nothing_to_do=done):
        return waiting
    if waiting := await ha.settle(api, guest, wanted, memo):
        return waiting
    if guest.vm.power is wanted and not guest.is_locked:
        return guest.vm
    if "asked" in memo or guest.is_locked:
        return again(memo, says, api.name)
    upid = await (
        api.post(f"{guest.path}/status/start") if is_start else stop(api, guest, softly_s=SOFTLY_S)
    )
    return began({"asked": True}, upid, says)


async def reboot(api: Api, ref: Ref, memo: dict[str, Any]) -> Vm | Working:
    """Restart it, with the configuration that waits for that; one that is off is started."""
    guest = await need_guest(api, ref)
    if waiting := await under_way(api, memo, "Restarting the machine"):
        return waiting
    if "asked" in memo and guest.is_running:
        return guest.vm
    if not guest.is_running:
        return await power(api, ref, VmPower.RUNNING, {})
    upid = await api.post(f"{guest.path}/status/reboot", timeout=SOFTLY_S)
    return began({"asked": True}, upid, "Restarting the machine")


async def suspend(api: Api, ref: Ref, memo: dict[str, Any]) -> Vm | Working:
    """Mark it, so that it is not started, then stop it. PVE's own suspend only pauses."""
    guest = await need_guest(api, ref)
    if not guest.vm.is_suspended:
        await _tag(api, guest, is_suspended=True)
    found = await power(api, ref, VmPower.STOPPED, memo)
    return _marked(found, is_suspended=True)


async def unsuspend(api: Api, ref: Ref, memo: dict[str, Any]) -> Vm | Working:
    guest = await need_guest(api, ref)
    if guest.vm.is_suspended:
        await _tag(api, guest, is_suspended=False)
    found = await power(api, ref, VmPower.RUNNING, memo)
    return _marked(found, is_suspended=False)


def _marked(found: Vm | Working, *, is_suspended: bool) -> Vm | Working:
    if isinstance(found, Vm):
        return msgspec.structs.replace(found, is_suspended=is_suspended)
    return found


async def _tag(api: Api, guest: Guest, *, is_suspended: bool) -> None:
    tags = set(marks.tags_in(str(guest.row.get("tags", ""))))
    tags = tags | {marks.SUSPENDED} if is_suspended else tags - {marks.SUSPENDED}
    tags |= {marks.OURS, marks.tag(guest.service)}
    # Nor does it start when its node does.
    await api.put(f"{guest.path}/config", tags=";".join(sorted(tags)), onboot=not is_suspended)


async def resize(api: Api, ref: Ref, size: Size, memo: dict[str, Any]) -> Vm | Working:
    """Write what differs, then restart a machine that runs: processors and memory wait for that."""
    guest = await need_guest(api, ref)
    if waiting := await under_way(api, memo, "Resizing the machine"):
        return waiting
    if guest.is_locked:
        return again(memo, "The provider works on the machine", api.name)
    config = await api.get(f"{guest.path}/config")
    disk, has = first_disk(config)
    wanted = size.disk_gb * GIB
    if has > wanted:
        reason = f"the disk has {has // GIB} GB and cannot be made smaller; choose at least that"
        raise Failed(api.name, field="disk_gb", reason=reason)
    if has < wanted and not memo.get("grown"):
        upid = await api.put(f"{guest.path}/resize", disk=disk, size=f"{size.disk_gb}G")
        return began(memo | {"grown": True}, upid, "Growing its disk")
    has_size = (int(config.get("cores", 1)), int(str(config.get("memory", 0)).split("=")[-1]))
    if has_size != (size.cores, size.memory_mb):
        await api.put(f"{guest.path}/config", cores=size.cores, memory=size.memory_mb)
        if guest.is_running:
            upid = await api.post(f"{guest.path}/status/reboot", timeout=SOFTLY_S)
            return began(memo | {"grown": True}, upid, "Restarting with its new size")
    return msgspec.structs.replace(guest.vm, size=size)


async def reinstall(api: Api, turns: Turns, want: VmWant, memo: dict[str, Any]) -> Vm | Working:
    """Delete and make again: PVE has no such call. What stays as it was is kept in the memo."""
    if "gone" not in memo:
        if "mac" not in memo:
            return await _look(api, want)
        kept = {key: memo[key] for key in KEPT if key in memo}
        waiting = await delete(api, want.ref, memo, comes_back=True)
        if waiting is not None:
            return msgspec.structs.replace(waiting, memo=waiting.memo | kept)
        return Working(kept | {"gone": True}, 0.0, "The old machine is gone")
    kept = {key: memo[key] for key in (*KEPT, "gone") if key in memo}
    same = msgspec.structs.replace(
        want,
        nic=msgspec.structs.replace(want.nic, mac=memo["mac"]),
        nodes=(memo["node"],),
    )
    found = await create(api, turns, same, memo)
    if isinstance(found, Working):
        return msgspec.structs.replace(found, memo=found.memo | kept)
    if told := memo.get("told"):
        await ha.enter(api, found.id, told)
    return found


async def _look(api: Api, want: VmWant) -> Working:
    """Look at what stays: the MAC address, the node, and what HA is told."""
    cluster = await Cluster.read(api)
    guest = await need_guest(api, want.ref, cluster)
    sources = await sources_of(api, cluster, want)  # before anything is removed
    if is_iso(want.template) and guest.node not in {source.node for source in sources}:
        reason = f"there is no ISO {want.template} on {guest.node}, where the machine is"
        raise Failed(api.name, field="template", reason=reason)
    config = await api.get(f"{guest.path}/config")
    kept = {
        "mac": mac_of(str(config.get("net0", ""))),
        "node": guest.node,
        "told": await ha.read(api, guest),
    }
    return Working(kept, 0.0, "Looking at the machine")


async def delete(
    api: Api, ref: Ref, memo: dict[str, Any], *, comes_back: bool = False
) -> Working | None:
    """Stop it the hard way, then remove it with its disks and what refers to it."""
    guest = await find_guest(api, ref)
    if waiting := await under_way(api, memo, "Removing the machine", nothing_to_do="not exist"):
        return waiting
    if guest is None:
        return None
    if guest.is_locked:
        return again(memo, "The provider works on the machine", api.name)
    if waiting := await ha.leave(api, guest, memo, comes_back=comes_back):
        return waiting
    return await _remove(api, guest, memo)


async def _remove(api: Api, guest: Guest, memo: dict[str, Any]) -> Working:
    if guest.is_running:
        if memo.get("stopping"):  # PVE's OK is not believed
            return again(memo, "Stopping the machine", api.name)
        return began({"stopping": True}, await stop(api, guest), "Stopping the machine")
    form = {"purge": 1, "destroy-unreferenced-disks": 1}
    return began({}, await api.delete(guest.path, **form), "Removing the machine")
