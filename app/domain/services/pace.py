"""How long an installation usually says nothing, and when one that does is late.

Every installation keeps when it was switched on and when it got further. The wait after the same
word, in installations of the same system and product on the same kind of machine, tells what is
usual; so a machine that stopped is noticed long before the longest wait that any may take.
"""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.drivers.deploy.live import Purpose

OWN_SCRIPTS_PERCENT = 85
"""From here on it runs what the product and its client's choices add: that takes what it takes."""
LATE = 1.25
"""How often the longest wait of the others, where many are known; twice where few are."""
LEAST_OTHERS = 5
"""On the same kind of machine; where there are fewer, twice as many on any kind will do."""
LATEST, ALIKE = 500, 50
"""How many installations are looked at, the latest ones, and how many alike at most."""
FLOOR = 30
"""No machine is late before this part of the longest wait, a thirtieth, whatever others took."""

_USUAL = """
WITH mine AS (
    SELECT i.percent, i.service, i.log -> 0 ->> 'os' AS os, s.product, m.cpu_model
    FROM installation i JOIN service s ON s.id = i.service JOIN server m ON m.id = i.server
    WHERE i.id = $1 AND i.percent < $2
), latest AS (
    SELECT id, service, server, log FROM installation
    WHERE id <> $1 AND purpose = $3 ORDER BY id DESC LIMIT $4
), alike AS (
    SELECT (l.log -> n::int ->> 'at')::timestamptz - (word ->> 'at')::timestamptz AS took,
        m.cpu_model = mine.cpu_model AS on_same
    FROM mine JOIN latest l ON l.log -> 0 ->> 'os' = mine.os
    JOIN service s ON s.id = l.service AND s.product = mine.product
    JOIN server m ON m.id = l.server
    CROSS JOIN LATERAL jsonb_array_elements(l.log) WITH ORDINALITY AS w (word, n)
    WHERE (word ->> 'percent')::int = mine.percent AND l.log -> n::int IS NOT NULL
    ORDER BY on_same DESC, l.id DESC LIMIT $5
)
SELECT count(*) AS others, max(took) AS longest, count(*) FILTER (WHERE on_same) AS same,
    max(took) FILTER (WHERE on_same) AS longest_on_same, (
    SELECT count(*) FROM installation f JOIN mine ON f.service = mine.service
    WHERE f.id <> $1 AND f.state = 'failed' AND f.purpose = $3
) AS failed FROM alike
"""


class Usual(msgspec.Struct, frozen=True):
    """The longest that `others` took from the same word to the next; how often it failed here."""

    longest: timedelta
    others: int
    failed: int
    """Earlier installations of the same service that failed."""

    def late_after(self, silence: timedelta) -> timedelta:
        """Return when a machine is late; `silence` is how long any may say nothing.

        As TCP does with its time-outs it doubles with each failure: if all are slow today, since a
        mirror is, the next one gets the time.
        """
        margin = max(LATE, 1 + LEAST_OTHERS / self.others)
        early = max(self.longest * margin, silence / FLOOR)
        doubled: int = 2 ** min(self.failed, FLOOR)  # more are past any silence
        return min(early * doubled, silence)


async def usual_wait(tx: Tx, installation: UUID) -> Usual | None:
    """Return what is usual after its last word; None where too little is known to tell.

    Nor is anything told of what runs a client's own scripts, nor of live systems. One statement,
    over at most 500 installations.
    """
    row = await tx.fetchrow(
        _USUAL, installation, OWN_SCRIPTS_PERCENT, Purpose.INSTALL, LATEST, ALIKE
    )
    if row is None or (row["same"] < LEAST_OTHERS and row["others"] < 2 * LEAST_OTHERS):
        return None
    if row["same"] >= LEAST_OTHERS:
        return Usual(row["longest_on_same"], row["same"], row["failed"])
    return Usual(row["longest"], row["others"], row["failed"])


async def note_switched_on(tx: Tx, installation: UUID, at: datetime) -> None:
    """Note when the machine was switched on to be installed; a live system keeps no such times."""
    await tx.execute(
        "UPDATE installation SET log = jsonb_set(log, '{0,at}', to_jsonb($2::timestamptz)) "
        "WHERE id = $1 AND log <> '[]' AND state = 'prepared'",
        installation,
        at,
    )
