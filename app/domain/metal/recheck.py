"""Look again at servers in quarantine that a cloud has, by what their cloud says of them.

One that it finds well is cleaned by it, which boots the machine and shows that it works, and is
sold again. A cloud that does not answer says nothing of any server: no look is counted.
"""

from uuid import UUID

import msgspec

from app.core.database import Tx
from app.domain.audit.record import record
from app.domain.inventory.put_back import await_erasure
from app.domain.inventory.quarantine import (
    BATCH,
    FIRST_RECHECK,
    count_recheck,
    note_still_aside,
)
from app.domain.inventory.states import ServerState
from app.drivers.metal.contract import Examined, MetalNode, Stage
from app.drivers.power import Power


class DueNode(msgspec.Struct, frozen=True, kw_only=True):
    """A server in quarantine that its cloud is asked about; `seq` says since which move."""

    server: UUID
    seq: int
    connection: str
    node: str


async def due_nodes(tx: Tx) -> list[DueNode]:
    """Return the servers whose clouds are to be asked now, at most `BATCH`.

    Not those of a silent cloud, nor those that a worker is at there. Whoever asks meanwhile, or
    comes after a crash, asks later; what is counted is an answer alone (`note_look`).
    """
    rows = await tx.fetch(
        "WITH due AS MATERIALIZED (SELECT s.id, l.connection, l.node "
        "FROM server s JOIN metal_node l ON l.server = s.id "
        "LEFT JOIN cloud_watch w ON w.connection = l.connection "
        "WHERE s.recheck_at <= $1 AND s.state = 'quarantined' AND w.silent_since IS NULL "
        "AND NOT EXISTS (SELECT FROM metal_errand e WHERE e.server = s.id "
        "AND e.state = 'working') "
        f"ORDER BY s.recheck_at, s.id LIMIT {BATCH} FOR NO KEY UPDATE OF s SKIP LOCKED) "
        "UPDATE server v SET recheck_at = $2 FROM due d WHERE v.id = d.id "
        "RETURNING v.id AS server, v.seq, d.connection, d.node",
        tx.now(),
        tx.now() + FIRST_RECHECK,
    )
    return [DueNode(**dict(row)) for row in rows]


def trouble_of(found: Examined, *, is_known: bool) -> str:
    """Return what stands against having a node cleaned and offered, "" for nothing. Pure.

    `is_known`: the service whose allocation has it is one of ours, which lost the server when that
    was put aside.
    """
    node = found.node
    against = [*_against(node, is_known=is_known), *found.faults]
    if against and node.error:
        against.append(f"it said: {node.error}")
    return "; ".join(against)


def _against(node: MetalNode, *, is_known: bool) -> list[str]:
    said = []
    if node.in_maintenance:
        why = node.maintenance_reason or "nobody says why"
        by = f" ({node.fault})" if node.fault else ""
        said.append(f"it is in maintenance there{by}: {why}")
    elif node.fault:
        said.append(f"it is at fault there: {node.fault}")
    if node.power is Power.UNKNOWN:
        said.append("the cloud cannot read its power")
    if node.instance and not is_known:
        said.append(f"{node.instance} has it, which is no service here")
    elif not node.instance and node.stage in (Stage.ACTIVE, Stage.RESCUED):
        said.append(f"it is {node.state}, for no service here")
    if node.stage is Stage.WORKING:
        said.append(f"the cloud is about it: {node.state}")
    return said


async def is_service(tx: Tx, service: UUID | None) -> bool:
    """Return whether there is such a service here."""
    return bool(await tx.fetchval("SELECT EXISTS (SELECT FROM service WHERE id = $1)", service))


async def note_look(tx: Tx, due: DueNode, trouble: str) -> None:
    """Write down what a cloud said of a server; "" has it cleaned and sold again.

    One that somebody has moved meanwhile is left alone.
    """
    row = await tx.fetchrow(
        "SELECT state, seq, state_reason FROM server WHERE id = $1 FOR NO KEY UPDATE", due.server
    )
    if row is None or (row["state"], row["seq"]) != (ServerState.quarantined, due.seq):
        return
    await count_recheck(tx, due.server)
    if trouble:
        await note_still_aside(tx, due.server, trouble)
        return
    await await_erasure(tx, due.server)
    await record(
        tx,
        actor=None,
        actor_label="system",
        action="inventory.release_from_quarantine",
        subject_kind="server",
        subject=due.server,
        before={"state": ServerState.quarantined, "reason": row["state_reason"]},
        after={"state": ServerState.cleaning},
        reason=f"{due.connection} finds it well; it had been put aside: {row['state_reason']}",
    )
