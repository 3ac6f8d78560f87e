"""When a script of the operator's is at fault, and not the servers that it fails on.

Every installation keeps in its first word what scripts it runs (`scripts`, by whose they are, as
digests), whose failed (`failed_script`), whether that hung (`hangs`) and whether its order stopped
for it (`stopped`). A script that fails at one server may be that server's fault. One that fails at
a second one, and was through nowhere in between, would fail at all of them: no further server is
tried or put aside for it, and those that were come back.
"""

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.ids import least_id
from app.domain.catalog.selection import Selection
from app.domain.inventory.quarantine import release_from_quarantine
from app.domain.services.option_scripts import option_scripts
from app.drivers.deploy.live import Purpose
from app.drivers.deploy.spec import Script

IN_SCRIPTS = "post-install"
"""What an installed system calls the stage at which the scripts run, and nothing else does."""
LATELY = timedelta(days=7)
LONGEST = timedelta(days=2)
"""What ended within a week began no longer before it."""
MOST = 5_000
"""Installations of a product that are looked at, the latest ones."""
LAST_LINES = 5
"""How much of what the script said is told."""

_ALIKE = """
WITH mine AS (
    SELECT i.server, i.service, s.product, w.failed, w.word -> 'scripts' ->> w.failed AS digest,
        i.error, w.word ? 'hangs' AS hangs
    FROM installation i JOIN service s ON s.id = i.service
    CROSS JOIN LATERAL (SELECT log -> 0 AS word, log -> 0 ->> 'failed_script' AS failed) w
    WHERE i.step_key = $1 AND i.purpose = $2 AND i.finished_at > $3 AND w.failed IS NOT NULL
), latest AS (
    -- By the primary key: ids sort by time. Of other products none is in the way.
    SELECT i.id, i.server, i.state, i.finished_at, i.log -> 0 AS first_word
    FROM mine JOIN service s ON s.product = mine.product JOIN installation i ON i.service = s.id
    WHERE i.id >= $4 AND i.purpose = $2 ORDER BY i.id DESC LIMIT $5
), alike AS (
    SELECT l.id, l.server, l.state, l.finished_at, l.first_word ->> 'failed_script' AS failed,
        mine.failed AS whose, l.server <> mine.server AS is_other
    FROM latest l JOIN mine ON l.first_word -> 'scripts' ->> mine.failed = mine.digest
    WHERE l.finished_at > $3
), broke AS (
    SELECT * FROM alike WHERE failed = whose AND finished_at > coalesce((
        SELECT max(finished_at) FROM alike
        -- Those of the options come first: where the product's failed, they were through.
        WHERE state = 'installed' OR (whose = 'options' AND failed = 'product')
    ), '-infinity')
)
SELECT mine.failed AS whose, mine.error, mine.hangs, p.name AS product, p.id, o.selection,
    (SELECT count(*) FROM installation i WHERE i.service = mine.service AND i.step_key <> $1
        AND i.log -> 0 ? 'stopped') AS stops,
    (SELECT id FROM broke ORDER BY finished_at, id LIMIT 1) AS first,
    (SELECT array_agg(DISTINCT server) FROM broke WHERE is_other) AS others,
    (SELECT array_agg(DISTINCT m.name ORDER BY m.name) FROM broke JOIN server m ON m.id = server)
        AS names
FROM mine JOIN product p ON p.id = mine.product JOIN service s ON s.id = mine.service
JOIN client_order o ON o.id = s."order" WHERE EXISTS (SELECT FROM broke WHERE is_other)
"""

_ACQUITTED = """
SELECT m.id FROM server m CROSS JOIN LATERAL (
    SELECT error, log -> 0 ? 'failed_script' AS by_script FROM installation
    WHERE server = m.id ORDER BY id DESC LIMIT 1
) i
WHERE m.id = ANY($1) AND m.state = 'quarantined' AND i.by_script AND m.state_reason = i.error
AND NOT EXISTS (
    SELECT FROM audit_entry WHERE subject = m.id AND action = 'inventory.recheck'
    AND at >= m.state_since
) ORDER BY m.id FOR NO KEY UPDATE OF m
"""


class ScriptFault(msgspec.Struct, frozen=True):
    """A script that fails at one server after another."""

    whose: Script
    product: str
    """What the catalogue calls it."""
    options: tuple[str, ...]
    """Names of the chosen options that run something now."""
    servers: tuple[str, ...]
    """Names of those that it failed at since it was last through."""
    others: tuple[UUID, ...]
    """Of these, all but the one at hand."""
    first: UUID
    """The installation that it failed in first, since it was last through."""
    stops: int
    """How often it stopped this order before: each time somebody tried again."""
    error: str
    """What the machine at hand told: the script's status, and the end of what it printed."""
    hangs: bool
    """Whether the machine told nothing; `error` then says for how long."""

    @property
    def script(self) -> str:
        """Name the script: `The post-install script of Metal S`."""
        if self.whose is Script.PRODUCT:
            return f"The post-install script of {self.product}"
        return f"The script of {', '.join(self.options) or self.whose.words} for {self.product}"

    @property
    def message(self) -> str:
        """Say what is wrong and what to do about it, with the last lines of the output."""
        said = "\n".join(self.error.splitlines()[-LAST_LINES:])
        ends = f"It hangs: {said}" if self.hangs else f"It said last:\n{said}"
        return (
            f"{self.script} fails at one server after another ({', '.join(self.servers)}): it is "
            "at fault, not they. No other server is taken. Mend the script in the catalogue, then "
            f"try again. {ends}"
        )


def digests_of(scripts: Mapping[Script, str]) -> dict[str, str]:
    """Return by what each script is known again, by whose it is."""
    return {
        whose.value: hashlib.sha256(script.encode()).hexdigest()
        for whose, script in scripts.items()
    }


async def note_failed_script(tx: Tx, installation: UUID, whose: str) -> None:
    """Note whose script failed, as the machine names it; one that it has not is left out."""
    await tx.execute(
        "UPDATE installation SET log = jsonb_set(log, '{0,failed_script}', to_jsonb($2::text)) "
        "WHERE id = $1 AND log -> 0 -> 'scripts' ? $2",
        installation,
        whose,
    )


async def note_silent_script(tx: Tx, installation: UUID) -> None:
    """Note that a machine fell silent in the only script that it has, if it did: that hangs."""
    await tx.execute(
        "UPDATE installation SET log = jsonb_set(log, '{0}', log -> 0 || jsonb_build_object("
        "'hangs', true, 'failed_script', ("
        "SELECT min(whose) FROM jsonb_object_keys(log -> 0 -> 'scripts') whose))) "
        "WHERE id = $1 AND stage = $2 AND (SELECT count(*) = 1 FROM jsonb_object_keys("
        "coalesce(log -> 0 -> 'scripts', '{}')))",
        installation,
        IN_SCRIPTS,
    )


async def script_fault(tx: Tx, step_key: str) -> ScriptFault | None:
    """Return the script that is at fault where the installation of a step failed; None if none is.

    It is where the same script of the same product failed at another server within a week, and was
    through nowhere since. Three statements, over those of the product of a week, at most `MOST`.
    """
    mine: UUID | None = await tx.fetchval(
        "SELECT id FROM installation WHERE step_key = $1", step_key
    )
    if mine is None:
        return None
    first = least_id(mine, before=LATELY + LONGEST)
    row = await tx.fetchrow(_ALIKE, step_key, Purpose.INSTALL, tx.now() - LATELY, first, MOST)
    if row is None:
        return None
    selection = msgspec.json.decode(row["selection"], type=Selection)
    options = await option_scripts(tx, row["id"], selection)
    return ScriptFault(
        whose=Script(row["whose"]),
        product=row["product"],
        options=tuple(name for name, _ in options),
        servers=tuple(row["names"]),
        others=tuple(row["others"]),
        first=row["first"],
        stops=row["stops"],
        error=row["error"],
        hangs=row["hangs"],
    )


async def script_to_mend(tx: Tx, order: UUID) -> str | None:
    """Return the short name of the product whose script stopped the order's last installation."""
    slug: str | None = await tx.fetchval(
        "SELECT p.slug FROM service s JOIN product p ON p.id = s.product CROSS JOIN LATERAL ("
        "SELECT log FROM installation WHERE service = s.id AND purpose = $2 "
        "ORDER BY id DESC LIMIT 1) i WHERE s.\"order\" = $1 AND i.log -> 0 ? 'stopped'",
        order,
        Purpose.INSTALL,
    )
    return slug


async def stop_for_script(tx: Tx, step_key: str, fault: ScriptFault) -> None:
    """Note that the order stops, and have the servers that are aside for the script alone back.

    They are erased first. One whose BMC was found at fault since stays aside. Idempotent.
    """
    await tx.execute(
        "UPDATE installation SET log = jsonb_set(log, '{0,stopped}', 'true') WHERE step_key = $1",
        step_key,
    )
    rows = await tx.fetch(_ACQUITTED, list(fault.others))
    for row in rows:
        await release_from_quarantine(
            tx,
            row["id"],
            actor=None,
            actor_label="system",
            reason=f"It is not at fault. {fault.script} fails at other servers, too.",
            asks_bmc_again=False,
        )
