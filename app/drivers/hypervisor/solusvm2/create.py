"""Make a machine: ask for it once, wait, start it. Each call does the next of these."""

from typing import Any

from app.drivers.errors import Retriable
from app.drivers.hypervisor.contract import NoRoom, Vm, VmWant, Working
from app.drivers.hypervisor.mark import description
from app.drivers.hypervisor.solusvm2.api import Api, Failed
from app.drivers.hypervisor.solusvm2.cloud_config import cloud_config
from app.drivers.hypervisor.solusvm2.panel import (
    Location,
    asked_of,
    locations,
    plan_of,
    project_id,
    system_id,
)
from app.drivers.hypervisor.solusvm2.server import (
    NEVER_MADE,
    Server,
    ask,
    find_server,
    known,
    need_server,
    refuse_suspended,
    under_way,
    why_not_made,
)
from app.drivers.hypervisor.waiting import again, began


async def create(api: Api, want: VmWant, memo: dict[str, Any]) -> Vm | Working:
    """Do the next thing; the machine is returned once it runs."""
    server = await find_server(api, want.ref, memo)
    if server is None:
        return await _order(api, want)
    memo = known(memo, server)
    if waiting := await under_way(api, memo, memo.get("says", "Making the machine")):
        return waiting
    if server.is_busy:
        return again(memo, "Making the machine", api.name)
    if server.row.get("status") == NEVER_MADE:
        why = await why_not_made(api, server)
        await api.delete(server.path)
        raise Retriable(api.name, f"it could not make the machine: {why}")
    if server.is_running:
        return server.vm
    refuse_suspended(api, server)
    return await ask(api, server, memo, "start", "Starting the machine")


async def _order(api: Api, want: VmWant) -> Working:
    if want.nic.address6:
        reason = "SolusVM 2 chooses IPv6 addresses itself; sell these products without IPv6"
        raise Failed(api.name, field="address6", reason=reason)
    system = await system_id(api, want.template)
    plan = await plan_of(api, want.size, want.plan)
    location = _choose(await locations(api), want)
    if location is None:
        raise _no_room(api, want)
    body: dict[str, Any] = {
        "name": want.ref.hostname,
        "boot_mode": "disk",
        "description": description(want.ref.service),
        "fqdns": [want.ref.hostname],
        "ssh_keys": [],
        "plan": plan.id,
        "project": await project_id(api),
        "location": location.id,
        "os": system,
        "user_data": cloud_config(want),
        "ip_types": ["IPv4"],
    }
    body |= asked_of(plan, want.size)
    if want.nic.address4:
        body["primary_ip"] = want.nic.address4.partition("/")[0]
    if want.nic.extra4:
        body["additional_ip_count"] = len(want.nic.extra4)
    if want.nic.mac:
        body["mac_address"] = want.nic.mac
    if want.password is not None:
        body["password"] = want.password.reveal()
    made = Server(await api.post("servers", body))
    return began(known({}, made), None, f"Making the machine in {location.name}")


def _choose(known_: list[Location], want: VmWant) -> Location | None:
    """Return the location with the most memory left, of those that may be used and have room."""
    size = want.size
    fits = [
        one
        for one in known_
        if one.capacity.is_up
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


def _no_room(api: Api, want: VmWant) -> NoRoom:
    where = f"in {', '.join(want.nodes)}" if want.nodes else "in any location"
    size = want.size
    return NoRoom(
        api.name,
        f"no compute resource {where} may give {size.cores} cores, {size.memory_mb:,} MB of memory "
        f"and {size.disk_gb:,} GB of disk; add one or raise its limits",
    )


async def reinstall(api: Api, want: VmWant, memo: dict[str, Any]) -> Vm | Working:
    """Have it installed anew; the panel keeps number, location, MAC and addresses.

    Its own password is made anew by the panel, so that ours is set by cloud-init at its first
    start, as the keys are.
    """
    server = await need_server(api, want.ref, memo)
    memo = known(memo, server)
    refuse_suspended(api, server)
    if waiting := await under_way(api, memo, "Installing the machine anew"):
        return waiting
    if server.is_busy:
        return again(memo, "The provider works on the machine", api.name)
    if "asked" not in memo:
        system = await system_id(api, want.template)
        await api.patch(server.path, {"user_data": cloud_config(want)})
        says = "Installing the machine anew"
        return await ask(
            api, server, memo | {"asked": True}, "reinstall", says, body={"os": system}
        )
    if server.is_running:
        return server.vm
    return await ask(api, server, memo, "start", "Starting the machine")
