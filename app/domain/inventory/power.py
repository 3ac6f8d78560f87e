"""Keep what a BMC last said about a server's power."""

from uuid import UUID

from app.core.database import Tx
from app.core.errors import NotFound
from app.domain.inventory.states import tell
from app.drivers.power import Power


async def note_power(tx: Tx, server_id: UUID, power: Power) -> None:
    """Write down whether the server runs, as seen now; its state does not depend on it.

    Pages are told only of a change. Raises NotFound.
    """
    row = await tx.fetchrow(
        "WITH old AS (SELECT id, power, holder FROM server WHERE id = $1 FOR NO KEY UPDATE) "
        "UPDATE server s SET power = $2, power_seen_at = $3 FROM old WHERE s.id = old.id "
        "RETURNING old.power <> $2 AS changed, old.holder",
        server_id,
        power,
        tx.now(),
    )
    if row is None:
        raise NotFound("server", server_id)
    if row["changed"]:
        tell(tx, server_id, row["holder"])
