"""The score of a flow: what its latest rehearsal found, by flow or by content."""

from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec

from app.core.database import Tx
from app.core.ids import new_id
from app.flows.change import to_json
from app.flows.dryrun.rehearse import Rehearsal


class RehearsalView(msgspec.Struct, frozen=True):
    """A kept report: when, by whom, and whether it is of what the flow's runs begin with now."""

    at: datetime
    by: UUID | None
    by_label: str
    score: int
    is_latest: bool
    report: Rehearsal


_COLUMNS = """
SELECT r.at, r.by, r.by_label, r.score, r.report, coalesce(r.content_hash = (
    SELECT v.content_hash FROM flow_version v WHERE v.flow = r.flow ORDER BY v.number DESC LIMIT 1
), false) AS is_latest FROM flow_rehearsal r
"""


async def keep_rehearsal(
    tx: Tx, rehearsal: Rehearsal, *, by: UUID | None = None, by_label: str = ""
) -> None:
    """Keep a report in place of an earlier one of the same content. One statement."""
    await tx.execute(
        "INSERT INTO flow_rehearsal (id, flow, content_hash, at, by, by_label, score, report) "
        "VALUES ($1, (SELECT id FROM flow WHERE slug = $2), $3, $4, $5, $6, $7, $8) "
        "ON CONFLICT (content_hash) DO UPDATE SET flow = EXCLUDED.flow, at = EXCLUDED.at, "
        "by = EXCLUDED.by, by_label = EXCLUDED.by_label, score = EXCLUDED.score, "
        "report = EXCLUDED.report",
        new_id(),
        rehearsal.flow,
        rehearsal.content_hash,
        tx.now(),
        by,
        by_label,
        rehearsal.score,
        to_json(rehearsal),
    )


async def find_rehearsal(
    tx: Tx, *, flow: str | None = None, content_hash: str | None = None
) -> RehearsalView | None:
    """Return the rehearsal of a content; of a flow, by slug, that of its latest version.

    None when what is asked for was not rehearsed. One statement.
    """
    if content_hash is not None:
        row = await tx.fetchrow(f"{_COLUMNS} WHERE r.content_hash = $1", content_hash)
    else:
        row = await tx.fetchrow(
            f"{_COLUMNS} WHERE r.content_hash = (SELECT v.content_hash FROM flow_version v "
            "JOIN flow f ON f.id = v.flow WHERE f.slug = $1 ORDER BY v.number DESC LIMIT 1)",
            flow or "",
        )
    return None if row is None else _view(row)


async def scores(tx: Tx) -> dict[str, int]:
    """Return the score of each flow's latest version, by slug, as far as it was rehearsed."""
    rows = await tx.fetch(
        "SELECT f.slug, r.score FROM flow f CROSS JOIN LATERAL (SELECT content_hash "
        "FROM flow_version v WHERE v.flow = f.id ORDER BY number DESC LIMIT 1) v "
        "JOIN flow_rehearsal r ON r.content_hash = v.content_hash"
    )
    return {row["slug"]: row["score"] for row in rows}


def _view(row: asyncpg.Record) -> RehearsalView:
    report = msgspec.json.decode(row["report"], type=Rehearsal)
    return RehearsalView(
        row["at"], row["by"], row["by_label"], row["score"], row["is_latest"], report
    )
