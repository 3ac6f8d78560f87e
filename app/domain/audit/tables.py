"""Who did what to what, before and after."""

from piccolo.columns import JSONB, UUID
from piccolo.table import Table

from app.core.columns import key, moment, text


class AuditEntry(Table, tablename="audit_entry"):
    """`actor` is an account, or null for the system; `actor_label` says which part of it."""

    id = key()
    at = moment(index=True)
    actor = UUID(null=True, default=None, index=True)
    actor_label = text()
    action = text(index=True)
    subject_kind = text()
    subject = UUID(null=True, default=None, index=True)
    before = JSONB(default="{}")
    after = JSONB(default="{}")
    reason = text(default="")
