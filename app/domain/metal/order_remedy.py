"""Decide what is done about a node: here at once, or at its cloud by a worker; audited."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import Conflict
from app.core.ids import new_id
from app.core.outbox import emit
from app.domain.audit.record import record
from app.domain.inventory.errors import PowerAsWanted
from app.domain.inventory.find import find_server
from app.domain.inventory.maintain import begin_maintenance
from app.domain.inventory.quarantine import recheck_soon
from app.domain.metal.find import find_node, node_of_server
from app.domain.metal.link import TOPIC, note_node
from app.domain.metal.remedy import AT_CLOUD, QUICK, NodeDeed, deeds_for
from app.domain.metal.views import NodeRow
from app.domain.metal.watch import ask_now
from app.drivers.metal.contract import MetalNode
from app.drivers.power import Power

REMEDY = "node.remedy"
"""Topic of the outbox."""
GOOD_FOR = timedelta(minutes=15)
"""A node is not switched by a click that was made long before its cloud answered."""
GOOD_FOR_CLEANING = timedelta(hours=12)
"""Disks are cleaned for hours."""


class NotTheWay(Conflict):
    code = "metal.not_the_way"

    def __init__(self, node: str) -> None:
        super().__init__(
            f"The node {node} is what it should be by now, or this is not the way to put it right. "
            "Look at it again."
        )
        self.node = node


class RemedyUnderWay(Conflict):
    code = "metal.remedy_under_way"

    def __init__(self, node: str) -> None:
        super().__init__(
            f"Something is being done about the node {node} already; its outcome is kept in the "
            "audit trail of its server."
        )
        self.node = node


class OtherMaintenance(Conflict):
    """The node is in maintenance for another reason than a person saw who wanted to end it."""

    code = "metal.other_maintenance"

    def __init__(self, node: str, reason: str) -> None:
        super().__init__(
            f"The node {node} is in maintenance for another reason by now: "
            f"{reason or 'none is given'}. Look at it again."
        )
        self.node = node
        self.reason = reason


class Remedy(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done about a node at its cloud, and how far it is."""

    id: UUID
    deed: NodeDeed
    about: UUID
    """Our id of the node."""
    connection: str
    node: str
    server: UUID
    service: UUID | None
    """Whose allocation the node has; None where nobody's is needed."""
    maintenance_reason: str = ""
    """Why it was in maintenance when its end was asked for; that for another reason stays."""
    until: datetime
    turn: int = 0
    memo: dict[str, Any] = {}


async def order_deed(
    tx: Tx,
    node_id: UUID,
    deed: NodeDeed,
    *,
    actor: UUID | None,
    actor_label: str,
    reason: str = "",
    shown: str | None = None,
) -> None:
    """Have something done about a node that differs.

    `shown` is why it is in maintenance as the person saw it who ends that; None: as it was read
    last. Raises NotFound, NotTheWay, RemedyUnderWay, OtherMaintenance.
    """
    await _lock(tx, node_id)
    node = await find_node(tx, node_id)
    if node.is_ordered:
        raise RemedyUnderWay(node.name)
    if deed not in deeds_for(node) or node.server is None:
        raise NotTheWay(node.name)
    if deed is NodeDeed.end_maintenance and shown is not None:
        _require_shown(node, shown)
    by: dict[str, Any] = {"actor": actor, "actor_label": actor_label}
    if deed in AT_CLOUD:
        await _hand_over(tx, node, deed, reason=reason, **by)
        return
    if deed is NodeDeed.forget:
        await _forget(tx, node)
        await _record(tx, node, node.server, deed, reason=reason, **by)
    else:
        await begin_maintenance(tx, node.server, reason=reason or _as_it_is(node), **by)
        # Judged anew with the next readings, as the server is now.
        await tx.execute(
            "UPDATE cloud_node SET drift = '', drift_since = NULL WHERE id = $1", node.id
        )
    tx.publish(TOPIC, f"server:{node.server}", "dashboard")


async def order_server_power(
    tx: Tx, server_id: UUID, *, actor: UUID | None, actor_label: str
) -> bool:
    """Have a server switched by its cloud to what its service says; False where it is no node.

    The cloud would put back what is done by the BMC. Raises NotFound, PowerAsWanted,
    RemedyUnderWay.
    """
    node = await node_of_server(tx, server_id)
    if node is None:
        return False
    await _lock(tx, node.id)
    server = await find_server(tx, server_id)
    if server.power_to_put_right is None:
        raise PowerAsWanted(server.name)
    if (await find_node(tx, node.id)).is_ordered:
        raise RemedyUnderWay(node.name)
    deed = NodeDeed.start if server.power_to_put_right is Power.ON else NodeDeed.stop
    await _hand_over(tx, node, deed, actor=actor, actor_label=actor_label)
    return True


async def go_on(tx: Tx, remedy: Remedy, *, memo: Mapping[str, Any], at: datetime) -> None:
    """Have the next part done at a time; asked twice, it is done once."""
    following = msgspec.structs.replace(remedy, turn=remedy.turn + 1, memo=dict(memo))
    key = f"{REMEDY}:{remedy.id}:{following.turn}"
    await emit(tx, REMEDY, key, msgspec.to_builtins(following), due_at=at)


async def note_done(tx: Tx, remedy: Remedy, found: MetalNode | None) -> None:
    """Keep that it is through, with the node as the cloud has it now."""
    if found is not None:
        await note_node(tx, remedy.server, found)
    if remedy.deed is NodeDeed.end_maintenance:
        await recheck_soon(tx, remedy.server)
    await _keep(tx, remedy, "nodes.done", "")


async def note_failed(tx: Tx, remedy: Remedy, why: str) -> None:
    """Keep why it was given up."""
    await _keep(tx, remedy, "nodes.could_not", why)


async def _lock(tx: Tx, node: UUID) -> None:
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"{REMEDY}:{node}")


async def _hand_over(
    tx: Tx,
    node: NodeRow,
    deed: NodeDeed,
    *,
    actor: UUID | None,
    actor_label: str,
    reason: str = "",
) -> None:
    if node.server is None:
        raise NotTheWay(node.name)
    is_switch = deed in (NodeDeed.start, NodeDeed.stop)
    is_end = deed is NodeDeed.end_maintenance
    remedy = Remedy(
        id=new_id(),
        deed=deed,
        about=node.id,
        connection=node.connection,
        node=node.node,
        server=node.server,
        service=node.service if is_switch else node.allocated_to,
        maintenance_reason=node.maintenance_reason if is_end else "",
        until=tx.now() + (GOOD_FOR if deed in QUICK else GOOD_FOR_CLEANING),
    )
    await emit(tx, REMEDY, f"{REMEDY}:{remedy.id}:0", msgspec.to_builtins(remedy))
    await _record(tx, node, node.server, deed, actor=actor, actor_label=actor_label, reason=reason)
    tx.publish(TOPIC, f"server:{node.server}")


async def _forget(tx: Tx, node: NodeRow) -> None:
    await tx.execute(
        "DELETE FROM metal_node WHERE connection = $1 AND node = $2", node.connection, node.node
    )
    await tx.execute("DELETE FROM cloud_node WHERE id = $1", node.id)


def _as_it_is(node: NodeRow) -> str:
    """Say why a server is taken out of stock, in the cloud's words."""
    words = node.maintenance_reason if node.in_maintenance else node.error
    what = "in maintenance" if node.in_maintenance else node.state
    return f"{node.connection} has it {what}" + (f": {words}" if words else "")


async def _record(
    tx: Tx,
    node: NodeRow,
    server: UUID,
    deed: NodeDeed,
    *,
    actor: UUID | None,
    actor_label: str,
    reason: str,
) -> None:
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action=f"nodes.{deed}",
        subject_kind="server",
        subject=server,
        before={"state": node.state, "power": node.power, **_maintenance(node, deed)},
        after={"connection": node.connection, "node": node.name},
        reason=reason,
    )


def _require_shown(node: NodeRow, shown: str) -> None:
    """Raise OtherMaintenance; a form may have changed ends of lines and spaces."""
    if shown.split() != node.maintenance_reason.split():
        raise OtherMaintenance(node.name, node.maintenance_reason)


def _maintenance(node: NodeRow, deed: NodeDeed) -> dict[str, str]:
    """Return what the audit trail says of a maintenance that is ended."""
    if deed is not NodeDeed.end_maintenance:
        return {}
    return {"fault": node.fault, "maintenance": node.maintenance_reason or "no reason"}


async def _keep(tx: Tx, remedy: Remedy, action: str, why: str) -> None:
    await record(
        tx,
        actor=None,
        actor_label="system",
        action=action,
        subject_kind="server",
        subject=remedy.server,
        before={},
        after={"deed": remedy.deed, "connection": remedy.connection},
        reason=why,
    )
    await ask_now(tx, remedy.connection)
    tx.publish(TOPIC, f"server:{remedy.server}")
