"""Put a server back into stock on a person's word, once nobody's data is on it."""

from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import NotFound
from app.core.outbox import emit
from app.domain.audit.record import record
from app.domain.inventory.burn_in import is_due, open_burn_in
from app.domain.inventory.burn_in_states import require_no_burn_in
from app.domain.inventory.errors import ServerNotAllowed
from app.domain.inventory.server_facts import facts_of, is_at_cloud
from app.domain.inventory.states import ServerState, move, tell

ERASE = (
    "A client's data may be on its disks. A live system erases them; where none is set: "
    "Erase them by hand and mark the cleaning finished."
)
CLEAN_THERE = (
    "A client's data may be on its disks. Its cloud cleans them; where it is told not to: "
    "Erase them by hand and mark the cleaning finished."
)
TO_CLOUD = "metal.clean"
"""Topic of the outbox: a server that a cloud has waits to be cleaned by it."""


async def put_back(
    tx: Tx,
    server: UUID,
    came_from: ServerState,
    *,
    action: str,
    actor: UUID | None,
    actor_label: str,
    reason: str,
    erased: bool = False,
    burn_in_minutes: int = 0,
) -> ServerState:
    """Move a server from `came_from`, and no other state, to available, and audit it as `action`.

    One whose disks may hold a client's data goes to cleaning instead, unless `erased` says that
    they no longer do; with `burn_in_minutes` one that was not burned in since it last served is
    burned in first. Returns where it went. Raises ServerNotAllowed, BurnInUnderWay, NotFound.
    """
    row = await tx.fetchrow(
        "SELECT state, state_reason, may_hold_data FROM server WHERE id = $1 FOR NO KEY UPDATE",
        server,
    )
    if row is None:
        raise NotFound("server", server)
    if row["state"] != came_from:
        raise ServerNotAllowed(server, state=row["state"], wanted=ServerState.available)
    await require_no_burn_in(tx, server)
    if erased:
        await tx.execute("UPDATE server SET may_hold_data = false WHERE id = $1", server)
    if row["may_hold_data"] and not erased:
        to = ServerState.cleaning
        await await_erasure(tx, server)
    elif burn_in_minutes and await is_due(tx, server):
        to = ServerState.inspecting
        await open_burn_in(
            tx, server, minutes=burn_in_minutes, actor=actor, actor_label=actor_label, reason=""
        )
    else:
        to = ServerState.available
        await move(tx, server, to)
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action=action,
        subject_kind="server",
        subject=server,
        before={"state": came_from, "reason": row["state_reason"]},
        after={"state": to},
        reason=reason,
    )
    return to


async def await_erasure(tx: Tx, server: UUID, *, is_told: bool = True) -> None:
    """Move a server to cleaning until its disks are erased; an event says so if it `is_told`.

    Of a server that a cloud has no flow is told, since nobody else boots that one to erase it: the
    cloud is asked to.
    """
    at_cloud = await is_at_cloud(tx, server)
    reason = CLEAN_THERE if at_cloud else ERASE
    seq = await move(tx, server, ServerState.cleaning, reason=reason)
    if not is_told:
        return
    if at_cloud:
        facts = {"server": str(server), "seq": seq}
        await emit(tx, TO_CLOUD, f"{TO_CLOUD}:{server}:{seq}", facts)
    else:
        await _tell_flows(tx, server, seq)


async def erase_here(tx: Tx, server: UUID, seq: int) -> None:
    """Have flows told of a server in cleaning that no cloud has any more; once for each `seq`."""
    await tx.execute("UPDATE server SET state_reason = $2 WHERE id = $1", server, ERASE)
    await _tell_flows(tx, server, seq)
    tell(tx, server, None)


async def _tell_flows(tx: Tx, server: UUID, seq: int) -> None:
    if facts_here := await facts_of(tx, server):
        key = f"server.cleaning:{server}:{seq}"
        await emit(tx, "server.cleaning", key, msgspec.to_builtins(facts_here))


async def note_erased(
    tx: Tx, server: UUID, *, actor_label: str, how: str, burn_in_minutes: int = 0
) -> None:
    """Put a server whose disks were just erased back into stock, with `burn_in_minutes` by these.

    Raises ServerNotAllowed when it is not in cleaning any more, NotFound.
    """
    await put_back(
        tx,
        server,
        ServerState.cleaning,
        action="inventory.finish_cleaning",
        actor=None,
        actor_label=actor_label,
        reason=how,
        erased=True,
        burn_in_minutes=burn_in_minutes,
    )


ACCEPTABLE = frozenset({ServerState.enrolled, ServerState.inspecting, ServerState.failed})


async def accept(
    tx: Tx,
    server: UUID,
    *,
    actor: UUID | None,
    actor_label: str,
    reason: str,
    burn_in_minutes: int = 0,
) -> ServerState:
    """Put a server that was written down, or has failed a check, into stock.

    With `burn_in_minutes` it is burned in first, unless it was. Returns where it went. Raises
    ServerNotAllowed, BurnInUnderWay, NotFound.
    """
    state = await tx.fetchval("SELECT state FROM server WHERE id = $1", server)
    if state is not None and state not in ACCEPTABLE:
        raise ServerNotAllowed(server, state=state, wanted=ServerState.available)
    return await put_back(
        tx,
        server,
        ServerState(state or ServerState.enrolled),
        action="inventory.accept",
        actor=actor,
        actor_label=actor_label,
        reason=reason,
        burn_in_minutes=burn_in_minutes,
    )


async def note_data(tx: Tx, server: UUID, state: ServerState, holder: UUID | None) -> bool:
    """Write down, as an order loses its server, whether its data may be on the disks.

    `state` and `holder` are what they were. The data are there when an installation was begun
    for the order, and after a service ran. What was written down before stays.
    """
    has_data: bool = await tx.fetchval(
        "UPDATE server SET may_hold_data = may_hold_data OR $2 OR EXISTS (SELECT FROM "
        "installation i JOIN service s ON s.id = i.service WHERE i.server = $1 "
        'AND s."order" = $3) WHERE id = $1 RETURNING may_hold_data',
        server,
        state in {ServerState.active, ServerState.releasing, ServerState.cleaning},
        holder,
    )
    return has_data


async def note_writing(tx: Tx, server: UUID) -> None:
    """Write down that a system is about to be written on a server's disks."""
    await tx.execute(
        "UPDATE server SET may_hold_data = true WHERE id = $1 AND NOT may_hold_data "
        "AND state = ANY($2)",
        server,
        [ServerState.provisioning, ServerState.active],
    )


async def note_clean(tx: Tx, server: UUID) -> None:
    """Write down that nobody's data is on a server's disks any more."""
    await tx.execute(
        "UPDATE server SET may_hold_data = false WHERE id = $1 AND may_hold_data", server
    )
