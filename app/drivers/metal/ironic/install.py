"""Take a node for a service, install on it, give it back.

What is asked for is written on the node first (`instance_info.slipway`): the attempt, and when
the node last changed its state. So a crash between two calls, or a lost memo, is seen from the
node itself, and an installation is neither begun twice nor taken for one that was.
"""

import base64
import contextlib
import gzip
from typing import Any

from app.drivers.errors import Refused
from app.drivers.metal.config_drive import config_drive
from app.drivers.metal.contract import (
    MetalNode,
    MetalWant,
    NodeLost,
    NodeRef,
    Stage,
    Working,
)
from app.drivers.metal.ironic import nodes
from app.drivers.metal.ironic.api import Api, node_path
from app.drivers.metal.ironic.enrol import AGAIN_S, after_failure
from app.drivers.metal.ironic.words import Broken, Locked, NotThere

DIGESTS = {64: "sha256", 128: "sha512"}
"""By the length in hexadecimal digits."""
MARK = "slipway"
RAMDISK = "ramdisk"
"""Interface of nodes that boot an ISO and have nothing written to their disks."""
_COMPUTED = frozenset({"configdrive", "image_type", MARK})
"""What Ironic itself writes there, or shows as asterisks: it is not sent back."""


async def owned(api: Api, ref: NodeRef) -> dict[str, Any]:
    """Return the node that the service has. Raises NodeLost when it has it not."""
    row = await nodes.row_of(api, ref.node)
    if not await _is_ours(api, ref, row):
        has = row["instance_uuid"]
        raise NodeLost(api.name, ref.node, f"{has} has it" if has else "nobody has it")
    return row


async def deploy(api: Api, want: MetalWant) -> MetalNode | Working:
    row = await nodes.row_of(api, want.ref.node)
    if row["maintenance"]:
        why = row["maintenance_reason"] or "nobody says why"
        raise NodeLost(api.name, want.ref.node, f"it is in maintenance: {why}")
    if (wait := await _take(api, want.ref, row)) is not None:
        return wait
    if (
        row["provision_state"] == "active"
        and _image_of(want, row).items() <= row["instance_info"].items()
    ):
        return nodes.view(row)
    return await _install(api, want, row, target="active")


async def reinstall(api: Api, want: MetalWant) -> MetalNode | Working:
    row = await nodes.row_of(api, want.ref.node)
    if not row["instance_uuid"] or row["provision_state"] == "available":
        # It was taken down, see below; what became of that is seen from its state.
        return await deploy(api, want)
    row = await owned(api, want.ref)
    state = row["provision_state"]
    if state == "rescue":  # Ironic rebuilds nothing that is in rescue
        return await _change(api, row, "unrescue", says="its rescue ends")
    try:
        if state not in {"rescue failed", "unrescue failed"}:
            return await _install(api, want, row, target="rebuild")
    except Broken:
        # Ironic 39.0.0 answers rebuilds with 500. It is taken down and deployed instead.
        pass
    return await _change(api, row, "deleted", says="it is taken down, to be installed anew")


async def release(api: Api, ref: NodeRef, memo: dict[str, Any]) -> Working | None:
    try:
        row = await nodes.row_of(api, ref.node)
    except NodeLost:
        return None
    if row["instance_uuid"]:
        return await _take_down(api, ref, row, memo)
    state = row["provision_state"]
    if state == "available":
        return None
    return await _clean(api, row, memo)


async def _clean(api: Api, row: dict[str, Any], memo: dict[str, Any]) -> Working:
    """Go on with a node that nobody has, until it is offered again."""
    state = row["provision_state"]
    if state == "clean failed":
        return await after_failure(api, row, memo)
    if state == "error":
        return await _take_down_again(api, row, memo)
    if nodes.stage_of(state) is Stage.WORKING:
        return Working({**memo, "asked": "clean"}, AGAIN_S, "its disks are cleaned")
    return await _change(api, row, "provide", says="its disks are cleaned")


async def _take_down(
    api: Api, ref: NodeRef, row: dict[str, Any], memo: dict[str, Any]
) -> Working | None:
    if not await _is_ours(api, ref, row):
        return None
    state = row["provision_state"]
    if state == "available":  # allocated, and never installed
        await api.delete(f"/allocations/{nodes.allocation_name(ref)}")
        return None
    if nodes.stage_of(state) is Stage.WORKING and state != "wait call-back":
        return Working(memo, AGAIN_S, f"it is {state}")
    return await _change(api, row, "deleted", says="its system is taken off")


async def _take_down_again(api: Api, row: dict[str, Any], memo: dict[str, Any]) -> Working:
    """Take off what could not be taken off before; by then nobody has the node any more."""
    if memo.get("asked"):
        raise await nodes.failure(api, row)
    return await _change(api, row, "deleted", says="its system is taken off")


async def _allocation(api: Api, ref: NodeRef) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = await api.get(f"/allocations/{nodes.allocation_name(ref)}")
    except NotThere:
        return None
    return found


async def _is_ours(api: Api, ref: NodeRef, row: dict[str, Any]) -> bool:
    if not row["instance_uuid"]:
        return False
    found = await _allocation(api, ref)
    return found is not None and found["uuid"] == row["instance_uuid"]


async def _take(api: Api, ref: NodeRef, row: dict[str, Any]) -> Working | None:
    """Have this node and no other allocated; None once it is. Raises NodeLost."""
    found = await _allocation(api, ref)
    if found is not None and found["state"] == "error":
        await api.delete(f"/allocations/{nodes.allocation_name(ref)}")
        raise NodeLost(api.name, ref.node, found["last_error"] or "it cannot be allocated")
    if found is not None and found["state"] != "active":
        return Working({}, AGAIN_S, "the cloud allocates it")
    if found is not None and found["uuid"] == row["instance_uuid"]:
        return None
    if row["instance_uuid"]:
        raise NodeLost(api.name, ref.node, f"{row['instance_uuid']} has it")
    match row["provision_state"]:
        case "available":
            return await _allocate(api, ref, row)
        case state if nodes.stage_of(state) is Stage.WORKING:
            return Working({}, AGAIN_S, f"it is {state} still")
        case state:
            raise NodeLost(api.name, ref.node, f"it is {state}, not available")


async def _allocate(api: Api, ref: NodeRef, row: dict[str, Any]) -> Working:
    if not row["resource_class"]:
        reason = f"node {row['name'] or row['uuid']} has none; give it one in Ironic"
        raise Refused(api.name, field="resource_class", reason=reason)
    if row["power_state"] is None:
        # Ironic allocates no node whose power it has not read.
        return await _power_off(api, row)
    body = {
        "name": nodes.allocation_name(ref),
        "resource_class": row["resource_class"],
        "candidate_nodes": [row["uuid"]],
    }
    with contextlib.suppress(Locked):  # another worker was faster
        await api.post("/allocations", body)
    return Working({}, AGAIN_S / 4, "the cloud allocates it")


async def _power_off(api: Api, row: dict[str, Any]) -> Working:
    if row["target_power_state"] is None:
        with contextlib.suppress(Locked):
            await api.put(f"{node_path(row['uuid'])}/states/power", {"target": "power off"})
    return Working({}, AGAIN_S / 4, "its power is read")


async def _install(
    api: Api, want: MetalWant, row: dict[str, Any], *, target: str
) -> MetalNode | Working:
    state = row["provision_state"]
    mark = row["instance_info"].get(MARK) or {}
    began = mark.get("attempt") == want.attempt and mark.get("since") != _since(row)
    if nodes.stage_of(state) is Stage.WORKING:
        return Working({}, AGAIN_S, f"the cloud says {state}")
    if began and state == "active":
        return nodes.view(row)
    if began and nodes.stage_of(state) is Stage.FAILED:
        raise await nodes.failure(api, row)
    kept = {
        name: value
        for name, value in row["instance_info"].items()
        if name not in _COMPUTED and not name.startswith("image_")
    }
    asked = {MARK: {"attempt": want.attempt, "since": _since(row)}}
    try:
        await api.patch(
            node_path(row["uuid"]), {"/instance_info": {**kept, **_image_of(want, row), **asked}}
        )
        drive = base64.b64encode(gzip.compress(config_drive(want), mtime=0)).decode()
        body = {"target": target, "configdrive": drive}
        await api.put(f"{node_path(row['uuid'])}/states/provision", body)
    except Locked:
        return Working({}, AGAIN_S, "the cloud is busy with it")
    return Working({}, AGAIN_S, "the cloud installs it")


def _since(row: dict[str, Any]) -> str:
    return str(row["provision_updated_at"] or "")


def _image_of(want: MetalWant, row: dict[str, Any]) -> dict[str, str]:
    image = want.image
    if row["deploy_interface"] == RAMDISK:
        return {"boot_iso": image.url}
    if "://" in image.checksum:
        return {"image_source": image.url, "image_checksum": image.checksum}
    algorithm = DIGESTS.get(len(image.checksum))
    if algorithm is None:
        reason = "it is neither SHA-256 or SHA-512 in hexadecimal digits nor a URL"
        raise Refused("ironic", field="checksum", reason=reason)
    return {
        "image_source": image.url,
        "image_os_hash_algo": algorithm,
        "image_os_hash_value": image.checksum.lower(),
    }


async def _change(api: Api, row: dict[str, Any], target: str, *, says: str) -> Working:
    try:
        await api.put(f"{node_path(row['uuid'])}/states/provision", {"target": target})
    except Locked:
        return Working({}, AGAIN_S, "the cloud is busy with it")
    return Working({"asked": target}, AGAIN_S, says)
