"""Put a server aside because it failed, and back when a person has seen to it."""

from uuid import UUID

from app.core.database import Tx
from app.core.errors import NotFound
from app.core.outbox import emit
from app.domain.audit.record import record
from app.domain.inventory.bmc_turn import allow_again
from app.domain.inventory.put_back import note_data, put_back
from app.domain.inventory.states import ServerState, move
from app.drivers.bmc.contract import peer_of


async def quarantine(tx: Tx, server_id: UUID, reason: str) -> None:
    """Take a server out of stock and away from its order, whatever its state; tell the staff.

    Idempotent: one that is in quarantine stays there for its first reason, without another
    notice. Raises NotFound.
    """
    row = await tx.fetchrow(
        "SELECT name, state, holder FROM server WHERE id = $1 FOR NO KEY UPDATE", server_id
    )
    if row is None:
        raise NotFound("server", server_id)
    if row["state"] == ServerState.quarantined:
        return
    await note_data(tx, server_id, ServerState(row["state"]), row["holder"])
    seq = await move(tx, server_id, ServerState.quarantined, reason=reason)
    await record(
        tx,
        actor=None,
        actor_label="system",
        action="inventory.quarantine",
        subject_kind="server",
        subject=server_id,
        before={"state": row["state"], "holder": row["holder"]},
        after={"state": ServerState.quarantined, "holder": None},
        reason=reason,
    )
    await emit(
        tx,
        "admin.notice",
        f"admin.notice:server:{server_id}:{seq}",
        {
            "kind": "server.quarantined",
            "server": str(server_id),
            "subject": str(server_id),
            "title": f"Server {row['name']} is in quarantine",
            "text": f"{row['name']} was {row['state']} and was put aside: {reason}. "
            "Find out what is wrong with it, then put it back into stock.",
        },
    )


async def release_from_quarantine(
    tx: Tx, server_id: UUID, *, actor: UUID | None, actor_label: str, reason: str = ""
) -> None:
    """Put a server back into stock on the word of `actor` that it works.

    One whose disks may hold a client's data goes to cleaning instead (`finish_cleaning`).
    Credentials that its BMC rejected are tried again, once.
    Raises ServerNotAllowed when it is not in quarantine, NotFound.
    """
    await put_back(
        tx,
        server_id,
        ServerState.quarantined,
        action="inventory.release_from_quarantine",
        actor=actor,
        actor_label=actor_label,
        reason=reason,
    )
    bmc = await tx.fetchrow("SELECT url, username FROM bmc WHERE server = $1", server_id)
    if bmc is not None:
        await allow_again(tx, peer_of(bmc["url"]), bmc["username"])
