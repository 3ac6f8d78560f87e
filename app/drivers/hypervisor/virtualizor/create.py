"""Make a machine, and make it anew. Each call does the next thing that is not so yet."""

import secrets
from typing import Any

from app.drivers.errors import Retriable
from app.drivers.hypervisor.contract import NoRoom, Vm, VmWant, Working
from app.drivers.hypervisor.virtualizor.api import MAKE_S, Api, Failed, is_done
from app.drivers.hypervisor.virtualizor.machine import (
    BUILDS,
    ask,
    email,
    find_machine,
    is_newer,
    need_machine,
    refuse_failed,
    refuse_suspended,
)
from app.drivers.hypervisor.virtualizor.panel import (
    Node,
    plan_named,
    read_nodes,
    read_plans,
    read_systems,
    system_named,
)
from app.drivers.hypervisor.waiting import again, began


async def create(api: Api, want: VmWant, memo: dict[str, Any]) -> Vm | Working:
    """Do the next thing; the machine is returned once it runs."""
    machine = await find_machine(api, want.ref)
    if machine is None:
        return await _order(api, want)
    task = machine.task
    if machine.is_busy:
        return again(memo, "Making the machine", api.name)
    if task is not None and task.is_failed and task.action in BUILDS:
        await api.get("vs", delete=machine.id)  # it has a disk without a system, or none
        raise Retriable(api.name, task.words)
    if machine.is_running:
        return machine.vm
    refuse_suspended(api, machine)
    query = {"action": "start", "vpsid": machine.id}
    return await ask(api, machine, memo, "start", "Starting the machine", query=query)


async def _order(api: Api, want: VmWant) -> Working:
    if want.password is None:
        reason = "Virtualizor takes no SSH keys by its API; give the machine a password"
        raise Failed(api.name, field="password", reason=reason)
    plans = await read_plans(api)
    plan = plan_named(api, plans, want.plan) if want.plan else None
    virt = "" if plan is None else plan.virt
    system = system_named(api, await read_systems(api), want.template, virt)
    if plan is None:
        same = [one for one in plans if (one.size, one.virt) == (want.size, system.virt)]
        plan = same[0] if same else None
    node = _choose(await read_nodes(api), want, system.virt)
    if node is None:
        raise _no_room(api, want, system.virt)
    size = want.size
    form: dict[str, Any] = {
        "addvps": 1,
        "slave_server": node.id,
        "virt": system.virt,
        "user_email": email(api, want.ref.service),
        "user_pass": secrets.token_urlsafe(24),
        "osid": system.id,
        "hostname": want.ref.hostname,
        "rootpass": want.password.reveal(),
        "space": [{"size": size.disk_gb}],
        "ram": size.memory_mb,
        "cores": size.cores,
        "noemail": 1,
    }
    if plan is None:
        form["bandwidth"] = 0
    else:
        form["plid"] = plan.id
    if want.nic.address4:
        named = (want.nic.address4, *want.nic.extra4)  # the first is the primary one
        form["ips"] = [address.partition("/")[0] for address in named]
    else:
        form["num_ips"] = 1
    if want.nic.address6:
        form["ipv6"] = [want.nic.address6.partition("/")[0]]
    answer = await api.post("addvs", form, timeout_s=MAKE_S)
    if not (answer.get("newvs") or is_done(answer)):
        raise Retriable(api.name, "it did not say that it makes the machine")
    return began({}, None, f"Making the machine on {node.name}")


def _choose(nodes: list[Node], want: VmWant, virt: str) -> Node | None:
    """Return the server with the most memory left, of those that may be used and have room."""
    size = want.size
    fits = [
        one
        for one in nodes
        if one.capacity.is_up
        and virt in one.virts
        and (not want.nodes or one.name in want.nodes)
        and one.capacity.free_memory_mb >= size.memory_mb
        and one.capacity.free_disk_gb >= size.disk_gb
        and one.capacity.cores >= size.cores
    ]
    return min(
        fits,
        key=lambda one: (-one.capacity.free_memory_mb, one.capacity.machines, one.name),
        default=None,
    )


def _no_room(api: Api, want: VmWant, virt: str) -> NoRoom:
    where = f"of {', '.join(want.nodes)}" if want.nodes else "at all"
    size = want.size
    return NoRoom(
        api.name,
        f"no server {where} that runs {virt} has {size.cores} cores, {size.memory_mb:,} MB of "
        f"memory and {size.disk_gb:,} GB of disk left; add one or move machines",
    )


async def reinstall(api: Api, want: VmWant, memo: dict[str, Any]) -> Vm | Working:
    """Have it installed anew, with the password; number, server, MAC and addresses stay."""
    machine = await need_machine(api, want.ref)
    refuse_suspended(api, machine)
    if machine.is_busy:
        return again(memo, "Installing the machine anew", api.name)
    if "asked" in memo:
        refuse_failed(api, machine, memo)
        if not is_newer(machine, memo):
            return again(memo, "Installing the machine anew", api.name)
        if machine.is_running:
            return machine.vm
        query = {"action": "start", "vpsid": machine.id}
        return await ask(api, machine, memo, "start", "Starting the machine", query=query)
    if want.password is None:
        reason = "Virtualizor takes no SSH keys by its API; give the machine a password"
        raise Failed(api.name, field="password", reason=reason)
    virt = str(machine.row.get("virt", ""))
    system = system_named(api, await read_systems(api), want.template, virt)
    form = {
        "reos": 1,
        "vpsid": machine.id,
        "osid": system.id,
        "newpass": want.password.reveal(),
        "conf": want.password.reveal(),
        "format_primary": 1,
    }
    says = "Installing the machine anew"
    return await ask(
        api, machine, memo | {"asked": True}, "rebuild", says, query={"act": "rebuild"}, form=form
    )
