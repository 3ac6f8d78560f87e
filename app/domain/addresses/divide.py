"""Split a prefix into smaller ones, and merge siblings into one: claims move along.

Either everything moves in the transaction of the caller or nothing does. The new prefixes
have ids of their own, so that no process remembers them as they were before.
"""

from collections.abc import Sequence
from ipaddress import collapse_addresses
from uuid import UUID

import asyncpg

from app.core.database import Tx
from app.core.errors import Invalid, NotFound
from app.core.ids import new_id
from app.domain.addresses.errors import CannotDivide
from app.domain.addresses.free import pool_appeared
from app.domain.addresses.index import INDEX
from app.domain.addresses.pools import kind_of, size_of
from app.domain.addresses.reserved import Network, parse_gateway
from app.domain.addresses.structure import change_tree
from app.domain.addresses.write import keep_back
from app.domain.audit.record import record
from app.ipam.prefixes import subnet_at, subnet_count

MOST = 256
"""Prefixes that one split may make."""

SETTINGS = (
    "vrf, status, datacentre, rack, purpose, auto_allocatable, strategy, cooldown_s, note, "
    "vlan_group, vid, forward_zone, reverse_zone, check_first"
)


async def split_prefix(
    tx: Tx, prefix: UUID, length: int, *, actor: UUID | None, actor_label: str
) -> tuple[UUID, ...]:
    """Make the leaf a container of all its subnets of `length`; return their ids, in order.

    The subnets have its settings; the gateway goes to the one that it lies in. Raises NotFound,
    Invalid (length; a gateway that would be a network or broadcast address), CannotDivide when
    it is a container or a block lies in two subnets, InUse when an order has what becomes a
    network or broadcast address. Cost: three statements, and three for each subnet.
    """
    await change_tree(tx)
    row = await _leaf(tx, prefix)
    network: Network = row["network"]
    unit = 32 if network.version == 4 else 64
    if not network.prefixlen < length <= min(unit, network.prefixlen + MOST.bit_length() - 1):
        raise Invalid(
            {"length": f"{network} can be split into 2 to {MOST} parts, at most /{unit}."}
        )
    parts = [subnet_at(network, length, n) for n in range(subnet_count(network, length))]
    size = size_of(parts[0])
    await _refuse_broken_blocks(tx, row, size)
    ids = [new_id() for _ in parts]
    await tx.execute("UPDATE prefix SET status = 'container', gateway = NULL WHERE id = $1", prefix)
    for part_id, part in zip(ids, parts, strict=True):
        gateway = row["gateway"] if row["gateway"] is not None and row["gateway"] in part else None
        await _write(tx, part_id, part, gateway=gateway, like=row)
    await tx.execute(
        "UPDATE address_claim SET scope = ($2::uuid[])[position / $3 + 1], "
        "position = position % $3, seq = seq + 1 WHERE kind = $4 AND scope = $1",
        prefix,
        ids,
        size,
        kind_of(network),
    )
    await _split_reservations(tx, prefix, ids, size)
    for part_id, part in zip(ids, parts, strict=True):
        await keep_back(tx, part_id, part)
    INDEX.forget(prefix)
    tx.publish("addresses", f"prefix:{prefix}")
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="addresses.split",
        subject_kind="prefix",
        subject=prefix,
        before={"network": str(network), "status": row["status"]},
        after={"parts": [str(part) for part in parts], "status": "container"},
    )
    return tuple(ids)


async def merge_prefixes(
    tx: Tx, prefixes: Sequence[UUID], *, actor: UUID | None, actor_label: str
) -> UUID:
    """Make one leaf of leaves that fill a network between them; return its id.

    A container of exactly that network is replaced by it. Raises NotFound, and CannotDivide when
    they do not fill one network, their settings differ, or two of them have a gateway. Raises
    Invalid and InUse when a gateway or an order has what becomes network or broadcast address.
    """
    await change_tree(tx)
    rows = [await _leaf(tx, prefix) for prefix in dict.fromkeys(prefixes)]
    networks = sorted(row["network"] for row in rows)
    merged = list(collapse_addresses(networks)) if len({n.version for n in networks}) == 1 else []
    names = ", ".join(map(str, networks))
    if len(rows) < 2 or len(merged) != 1:
        raise CannotDivide(names, "they do not fill one network together; choose all of its parts")
    settings = [name for name in SETTINGS.split(", ") if name != "note"]
    differing = [name for name in settings if len({row[name] for row in rows}) > 1]
    if differing:
        raise CannotDivide(names, f"they differ in {', '.join(differing)}; make these equal first")
    gateways = [row["gateway"] for row in rows if row["gateway"] is not None]
    if len(gateways) > 1:
        raise CannotDivide(names, "more than one has a gateway; take the others away first")
    network, whole = merged[0], new_id()
    gateway = parse_gateway(network, str(gateways[0]) if gateways else None)
    await tx.execute(
        "DELETE FROM prefix WHERE network = $1 AND vrf IS NOT DISTINCT FROM $2 "
        "AND status = 'container'",
        network,
        rows[0]["vrf"],
    )
    # Until its parts are gone it is a container: leaves may not overlap.
    await _write(tx, whole, network, gateway=None, like=rows[0], status="container")
    unit = 0 if network.version == 4 else 64
    for row in rows:
        moved = (int(row["network"][0]) - int(network[0])) >> unit
        await tx.execute(
            "UPDATE address_claim SET scope = $2, position = position + $3, seq = seq + 1 "
            "WHERE kind = $4 AND scope = $1",
            row["id"],
            whole,
            moved,
            kind_of(network),
        )
        await tx.execute(
            "UPDATE address_reservation SET prefix = $2, first = first + $3, last = last + $3 "
            "WHERE prefix = $1",
            row["id"],
            whole,
            moved,
        )
        INDEX.forget(row["id"])
    await tx.execute("DELETE FROM prefix WHERE id = ANY($1)", [row["id"] for row in rows])
    await tx.execute(
        "UPDATE prefix SET status = $2, gateway = $3 WHERE id = $1",
        whole,
        rows[0]["status"],
        gateway,
    )
    await keep_back(tx, whole, network)
    await pool_appeared(tx, kind_of(network), whole, tx.now().isoformat())
    tx.publish("addresses")
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="addresses.merge",
        subject_kind="prefix",
        subject=whole,
        before={"parts": [str(part) for part in networks]},
        after={"network": str(network)},
    )
    return whole


async def _leaf(tx: Tx, prefix: UUID) -> asyncpg.Record:
    row = await tx.fetchrow(
        f"SELECT id, network, gateway, {SETTINGS} FROM prefix WHERE id = $1", prefix
    )
    if row is None:
        raise NotFound("prefix", prefix)
    if row["status"] == "container":
        raise CannotDivide(str(row["network"]), "it is a container; choose the prefixes in it")
    return row


async def _write(
    tx: Tx,
    prefix: UUID,
    network: Network,
    *,
    gateway: object,
    like: asyncpg.Record,
    status: str | None = None,
) -> None:
    await tx.execute(
        f"INSERT INTO prefix (id, network, gateway, {SETTINGS}) VALUES ($1, $2, $3, $4, $5, $6, "
        "$7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
        prefix,
        network,
        parse_gateway(network, None if gateway is None else str(gateway)),
        *(like[n] if n != "status" or status is None else status for n in SETTINGS.split(", ")),
    )


async def _refuse_broken_blocks(tx: Tx, row: asyncpg.Record, size: int) -> None:
    """Raise CannotDivide unless each block (rows `item` to `item+255`) stays in one prefix."""
    broken = await tx.fetchval(
        "SELECT count(*) FROM (SELECT 1 FROM address_claim WHERE kind = $3 AND scope = $1 "
        "AND holder IS NOT NULL GROUP BY holder, split_part(item, '+', 1) "
        "HAVING min(position / $2) < max(position / $2)) broken",
        row["id"],
        size,
        kind_of(row["network"]),
    )
    if broken:
        raise CannotDivide(
            str(row["network"]),
            f"{broken} orders have a block larger than the parts; use larger ones",
        )


async def _split_reservations(tx: Tx, prefix: UUID, parts: Sequence[UUID], size: int) -> None:
    """Keep in each part what was kept across several."""
    await tx.execute(
        "INSERT INTO address_reservation (id, prefix, first, last, client, purpose, reason, "
        "expires_at, created_at) SELECT gen_random_uuid(), part, "
        "greatest(r.first - (n - 1) * $3::bigint, 0), "
        "least(r.last - (n - 1) * $3::bigint, $3::bigint - 1), r.client, r.purpose, r.reason, "
        "r.expires_at, r.created_at FROM address_reservation r "
        "JOIN unnest($2::uuid[]) WITH ORDINALITY AS p (part, n) "
        "ON r.first < n * $3::bigint AND r.last >= (n - 1) * $3::bigint WHERE r.prefix = $1",
        prefix,
        list(parts),
        size,
    )
    await tx.execute("DELETE FROM address_reservation WHERE prefix = $1", prefix)
