"""Claim addresses, networks and a VLAN for an order: all of them or nothing."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from app.core.database import Tx
from app.domain.addresses.choose import Chosen, Place, choose_positions, give_back
from app.domain.addresses.errors import PoolExhausted
from app.domain.addresses.find import addresses_of
from app.domain.addresses.index import INDEX
from app.domain.addresses.keep import kept_from
from app.domain.addresses.pools import Pool, pools_at
from app.domain.addresses.states import TAKEN
from app.domain.addresses.structure import keep_tree
from app.domain.addresses.views import Claimed, Ip4, Ip6Net
from app.ipam.wants import AddressWant

__all__ = ["Claimed", "Ip4", "Ip6Net", "PoolExhausted", "claim"]

TRIES = 12
SPREAD_AFTER = 2
QUEUE_AFTER = 5


async def claim(
    tx: Tx,
    wants: Sequence[AddressWant],
    *,
    holder: UUID,
    datacentre: str,
    rack: str | None,
    expires_at: datetime | None,
) -> Claimed:
    """Return all that the order has, after claiming what it did not have of `wants`.

    `datacentre` is a code, `rack` a name; pools of other racks are not looked at. New claims
    are held until `expires_at`, or for good when None; claims that the order has already
    answer for their item, their expiry put off or dropped and never brought forward.
    All or nothing: positions are chosen in the index of this process and inserted by one
    statement, sorted so that orders never wait for each other in a circle. If another process
    was first, that is marked and tried again; after `SPREAD_AFTER` losses in random places,
    after `QUEUE_AFTER` one order at a time.
    Cost: nine statements when nothing is contended. Raises PoolExhausted with nothing claimed.
    """
    await keep_tree(tx)
    client = await tx.fetchval("SELECT account FROM client_order WHERE id = $1", holder)
    place = Place(datacentre, rack)
    for attempt in range(TRIES):
        claimed = await _keep(tx, holder, expires_at)
        missing = [want for want in wants if want.item not in claimed]
        if not missing:
            break
        if attempt == QUEUE_AFTER:
            await tx.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"addresses:{datacentre}"
            )
        kinds = {want.kind for want in missing}
        pools = {
            key: pool
            for key, pool in (await pools_at(tx, datacentre, rack)).items()
            if pool.kind in kinds
        }
        chosen = await _choose(
            tx,
            pools,
            missing,
            place=place,
            claimed=claimed,
            client=client,
            spread=attempt > SPREAD_AFTER,
        )
        if await _insert(tx, chosen, holder, client, expires_at):
            tx.publish(f"order:{holder}")
            break
    else:
        raise PoolExhausted(
            missing[0].item,
            kind=missing[0].kind,
            purpose=missing[0].purpose,
            datacentre=datacentre,
            rack=rack,
            wanted=len(missing),
            free=sum(INDEX.space(pool).free_count for pool in pools),
            pools=len(pools),
        )
    return await addresses_of(tx, holder)


async def _keep(tx: Tx, holder: UUID, expires_at: datetime | None) -> dict[str, UUID]:
    """Put the expiry of what the order has off; return the pool of each item."""
    rows = await tx.fetch(
        "UPDATE address_claim SET expires_at = CASE WHEN $2::timestamptz IS NOT NULL "
        "AND expires_at IS NOT NULL THEN greatest(expires_at, $2) END "
        "WHERE holder = $1 AND state = ANY($3) RETURNING item, scope",
        holder,
        expires_at,
        list(TAKEN),
    )
    return {row["item"]: row["scope"] for row in rows}


async def _choose(
    tx: Tx,
    pools: Mapping[UUID, Pool],
    wants: Sequence[AddressWant],
    *,
    place: Place,
    claimed: Mapping[str, UUID],
    client: UUID | None,
    spread: bool,
) -> list[Chosen]:
    """Choose by what this process knows, and read the claims anew before saying no."""
    kept = await kept_from(tx, pools, client)
    choose = partial(
        choose_positions,
        INDEX,
        pools,
        wants,
        place=place,
        claimed=claimed,
        spread=spread,
        kept=kept,
    )
    await INDEX.refresh(tx, pools.values())
    try:
        return choose()
    except PoolExhausted:
        await INDEX.refresh(tx, pools.values(), whole=True)
        return choose()


class _Lost(Exception):
    """Another transaction has a position; undoes the savepoint. `won` are the others."""

    def __init__(self, won: set[tuple[UUID, int]]) -> None:
        super().__init__()
        self.won = won


async def _insert(
    tx: Tx,
    chosen: Sequence[Chosen],
    holder: UUID,
    client: UUID | None,
    expires_at: datetime | None,
) -> bool:
    """Insert all rows, or none and return False; then only those that were free are so again."""
    try:
        async with tx.savepoint():
            await _insert_all(tx, chosen, holder, client, expires_at)
    except _Lost as lost:
        give_back(INDEX, [row for row in chosen if (row.scope, row.position) in lost.won])
        return False
    except BaseException:
        give_back(INDEX, chosen)
        raise
    return True


async def _insert_all(
    tx: Tx,
    chosen: Sequence[Chosen],
    holder: UUID,
    client: UUID | None,
    expires_at: datetime | None,
) -> None:
    rows = await tx.fetch(
        "INSERT INTO address_claim (kind, scope, position, state, holder, item, purpose, "
        "seq, expires_at, claimed_at, client) SELECT kind, scope, position, 'held', $6, item, "
        "purpose, 1, $7, $8, $9 FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::text[], "
        "$5::text[]) AS c (kind, scope, position, item, purpose) "
        "ORDER BY kind, scope, position ON CONFLICT DO NOTHING RETURNING scope, position",
        [row.kind for row in chosen],
        [row.scope for row in chosen],
        [row.position for row in chosen],
        [row.item for row in chosen],
        [row.purpose for row in chosen],
        holder,
        expires_at,
        tx.now(),
        client,
    )
    if len(rows) < len(chosen):
        raise _Lost({(row["scope"], row["position"]) for row in rows})
