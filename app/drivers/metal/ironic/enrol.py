"""Bring a node in: known, its BMC answering, inspected, clean and offered."""

from typing import Any

from app.drivers.errors import Refused
from app.drivers.metal.contract import (
    MetalNode,
    NodeFacts,
    NodeLost,
    NodeSeed,
    Stage,
    WorkFailed,
    Working,
)
from app.drivers.metal.ironic import nodes
from app.drivers.metal.ironic.api import Api, node_path
from app.drivers.metal.ironic.words import Locked

AGAIN_S = 2.0


async def enrol(api: Api, seed: NodeSeed, memo: dict[str, Any]) -> MetalNode | Working:
    row = await nodes.find(api, name=seed.name, macs=seed.macs)
    if row is None:
        row = await _create(api, seed)
    for mac in seed.macs:
        await _have_port(api, row["uuid"], mac)
    if row["provision_state"] in {"enroll", "verifying"}:
        return await _ask(api, row, "manage", memo, says="the cloud asks its BMC")
    return nodes.view(row)


async def _create(api: Api, seed: NodeSeed) -> dict[str, Any]:
    secrets = {name: secret.reveal() for name, secret in seed.secrets.items()}
    body: dict[str, Any] = {
        "name": seed.name,
        "driver": seed.driver,
        "driver_info": {**seed.driver_info, **secrets},
        "resource_class": seed.resource_class,
    }
    body |= {f"{kind}_interface": name for kind, name in seed.interfaces.items()}
    try:
        row: dict[str, Any] = await api.post("/nodes", body)
    except Locked:
        # Another worker was faster.
        row = await nodes.row_of(api, seed.name)
    return row


async def _have_port(api: Api, node: str, mac: str) -> None:
    known = (await api.get("/ports", address=mac, fields="node_uuid"))["ports"]
    if not known:
        await api.post("/ports", {"node_uuid": node, "address": mac})
    elif known[0]["node_uuid"] != node:
        reason = f"{mac} is a card of node {known[0]['node_uuid']} already"
        raise Refused(api.name, field="mac", reason=reason)


async def offer(api: Api, node: str, memo: dict[str, Any]) -> MetalNode | Working:
    row = await nodes.row_of(api, node)
    if row["instance_uuid"]:
        raise NodeLost(api.name, row["uuid"], f"{row['instance_uuid']} has it")
    match row["provision_state"]:
        case "available":
            return nodes.view(row)
        case "enroll" | "verifying":
            return await _ask(api, row, "manage", memo, says="the cloud asks its BMC")
        case "clean failed" | "inspect failed":
            return await after_failure(api, row, memo)
        case _:
            return await _ask(api, row, "provide", memo, says="it is cleaned")


async def after_failure(api: Api, row: dict[str, Any], memo: dict[str, Any]) -> Working:
    """Try again what failed before we asked; raises WorkFailed for what failed since."""
    state = row["provision_state"]
    if memo.get("asked"):
        raise WorkFailed(api.name, state=state, words=row["last_error"] or "")
    if row["fault"] == "clean failure":
        # Ironic's own mark of this very failure; maintenance that a person set stays.
        await api.delete(f"{node_path(row['uuid'])}/maintenance")
    return await _ask(api, row, "manage", memo, says="the cloud asks its BMC")


async def inspect(  # noqa: PLR0911 - one for each state
    api: Api, node: str, memo: dict[str, Any]
) -> NodeFacts | Working:
    row = await nodes.row_of(api, node)
    match row["provision_state"]:
        case "enroll" | "verifying":
            return await _ask(api, row, "manage", memo, says="the cloud asks its BMC")
        case "available":
            if row["instance_uuid"]:
                raise NodeLost(api.name, row["uuid"], f"{row['instance_uuid']} has it")
            if memo.get("seen"):
                return await nodes.facts(api, node)
            return await _ask(api, row, "manage", memo | {"offer": True}, says="it is taken aside")
        case "inspect failed" if memo.get("asked") == "inspect":
            raise WorkFailed(api.name, state="inspect failed", words=row["last_error"] or "")
        case "manageable" if memo.get("asked") == "inspect":
            if memo.get("offer"):
                seen = memo | {"seen": True}
                return await _ask(api, row, "provide", seen, says="it is cleaned and offered")
            return await nodes.facts(api, node)
        case "manageable" | "inspect failed" | "inspecting" | "inspect wait":
            return await _ask(api, row, "inspect", memo, says="its hardware is inspected")
        case _ if memo.get("seen"):
            return await _ask(api, row, "provide", memo, says="it is cleaned and offered")
        case state:
            reason = f"it is {state}; only what nobody has is inspected"
            raise NodeLost(api.name, row["uuid"], reason)


async def _ask(
    api: Api, row: dict[str, Any], target: str, memo: dict[str, Any], *, says: str
) -> Working:
    """Ask for a change of state, unless the node is on its way somewhere already."""
    if memo.get("asked") == target and row["last_error"] and not row["target_provision_state"]:
        raise WorkFailed(api.name, state=row["provision_state"], words=row["last_error"])
    stage = nodes.stage_of(row["provision_state"])
    if stage is Stage.WORKING:
        return Working(memo, AGAIN_S, says)
    try:
        await api.put(f"{node_path(row['uuid'])}/states/provision", {"target": target})
    except Locked:
        return Working(memo, AGAIN_S, says)
    return Working({**memo, "asked": target}, AGAIN_S, says)
