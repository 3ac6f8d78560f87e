"""Look at what an order is about to get, and set aside what is in use already.

The claim is made first and committed, so that nobody else looks at the same addresses; then they
are looked at (`jobs/check_addresses.py`), outside of any transaction.
"""

from collections.abc import Collection, Mapping
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.outbox import emit
from app.domain.addresses.find import addresses_of
from app.domain.addresses.free import after_freeing
from app.domain.addresses.states import TAKEN, ClaimState
from app.ipam.reverse import reverse_name

SHORTEST_ASIDE = timedelta(hours=1)
"""How long an address that answered is not tried again, where the cool-down is shorter."""


class Unchecked(msgspec.Struct, frozen=True, kw_only=True):
    """An address that an order has and that nobody looked at yet; of a /64, the machine's own."""

    claim: int
    address: IPv4Address | IPv6Address
    prefix: str
    name: str
    """Of its PTR record."""


class SetAside(msgspec.Struct, frozen=True):
    """An address that was found in use, and how."""

    address: str
    reason: str


async def unchecked(tx: Tx, order: UUID) -> tuple[Unchecked, ...]:
    """Return what the order is to get of prefixes that are looked at first; two statements.

    Never what was handed out before: there the client's own machine answers.

    Of an IPv6 network that is several /64s, only the first stands for all.
    """
    rows = await tx.fetch(
        "SELECT c.id, c.item, p.network, p.reverse_zone FROM address_claim c "
        "JOIN prefix p ON p.id = c.scope WHERE c.holder = $1 AND c.state = ANY($2) "
        "AND c.checked_at IS NULL AND p.check_first ORDER BY c.id",
        order,
        list(TAKEN),
    )
    if not rows:
        return ()
    claimed = await addresses_of(tx, order)
    addresses: dict[str, IPv4Address | IPv6Address] = {
        **{ip4.item: ip4.address for ip4 in claimed.ip4},
        **{net.item: net.host_address for net in claimed.ip6},
    }
    return tuple(
        Unchecked(
            claim=row["id"],
            address=addresses[row["item"]],
            prefix=str(row["network"]),
            name=reverse_name(addresses[row["item"]], row["network"], row["reverse_zone"]),
        )
        for row in rows
        if row["item"] in addresses
    )


async def ask_for_check(tx: Tx, order: UUID, looked_at: Collection[Unchecked]) -> None:
    """Have a worker look at the addresses after the commit; at the same ones once."""
    key = f"addresses.check:{order}:{max(one.claim for one in looked_at)}"
    await emit(tx, "addresses.check", key, {"order": str(order)})


async def settle_check(
    tx: Tx, order: UUID, looked_at: Collection[Unchecked], in_use: Mapping[int, str]
) -> None:
    """Note what was seen: claims `in_use`, with the reason, are set aside; the others pass.

    A block with one address in use is given back whole: the order gets another. Idempotent, and
    nothing happens to what the order does not have any more. Staff are told of each.
    """
    # As the step does that claims for the order: neither waits for a claim that the other has.
    await tx.execute("SELECT FROM client_order WHERE id = $1 FOR NO KEY UPDATE", order)
    roots = []
    for one in looked_at:
        if (reason := in_use.get(one.claim)) is not None:
            root = await _set_aside(tx, order, one, reason)
            roots += [] if root is None else [root]
    freed = await tx.fetch(
        "DELETE FROM address_claim WHERE holder = $1 AND checked_at IS NULL "
        "AND split_part(item, '+', 1) = ANY($2) RETURNING id, kind, scope, position",
        order,
        roots,
    )
    await after_freeing(tx, freed)
    await tx.execute(
        "UPDATE address_claim SET checked_at = $3 WHERE holder = $1 AND id = ANY($2)",
        order,
        [one.claim for one in looked_at],
        tx.now(),
    )
    tx.publish(f"order:{order}", "addresses")


async def _set_aside(tx: Tx, order: UUID, one: Unchecked, reason: str) -> str | None:
    """Quarantine the claim; return the item that it was a part of, None if it is gone."""
    item: str | None = await tx.fetchval(
        "UPDATE address_claim c SET state = $3, holder = NULL, client = NULL, reason = $4, "
        "seq = seq + 1, expires_at = $5::timestamptz + greatest(make_interval(secs => "
        "(SELECT p.cooldown_s FROM prefix p WHERE p.id = c.scope)), $6) "
        "WHERE id = $1 AND holder = $2 AND checked_at IS NULL RETURNING item",
        one.claim,
        order,
        ClaimState.quarantined,
        reason,
        tx.now(),
        SHORTEST_ASIDE,
    )
    if item is None:
        return None
    await emit(
        tx,
        "admin.notice",
        f"admin.notice:address-in-use:{one.claim}",
        {
            "kind": "address.in_use",
            "subject": str(one.address),
            "title": f"{one.address} is in use and belongs to nobody",
            "text": f"Before it was handed out, {one.address} of {one.prefix} was looked at: "
            f"{reason}. It is set aside and another one is taken. Find out who uses it; it is "
            "looked at again when its cool-down ends.",
        },
    )
    return item.partition("+")[0]


async def hand_out(tx: Tx, order: UUID) -> None:
    """Note that all that the order has is its machine's from here on, and not looked at again."""
    await tx.execute(
        "UPDATE address_claim SET checked_at = $2 WHERE holder = $1 AND checked_at IS NULL",
        order,
        tx.now(),
    )


async def set_aside_of(tx: Tx, claims: Collection[int]) -> tuple[SetAside, ...]:
    """Return those of the claims that were set aside, in the order of their making."""
    rows = await tx.fetch(
        "SELECT host(claimed_network(c.kind, p.network, c.position)) AS address, "
        "c.reason FROM address_claim c JOIN prefix p ON p.id = c.scope WHERE c.id = ANY($1) "
        "AND c.state = 'quarantined' AND c.reason <> '' ORDER BY c.id",
        list(claims),
    )
    return tuple(SetAside(row["address"], row["reason"]) for row in rows)
