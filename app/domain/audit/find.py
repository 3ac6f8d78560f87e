"""Read the audit trail."""

from collections.abc import Iterable
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.domain.audit.views import AuditLine

LONGEST = 100


async def trail(
    tx: Tx, subjects: Iterable[UUID | None], *, limit: int = LONGEST
) -> tuple[AuditLine, ...]:
    """Return what was done to any of `subjects`, the latest first; one statement by index.

    None among the subjects is left out, so that an order can name what it may not have yet.
    """
    rows = await tx.fetch(
        "SELECT id, at, actor, actor_label, action, subject_kind, subject, before, "
        '"after", reason FROM audit_entry WHERE subject = ANY($1) ORDER BY at DESC, id DESC '
        "LIMIT $2",
        [subject for subject in subjects if subject is not None],
        limit,
    )
    return tuple(
        AuditLine(
            **{
                **dict(row),
                "before": msgspec.json.decode(row["before"]),
                "after": msgspec.json.decode(row["after"]),
            }
        )
        for row in rows
    )
