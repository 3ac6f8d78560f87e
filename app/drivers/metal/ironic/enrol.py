"""Bring a node in: known, its BMC answering, inspected, clean and offered."""

from typing import Any

from app.drivers.errors import Refused
from app.drivers.metal.contract import (
    MetalNode,
    NodeFacts,
    NodeKnown,
    NodeLost,
    NodeSeed,
    Stage,
    Working,
)
from app.drivers.metal.ironic import nodes
from app.drivers.metal.ironic.api import Api, node_path
from app.drivers.metal.ironic.bmc import driver_info, driver_of
from app.drivers.metal.ironic.facts import facts
from app.drivers.metal.ironic.words import Locked

AGAIN_S = 2.0
_TOLD_IN = frozenset({"enroll", "manageable", "inspect failed", "clean failed", "adopt failed"})
"""Where a node may be told again how its BMC is reached."""


async def enrol(api: Api, seed: NodeSeed, memo: dict[str, Any]) -> MetalNode | Working:
    row = await _known(api, seed)
    if row is None:
        row = await _create(api, seed)
    elif seed.mark and not memo.get("told"):
        row = await _tell(api, seed, row)
    for mac in seed.macs:
        await _have_port(api, row["uuid"], mac)
    told = {**memo, "told": True}
    match row["provision_state"]:
        case "enroll" | "verifying":
            return await ask(api, row, "manage", told, says="the cloud asks its BMC")
        case "inspect failed" | "clean failed" | "adopt failed":
            return await after_failure(api, row, told)
        case _:
            return nodes.view(row)


async def _known(api: Api, seed: NodeSeed) -> dict[str, Any] | None:
    """Return the node that a machine is already; with a mark, only where it carries it.

    Raises NodeKnown for a node with a card of the machine, Refused for a name that is taken.
    """
    if not seed.mark:
        return await nodes.find(api, name=seed.name, macs=seed.macs)
    row = await nodes.find(api, name="", macs=seed.macs)
    if row is not None:
        if nodes.mark_of(row) != seed.mark:
            raise NodeKnown(api.name, row["name"] or row["uuid"], "it has a card of this server")
        return row
    row = await nodes.find(api, name=seed.name, macs=())
    if row is not None and nodes.mark_of(row) != seed.mark:
        reason = f"node {row['uuid']} is called {seed.name}, and has no card of this server"
        raise Refused(api.name, field="name", reason=reason)
    return row


async def _create(api: Api, seed: NodeSeed) -> dict[str, Any]:
    body: dict[str, Any] = {"name": seed.name, "driver_info": _reach(seed), **_kind(seed)}
    if seed.mark:
        body["extra"] = {nodes.MARK: {"server": seed.mark, "made": True}}
    try:
        row: dict[str, Any] = await api.post("/nodes", body, secrets=_secrets(seed))
    except Locked:
        # Another worker was faster.
        row = await _known(api, seed) or await nodes.row_of(api, seed.name)
    return row


async def _tell(api: Api, seed: NodeSeed, row: dict[str, Any]) -> dict[str, Any]:
    """Tell the cloud anew how the BMC is reached: that may be why it was tried again."""
    if row["provision_state"] not in _TOLD_IN:
        return row
    changes = {f"/{name}": value for name, value in _kind(seed).items() if row[name] != value}
    changes |= {f"/driver_info/{name}": value for name, value in _reach(seed).items()}
    if not changes:
        return row
    told: dict[str, Any] = await api.patch(node_path(row["uuid"]), changes, secrets=_secrets(seed))
    return told


def _kind(seed: NodeSeed) -> dict[str, Any]:
    """Return the fields of a node that say what it is, and what drives it."""
    return {
        "driver": seed.driver or driver_of(seed.bmc),
        "resource_class": seed.resource_class,
        **{f"{kind}_interface": name for kind, name in seed.interfaces.items()},
    }


def _reach(seed: NodeSeed) -> dict[str, str]:
    """Return how its BMC is reached, the password with it."""
    return {**driver_info(seed.bmc, seed.ca), **seed.driver_info}


def _secrets(seed: NodeSeed) -> list[str]:
    return [seed.bmc.password.reveal()] if seed.bmc else []


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
            return await ask(api, row, "manage", memo, says="the cloud asks its BMC")
        case "clean failed" | "inspect failed":
            return await after_failure(api, row, memo)
        case _:
            return await ask(api, row, "provide", memo, says="it is cleaned")


async def after_failure(api: Api, row: dict[str, Any], memo: dict[str, Any]) -> Working:
    """Try again what failed before we asked; raises WorkFailed for what failed since."""
    if memo.get("asked"):
        raise await nodes.failure(api, row)
    if row["fault"] == "clean failure":
        # Ironic's own mark of this very failure; maintenance that a person set stays.
        await api.delete(f"{node_path(row['uuid'])}/maintenance")
    return await ask(api, row, "manage", memo, says="the cloud asks its BMC")


async def inspect(  # noqa: PLR0911 - one for each state
    api: Api, node: str, memo: dict[str, Any]
) -> NodeFacts | Working:
    row = await nodes.row_of(api, node)
    match row["provision_state"]:
        case "enroll" | "verifying":
            return await ask(api, row, "manage", memo, says="the cloud asks its BMC")
        case "available":
            if row["instance_uuid"]:
                raise NodeLost(api.name, row["uuid"], f"{row['instance_uuid']} has it")
            if memo.get("seen"):
                return await facts(api, node)
            return await ask(api, row, "manage", memo | {"offer": True}, says="it is taken aside")
        case "inspect failed" if memo.get("asked") == "inspect":
            raise await nodes.failure(api, row)
        case "manageable" if memo.get("asked") == "inspect":
            if memo.get("offer"):
                seen = memo | {"seen": True}
                return await ask(api, row, "provide", seen, says="it is cleaned and offered")
            return await facts(api, node)
        case "manageable" | "inspect failed" | "inspecting" | "inspect wait":
            return await ask(api, row, "inspect", memo, says="its hardware is inspected")
        case _ if memo.get("seen"):
            return await ask(api, row, "provide", memo, says="it is cleaned and offered")
        case state:
            reason = f"it is {state}; only what nobody has is inspected"
            raise NodeLost(api.name, row["uuid"], reason)


async def ask(
    api: Api, row: dict[str, Any], target: str, memo: dict[str, Any], *, says: str
) -> Working:
    """Ask for a change of state, unless the node is on its way somewhere already."""
    if memo.get("asked") == target and row["last_error"] and not row["target_provision_state"]:
        raise await nodes.failure(api, row)
    stage = nodes.stage_of(row["provision_state"])
    if stage is Stage.WORKING:
        return Working(memo, AGAIN_S, says)
    try:
        await api.put(f"{node_path(row['uuid'])}/states/provision", {"target": target})
    except Locked:
        return Working(memo, AGAIN_S, says)
    return Working({**memo, "asked": target}, AGAIN_S, says)
