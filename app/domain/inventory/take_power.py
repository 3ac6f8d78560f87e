"""Take the power that a server was seen in for right, though its service says otherwise."""

from uuid import UUID

from app.core.database import Tx
from app.domain.audit.record import record
from app.domain.inventory.errors import PowerAsWanted, PowerMoved
from app.domain.inventory.find import find_server
from app.domain.inventory.power import ask_now
from app.domain.inventory.states import tell
from app.drivers.power import Power


async def take_power(
    tx: Tx, server_id: UUID, seen: Power, *, actor: UUID, actor_label: str
) -> None:
    """Let `seen` be what the server should be, until its service changes; audited.

    It ends by itself, too, once the server is as its service says again. One compare-and-swap:
    only what was shown is taken. Raises PowerMoved when it is otherwise by now, PowerAsWanted
    when there is nothing to put right, NotFound.
    """
    taken = await tx.fetchrow(
        "UPDATE server SET power_taken = $2, power_drift_since = NULL "
        "WHERE id = $1 AND power = $2 AND power <> 'unknown' AND power_drift_since IS NOT NULL "
        "RETURNING holder",
        server_id,
        seen,
    )
    if taken is None:
        server = await find_server(tx, server_id)
        if server.power_drifts:
            raise PowerMoved(server.name, power=server.power)
        raise PowerAsWanted(server.name)
    tell(tx, server_id, taken["holder"])
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="inventory.take_power",
        subject_kind="server",
        subject=server_id,
        before={},
        after={"wanted": seen},
    )


async def keep_off(tx: Tx, server_id: UUID) -> None:
    """Let it be right that a server is off: who has it had it switched off.

    It ends as what `take_power` does. A server that is on is left alone.
    """
    holder = await tx.fetchval(
        "UPDATE server SET power_taken = power, power_drift_since = NULL "
        "WHERE id = $1 AND power = 'off' AND state = 'active' RETURNING holder",
        server_id,
    )
    if holder is not None:
        tell(tx, server_id, holder)


async def judge_by_service(tx: Tx, server_id: UUID, *, actor: UUID, actor_label: str) -> None:
    """Let the server's service say again what its power should be, and read it; audited."""
    row = await tx.fetchrow(
        "WITH old AS (SELECT id, power_taken FROM server WHERE id = $1 FOR NO KEY UPDATE) "
        "UPDATE server s SET power_taken = NULL FROM old "
        "WHERE s.id = old.id AND old.power_taken IS NOT NULL RETURNING old.power_taken, s.holder",
        server_id,
    )
    if row is None:
        return
    await ask_now(tx, server_id)
    tell(tx, server_id, row["holder"])
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="inventory.judge_power",
        subject_kind="server",
        subject=server_id,
        before={"wanted": row["power_taken"]},
        after={},
    )
