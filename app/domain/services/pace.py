"""How long an installation usually says nothing, and when one that does is late.

Every installation keeps when it was switched on and when it got further. The wait after the same
word, in installations of the same system and product on the same kind of machine, tells what is
usual; so a machine that stopped is noticed long before the longest wait that any may take. One that
was slower than all others up to that word may be as much slower after it.
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
FLOOR = 60
"""No machine is late before this part of the longest wait, a sixtieth, whatever others took."""
LEAST = timedelta(seconds=5)
"""Nor before this: so long takes a word that was lost on the way until it is said again."""
MOST_DOUBLINGS = 10

_USUAL = """
WITH mine AS (
    SELECT i.percent, i.service, i.log -> 0 ->> 'os' AS os, s.product, m.cpu_model,
        (i.log -> -1 ->> 'at')::timestamptz - (i.log -> 0 ->> 'at')::timestamptz AS came
    FROM installation i JOIN service s ON s.id = i.service JOIN server m ON m.id = i.server
    WHERE i.id = $1 AND i.percent < $2
), latest AS (
    SELECT id, service, server, log FROM installation
    WHERE id <> $1 AND purpose = $3 ORDER BY id DESC LIMIT $4
), alike AS (
    SELECT (l.log -> n::int ->> 'at')::timestamptz - (word ->> 'at')::timestamptz AS took,
        (word ->> 'at')::timestamptz - (l.log -> 0 ->> 'at')::timestamptz AS came,
        m.cpu_model = mine.cpu_model AS on_same
    FROM mine JOIN latest l ON l.log -> 0 ->> 'os' = mine.os
    JOIN service s ON s.id = l.service AND s.product = mine.product
    JOIN server m ON m.id = l.server
    CROSS JOIN LATERAL jsonb_array_elements(l.log) WITH ORDINALITY AS w (word, n)
    WHERE (word ->> 'percent')::int = mine.percent AND l.log -> n::int IS NOT NULL
    ORDER BY on_same DESC, l.id DESC LIMIT $5
)
SELECT count(*) AS others, max(took) AS longest, max(came) AS came,
    count(*) FILTER (WHERE on_same) AS same, max(took) FILTER (WHERE on_same) AS longest_on_same,
    max(came) FILTER (WHERE on_same) AS came_on_same, (SELECT came FROM mine) AS came_here, (
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
    slowness: float = 1.0
    """How often this machine took the longest of theirs from being switched on to the word; 1.0
    of one that is not slower."""

    def late_after(self, silence: timedelta) -> timedelta:
        """Return when a machine is late; `silence` is how long any may say nothing.

        As TCP does with its time-outs it doubles with each failure: if all are slow today, since a
        mirror is, the next one gets the time.
        """
        early = max(self.longest * margin_of(self.others) * self.slowness, silence / FLOOR, LEAST)
        doubled: int = 2 ** min(self.failed, MOST_DOUBLINGS)  # more are past any silence
        return min(early * doubled, silence)


def margin_of(others: int) -> float:
    """Return how often the longest of so many others a machine may take."""
    return max(LATE, 1 + LEAST_OTHERS / others)


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
    same = row["same"] >= LEAST_OTHERS
    longest, came = ("longest_on_same", "came_on_same") if same else ("longest", "came")
    slowness = 1.0
    if row[came] and row["came_here"]:
        slowness = max(1.0, row["came_here"] / row[came])
    return Usual(row[longest], row["same" if same else "others"], row["failed"], slowness)


async def note_switched_on(
    tx: Tx, installation: UUID, at: datetime, power_s: float | None = None
) -> None:
    """Note when the machine was switched on to be installed, and how long its BMC took to say so.

    A live system keeps no such times.
    """
    await tx.execute(
        "UPDATE installation SET log = jsonb_set(log, '{0}', log -> 0 || jsonb_strip_nulls("
        "jsonb_build_object('at', $2::timestamptz, 'power_s', $3::float8))) "
        "WHERE id = $1 AND log <> '[]' AND state = 'prepared'",
        installation,
        at,
        power_s,
    )
