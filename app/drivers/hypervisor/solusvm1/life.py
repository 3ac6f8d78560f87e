"""What is done to a machine that is there: power, suspend, change of plan, delete."""

from typing import Any

from app.drivers.hypervisor.contract import Ref, Size, Vm, VmPower, Working
from app.drivers.hypervisor.solusvm1.api import WORK_S, Api, Failed
from app.drivers.hypervisor.solusvm1.machine import (
    Machine,
    clients,
    find_machine,
    need_machine,
    refuse_suspended,
    username,
)
from app.drivers.hypervisor.waiting import again, began


async def _ask(
    api: Api, machine: Machine, memo: dict[str, Any], deed: str, says: str, **form: Any
) -> Working:
    """Ask for a deed once, and wait for what it changes."""
    if memo.get("did") == deed:
        return again(memo, says, api.name)
    await api.ask(f"vserver-{deed}", vserverid=machine.id, timeout_s=WORK_S, **form)
    return began(memo | {"did": deed}, None, says)


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
    if machine.vm.power is wanted:
        return machine.vm
    if wanted is VmPower.RUNNING:
        return await _ask(api, machine, memo, "boot", "Starting the machine")
    return await _ask(api, machine, memo, "shutdown", "Shutting the machine down")


async def reboot(api: Api, ref: Ref, memo: dict[str, Any]) -> Vm | Working:
    """Restart it; one that is off is started."""
    machine = await need_machine(api, ref)
    refuse_suspended(api, machine)
    if not machine.is_running:
        return await _powered(api, machine, VmPower.RUNNING, memo)
    if memo.get("did") == "reboot":
        return machine.vm
    return await _ask(api, machine, memo, "reboot", "Restarting the machine")


async def suspend(api: Api, ref: Ref, memo: dict[str, Any]) -> Vm | Working:
    """Have the panel stop it and keep its client from starting it."""
    machine = await need_machine(api, ref)
    if machine.is_suspended:
        return machine.vm
    return await _ask(api, machine, memo, "suspend", "Suspending the machine")


async def unsuspend(api: Api, ref: Ref, memo: dict[str, Any]) -> Vm | Working:
    machine = await need_machine(api, ref)
    if machine.is_suspended:
        return await _ask(api, machine, memo, "unsuspend", "Lifting the suspension")
    return await _powered(api, machine, VmPower.RUNNING, memo)


async def resize(api: Api, ref: Ref, size: Size, memo: dict[str, Any], plan: str) -> Vm | Working:
    """Give it another plan, which says its size; the panel restarts it.

    Raises Refused where no plan is named and it has not that size, and where the plan's is another.
    """
    machine = await need_machine(api, ref)
    has = machine.vm.size
    if has.disk_gb > size.disk_gb:
        reason = f"the disk has {has.disk_gb} GB and cannot be made smaller; choose at least that"
        raise Failed(api.name, field="disk_gb", reason=reason)
    if has == size:
        return await _powered(api, machine, VmPower.RUNNING, memo) if memo else machine.vm
    if not plan:
        reason = "SolusVM 1 changes sizes by plan alone; name the plan that has this size"
        raise Failed(api.name, field="plan", reason=reason)
    known = await api.names("listplans", "plans")
    if plan not in known:
        reason = f"no plan is called {plan}; there are {', '.join(known) or 'none'}"
        raise Failed(api.name, field="plan", reason=reason)
    if memo.get("did") == "change":
        reason = f"the plan {plan} has {has.cores} cores, {has.memory_mb} MB and {has.disk_gb} GB, "
        raise Failed(api.name, field="plan", reason=f"{reason}which is not what was asked for")
    return await _ask(api, machine, memo, "change", "Changing its plan", plan=plan)


async def delete(api: Api, ref: Ref, memo: dict[str, Any]) -> Working | None:
    """Remove it with its client; None once both are gone."""
    machine = await find_machine(api, ref)
    if machine is not None:
        says = "Removing the machine"
        return await _ask(api, machine, memo, "terminate", says, deleteclient="true")
    if ref.service in (await clients(api)).values():
        await api.ask("client-delete", username=username(ref.service))
    return None
