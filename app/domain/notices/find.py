"""Read mails and templates; bodies stay sealed (see open_mail.py)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import asyncpg

from app.core.database import Tx
from app.core.errors import NotFound
from app.core.paging import PAGE_SIZE, containing
from app.domain.notices.render import Source
from app.domain.notices.shipped import NAMES, shipped_source
from app.domain.notices.states import MailState
from app.domain.notices.values import carries_credentials
from app.domain.notices.views import MailFilter, MailPage, MailView, TemplateView

_COLUMNS = (
    "m.id, m.code, t.name, m.recipient, m.subject, m.state, m.attempts, m.error, "
    'm."order", o.number, m.created_at, m.sent_at'
)
_FROM = (
    "FROM mail m LEFT JOIN mail_template t ON t.code = m.code "
    'LEFT JOIN client_order o ON o.id = m."order"'
)
_WHERE = (
    "WHERE ($1::text IS NULL OR m.state = $1) AND ($2 = '' OR m.code = $2) "
    "AND ($3::uuid IS NULL OR m.\"order\" = $3) AND ($4 = '' OR m.recipient ILIKE $5 "
    "OR m.subject ILIKE $5 OR o.number::text = $4)"
)


async def list_mails(tx: Tx, wanted: MailFilter, *, page: int = 1) -> MailPage:
    """Return a page of the mails: refused first, then queued, then sent; the newest first in each.

    Two statements; a search reads every mail.
    """
    search = wanted.search.strip()
    values = (
        wanted.state.value if wanted.state else None,
        wanted.code,
        wanted.order,
        search.removeprefix("#"),
        containing(search),
    )
    total = await tx.fetchval(f"SELECT count(*) {_FROM} {_WHERE}", *values)
    page_count = max(1, -(-total // PAGE_SIZE))
    page = min(max(page, 1), page_count)
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} {_FROM} {_WHERE} ORDER BY CASE m.state WHEN 'refused' THEN 0 "
        "WHEN 'queued' THEN 1 ELSE 2 END, m.id DESC LIMIT $6 OFFSET $7",
        *values,
        PAGE_SIZE,
        (page - 1) * PAGE_SIZE,
    )
    return MailPage([_mail(row) for row in rows], page, page_count, total)


async def count_mails(tx: Tx) -> Mapping[MailState, int]:
    """Return how many mails are in each state."""
    rows = await tx.fetch("SELECT state, count(*) AS many FROM mail GROUP BY state")
    counts = {row["state"]: row["many"] for row in rows}
    return {state: counts.get(state.value, 0) for state in MailState}


async def find_mail(tx: Tx, mail: UUID) -> MailView:
    """Return a mail without its bodies; raises `NotFound`."""
    row = await tx.fetchrow(
        f"SELECT {_COLUMNS}, (SELECT min(x.due_at) FROM outbox x WHERE x.topic = 'mail.send' "
        "AND x.done_at IS NULL AND x.payload->>'mail' = m.id::text) AS next_try_at "
        f"{_FROM} WHERE m.id = $1",
        mail,
    )
    if row is None:
        raise NotFound("mail", mail)
    return _mail(row, next_try_at=row["next_try_at"])


async def list_templates(tx: Tx) -> list[TemplateView]:
    """Return the templates in the order in which an order meets them."""
    rows = await tx.fetch(f"{_TEMPLATES} ORDER BY t.code")
    found = {row["code"]: _template(row) for row in rows}
    return [found[code] for code in NAMES if code in found]


async def find_template(tx: Tx, code: str) -> TemplateView:
    """Return a template; raises `NotFound`."""
    row = await tx.fetchrow(f"{_TEMPLATES} WHERE t.code = $1", code)
    if row is None or code not in NAMES:
        raise NotFound("mail template", code)
    return _template(row)


_TEMPLATES = (
    "SELECT t.code, t.name, t.subject, t.body_html, t.body_text, t.updated_at, a.email "
    "FROM mail_template t LEFT JOIN account a ON a.id = t.updated_by"
)


def _mail(row: asyncpg.Record, **more: Any) -> MailView:
    return MailView(
        id=row["id"],
        code=row["code"],
        template=row["name"] or NAMES.get(row["code"], row["code"]),
        recipient=row["recipient"],
        subject=row["subject"],
        state=MailState(row["state"]),
        attempts=row["attempts"],
        error=row["error"],
        order=row["order"],
        order_number=row["number"],
        created_at=row["created_at"],
        sent_at=row["sent_at"],
        carries_credentials=carries_credentials(row["code"]),
        **more,
    )


def _template(row: asyncpg.Record) -> TemplateView:
    source = Source(row["subject"], row["body_html"], row["body_text"])
    return TemplateView(
        code=row["code"],
        name=row["name"],
        source=source,
        updated_at=row["updated_at"],
        updated_by=row["email"] or "",
        is_shipped=source == shipped_source(row["code"]),
    )
