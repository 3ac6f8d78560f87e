"""Find runs for programs: by what they are about, the latest first, so many at a time."""

import re
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import NotFound
from app.core.paging import containing
from app.domain.accounts.details import normal_email
from app.flows.find import STUCK, rows_where
from app.flows.views import RunRow, RunStatus

_NUMBER = re.compile(r"[0-9]{1,18}")  # as long as a bigint can hold


class RunFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for; what is left out asks for nothing.

    `order` is a number or an id, `client` an e-mail address or an id, `server` a name, a serial
    number or an id, `flow` a slug, `words` a part of a host name or of a flow's name.
    """

    statuses: tuple[RunStatus, ...] = ()
    stuck: bool = False
    flow: str = ""
    order: str = ""
    client: str = ""
    server: str = ""
    words: str = ""


async def search_runs(
    tx: Tx, wanted: RunFilter, *, before: UUID | None, limit: int
) -> tuple[RunRow, ...]:
    """Return runs that began before the run `before`; at most five statements.

    A client, order or server that is not there has no runs.
    """
    asked = (
        ("r.id < ?", before),
        ("r.status = ANY(?)", list(wanted.statuses) or None),
        ("f.slug = ?", wanted.flow or None),
        ("(o.hostname ILIKE ? OR f.name ILIKE ?)", containing(wanted.words.strip())),
        ("r.subject = ANY(?)", await _about_order(tx, wanted.order) if wanted.order else None),
        ("r.subject = ANY(?)", await _about_client(tx, wanted.client) if wanted.client else None),
        ("r.id = ANY(?)", await _with_server(tx, wanted.server) if wanted.server else None),
    )
    given = [(condition, value) for condition, value in asked if value is not None]
    where = [condition.replace("?", f"${i}") for i, (condition, _) in enumerate(given, start=1)]
    if wanted.stuck:
        where.append(STUCK)
    return await rows_where(tx, " AND ".join(where), [value for _, value in given], limit=limit)


async def version_for(tx: Tx, run: UUID, number: int) -> UUID:
    """Return version `number` of the flow that a run is of. Raises NotFound."""
    version: UUID | None = await tx.fetchval(
        "SELECT v.id FROM run r JOIN flow_version mine ON mine.id = r.flow_version "
        "JOIN flow_version v ON v.flow = mine.flow WHERE r.id = $1 AND v.number = $2",
        run,
        number,
    )
    if version is None:
        raise NotFound("version of this run's flow", number)
    return version


async def _about_order(tx: Tx, order: str) -> list[UUID]:
    """Return what runs of an order can be about: itself, its service, its payments."""
    number = order.strip().removeprefix("#")
    rows = await tx.fetch(
        "WITH o AS (SELECT id FROM client_order WHERE id = $1 OR number = $2) "
        "SELECT id FROM o UNION ALL SELECT s.id FROM service s JOIN o ON o.id = s.order "
        "UNION ALL SELECT p.id FROM payment p JOIN invoice i ON i.id = p.invoice "
        "JOIN o ON o.id = i.order",
        _id(number),
        int(number) if _NUMBER.fullmatch(number) else None,
    )
    return [row["id"] for row in rows]


async def _about_client(tx: Tx, client: str) -> list[UUID]:
    rows = await tx.fetch(
        "WITH a AS (SELECT id FROM account WHERE id = $1 OR email = $2) "
        "SELECT o.id FROM client_order o JOIN a ON a.id = o.account "
        "UNION ALL SELECT s.id FROM service s JOIN a ON a.id = s.account "
        "UNION ALL SELECT p.id FROM payment p JOIN invoice i ON i.id = p.invoice "
        "JOIN a ON a.id = i.account",
        _id(client),
        normal_email(client),
    )
    return [row["id"] for row in rows]


async def _with_server(tx: Tx, server: str) -> list[UUID]:
    """Return the runs that took the machine, and those about who has it now."""
    found = await tx.fetchrow(
        "SELECT id, holder FROM server WHERE id = $1 OR name = $2 OR serial = $2",
        _id(server),
        server.strip(),
    )
    if found is None:
        return []
    rows = await tx.fetch(
        "SELECT run AS id FROM run_resource WHERE kind = 'server' AND reference = $1 "
        "UNION SELECT r.id FROM run r JOIN service s ON r.subject IN (s.id, s.order) "
        "WHERE s.server = $2 OR s.id = $3 UNION SELECT id FROM run WHERE subject = $3",
        str(found["id"]),
        found["id"],
        found["holder"],
    )
    return [row["id"] for row in rows]


def _id(text: str) -> UUID | None:
    try:
        return UUID(text.strip())
    except ValueError:
        return None
