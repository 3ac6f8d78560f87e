"""The free servers as the solver reads them."""

from typing import NamedTuple
from uuid import UUID

from app.core.database import Tx
from app.core.kept import Kept
from app.solver.inventory import DiskFacts, Equivalence, Inventory, ServerFacts, inventory_of
from app.solver.want import DiskKind

_SERVERS = """
SELECT s.id, s.name, s.seq, d.code AS datacentre, r.name AS rack, c.name AS cpu_model,
       c.cores * s.cpu_count AS cores, s.ram_gb, s.raid_controller, s.power_draw_watts,
       s.feeds,
       coalesce(k.disks, '') AS disks
FROM server s JOIN rack r ON r.id = s.rack JOIN datacentre d ON d.id = r.datacentre
JOIN cpu_model c ON c.id = s.cpu_model
LEFT JOIN (
    SELECT server, string_agg(kind || ' ' || capacity_gb || ' ' || quantity, ','
                              ORDER BY kind, capacity_gb, quantity) AS disks
    FROM disk WHERE server IN (SELECT id FROM server WHERE state = 'available' OR holder = $1)
    GROUP BY server
) k ON k.server = s.id
WHERE s.state = 'available' OR s.holder = $1
"""
_EQUIVALENCES = """
SELECT e."group", w.name AS wanted, i.name AS stand_in, e.cost
FROM cpu_equivalence e JOIN cpu_model w ON w.id = e.wanted JOIN cpu_model i ON i.id = e.stand_in
ORDER BY e."group", w.name, i.name
"""
# `ctid` and `xmin` name a version of a row: together they change with whatever is written. All
# disks are looked at: to find those of free servers would take longer.
_PRINT = """
WITH free AS (SELECT id, ctid, xmin FROM server WHERE state = 'available' OR holder = $1)
SELECT
    (SELECT (bit_xor(uuid_hash_extended(id, 0)),
             bit_xor(hashtidextended(ctid, xmin::text::bigint)))::text FROM free),
    (SELECT bit_xor(hashtidextended(ctid, xmin::text::bigint)) FROM disk),
    (SELECT bit_xor(hashtidextended(ctid, xmin::text::bigint)) FROM rack),
    (SELECT string_agg(id::text || ctid || xmin, '' ORDER BY id) FROM datacentre),
    (SELECT string_agg(id::text || ctid || xmin, '' ORDER BY id) FROM cpu_model),
    (SELECT string_agg(id::text || ctid || xmin, '' ORDER BY id) FROM cpu_equivalence)
"""
KEPT = 4
"""Readings that are kept in this process, the latest ones."""


class Available(NamedTuple):
    """What can be sold at this moment."""

    inventory: Inventory
    seqs: dict[UUID, int]
    """What `seq` each server had when it was read: a hold compares it."""


async def read_available(tx: Tx, holder: UUID | None = None) -> Available:
    """Return every free server with its disks and place, and which CPU may stand in for which.

    With `holder` that order's own server is among them, as if it were free. While nothing at all
    is written it costs one short statement. After that one statement tells whether the stock is
    what this process read last, about 0.3 µs a free server; if not, two more read it, about 8 µs a
    free server, most of it in Python (80 ms for 10,000).
    """
    return await _latest.get(tx, holder, lambda: _compared(tx, holder))


async def _compared(tx: Tx, holder: UUID | None) -> Available:
    seen = tuple(await tx.fetchrow(_PRINT, holder) or ())
    if seen not in _kept:
        read = await _read(tx, holder)
        # Written between the two statements: what was read is newer than what was seen.
        if tuple(await tx.fetchrow(_PRINT, holder) or ()) != seen:
            return read
        while len(_kept) >= KEPT:
            del _kept[next(iter(_kept))]
        _kept[seen] = read
    return _kept[seen]


_kept: dict[tuple[object, ...], Available] = {}
_latest = Kept[Available](KEPT)


async def _read(tx: Tx, holder: UUID | None) -> Available:
    rows = await tx.fetch(_SERVERS, holder)
    sets: dict[str, tuple[DiskFacts, ...]] = {}
    facts = []
    for row in rows:
        written = row["disks"]
        if written not in sets:
            sets[written] = _disks(written)
        facts.append(
            ServerFacts(
                id=row["id"],
                name=row["name"],
                datacentre=row["datacentre"],
                rack=row["rack"],
                cpu_model=row["cpu_model"],
                cores=row["cores"],
                ram_gb=row["ram_gb"],
                disks=sets[written],
                raid_controller="hardware" if row["raid_controller"] else None,
                power_watts=row["power_draw_watts"],
                feeds=row["feeds"],
            )
        )
    links = await tx.fetch(_EQUIVALENCES)
    groups: dict[str, dict[str, None]] = {}
    for link in links:
        groups.setdefault(link["group"], {}).update({link["wanted"]: None, link["stand_in"]: None})
    inventory = inventory_of(
        facts,
        equivalences=[
            Equivalence(link["wanted"], link["stand_in"], link["cost"]) for link in links
        ],
        groups={name: tuple(members) for name, members in groups.items()},
    )
    return Available(inventory, {row["id"]: row["seq"] for row in rows})


def _disks(written: str) -> tuple[DiskFacts, ...]:
    """Read `nvme 960 2,hdd 8000 4` back."""
    return tuple(
        DiskFacts(DiskKind(kind), int(capacity_gb), int(count))
        for kind, capacity_gb, count in (disk.split() for disk in written.split(",") if disk)
    )
