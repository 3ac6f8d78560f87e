"""Make a machine, and make it anew. The panel works while it is called: there is no task to ask."""

import secrets
from typing import Any

from app.drivers.hypervisor.contract import NoRoom, Vm, VmWant, Working
from app.drivers.hypervisor.solusvm1.api import WORK_S, Api, Failed
from app.drivers.hypervisor.solusvm1.machine import (
    clients,
    find_machine,
    need_machine,
    nodes,
    refuse_suspended,
    username,
)
from app.drivers.hypervisor.waiting import again, began

PATIENT_LOOKS = 6
LOOK_S = 30.0
"""Three minutes: so long an earlier creation that nobody answered for may still be at work."""


async def create(api: Api, want: VmWant, memo: dict[str, Any]) -> Vm | Working:
    """Do the next thing; the machine is returned once it runs."""
    machine = await find_machine(api, want.ref)
    if machine is None:
        return await _order(api, want, memo)
    if machine.is_running:
        return machine.vm
    refuse_suspended(api, machine)
    if memo.get("did") == "boot":
        return again(memo, "Starting the machine", api.name)
    await api.ask("vserver-boot", vserverid=machine.id, timeout_s=WORK_S)
    return began(memo | {"did": "boot"}, None, "Starting the machine")


async def _order(api: Api, want: VmWant, memo: dict[str, Any]) -> Working:
    """Make its client, then the machine.

    A client without a machine says that a creation may be under way; it is waited for.
    """
    if want.password is None:
        reason = "SolusVM 1 takes no SSH keys; give the machine a password"
        raise Failed(api.name, field="password", reason=reason)
    if want.nic.address6:
        reason = "SolusVM 1 chooses IPv6 addresses itself; sell these products without IPv6"
        raise Failed(api.name, field="address6", reason=reason)
    templates = await api.names("listtemplates", "templates")
    _need(api, "template", "system", want.template, templates)
    _need(api, "plan", "plan", want.plan, await api.names("listplans", "plans"))
    name = username(want.ref.service)
    node = await _choose(api, want)
    has_client = want.ref.service in (await clients(api)).values()
    if has_client and (looks := int(memo.get("looks", 0))) < PATIENT_LOOKS:
        return Working(memo | {"looks": looks + 1}, LOOK_S, "Looking whether it is being made")
    if not has_client:
        await api.ask(
            "client-create",
            username=name,
            password=secrets.token_urlsafe(18),
            email=f"{name}@slipway.invalid",
            firstname="Slipway",
            lastname=want.ref.hostname,
            company="Slipway",
        )
    await api.ask(
        "vserver-create",
        timeout_s=WORK_S,
        type=api.virt,
        node=node,
        hostname=want.ref.hostname,
        username=name,
        password=want.password.reveal(),
        plan=want.plan,
        template=want.template,
        ips=1,
        **({"customextraip": len(want.nic.extra4)} if want.nic.extra4 else {}),
    )
    return began({}, None, f"Making the machine on {node}")


def _need(api: Api, field: str, what: str, name: str, known: list[str]) -> None:
    if name not in known:
        names = ", ".join(known) or "none"
        reason = f"no {what} is called {name}" if name else f"name the {what}"
        raise Failed(api.name, field=field, reason=f"{reason}; there are {names}")


async def _choose(api: Api, want: VmWant) -> str:
    """Return the node with free addresses that has the fewest machines, of those allowed."""
    fits = [
        (int(row.get("virtualservers") or 0), str(row["name"]))
        for row in await nodes(api)
        if int(row.get("freeips") or 0) > 0 and (not want.nodes or row["name"] in want.nodes)
    ]
    if not fits:
        where = f"of {', '.join(want.nodes)}" if want.nodes else "at all"
        raise NoRoom(api.name, f"no node {where} has a free address; add some to its IP block")
    return min(fits)[1]


async def reinstall(api: Api, want: VmWant, memo: dict[str, Any]) -> Vm | Working:
    """Have it installed anew, then give it its password; number, node and addresses stay."""
    machine = await need_machine(api, want.ref)
    refuse_suspended(api, machine)
    if memo.get("did") is None:
        templates = await api.names("listtemplates", "templates")
        _need(api, "template", "system", want.template, templates)
        await api.ask(
            "vserver-rebuild", vserverid=machine.id, template=want.template, timeout_s=WORK_S
        )
        return began({"did": "rebuild"}, None, "Installing the machine anew")
    if memo["did"] == "rebuild":
        if not machine.is_running:
            return again(memo, "Installing the machine anew", api.name)
        if want.password is not None:
            await api.ask(
                "vserver-rootpassword",
                vserverid=machine.id,
                rootpassword=want.password.reveal(),
                timeout_s=WORK_S,
            )
        return began({"did": "password"}, None, "Setting its password")
    return machine.vm
