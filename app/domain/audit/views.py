"""The audit trail as pages see it."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec


class AuditLine(msgspec.Struct, frozen=True, kw_only=True):
    """Who did what to what; `before` and `after` hold only the facts that changed."""

    id: UUID
    at: datetime
    actor: UUID | None
    actor_label: str
    """The person's e-mail address then, or the part of the system that did it."""
    action: str
    subject_kind: str
    subject: UUID | None
    before: dict[str, Any]
    after: dict[str, Any]
    reason: str
