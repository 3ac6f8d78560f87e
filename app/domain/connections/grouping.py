"""Groups of providers that stand for each other: how much each takes, and which take none."""

import re
from collections.abc import Iterable
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import Invalid, NotFound
from app.core.ids import new_id
from app.core.outbox import emit
from app.domain.audit.record import record
from app.domain.connections.errors import ConnectionHasMachines

GROUP = "@"
"""Begins the name of a group where a connection could be named: `@fra`."""
LEAST, USUAL, MOST = 1, 100, 1_000
_NAME = re.compile(r"([a-z0-9][a-z0-9-]{0,62})?")


class Member(msgspec.Struct, frozen=True):
    """A provider that new machines may be made at."""

    connection: str
    weight: int
    is_draining: bool


async def members_of(tx: Tx, names: Iterable[str]) -> dict[str, tuple[Member, ...]]:
    """Return the providers that each name stands for: itself, or those of the group `@name`.

    Those that are drained are among them. One statement.
    """
    wanted = list(dict.fromkeys(names))
    rows = await tx.fetch(
        "SELECT x.name, c.name AS connection, c.weight, c.draining_since IS NOT NULL AS drained "
        "FROM unnest($1::text[]) AS x (name) JOIN connection c "
        "ON c.name = x.name OR (c.in_group <> '' AND '@' || c.in_group = x.name) ORDER BY 1, 2",
        wanted,
    )
    found: dict[str, tuple[Member, ...]] = dict.fromkeys(wanted, ())
    for row in rows:
        member = Member(row["connection"], row["weight"], row["drained"])
        found[row["name"]] += (member,)
    return found


async def groups(tx: Tx) -> tuple[str, ...]:
    """Return the groups that there are, as places name them."""
    rows = await tx.fetch(
        "SELECT DISTINCT '@' || in_group AS name FROM connection WHERE in_group <> '' ORDER BY 1"
    )
    return tuple(row["name"] for row in rows)


async def set_group(
    tx: Tx, connection: UUID, *, group: str, weight: int, actor: UUID | None, actor_label: str
) -> None:
    """Put a connection into a group ("" for none), and say how much it takes beside the others.

    Raises Invalid, NotFound, and ConnectionHasMachines where products name the group that it
    would be the last to leave.
    """
    faults = {}
    if _NAME.fullmatch(group) is None:
        faults["group"] = "Small letters, digits and hyphens, at most 63."
    if not LEAST <= weight <= MOST:
        faults["weight"] = f"A number from {LEAST} to {MOST:,}."
    if faults:
        raise Invalid(faults)
    before = await tx.fetchrow(
        "SELECT name, in_group, weight FROM connection WHERE id = $1 FOR NO KEY UPDATE", connection
    )
    if before is None:
        raise NotFound("connection", connection)
    if (before["in_group"], before["weight"]) == (group, weight):
        return
    if before["in_group"] != group:
        await require_others(tx, connection, before["name"], before["in_group"])
    await tx.execute(
        "UPDATE connection SET in_group = $2, weight = $3 WHERE id = $1", connection, group, weight
    )
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="connection.grouped",
        subject_kind="connection",
        subject=connection,
        before={"group": before["in_group"], "weight": before["weight"]},
        after={"group": group, "weight": weight},
    )
    await _look_again(tx, connection)


async def require_others(tx: Tx, connection: UUID, name: str, group: str) -> None:
    """Refuse to take the last connection out of a group that products name."""
    if not group:
        return
    products = await tx.fetch(
        "SELECT DISTINCT p.name FROM product p, "
        "jsonb_array_elements(p.machine_rules->'places') place "
        "WHERE place->>'connection' = '@' || $1 AND NOT EXISTS "
        "(SELECT FROM connection WHERE in_group = $1 AND id <> $2) ORDER BY 1",
        group,
        connection,
    )
    if products:
        names = ", ".join(row["name"] for row in products)
        why = f"it is the last of {GROUP}{group}, where machines of {names} are made"
        raise ConnectionHasMachines(name, why)


async def drain(
    tx: Tx, connection: UUID, *, actor: UUID | None, actor_label: str, reason: str
) -> None:
    """Have no new machine made there; those that are there, or planned, are not touched."""
    await _switch(tx, connection, to_drain=True, actor=actor, actor_label=actor_label, why=reason)


async def take_up(
    tx: Tx, connection: UUID, *, actor: UUID | None, actor_label: str, reason: str = ""
) -> None:
    """Have machines made there again; orders that wait for room look at once."""
    await _switch(tx, connection, to_drain=False, actor=actor, actor_label=actor_label, why=reason)


async def _switch(
    tx: Tx, connection: UUID, *, to_drain: bool, actor: UUID | None, actor_label: str, why: str
) -> None:
    row = await tx.fetchrow(
        "SELECT draining_since FROM connection WHERE id = $1 FOR NO KEY UPDATE", connection
    )
    if row is None:
        raise NotFound("connection", connection)
    if (row["draining_since"] is not None) is to_drain:
        return
    await tx.execute(
        "UPDATE connection SET draining_since = $2 WHERE id = $1",
        connection,
        tx.now() if to_drain else None,
    )
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="connection.drained" if to_drain else "connection.taken_up",
        subject_kind="connection",
        subject=connection,
        before={},
        after={},
        reason=why,
    )
    await _look_again(tx, connection)


async def _look_again(tx: Tx, connection: UUID) -> None:
    await emit(tx, "stock.appeared", f"stock.appeared:group:{new_id()}", {"of": str(connection)})
    tx.publish("connections", "machines")
