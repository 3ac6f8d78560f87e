"""How a burn-in ends: passed and in stock again, or stopped and where it was before.

One that failed ends by `quarantine.py`.
"""

from uuid import UUID

from app.core.database import Tx, storable
from app.core.errors import NotFound
from app.core.outbox import emit
from app.domain.audit.record import record
from app.domain.inventory.burn_in import BurnIn, find_burn_in
from app.domain.inventory.burn_in_states import BurnInState, move_burn_in, open_burn_in_of
from app.domain.inventory.errors import NoBurnIn
from app.domain.inventory.put_back import put_back
from app.domain.inventory.states import ServerState, move, tell

_GOES_BACK_TO = {
    ServerState.quarantined: ServerState.quarantined,
    ServerState.maintenance: ServerState.maintenance,
    ServerState.failed: ServerState.failed,
    ServerState.available: ServerState.available,
    ServerState.cleaning: ServerState.available,
}
"""By where it came from; what was never in stock stays in inspecting, for a person to accept."""

GIVEN_UP = ("failed", "abandoned")
"""States of an installation whose machine nobody waits for any more."""


async def lock_burn_in(tx: Tx, burn_in: UUID) -> BurnIn:
    """Return it as it stands; it stays so until the transaction's end. Raises NotFound."""
    server = await tx.fetchval("SELECT server FROM burn_in WHERE id = $1", burn_in)
    if server is None:
        raise NotFound("burn-in", burn_in)
    await tx.execute("SELECT FROM server WHERE id = $1 FOR NO KEY UPDATE", server)
    return await find_burn_in(tx, burn_in)


async def note_passed(tx: Tx, burn_in: UUID, *, actor_label: str) -> None:
    """Put a server that bore its burn-in into stock, or to cleaning if it may hold data.

    Nothing happens when it has ended already, or is being stopped.
    """
    found = await lock_burn_in(tx, burn_in)
    if not await move_burn_in(tx, burn_in, BurnInState.passed):
        return
    heat = "" if found.hottest_celsius is None else f"; {found.hottest_celsius} °C at the hottest"
    await put_back(
        tx,
        found.server,
        ServerState.inspecting,
        action="inventory.pass_burn_in",
        actor=None,
        actor_label=actor_label,
        reason=f"{len(found.parts)} parts bore {found.minutes:,} min of load{heat}",
    )


async def stop_burn_in(
    tx: Tx, server: UUID, *, actor: UUID | None, actor_label: str, reason: str
) -> UUID | None:
    """Have a server's burn-in end where it is; return the boot to be woken for it, if any.

    Where no machine boots or has booted for it, it ends at once. Raises NoBurnIn where none is
    under way, NotFound.
    """
    if not await tx.fetchval("SELECT true FROM server WHERE id = $1 FOR NO KEY UPDATE", server):
        raise NotFound("server", server)
    burn_in = await open_burn_in_of(tx, server)
    if burn_in is None:
        raise NoBurnIn(server)
    await move_burn_in(tx, burn_in, BurnInState.stopping, reason)
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="inventory.stop_burn_in",
        subject_kind="server",
        subject=server,
        before={},
        after={"burn_in": burn_in},
        reason=reason,
    )
    tell(tx, server, None)
    booted: UUID | None = await tx.fetchval(
        "SELECT id FROM installation WHERE burn_in = $1 AND NOT state = ANY($2) "
        "ORDER BY created_at DESC LIMIT 1",
        burn_in,
        list(GIVEN_UP),
    )
    if booted is None:
        await note_stopped(tx, burn_in, reason)
    return booted


async def note_stopped(tx: Tx, burn_in: UUID, why: str, *, tells_staff: bool = False) -> None:
    """Put a server whose burn-in was stopped back to where it was; nothing if it has ended."""
    found = await lock_burn_in(tx, burn_in)
    if not await move_burn_in(tx, burn_in, BurnInState.stopped, why):
        return
    words = f"Its burn-in was stopped: {why}"
    to = _GOES_BACK_TO.get(found.came_from)
    if to is None:
        await tx.execute(
            "UPDATE server SET state_reason = $2 WHERE id = $1", found.server, storable(words)
        )
        tell(tx, found.server, None)
    else:
        was_for = await tx.fetchval("SELECT came_for FROM burn_in WHERE id = $1", burn_in)
        await move(tx, found.server, to, reason="" if to is ServerState.available else was_for)
    if tells_staff:
        await _tell_staff(tx, found, why)


async def _tell_staff(tx: Tx, found: BurnIn, why: str) -> None:
    name = await tx.fetchval("SELECT name FROM server WHERE id = $1", found.server)
    await emit(
        tx,
        "admin.notice",
        f"admin.notice:burn-in:{found.id}",
        {
            "kind": "server.not_burned_in",
            "server": str(found.server),
            "subject": str(found.server),
            "title": f"Server {name} could not be burned in",
            "text": f"{name} was to be burned in, and could not be: {why}. Nothing was found "
            "wrong with the machine.",
        },
    )
