"""Write one line of the audit trail."""

from typing import Any
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.ids import new_id


async def record(
    tx: Tx,
    *,
    actor: UUID | None,
    actor_label: str,
    action: str,
    subject_kind: str,
    subject: UUID | None,
    before: dict[str, Any],
    after: dict[str, Any],
    reason: str = "",
) -> None:
    """Keep who did what to what, in the transaction that does it.

    `actor` is an account, or None for the system, whose part `actor_label` names
    (`flow dedicated-server`, `webhook stripe`). `before` and `after` hold only the
    facts that changed, as anything msgspec can encode; never a secret, since the
    trail is shown to staff and kept for years. One insert.
    """
    await tx.execute(
        "INSERT INTO audit_entry (id, at, actor, actor_label, action, subject_kind, subject, "
        'before, "after", reason) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)',
        new_id(),
        tx.now(),
        actor,
        actor_label,
        action,
        subject_kind,
        subject,
        msgspec.json.encode(before).decode(),
        msgspec.json.encode(after).decode(),
        reason,
    )
