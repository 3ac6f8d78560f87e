"""Nodes as Ironic shows them, and the states of its machine.

Source: Ironic's state machine, `ironic/common/states.py`.
"""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import msgspec

from app.drivers.errors import Refused
from app.drivers.metal.contract import MetalNode, NodeLost, NodeRef, Stage, WorkFailed
from app.drivers.metal.ironic.api import Api, node_path
from app.drivers.metal.ironic.words import NotThere
from app.drivers.power import Power

_STAGES = {
    "enroll": Stage.ENROLLED,
    "manageable": Stage.MANAGEABLE,
    "available": Stage.AVAILABLE,
    "active": Stage.ACTIVE,
    "rescue": Stage.RESCUED,
    "error": Stage.FAILED,
}
_POWERS = {"power on": Power.ON, "power off": Power.OFF}
PAGE = 1_000
MARK = "slipway"
"""In a node's `extra`: which server of ours it is, and whether we made the node."""
_FIELDS = (
    "uuid", "name", "provision_state", "power_state", "target_power_state", "last_error",
    "maintenance", "maintenance_reason", "fault", "instance_uuid", "automated_clean",
    "resource_class", "driver", "extra",
)  # fmt: skip
"""What `view` reads; all that Ironic knows of a node is many times as much."""
_ALLOCATION = re.compile(r"slipway-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-.")


def allocation_name(ref: NodeRef) -> str:
    """Return what the allocation of a node for a service is called: there is one at most."""
    return f"slipway-{ref.service}-{ref.node}"


def service_of(allocation: str) -> UUID | None:
    """Return whose an allocation of that name is; None: not ours."""
    found = _ALLOCATION.match(allocation)
    return None if found is None else UUID(found[1])


def stage_of(state: str) -> Stage:
    """Return where a node stands; every state that ends by itself is `working`."""
    if state.endswith(" failed"):
        return Stage.FAILED
    return _STAGES.get(state, Stage.WORKING)


def view(row: dict[str, Any]) -> MetalNode:
    return MetalNode(
        id=row["uuid"],
        name=row["name"] or row["uuid"],
        stage=stage_of(row["provision_state"]),
        state=row["provision_state"],
        power=_POWERS.get(row["power_state"] or "", Power.UNKNOWN),
        is_switching=row["target_power_state"] is not None,
        error=row["last_error"] or "",
        in_maintenance=row["maintenance"],
        maintenance_reason=row["maintenance_reason"] or "",
        fault=row["fault"] or "",
        instance=row["instance_uuid"] or "",
        is_cleaned=row["automated_clean"] is not False,  # None: as the conductor's settings say
        resource_class=row["resource_class"] or "",
        driver=row["driver"],
        mark=mark_of(row),
    )


def mark_of(row: dict[str, Any]) -> str:
    """Return which server of ours a node says it is; empty where it says nothing."""
    return str((row["extra"].get(MARK) or {}).get("server", ""))


async def row_of(api: Api, node: str) -> dict[str, Any]:
    """Return a node as Ironic has it. Raises NodeLost when there is none."""
    try:
        row: dict[str, Any] = await api.get(node_path(node))
    except NotThere as error:
        raise NodeLost(api.name, node, error.reason) from error
    return row


async def all_nodes(api: Api) -> tuple[MetalNode, ...]:
    rows = await _all(api, "nodes", _FIELDS)
    services = {
        row["uuid"]: service
        for row in await _all(api, "allocations", ("uuid", "name"))
        if (service := service_of(row["name"] or "")) is not None
    }
    return tuple(
        msgspec.structs.replace(view(row), service=services.get(row["instance_uuid"] or ""))
        for row in rows
    )


async def _all(api: Api, kind: str, fields: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return all rows of a kind, as many pages as there are.

    Ironic gives no more to a page than its own `[api] max_limit`, and says by `next` that there is
    more. Of that address only the marker is taken: the rest is as Ironic sees itself.
    """
    found: list[dict[str, Any]] = []
    query = {"fields": ",".join(fields), "limit": str(PAGE)}
    while True:
        answer = await api.get(f"/{kind}", **query)
        found += answer[kind]
        markers = parse_qs(urlsplit(answer.get("next") or "").query).get("marker")
        if not markers:
            return found
        if markers[0] == query.get("marker"):
            raise Refused(api.name, field="url", reason=f"its pages of {kind} never end")
        query["marker"] = markers[0]


async def cards(api: Api) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for row in await _all(api, "ports", ("uuid", "node_uuid", "address")):
        found.setdefault(row["node_uuid"], []).append(row["address"].lower())
    return {node: tuple(macs) for node, macs in found.items()}


async def find(api: Api, *, name: str, macs: tuple[str, ...]) -> dict[str, Any] | None:
    for mac in macs:
        ports = (await api.get("/ports", address=mac, fields="node_uuid"))["ports"]
        if ports:
            return await row_of(api, ports[0]["node_uuid"])
    if not name:
        return None
    try:
        row: dict[str, Any] = await api.get(node_path(name))
    except NotThere:
        return None
    return row


async def history(api: Api, node: str) -> tuple[str, ...]:
    try:
        rows = (await api.get(f"{node_path(node)}/history", detail="true"))["history"]
    except NotThere as error:
        raise NodeLost(api.name, node, error.reason) from error
    rows.sort(key=lambda row: row["created_at"])
    return tuple(row["event"] for row in rows)


async def failure(api: Api, row: dict[str, Any]) -> WorkFailed:
    """Return what a node failed at, in the cloud's words: it forgets them, but for its history."""
    words = row["last_error"] or ""
    if not words:
        words = next(iter(reversed(await history(api, row["uuid"]))), "")
    return WorkFailed(api.name, state=row["provision_state"], words=words)
