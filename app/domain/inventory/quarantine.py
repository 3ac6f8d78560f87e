"""Put a server aside because it failed, and back when a person has seen to it."""

from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from app.core.database import Tx, storable
from app.core.errors import NotFound
from app.core.outbox import emit
from app.domain.audit.record import record
from app.domain.inventory.bmc_turn import allow_again
from app.domain.inventory.burn_in_states import BurnInState, move_burn_in, open_burn_in_of
from app.domain.inventory.put_back import note_data, put_back
from app.domain.inventory.states import ServerState, move, tell
from app.drivers.bmc.contract import peer_of

FIRST_RECHECK = timedelta(minutes=15)
MOST_RECHECKS = 10
BATCH = 20
_FOR_A_PERSON = {
    ServerState.active: "A service ran on it: find out what is wrong, then put it back into stock.",
    ServerState.inspecting: "Mend what its burn-in found, and burn it in again.",
}
"""What a person has to do about what is not looked at again by itself, by where it was.

A delivered service's data are nobody's to erase but by a person's word; and a burn-in finds what
no look at a BMC does.
"""
BY_ITSELF = "It is looked at again by itself, and sold again when it works."
_IN_VAIN = (
    f"It was looked at {MOST_RECHECKS} times since it was last delivered, and is not any more: "
    "find out what is wrong, then put it back into stock."
)


def for_a_person(came_from: ServerState, rechecks: int) -> str:
    """Say what a person has to do about one that is not looked at again by itself. Pure."""
    in_vain = _IN_VAIN if rechecks >= MOST_RECHECKS else "It waits for a person."
    return _FOR_A_PERSON.get(came_from, in_vain)


async def quarantine(tx: Tx, server_id: UUID, reason: str) -> None:
    """Take a server out of stock and away from its order, whatever its state; tell the staff.

    Idempotent: one that is in quarantine stays there for its first reason, without another
    notice. Raises NotFound.
    """
    aside = await put_aside(tx, server_id, reason)
    if aside is not None:
        await tell_staff(
            tx,
            server_id,
            f"server:{server_id}:{aside.seq}",
            f"Server {aside.name} is in quarantine",
            f"{aside.name} was {aside.came_from} and was put aside: {reason}. {aside.what_next}",
        )


class Aside(NamedTuple):
    """A server that has just been put aside."""

    name: str
    came_from: ServerState
    seq: int
    what_next: str
    """Who looks at it, in a sentence."""


async def put_aside(tx: Tx, server_id: UUID, reason: str) -> Aside | None:
    """Do as `quarantine` does and tell nobody; None where it is in quarantine. Raises NotFound."""
    row = await tx.fetchrow(
        "SELECT name, state, holder FROM server WHERE id = $1 FOR NO KEY UPDATE", server_id
    )
    if row is None:
        raise NotFound("server", server_id)
    if row["state"] == ServerState.quarantined:
        return None
    await note_data(tx, server_id, ServerState(row["state"]), row["holder"])
    seq = await move(tx, server_id, ServerState.quarantined, reason=reason)
    if burn_in := await open_burn_in_of(tx, server_id):
        await move_burn_in(tx, burn_in, BurnInState.failed, reason)
    came_from = ServerState(row["state"])
    is_planned = came_from not in _FOR_A_PERSON and await plan_recheck(tx, server_id)
    what_next = BY_ITSELF if is_planned else for_a_person(came_from, MOST_RECHECKS)
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
    return Aside(row["name"], came_from, seq, what_next)


async def tell_staff(tx: Tx, server: UUID, occasion: str, title: str, text: str) -> None:
    """Tell the staff about a server, once an occasion, whichever server that is then."""
    await emit(
        tx,
        "admin.notice",
        f"admin.notice:{occasion}",
        {
            "kind": "server.quarantined",
            "server": str(server),
            "subject": str(server),
            "title": title,
            "text": text,
        },
    )


async def plan_recheck(tx: Tx, server: UUID) -> bool:
    """Let a server in quarantine be looked at again by itself, the longer it fails the later.

    After a quarter of an hour, then half an hour, and so on for ten days; then a person has to, and
    False is returned.
    """
    rechecks = await tx.fetchval("SELECT rechecks FROM server WHERE id = $1", server)
    at = None if rechecks >= MOST_RECHECKS else tx.now() + FIRST_RECHECK * 2**rechecks
    await tx.execute("UPDATE server SET recheck_at = $2 WHERE id = $1", server, at)
    return at is not None


async def due_rechecks(tx: Tx) -> list[UUID]:
    """Return the servers in quarantine whose BMC is to be looked at now, at most `BATCH`.

    Those that a cloud has are left to it (`metal/recheck.py`). Whoever asks meanwhile, or comes
    after a crash, asks later; a look is counted when it was made (`note_recheck`).
    """
    rows = await tx.fetch(
        "WITH due AS MATERIALIZED (SELECT id FROM server s "
        "WHERE recheck_at <= $1 AND state = 'quarantined' "
        "AND NOT EXISTS (SELECT FROM metal_node WHERE server = s.id) "
        f"ORDER BY recheck_at, id LIMIT {BATCH} FOR NO KEY UPDATE SKIP LOCKED) "
        "UPDATE server s SET recheck_at = $2 FROM due d WHERE s.id = d.id RETURNING s.id",
        tx.now(),
        tx.now() + FIRST_RECHECK,
    )
    return [row["id"] for row in rows]


async def count_recheck(tx: Tx, server: UUID) -> None:
    """Count a look at a server in quarantine, and plan the next one."""
    await tx.execute("UPDATE server SET rechecks = rechecks + 1 WHERE id = $1", server)
    await plan_recheck(tx, server)


async def recheck_soon(tx: Tx, server: UUID) -> None:
    """Have a server in quarantine looked at now instead of later, if it is to be at all."""
    await tx.execute(
        "UPDATE server SET recheck_at = $2 WHERE id = $1 AND state = 'quarantined' "
        "AND recheck_at > $2",
        server,
        tx.now(),
    )


async def note_recheck(tx: Tx, server: UUID, trouble: str) -> None:
    """Write down what a look at a server in quarantine found; "" takes it out, to be erased.

    One that somebody has taken out meanwhile is left alone.
    """
    row = await tx.fetchrow(
        "SELECT state, state_reason FROM server WHERE id = $1 FOR NO KEY UPDATE", server
    )
    if row is None or row["state"] != ServerState.quarantined:
        return
    await count_recheck(tx, server)
    if not trouble:
        reason = f"Its BMC answers again; it had been put aside: {row['state_reason']}"
        await release_from_quarantine(
            tx, server, actor=None, actor_label="system", reason=reason, asks_bmc_again=False
        )
        return
    await note_still_aside(tx, server, trouble)


async def note_still_aside(tx: Tx, server: UUID, trouble: str) -> None:
    """Keep what a look at a server in quarantine found against it; tell if it was the last one."""
    await record(
        tx,
        actor=None,
        actor_label="system",
        action="inventory.recheck",
        subject_kind="server",
        subject=server,
        before={"state": ServerState.quarantined},
        after={"state": ServerState.quarantined},
        reason=storable(trouble),
    )
    row = await tx.fetchrow(
        "SELECT name, seq FROM server WHERE id = $1 AND state = 'quarantined' "
        "AND recheck_at IS NULL AND rechecks >= $2",
        server,
        MOST_RECHECKS,
    )
    if row is not None:
        await tell_staff(
            tx,
            server,
            f"server:{server}:{row['seq']}:in vain",
            f"Server {row['name']} stays in quarantine",
            f"{storable(trouble)}. {_IN_VAIN}",
        )
    tell(tx, server, None)


async def works_again(tx: Tx, server: UUID) -> None:
    """Forget how often a server was looked at in quarantine: it was delivered."""
    await tx.execute(
        "UPDATE server SET rechecks = 0 WHERE id = $1 AND rechecks <> 0 AND state = 'active'",
        server,
    )


async def release_from_quarantine(
    tx: Tx,
    server_id: UUID,
    *,
    actor: UUID | None,
    actor_label: str,
    reason: str = "",
    asks_bmc_again: bool = True,
) -> None:
    """Put a server back into stock on the word of `actor` that it works.

    One whose disks may hold a client's data goes to cleaning instead (`finish_cleaning`).
    Credentials that its BMC rejected are tried again, once, if `asks_bmc_again`.
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
    if not asks_bmc_again:
        return
    bmc = await tx.fetchrow("SELECT url, username FROM bmc WHERE server = $1", server_id)
    if bmc is not None:
        await allow_again(tx, peer_of(bmc["url"]), bmc["username"])
