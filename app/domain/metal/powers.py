"""The power of servers as their clouds show it, where no BMC of ours tells it."""

from datetime import datetime

from app.core.database import Tx
from app.domain.inventory.power import ASKED, note_power
from app.domain.inventory.power_rule import drifts_since, wanted_power
from app.domain.inventory.states import ServerState
from app.domain.services.states import ServiceState
from app.drivers.power import Power


async def note_powers(tx: Tx, connection: str, *, began_at: datetime) -> None:
    """Note it of each server at work whose power, or the judgement of it, is another than before.

    A BMC that answers us says it itself, and sooner than its cloud does. Two statements, and two
    for each server that changed.
    """
    rows = await tx.fetch(
        "SELECT v.id, v.state, v.power AS before, v.power_drift_since, n.power, "
        "s.state AS service, s.state_since FROM cloud_node n "
        "JOIN metal_node l ON l.connection = n.connection AND l.node = n.node "
        'JOIN server v ON v.id = l.server LEFT JOIN service s ON s."order" = v.holder '
        "WHERE n.connection = $1 AND n.gone_since IS NULL AND n.power <> 'unknown' "
        "AND v.state = ANY($2) AND (n.noted_at IS NULL OR n.noted_at < $3) "
        "AND NOT EXISTS (SELECT FROM bmc b WHERE b.server = v.id AND b.silent_since IS NULL) "
        "ORDER BY v.id",
        connection,
        ASKED,
        began_at,
    )
    for row in rows:
        service = None if row["service"] is None else ServiceState(row["service"])
        since = drifts_since(
            Power(row["power"]),
            wanted_power(ServerState(row["state"]), service),
            changed_at=row["state_since"],
            before=row["power_drift_since"],
            now=tx.now(),
        )
        if (row["power"], since) != (row["before"], row["power_drift_since"]):
            await note_power(tx, row["id"], Power(row["power"]), by_bmc=False)
    # Who has one of them locked is about to write it; its time is noted the next time.
    await tx.execute(
        "UPDATE server SET power_seen_at = $2 WHERE id IN (SELECT id FROM server "
        "WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED)",
        [row["id"] for row in rows],
        tx.now(),
    )
