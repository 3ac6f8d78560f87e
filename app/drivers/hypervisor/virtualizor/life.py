"""What is done to a machine that is there: power, suspend, resize, delete."""

from typing import Any

from app.drivers.hypervisor.contract import Ref, Size, Vm, VmPower, Working
from app.drivers.hypervisor.virtualizor.api import Api, Failed
from app.drivers.hypervisor.virtualizor.machine import (
    Machine,
    ask,
    email,
    find_machine,
    need_machine,
    refuse_suspended,
)
from app.drivers.hypervisor.virtualizor.panel import plan_named, read_plans, whole
from app.drivers.hypervisor.waiting import again

AT_WORK = "The provider works on the machine"
SOFT_LOOKS = 15
"""Looks that a guest is given to shut down, some 30 s, before its power is cut."""


async def power(api: Api, ref: Ref, wanted: VmPower, memo: dict[str, Any]) -> Vm | Working:
    """Reach `wanted`, which is RUNNING or STOPPED."""
    if wanted not in (VmPower.RUNNING, VmPower.STOPPED):
        raise Failed(api.name, field="power", reason=f"a machine cannot be made {wanted}")
    machine = await need_machine(api, ref)
    if wanted is VmPower.RUNNING:
        refuse_suspended(api, machine)
    return await _powered(api, machine, wanted, memo)


async def _powered(
    api: Api, machine: Machine, wanted: VmPower, memo: dict[str, Any]
) -> Vm | Working:
    if machine.is_busy:
        return again(memo, AT_WORK, api.name)
    if machine.vm.power is wanted:
        return machine.vm
    if wanted is VmPower.RUNNING:
        query = {"action": "start", "vpsid": machine.id}
        return await ask(api, machine, memo, "start", "Starting the machine", query=query)
    says = "Shutting the machine down"
    is_deaf = memo.get("did") == "poweroff" or int(memo.get("looks", 0)) >= SOFT_LOOKS
    deed = "poweroff" if is_deaf else "stop"
    query = {"action": deed, "vpsid": machine.id}
    return await ask(api, machine, memo, deed, says, query=query)


async def reboot(api: Api, ref: Ref, memo: dict[str, Any]) -> Vm | Working:
    """Restart it; one that is off is started."""
    machine = await need_machine(api, ref)
    refuse_suspended(api, machine)
    if machine.is_busy:
        return again(memo, AT_WORK, api.name)
    if not machine.is_running:
        return await _powered(api, machine, VmPower.RUNNING, memo)
    if memo.get("did") == "restart":
        return machine.vm
    query = {"action": "restart", "vpsid": machine.id}
    return await ask(api, machine, memo, "restart", "Restarting the machine", query=query)


async def suspend(api: Api, ref: Ref, memo: dict[str, Any]) -> Vm | Working:
    """Have the panel stop it and keep its user from starting it."""
    machine = await need_machine(api, ref)
    if machine.is_busy:
        return again(memo, AT_WORK, api.name)
    if not machine.is_suspended:
        says = "Suspending the machine"
        return await ask(api, machine, memo, "suspend", says, query={"suspend": machine.id})
    return await _powered(api, machine, VmPower.STOPPED, memo)


async def unsuspend(api: Api, ref: Ref, memo: dict[str, Any]) -> Vm | Working:
    machine = await need_machine(api, ref)
    if machine.is_busy:
        return again(memo, AT_WORK, api.name)
    if machine.is_suspended:
        says = "Lifting the suspension"
        return await ask(api, machine, memo, "unsuspend", says, query={"unsuspend": machine.id})
    return await _powered(api, machine, VmPower.RUNNING, memo)


async def resize(api: Api, ref: Ref, size: Size, memo: dict[str, Any], plan: str) -> Vm | Working:
    """Give it the plan, then the size where that differs, then restart it: both wait for that."""
    machine = await need_machine(api, ref)
    if machine.is_busy:
        return again(memo, AT_WORK, api.name)
    has = machine.vm.size
    if has.disk_gb > size.disk_gb:
        reason = f"the disk has {has.disk_gb} GB and cannot be made smaller; choose at least that"
        raise Failed(api.name, field="disk_gb", reason=reason)
    wanted = plan_named(api, await read_plans(api), plan) if plan else None
    edit = {"act": "managevps", "vpsid": machine.id}
    if wanted is not None and whole(machine.row.get("plid")) != wanted.id:
        if not has.disk_gb <= wanted.size.disk_gb <= size.disk_gb:
            # The panel gives it the plan's disk first, and shrinks none.
            reason = f"the plan {wanted.name} has a disk of {wanted.size.disk_gb} GB, the machine "
            reason += f"has {has.disk_gb} and is to have {size.disk_gb}; choose a plan in between"
            raise Failed(api.name, field="plan", reason=reason)
        form: dict[str, Any] = {"editvps": 1, "plid": wanted.id, "apply_plan": 1}
        return await ask(api, machine, memo, "plan", "Changing its plan", query=edit, form=form)
    if has != size:
        form = {"editvps": 1, "ram": size.memory_mb, "cores": size.cores}
        if has.disk_gb != size.disk_gb:
            form["space"] = [await _disk(api, machine, size.disk_gb)]
        return await ask(
            api, machine, memo, "resize", "Resizing the machine", query=edit, form=form
        )
    if memo.get("did") in ("plan", "resize") and machine.is_running:
        query = {"action": "restart", "vpsid": machine.id}
        says = "Restarting with its new size"
        return await ask(api, machine, memo, "restart", says, query=query)
    return machine.vm


async def _disk(api: Api, machine: Machine, size_gb: int) -> dict[str, Any]:
    """Return its first disk, as the panel knows it again, with another size."""
    answer = await api.get("managevps", vpsid=machine.id)
    info = answer.get("vs_info") or answer.get("vps") or {}
    disks = info.get("disks") or {}
    rows = [row for row in (disks.values() if isinstance(disks, dict) else disks) if row]
    first = rows[0] if rows else {}
    named = {key: first[key] for key in ("st_uuid", "disk_uuid") if first.get(key)}
    return {"size": size_gb} | named


async def delete(api: Api, ref: Ref, memo: dict[str, Any]) -> Working | None:
    """Remove it with its disks, then its user at the panel; None once both are gone."""
    machine = await find_machine(api, ref)
    says = "Removing the machine"
    if machine is not None:
        if machine.is_busy and memo.get("did") != "delete":
            return again(memo, AT_WORK, api.name)
        try:
            return await ask(api, machine, memo, "delete", says, query={"delete": machine.id})
        except Failed:
            # It may be gone since it was looked for, by an order whose answer was lost.
            if await find_machine(api, ref) is not None:
                raise
    await _delete_user(api, ref)
    return None


async def _delete_user(api: Api, ref: Ref) -> None:
    mark = email(api, ref.service)
    for row in await api.rows("users", "users", email=mark):
        if str(row.get("email", "")).lower() == mark and whole(row.get("numvps")) == 0:
            await api.post("users", {"delete": whole(row.get("uid"))})
