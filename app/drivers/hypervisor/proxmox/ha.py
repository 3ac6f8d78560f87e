"""A machine that PVE's high availability looks after: it is switched by asking HA, which switches.

PVE sends `start`, `stop` and `shutdown` of such a machine to HA by itself. That does nothing while
HA has it in state `error`: only `disabled` leads out of that (PVE's manual, ha-manager, "Error
Recovery"), and HA then believes that it is off, whether it is or not.
"""

from typing import Any

from app.drivers.errors import Retriable
from app.drivers.hypervisor.contract import VmPower, Working
from app.drivers.hypervisor.proxmox.api import Api, Failed
from app.drivers.hypervisor.proxmox.guest import Guest
from app.drivers.hypervisor.waiting import again

ERROR, DELETING = "error", "deleting"
BELIEVED_OFF = ("stopped", "disabled")
KEPT = ("group", "comment", "max_relocate", "max_restart", "failback")
"""What a resource is made again with; rules name it by its id, and stay."""


async def settle(api: Api, guest: Guest, wanted: VmPower, memo: dict[str, Any]) -> Working | None:
    """Bring HA to where it does as it is asked; None once it does, and of a machine without HA.

    Raises Retriable when it came to `error` by what was asked of it: the next try clears that.
    """
    if guest.ha == ERROR:
        if "asked" in memo:
            reason = "HA could not, and has the machine in state error; its node's log says why"
            raise Retriable(api.name, reason)
        return await _ask(api, guest, "disabled", memo, "Clearing HA's state error")
    is_left_on = guest.is_running and guest.ha in BELIEVED_OFF
    if wanted is VmPower.STOPPED and is_left_on and "asked" not in memo:
        return await _ask(api, guest, "started", memo, "Telling HA that the machine runs")
    return None


async def _ask(api: Api, guest: Guest, state: str, memo: dict[str, Any], says: str) -> Working:
    if memo.get("ha") != state:
        await api.put(_path(guest), state=state)
    return again(memo | {"ha": state}, says, api.name)


async def read(api: Api, guest: Guest) -> dict[str, Any]:
    """Return what HA is told of the machine, to be told it again; empty without HA."""
    if not guest.ha:
        return {}
    found = await api.get(_path(guest))
    return {"state": "started"} | {key: found[key] for key in KEPT if key in found}


async def leave(
    api: Api, guest: Guest, memo: dict[str, Any], *, comes_back: bool
) -> Working | None:
    """Take the machine out of HA, which leaves it as it is; None once it is out.

    Rules that name it go with it, but not those of one that `comes_back`.
    """
    if not guest.ha:
        return None
    if not memo.get("left") and guest.ha != DELETING:
        try:
            await api.delete(_path(guest), **({"purge": False} if comes_back else {}))
        except Failed as error:
            if not comes_back or error.field != "purge":
                raise
            await api.delete(_path(guest))  # before PVE 9 there are no rules
    return again(memo | {"left": True}, "Taking the machine out of HA", api.name)


async def enter(api: Api, vmid: str, told: dict[str, Any]) -> None:
    """Put it under HA again, as it was. Idempotent."""
    known = {row["sid"] for row in await api.get("cluster/ha/resources", type="vm")}
    if f"vm:{vmid}" not in known:
        await api.post("cluster/ha/resources", sid=f"vm:{vmid}", **told)


def _path(guest: Guest) -> str:
    return f"cluster/ha/resources/vm:{guest.vmid}"
