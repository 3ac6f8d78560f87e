"""What is done to a machine that is there: power, suspend, resize, delete."""

from typing import Any

from app.drivers.hypervisor.contract import Ref, Size, Vm, VmPower, Working
from app.drivers.hypervisor.solusvm2.api import Api, Failed, Gone
from app.drivers.hypervisor.solusvm2.panel import asked_of, plan_of
from app.drivers.hypervisor.solusvm2.server import (
    ask,
    find_server,
    known,
    need_server,
    refuse_suspended,
    under_way,
)
from app.drivers.hypervisor.waiting import again

AT_WORK = "The provider works on the machine"


async def power(api: Api, ref: Ref, wanted: VmPower, memo: dict[str, Any]) -> Vm | Working:
    """Reach `wanted`, which is RUNNING or STOPPED."""
    if wanted not in (VmPower.RUNNING, VmPower.STOPPED):
        raise Failed(api.name, field="power", reason=f"a machine cannot be made {wanted}")
    server = await need_server(api, ref, memo)
    memo = known(memo, server)
    is_start = wanted is VmPower.RUNNING
    if is_start:
        refuse_suspended(api, server)
    says = "Starting the machine" if is_start else "Shutting the machine down"
    if waiting := await under_way(api, memo, says):
        return waiting
    if server.is_busy:
        return again(memo, AT_WORK, api.name)
    if server.vm.power is wanted:
        return server.vm
    deed = "start" if is_start else "stop"
    return await ask(api, server, memo, deed, says)


async def reboot(api: Api, ref: Ref, memo: dict[str, Any]) -> Vm | Working:
    """Restart it; one that is off is started."""
    server = await need_server(api, ref, memo)
    memo = known(memo, server)
    refuse_suspended(api, server)
    if waiting := await under_way(api, memo, "Restarting the machine"):
        return waiting
    if server.is_busy:
        return again(memo, AT_WORK, api.name)
    if not server.is_running:
        return await power(api, ref, VmPower.RUNNING, memo)
    if memo.get("did") == "restart":
        return server.vm
    return await ask(api, server, memo, "restart", "Restarting the machine")


async def suspend(api: Api, ref: Ref, memo: dict[str, Any]) -> Vm | Working:
    """Have the panel stop it and keep its user from starting it."""
    server = await need_server(api, ref, memo)
    memo = known(memo, server)
    if waiting := await under_way(api, memo, "Suspending the machine"):
        return waiting
    if server.is_busy:
        return again(memo, AT_WORK, api.name)
    if not server.vm.is_suspended:
        return await ask(api, server, memo, "suspend", "Suspending the machine")
    return await power(api, ref, VmPower.STOPPED, memo)


async def unsuspend(api: Api, ref: Ref, memo: dict[str, Any]) -> Vm | Working:
    server = await need_server(api, ref, memo)
    memo = known(memo, server)
    if waiting := await under_way(api, memo, "Lifting the suspension"):
        return waiting
    if server.is_busy:
        return again(memo, AT_WORK, api.name)
    if server.vm.is_suspended:
        return await ask(api, server, memo, "resume", "Lifting the suspension")
    return await power(api, ref, VmPower.RUNNING, memo)


async def resize(api: Api, ref: Ref, size: Size, memo: dict[str, Any], plan: str) -> Vm | Working:
    """Give it another plan, or its own with other figures; the panel restarts it."""
    server = await need_server(api, ref, memo)
    memo = known(memo, server)
    if waiting := await under_way(api, memo, "Resizing the machine"):
        return waiting
    if server.is_busy:
        return again(memo, AT_WORK, api.name)
    has = server.vm.size
    if has.disk_gb > size.disk_gb:
        reason = f"the disk has {has.disk_gb} GB and cannot be made smaller; choose at least that"
        raise Failed(api.name, field="disk_gb", reason=reason)
    own = (server.row.get("plan") or {}).get("id")
    wanted = await plan_of(api, size, plan, otherwise=own)
    if has == size and (not plan or wanted.id == own):
        return server.vm
    body = {"plan_id": wanted.id, "preserve_disk": has.disk_gb == size.disk_gb}
    body |= asked_of(wanted, size)
    return await ask(api, server, memo, "resize", "Resizing the machine", body=body)


async def delete(api: Api, ref: Ref, memo: dict[str, Any]) -> Working | None:
    """Remove it with its disks; None once it is gone."""
    server = await find_server(api, ref, memo)
    if server is None:
        return None
    memo = known(memo, server)
    if waiting := await under_way(api, memo, "Removing the machine"):
        return waiting
    if server.is_busy:
        return again(memo, AT_WORK, api.name)
    try:
        return await ask(api, server, memo, "delete", "Removing the machine")
    except Gone:
        return None
