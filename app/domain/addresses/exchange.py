"""Give an order another address than it has: the one that a provider chose for it."""

from ipaddress import IPv4Address
from uuid import UUID

import asyncpg
import msgspec

from app.core.database import Tx
from app.core.errors import Refusal
from app.domain.addresses.free import after_freeing
from app.domain.addresses.hints import tell
from app.domain.addresses.index import INDEX
from app.ipam.wants import PRIMARY_IP4


class NotOurs(Refusal):
    """A provider chose an address that is in no prefix, or another's."""

    code = "ipam.not_ours"

    def __init__(self, address: IPv4Address, reason: str) -> None:
        super().__init__(
            f"The provider chose {address} for the machine, which {reason}. Have the same range in "
            "its address pool and in a prefix here, and nobody else take from it."
        )
        self.address = address
        self.reason = reason


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """Where an address stands: its prefix and position, and its claim if it has one."""

    scope: UUID
    position: int
    id: int | None
    state: str = ""
    holder: UUID | None = None


_TARGET = """
SELECT p.id AS scope, $1::inet - host(p.network)::inet AS position, c.id, coalesce(c.state, '')
    AS state, c.holder
FROM prefix p LEFT JOIN address_claim c ON c.kind = 'ip4' AND c.scope = p.id
    AND c.position = $1::inet - host(p.network)::inet
WHERE p.network >>= $1::inet AND p.status <> 'container' AND p.vrf IS NOT DISTINCT FROM (
    SELECT q.vrf FROM address_claim m JOIN prefix q ON q.id = m.scope
    WHERE m.holder = $2 AND m.item = $3)
ORDER BY masklen(p.network) DESC LIMIT 1
"""
_GIVEN = "holder, client, item, purpose, state, expires_at"


async def stands(tx: Tx, holder: UUID, address: IPv4Address) -> Claimed:
    """Return how an address stands, in the address space of the order's own. Raises NotOurs.

    Who exchanges addresses does so alone until this transaction ends.
    """
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended('exchange', 0))")
    row = await tx.fetchrow(_TARGET, address, holder, PRIMARY_IP4)
    if row is None:
        raise NotOurs(address, "is in no prefix")
    return msgspec.convert(dict(row), Claimed)


async def exchange(
    tx: Tx, holder: UUID, address: IPv4Address, target: Claimed, item: str = PRIMARY_IP4
) -> None:
    """Make `address` the order's `item`; its own goes to whoever has that, or is free.

    `target` is how it stands, and whoever has it must be able to do with another.
    """
    if target.state == "reserved":
        raise NotOurs(address, "is kept back here")
    mine = await tx.fetchrow(
        f"SELECT id, scope, {_GIVEN} FROM address_claim WHERE holder = $1 AND item = $2 FOR UPDATE",
        holder,
        item,
    )
    if mine is None:
        raise NotOurs(address, "is for an order that has no address")
    if mine["id"] == target.id:
        return
    await tx.execute("UPDATE address_claim SET item = item || '-' WHERE id = $1", mine["id"])
    if target.id is None:
        await _claim(tx, target, mine)
        await _free(tx, mine["id"])
    elif target.holder is None:  # in its cool-down, which the provider knows nothing of
        await _give(tx, target.id, mine)
        await _free(tx, mine["id"])
    else:
        theirs = await tx.fetchrow(
            f"SELECT id, scope, {_GIVEN} FROM address_claim WHERE id = $1 FOR UPDATE", target.id
        )
        await _give(tx, target.id, mine)
        await _give(tx, mine["id"], theirs)
        tx.publish(f"order:{target.holder}", "addresses")
    tx.publish(f"order:{holder}", "addresses")


async def _give(tx: Tx, claim: int, to: asyncpg.Record) -> None:
    await tx.execute(
        "UPDATE address_claim SET holder = $2, client = $3, item = $4, purpose = $5, state = $6, "
        "expires_at = $7, reason = '', seq = seq + 1 WHERE id = $1",
        claim,
        *(to[name] for name in ("holder", "client", "item", "purpose", "state", "expires_at")),
    )


async def _claim(tx: Tx, target: Claimed, to: asyncpg.Record) -> None:
    await tx.execute(
        "INSERT INTO address_claim (kind, scope, position, state, holder, client, item, purpose, "
        "expires_at, seq, claimed_at) VALUES ('ip4', $1, $2, $3, $4, $5, $6, $7, $8, 1, $9)",
        target.scope,
        target.position,
        to["state"],
        to["holder"],
        to["client"],
        to["item"],
        to["purpose"],
        to["expires_at"],
        tx.now(),
    )
    INDEX.take(target.scope, [target.position])
    await tell(tx, {target.scope: [target.position]}, took=True)


async def _free(tx: Tx, claim: int) -> None:
    """Free an address that no machine ever had."""
    gone = await tx.fetch(
        "DELETE FROM address_claim WHERE id = $1 RETURNING id, kind, scope, position", claim
    )
    await after_freeing(tx, gone)
