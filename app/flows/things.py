"""What the things on a run's ledger are called, and where they are looked at."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.flows.standing import Taken


class Kept(StrEnum):
    """Where a thing is looked at."""

    SERVER = "server"
    ORDER = "order"
    SERVICE = "service"
    RUN = "run"


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    """What a reference means: of an installation its server, of addresses their order."""

    kept: Kept
    id: UUID
    name: str


_THINGS = """
SELECT id AS key, 'server' AS kept, id, name FROM server WHERE id = ANY($1)
UNION ALL SELECT i.id, 'server', s.id, s.name
FROM installation i JOIN server s ON s.id = i.server WHERE i.id = ANY($1)
UNION ALL SELECT id, 'order', id, 'Order #' || number || ', ' || hostname
FROM client_order WHERE id = ANY($1)
UNION ALL SELECT id, 'service', id, hostname FROM service WHERE id = ANY($1)
UNION ALL SELECT r.id, 'run', r.id, f.name FROM run r JOIN flow_version v ON v.id = r.flow_version
JOIN flow f ON f.id = v.flow WHERE r.id = ANY($1)
"""


async def find_things(tx: Tx, ledger: Sequence[Taken]) -> Mapping[str, Thing]:
    """Return by its reference each thing that has a page; one statement.

    A reference is an id, or ends with one: `proxmox-1 0195…`. What says itself what it is, such as
    a DNS record, has none.
    """
    ids = {one.reference: found for one in ledger if (found := _id_in(one.reference)) is not None}
    rows = await tx.fetch(_THINGS, list(ids.values()))
    things = {row["key"]: msgspec.convert(dict(row), Thing) for row in rows}
    return {reference: things[found] for reference, found in ids.items() if found in things}


def _id_in(reference: str) -> UUID | None:
    try:
        return UUID(reference.rpartition(" ")[2])
    except ValueError:
        return None
