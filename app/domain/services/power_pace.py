"""How long machines usually take to go on, and which one was told to and did not.

Every installation keeps in its first word how long its machine took until the BMC said that it was
on (`power_s`), or how long that was waited for in vain (`power_late_s`). So a BMC that takes an
order and ignores it is found out long before the longest wait that any may take.
"""

from uuid import UUID

from app.core.database import Tx
from app.domain.services.pace import ALIKE, LATEST, LEAST_OTHERS, MOST_DOUBLINGS, margin_of
from app.drivers.deploy.live import Purpose

FLOOR = 8
"""No machine is late before this part of the longest wait, an eighth, whatever others took."""

_USUAL = """
WITH latest AS (
    SELECT id, server, log -> 0 AS word FROM installation
    WHERE purpose = $2 ORDER BY id DESC LIMIT $3
), alike AS (
    SELECT (l.word ->> 'power_s')::float8 AS took, m.cpu_model = mine.cpu_model AS on_same
    FROM server mine CROSS JOIN latest l JOIN server m ON m.id = l.server
    WHERE mine.id = $1 AND l.word ? 'power_s' ORDER BY on_same DESC, l.id DESC LIMIT $4
)
SELECT count(*) AS others, max(took) AS longest, count(*) FILTER (WHERE on_same) AS same,
    max(took) FILTER (WHERE on_same) AS longest_on_same,
    (SELECT count(*) FROM latest WHERE server = $1 AND word ? 'power_late_s') AS late FROM alike
"""


async def power_patience(tx: Tx, server: UUID, at_most_s: float) -> float:
    """Return within how many seconds the machine should be on or off as it was told.

    That is by what machines of its kind took, and twice as long for each time that this one was
    late; `at_most_s` where too little is known. One statement, over at most 500 installations.
    """
    row = await tx.fetchrow(_USUAL, server, Purpose.INSTALL, LATEST, ALIKE)
    if row is None or (row["same"] < LEAST_OTHERS and row["others"] < 2 * LEAST_OTHERS):
        return at_most_s
    same = row["same"] >= LEAST_OTHERS
    longest_s: float = row["longest_on_same" if same else "longest"]
    early_s = max(longest_s * margin_of(row["same" if same else "others"]), at_most_s / FLOOR)
    doubled: int = 2 ** min(row["late"], MOST_DOUBLINGS)
    return min(early_s * doubled, at_most_s)


async def note_power_late(tx: Tx, installation: UUID, waited_s: float) -> None:
    """Note that the machine was told to go on or off, and for how long it did not."""
    await tx.execute(
        "UPDATE installation SET log = jsonb_set(log, '{0,power_late_s}', to_jsonb($2::float8)) "
        "WHERE id = $1 AND log <> '[]'",
        installation,
        waited_s,
    )


async def power_late_s(tx: Tx, server: UUID) -> float | None:
    """Return for how long the machine did not follow when it was last installed; None if it did."""
    row = await tx.fetchrow(
        "SELECT log -> 0 ? 'power_s' AS followed, (log -> 0 ->> 'power_late_s')::float8 AS late_s "
        "FROM installation WHERE server = $1 ORDER BY id DESC LIMIT 1",
        server,
    )
    return None if row is None or row["followed"] else row["late_s"]
