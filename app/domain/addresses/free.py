"""What follows when positions have become free."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

import asyncpg

from app.core.database import Tx
from app.core.outbox import emit
from app.domain.addresses.hints import tell
from app.domain.addresses.index import INDEX
from app.ipam.wants import AddressKind


async def after_freeing(tx: Tx, rows: Sequence[asyncpg.Record]) -> None:
    """Note that claims (`id`, `kind`, `scope`, `position`) are deleted, and wake who waits.

    One outbox row a pool, and a hint to the other processes.
    """
    newest: dict[tuple[UUID, str], int] = {}
    freed: dict[UUID, list[int]] = defaultdict(list)
    for row in rows:
        INDEX.leave(row["scope"], [row["position"]])
        freed[row["scope"]].append(row["position"])
        pool = (row["scope"], row["kind"])
        newest[pool] = max(row["id"], newest.get(pool, 0))
    await tell(tx, freed, took=False)
    for (scope, kind), claim in newest.items():
        await pool_appeared(tx, kind, scope, str(claim))


async def pool_appeared(tx: Tx, kind: str, scope: UUID, event: str) -> None:
    """Tell orders that wait for addresses to look again; `event` is unique in the pool."""
    name = "vlan_group" if kind == AddressKind.vlan else "prefix"
    await emit(tx, "stock.appeared", f"stock.appeared:{name}:{scope}:{event}", {name: str(scope)})
