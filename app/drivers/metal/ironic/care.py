"""A node that was put aside: whether it works again, cleaned anew, out of maintenance."""

from typing import Any
from uuid import UUID

import msgspec

from app.drivers.errors import Refused
from app.drivers.metal.contract import Examined, MetalNode, NodeLost, Stage, Working
from app.drivers.metal.ironic import nodes
from app.drivers.metal.ironic.api import Api, node_path
from app.drivers.metal.ironic.enrol import AGAIN_S, after_failure, ask
from app.drivers.metal.ironic.words import Broken, NotThere

NEEDED = ("power", "management", "deploy")
"""The interfaces without which nothing can be done with a node."""
_FAILED = frozenset({"clean failed", "inspect failed", "adopt failed"})
"""The failures that a node which nobody has can be cleaned after."""
_NO_IMAGE = "instance_info"
"""Of a node on which nobody has anything installed, `deploy` misses the image in there, and says
so. Source: `AgentDeploy.validate` and `get_image_instance_info` of Ironic."""


async def examine(api: Api, node: str) -> Examined:
    row = await nodes.row_of(api, node)
    found = nodes.view(row)
    if found.instance:
        service = await _service_of(api, found.instance)
        found = msgspec.structs.replace(found, service=service)
    try:
        said = await api.get(f"{node_path(row['uuid'])}/validate")
    except NotThere as error:
        raise NodeLost(api.name, node, error.reason) from error
    except (Refused, Broken) as error:
        # It answered for the node a moment ago: this is about that node.
        return Examined(node=found, faults=(error.message,))
    return Examined(node=found, faults=(*_of_state(found), *_of_drivers(said)))


def _of_state(node: MetalNode) -> list[str]:
    if node.instance or node.stage is not Stage.FAILED or node.state in _FAILED:
        return []
    return [f"it is {node.state}; that is not cleaned"]


def _of_drivers(said: dict[str, Any]) -> list[str]:
    found = {kind: said.get(kind) or {} for kind in NEEDED}
    return [
        f"{kind}: {one.get('reason') or 'it does not say why'}"
        for kind, one in found.items()
        # None: the driver has no such interface.
        if one.get("result") is False
        and not (kind == "deploy" and _NO_IMAGE in (one.get("reason") or ""))
    ]


async def _service_of(api: Api, instance: str) -> UUID | None:
    try:
        found = await api.get(f"/allocations/{instance}")
    except NotThere:  # deployed without an allocation
        return None
    return nodes.service_of(found["name"] or "")


async def clean(api: Api, node: str, memo: dict[str, Any]) -> MetalNode | Working:
    row = await nodes.row_of(api, node)
    state = row["provision_state"]
    if row["instance_uuid"]:
        raise NodeLost(api.name, row["uuid"], f"{row['instance_uuid']} has it")
    if nodes.stage_of(state) is Stage.WORKING:
        return Working(memo, AGAIN_S, f"the cloud says {state}")
    match state:
        case "available" if memo.get("asked") == "provide":
            return nodes.view(row)
        case "available":
            return await ask(api, row, "manage", memo, says="it is taken aside")
        case "enroll":
            return await ask(api, row, "manage", memo, says="the cloud asks its BMC")
        case _ if state in _FAILED:
            return await after_failure(api, row, memo)
        case "manageable":
            return await ask(api, row, "provide", memo, says="its disks are cleaned")
        case _:
            raise NodeLost(api.name, row["uuid"], f"it is {state}; that is not cleaned")


async def end_maintenance(api: Api, node: str) -> MetalNode:
    row = await nodes.row_of(api, node)
    if row["maintenance"]:
        await api.delete(f"{node_path(row['uuid'])}/maintenance")
        row = await nodes.row_of(api, row["uuid"])
    return nodes.view(row)
