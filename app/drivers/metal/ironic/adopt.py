"""Nodes that are there already: take them on, take over what runs on them, and leave them again."""

import contextlib
from typing import Any
from uuid import UUID

from app.drivers.errors import Refused
from app.drivers.metal.contract import MetalNode, NodeLost, NodeRef, Stage, Working
from app.drivers.metal.ironic import nodes
from app.drivers.metal.ironic.api import Api, node_path
from app.drivers.metal.ironic.enrol import AGAIN_S, after_failure, ask
from app.drivers.metal.ironic.words import Locked, NotThere


async def take_on(api: Api, node: str, mark: str) -> MetalNode:
    row = await nodes.row_of(api, node)
    known = nodes.mark_of(row)
    if known and known != mark:
        raise NodeLost(api.name, row["uuid"], f"it is marked as another server, {known}")
    if not known:
        row = await api.patch(node_path(row["uuid"]), {f"/extra/{nodes.MARK}": {"server": mark}})
    return nodes.view(row)


async def adopt(
    api: Api, node: str, service: UUID | None, memo: dict[str, Any]
) -> MetalNode | Working:
    row = await nodes.row_of(api, node)
    match row["provision_state"]:
        case "active":
            return await _backfill(api, row, service)
        case "adopt failed" if memo.get("asked") == "adopt":
            raise await nodes.failure(api, row)
        case "enroll" | "verifying":
            return await ask(api, row, "manage", memo, says="the cloud asks its BMC")
        case "available":
            if row["instance_uuid"]:
                raise NodeLost(api.name, row["uuid"], f"{row['instance_uuid']} has it")
            return await ask(api, row, "manage", memo, says="it is taken aside")
        case "manageable" | "adopt failed" | "adopting":
            return await ask(api, row, "adopt", memo, says="the cloud takes it over")
        case state if nodes.stage_of(state) is Stage.WORKING:
            return Working(memo, AGAIN_S, f"the cloud says {state}")
        case state:
            raise NodeLost(api.name, row["uuid"], f"it is {state}; that is not taken over")


async def _backfill(api: Api, row: dict[str, Any], service: UUID | None) -> MetalNode | Working:
    """Note at the cloud which service has the system that runs there, as if we had deployed it."""
    if service is None:
        return nodes.view(row)
    name = nodes.allocation_name(NodeRef(row["uuid"], service))
    try:
        found = await api.get(f"/allocations/{name}")
    except NotThere:
        found = None
    if found is not None and found["uuid"] == row["instance_uuid"]:
        return nodes.view(row)
    if row["instance_uuid"]:
        raise NodeLost(api.name, row["uuid"], f"{row['instance_uuid']} has it")
    if found is not None and found["state"] == "error":
        await api.delete(f"/allocations/{name}")
        raise NodeLost(api.name, row["uuid"], found["last_error"] or "it cannot be allocated")
    if not row["resource_class"]:
        reason = f"node {row['name'] or row['uuid']} has none; give it one in Ironic"
        raise Refused(api.name, field="resource_class", reason=reason)
    if found is None:
        with contextlib.suppress(Locked):  # another worker was faster
            await api.post("/allocations", {"name": name, "node": row["uuid"]})
    return Working({}, AGAIN_S / 4, "the cloud notes whose it is")


async def withdraw(api: Api, node: str, mark: str, memo: dict[str, Any]) -> Working | None:
    row = await _marked(api, node, mark)
    if row is None:
        return None
    if not row["extra"][nodes.MARK].get("made"):
        await api.patch(node_path(row["uuid"]), {f"/extra/{nodes.MARK}": None})
        return None
    if row["instance_uuid"]:
        raise NodeLost(api.name, row["uuid"], f"{row['instance_uuid']} has it")
    match row["provision_state"]:
        case "enroll" | "manageable" | "adopt failed":
            return await _delete(api, row, memo)
        case "clean failed" | "inspect failed":
            return await after_failure(api, row, memo)
        case "available":
            return await ask(api, row, "manage", memo, says="it is taken aside")
        case state if nodes.stage_of(state) is Stage.WORKING:
            return Working(memo, AGAIN_S, f"the cloud says {state}")
        case state:
            raise NodeLost(api.name, row["uuid"], f"it is {state}: take its system off first")


async def _marked(api: Api, node: str, mark: str) -> dict[str, Any] | None:
    """Return a node if there is one, and it says that it is this server."""
    try:
        row = await nodes.row_of(api, node)
    except NodeLost:
        return None
    return row if nodes.mark_of(row) == mark else None


async def _delete(api: Api, row: dict[str, Any], memo: dict[str, Any]) -> Working | None:
    try:
        await api.delete(node_path(row["uuid"]))
    except NotThere:
        return None
    except Locked:
        return Working(memo, AGAIN_S, "the cloud is busy with it")
    return None
