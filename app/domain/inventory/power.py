"""What a BMC says of a server's power, and since when that is not what it should be.

A difference is shown and nothing more: a client may have switched the machine off, and a BMC may be
wrong. A BMC that does not answer says nothing, and no difference is shown until it does.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from app.core.database import Tx, storable
from app.core.errors import NotFound
from app.domain.inventory.power_rule import drifts_since, still_taken, wanted_power
from app.domain.inventory.states import ServerState, tell
from app.domain.services.states import ServiceState
from app.drivers.power import Power

ASKED = (ServerState.provisioning, ServerState.active)
"""Of servers in these states BMCs are asked for the power; nobody judges that of others."""
DOORBELL = "doorbell:power"
PERIOD = timedelta(seconds=30)
"""How often a BMC is asked, or up to a fifth earlier, so that they are not asked all at once."""
MOMENT = timedelta(seconds=5)
"""Longer than a restart shows as off."""
LONGEST = timedelta(minutes=5)
"""How often one that is silent is asked at least: it is put off for as long as it has been so."""
LASTING = timedelta(minutes=5)
"""A silence of that length is no moment's outage: it was asked some five times in vain."""


async def note_power(tx: Tx, server_id: UUID, power: Power, *, by_bmc: bool = True) -> None:
    """Write down whether the server runs, as seen now; its state does not depend on it.

    Seen otherwise than `by_bmc`, a silent BMC stays silent. Pages are told only of a change.
    Two statements, three after a silence. Raises NotFound.
    """
    row = await tx.fetchrow(
        "SELECT s.power, s.power_drift_since, s.power_taken, s.state, s.holder, b.silent_since, "
        "v.state AS service, v.state_since FROM server s LEFT JOIN bmc b ON b.server = s.id "
        'LEFT JOIN service v ON v."order" = s.holder WHERE s.id = $1 FOR NO KEY UPDATE OF s',
        server_id,
    )
    if row is None:
        raise NotFound("server", server_id)
    service = None if row["service"] is None else ServiceState(row["service"])
    wanted = wanted_power(ServerState(row["state"]), service)
    before_taken = None if row["power_taken"] is None else Power(row["power_taken"])
    taken = still_taken(before_taken, power, wanted)
    since = drifts_since(
        power,
        taken or wanted,
        changed_at=row["state_since"],
        before=row["power_drift_since"],
        now=tx.now(),
    )
    await tx.execute(
        "UPDATE server SET power = $2, power_seen_at = $3, power_drift_since = $4, "
        "power_taken = $5 WHERE id = $1",
        server_id,
        power,
        tx.now(),
        since,
        taken,
    )
    silent_since = None if by_bmc else row["silent_since"]
    if silent_since != row["silent_since"]:
        await tx.execute(
            "UPDATE bmc SET silent_since = NULL, silence = '' WHERE server = $1", server_id
        )
    before = (row["power"], row["power_drift_since"], before_taken, row["silent_since"])
    if before != (power, since, taken, silent_since):
        tell(tx, server_id, row["holder"])


async def note_silence(tx: Tx, server_id: UUID, words: str) -> None:
    """Write down that the BMC did not say whether the server runs, and why: it is not known.

    The first answer clears it. Since when a difference has been there is remembered meanwhile.
    Pages are told when it begins, when its words change, and once it lasts.
    """
    row = await tx.fetchrow(
        "WITH old AS (SELECT b.server, b.silence, b.silent_since, s.holder FROM bmc b "
        "JOIN server s ON s.id = b.server WHERE s.id = $1 FOR NO KEY UPDATE OF s), "
        "quiet AS (UPDATE bmc b SET silence = $2, silent_since = coalesce(b.silent_since, $3) "
        "FROM old WHERE b.server = old.server) "
        "UPDATE server s SET power = 'unknown' FROM old WHERE s.id = old.server "
        "RETURNING old.silence <> $2 AS changed, old.silent_since, old.holder",
        server_id,
        storable(words),
        tx.now(),
    )
    if row is None:
        return
    since = row["silent_since"]
    # At least one reading falls into that time, and three at most.
    lasts_by_now = since is not None and LASTING <= tx.now() - since < 3 * LASTING
    if row["changed"] or lasts_by_now:
        tell(tx, server_id, row["holder"])


async def take_due(tx: Tx, limit: int, *, silent: bool) -> Sequence[UUID]:
    """Take up to `limit` servers whose BMC is to be asked now, of those that are silent or not.

    One statement, for any number of workers: who takes a server puts off its next turn, which
    is later than an answer may take. A worker that dies costs one reading.
    """
    rows = await tx.fetch(
        # Materialized: a plan may run a sub-select again for each row, and take more than asked.
        "WITH due AS MATERIALIZED (SELECT b.id FROM bmc b JOIN server s ON s.id = b.server "
        "WHERE s.state = ANY($6) AND b.read_due_at <= $1 "
        "AND (b.silent_since IS NOT NULL) = $2 ORDER BY b.read_due_at LIMIT $3 "
        "FOR UPDATE OF b SKIP LOCKED) "
        "UPDATE bmc SET read_due_at = $1::timestamptz + (0.8 + 0.2 * random()) * "
        "least(greatest($1::timestamptz - silent_since, $4::interval), $5::interval) "
        "FROM due WHERE bmc.id = due.id RETURNING bmc.server",
        tx.now(),
        silent,
        limit,
        PERIOD,
        LONGEST,
        ASKED,
    )
    return [row["server"] for row in rows]


async def ask_now(tx: Tx, server_id: UUID) -> None:
    """Have the BMC of a server, in use or free, asked after the commit and not when it is due."""
    await tx.execute("UPDATE bmc SET read_due_at = 'epoch' WHERE server = $1", server_id)
    tx.publish(DOORBELL)


async def read_again(tx: Tx, server_id: UUID) -> None:
    """Have the server's BMC asked in a moment, and not only when it is due."""
    await tx.execute(
        "UPDATE bmc SET read_due_at = $2 WHERE server = $1", server_id, tx.now() + MOMENT
    )


async def judge_anew(tx: Tx, server_id: UUID) -> None:
    """Forget what was judged, and read again: the server's service has changed.

    Its flow has time to bring it about (`power_rule.SETTLES`) before that is judged.
    """
    await tx.execute(
        "UPDATE server SET power_drift_since = NULL, power_taken = NULL WHERE id = $1", server_id
    )
    await ask_now(tx, server_id)
