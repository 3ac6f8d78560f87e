"""A machine as Nimbus has it: found by the mark that we give it."""

from typing import Any

from app.drivers.errors import Refused
from app.drivers.hypervisor.contract import Ref, Size, Vm, VmPower
from app.drivers.hypervisor.mark import service_in
from slipway_nimbus.api import Api, Row

POWERS = {"running": VmPower.RUNNING, "stopped": VmPower.STOPPED}


def tag_of(ref: Ref) -> str:
    """Return the tag that says whose the machine is. Nimbus lets it be there once."""
    return f"slipway-service-{ref.service.hex}"


def vm_of(row: Row) -> Vm:
    return Vm(
        id=row["id"],
        node=row["host"],
        name=row["name"],
        power=POWERS.get(row["state"], VmPower.UNKNOWN),
        size=Size(cores=row["cores"], memory_mb=row["memory_mb"], disk_gb=row["disk_gb"]),
        service=service_in(row["tag"]),
        is_suspended=row["locked"],
        is_busy=row["is_busy"],
    )


async def find_row(api: Api, ref: Ref) -> Row | None:
    """Return the service's machine, also one whose making was broken off."""
    found: list[Row] = (await api.get("/machines", tag=tag_of(ref)))["machines"]
    return found[0] if found else None


async def need_row(api: Api, ref: Ref) -> dict[str, Any]:
    row = await find_row(api, ref)
    if row is None:
        raise Refused(api.name, field="machine", reason=f"there is no machine of {ref.hostname}")
    return row
