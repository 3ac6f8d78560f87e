"""What a run that a person starts may be about: looked for by number, name or id."""

from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import Invalid
from app.core.paging import containing
from app.flows.node import Subject

ABOUT = "about"
MOST = 20

_WHERE = (
    "($1::bigint IS NULL OR o.number = $1) AND ($2::uuid IS NULL OR x.id = $2) "
    "AND ($3::text IS NULL OR o.hostname ILIKE $3 OR a.email ILIKE $3) "
)
_ORDERS = (
    "SELECT x.id, '#' || o.number || ' ' || o.hostname AS words, "
    "o.state || ', ' || a.email AS detail "
    "FROM client_order x JOIN client_order o ON o.id = x.id JOIN account a ON a.id = o.account "
    f"WHERE {_WHERE} ORDER BY o.number DESC LIMIT $4"
)
_SERVICES = (
    "SELECT x.id, '#' || o.number || ' ' || x.hostname AS words, "
    "x.state || ', ' || a.email AS detail "
    'FROM service x JOIN client_order o ON o.id = x."order" JOIN account a ON a.id = x.account '
    f"WHERE {_WHERE} ORDER BY o.number DESC LIMIT $4"
)
_PAYMENTS = (
    "SELECT x.id, '#' || o.number || ' ' || x.gateway || ' ' || x.gateway_ref AS words, "
    "x.state || ', ' || a.email AS detail "
    'FROM payment x JOIN invoice i ON i.id = x.invoice JOIN client_order o ON o.id = i."order" '
    "JOIN account a ON a.id = o.account "
    f"WHERE {_WHERE} ORDER BY x.created_at DESC LIMIT $4"
)
_LOOKS = {
    Subject.ORDER: _ORDERS,
    Subject.SERVICE: _SERVICES,
    Subject.PAYMENT: _PAYMENTS,
}


class SubjectRow(msgspec.Struct, frozen=True):
    """An order, service or payment; `words` begin with the order's number and find it again."""

    id: UUID
    words: str
    detail: str


async def find_subjects(tx: Tx, kind: Subject, words: str) -> tuple[SubjectRow, ...]:
    """Return the latest 20 of a kind that `words` may mean: `#1042`, an id, a part of a name.

    `#1042 web-1.example.org` is looked for by the number alone, so that what is returned here
    finds itself. All of them for "". One statement.
    """
    number, id_, pattern = _read(words.strip())
    rows = await tx.fetch(_LOOKS[kind], number, id_, pattern, MOST)
    return tuple(SubjectRow(row["id"], row["words"], row["detail"]) for row in rows)


async def require_subject(tx: Tx, kind: Subject, words: str) -> UUID:
    """Return the one that is meant. Raises Invalid on `about` when none or several are."""
    if not words.strip():
        raise Invalid({ABOUT: f"Runs of this flow are about one {kind}: choose it."})
    found = await find_subjects(tx, kind, words)
    exact = [one for one in found if one.words == words.strip()] or found
    if not exact:
        raise Invalid({ABOUT: f"There is no {kind} like this; give its order's number or its id."})
    if len(exact) > 1:
        raise Invalid({ABOUT: f"{len(exact)} or more may be meant; choose one of them."})
    return exact[0].id


def _read(words: str) -> tuple[int | None, UUID | None, str | None]:
    first = words.split(" ", 1)[0].removeprefix("#")
    if first.isascii() and first.isdigit() and len(first) < 19:
        return int(first), None, None
    try:
        return None, UUID(words), None
    except ValueError:
        return None, None, containing(words) if words else None
