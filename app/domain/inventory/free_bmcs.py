"""Whether the BMCs of free servers answer: one that does not for long is sold to nobody.

That is written down at the BMC alone. A free server's own row says what can be sold, which is read
anew whenever it is written (`available.py`); and nobody judges whether a free server is on or off.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from app.core.database import Tx, storable
from app.domain.inventory.outage import is_silence_common
from app.domain.inventory.power import LONGEST
from app.domain.inventory.power import PERIOD as IN_USE
from app.domain.inventory.quarantine import BY_ITSELF, put_aside, tell_staff
from app.domain.inventory.states import ServerState, tell

PERIOD = timedelta(minutes=15)
"""How often the BMC of a free server is asked, or up to half a minute earlier."""
LASTING = timedelta(minutes=15)
"""A silence of that length is no moment's outage: it was asked some seven times in vain."""


async def take_due(tx: Tx, limit: int, *, silent: bool) -> Sequence[UUID]:
    """Take up to `limit` free servers whose BMC is to be asked now, of those silent or not.

    When it is due is kept for servers in use (`power.take_due`), so that one is asked within
    half a minute from when an order has paid for it. One that is silent is asked as often as
    theirs are. A server that a cloud has is the cloud's to ask.
    """
    due_by = tx.now() if silent else tx.now() - (PERIOD - IN_USE)
    rows = await tx.fetch(
        "WITH due AS MATERIALIZED (SELECT b.id FROM bmc b JOIN server s ON s.id = b.server "
        "WHERE s.state = 'available' AND (b.silent_since IS NOT NULL) = $2 "
        "AND b.read_due_at <= $4 "
        "AND NOT EXISTS (SELECT FROM metal_node n WHERE n.server = s.id) "
        "ORDER BY b.read_due_at LIMIT $3 FOR UPDATE OF b SKIP LOCKED) "
        "UPDATE bmc SET read_due_at = $1::timestamptz + (0.8 + 0.2 * random()) * "
        "least(greatest($1::timestamptz - silent_since, $5::interval), $6::interval) "
        "FROM due WHERE bmc.id = due.id RETURNING bmc.server",
        tx.now(),
        silent,
        limit,
        due_by,
        IN_USE,
        LONGEST,
    )
    return [row["server"] for row in rows]


async def note_answer(tx: Tx, server: UUID) -> None:
    """Write down that the BMC of a server answers; nothing is written where it did before."""
    row = await tx.fetchrow(
        "UPDATE bmc b SET silent_since = NULL, silence = '' FROM server s "
        "WHERE s.id = $1 AND b.server = s.id AND b.silent_since IS NOT NULL RETURNING s.holder",
        server,
    )
    if row is not None:
        tell(tx, server, row["holder"])


async def note_silence(tx: Tx, server: UUID, words: str) -> None:
    """Write down that the BMC of a free server does not answer, and why.

    Once that lasts, and most others answer, the server is put into quarantine, where it is looked
    at again by itself. Of those put aside in one hour staff are told once: behind a switch that
    fails there may be many. One that an order has since is left to its flow.
    """
    row = await tx.fetchrow(
        "WITH old AS (SELECT b.id, b.silence, b.silent_since, s.name FROM bmc b "
        "JOIN server s ON s.id = b.server WHERE s.id = $1 AND s.state = 'available' "
        "FOR NO KEY UPDATE OF s, b) "
        "UPDATE bmc b SET silence = $2, silent_since = coalesce(b.silent_since, $3) "
        "FROM old WHERE b.id = old.id RETURNING old.name, old.silence <> $2 AS changed, "
        "b.silent_since",
        server,
        storable(words),
        tx.now(),
    )
    if row is None:
        return
    since = row["silent_since"]
    if tx.now() - since >= LASTING and not await is_silence_common(tx, server):
        reason = f"its BMC is silent: {storable(words)}, since {since:%Y-%m-%d %H:%M} UTC"
        await put_aside(tx, server, reason)
        await tell_staff(
            tx,
            server,
            f"free-bmcs:{tx.now():%Y-%m-%dT%H}",
            f"Free server {row['name']} is in quarantine",
            f"{row['name']} was {ServerState.available} and was put aside: {reason}. {BY_ITSELF} "
            "If others follow within the hour, the list of servers alone names them.",
        )
    elif row["changed"]:
        tell(tx, server, None)
