"""Claim an address, a /64 or a VLAN id by hand, without an order; `release_by_hand` ends it."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import Invalid, NotFound
from app.domain.addresses.errors import AddressesTaken
from app.domain.addresses.hints import tell
from app.domain.addresses.index import INDEX
from app.domain.addresses.pools import kind_of
from app.domain.addresses.reserved import Network, ends_of
from app.domain.addresses.structure import keep_tree
from app.domain.addresses.text import position_text
from app.domain.addresses.whose import client_words
from app.domain.audit.record import record
from app.ipam.wants import AddressKind

MOST = 256
"""Addresses that one claim by hand may have."""


class HandClaim(msgspec.Struct, frozen=True, kw_only=True):
    """Whose it is to be, and why; one of `client` and `purpose` may be left out."""

    reason: str
    client: UUID | None = None
    purpose: str = ""
    expires_at: datetime | None = None


class Spot(NamedTuple):
    """An address or /64 of a prefix that is to be claimed by hand, as what and why."""

    kind: AddressKind
    prefix: UUID
    position: int
    purpose: str
    reason: str


async def claim_address(
    tx: Tx, prefix: UUID, what: str, claim: HandClaim, *, actor: UUID | None, actor_label: str
) -> tuple[str, ...]:
    """Claim an address, a /64 or a range of a prefix; return each as it is written.

    All or nothing. No order gets it until it is released. What is kept for another client or
    purpose is not given. Raises NotFound, Invalid (`address`, `reason`, `expires_at`) and
    AddressesTaken. Cost: five statements.
    """
    check_terms(tx.now(), claim)
    network = await _leaf(tx, prefix)
    first, last = ends_of(network, what, field="address")
    if last - first >= MOST:
        raise Invalid({"address": f"At most {MOST} at a time; keep a range for more than that."})
    positions = range(first, last + 1)
    if await _kept(tx, prefix, claim, positions):
        raise AddressesTaken(network, [what], why="some of it is kept for another")
    taken = await _insert(tx, kind_of(network), prefix, positions, claim)
    texts = tuple(position_text(kind_of(network), network, one) for one in positions)
    if taken:
        raise AddressesTaken(network, [texts[one - first] for one in taken[:10]])
    await _record(tx, prefix, texts, claim, actor=actor, actor_label=actor_label)
    return texts


async def claim_vlan(
    tx: Tx, group: UUID, vid: int, claim: HandClaim, *, actor: UUID | None, actor_label: str
) -> None:
    """Claim a VLAN id of a group. Raises NotFound, Invalid (`vid`, …) and AddressesTaken."""
    check_terms(tx.now(), claim)
    row = await tx.fetchrow(
        "SELECT name, first_vid, last_vid FROM vlan_group WHERE id = $1 FOR KEY SHARE", group
    )
    if row is None:
        raise NotFound("VLAN group", group)
    if not row["first_vid"] <= vid <= row["last_vid"]:
        raise Invalid({"vid": f"{row['name']} has {row['first_vid']} to {row['last_vid']}."})
    if await _insert(tx, AddressKind.vlan, group, [vid], claim):
        raise AddressesTaken(row["name"], [f"VLAN {vid}"])
    await _record(
        tx, group, (str(vid),), claim, actor=actor, actor_label=actor_label, kind="vlan_group"
    )


async def claim_spots(tx: Tx, spots: Sequence[Spot]) -> None:
    """Claim many at once, for nobody in particular; one that somebody has stays as it is.

    The tree is locked already. Two statements.
    """
    claimed = await tx.fetch(
        "INSERT INTO address_claim (kind, scope, position, state, purpose, reason, seq, "
        "claimed_at) SELECT kind, scope, position, 'reserved', purpose, reason, 1, $6 "
        "FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::text[], $5::text[]) "
        "AS c (kind, scope, position, purpose, reason) ORDER BY kind, scope, position "
        "ON CONFLICT (kind, scope, position) DO NOTHING RETURNING scope, position",
        [spot.kind for spot in spots],
        [spot.prefix for spot in spots],
        [spot.position for spot in spots],
        [spot.purpose for spot in spots],
        [spot.reason for spot in spots],
        tx.now(),
    )
    took: dict[UUID, list[int]] = defaultdict(list)
    for row in claimed:
        took[row["scope"]].append(row["position"])
    for prefix, positions in took.items():
        INDEX.take(prefix, positions)
        tx.publish("addresses", f"prefix:{prefix}")
    await tell(tx, took, took=True)


_FOR_OTHERS = (
    "prefix = $1 AND (expires_at IS NULL OR expires_at > $4) "
    "AND (client IS NULL AND purpose <> $3 OR client IS NOT NULL AND client IS DISTINCT FROM $2)"
)


async def _kept(tx: Tx, prefix: UUID, claim: HandClaim, positions: range) -> bool:
    kept: bool = await tx.fetchval(
        f"SELECT EXISTS (SELECT FROM address_reservation WHERE {_FOR_OTHERS} "
        "AND first <= $6 AND last >= $5)",
        prefix,
        claim.client,
        claim.purpose,
        tx.now(),
        positions[0],
        positions[-1],
    )
    return kept


def check_terms(now: datetime, claim: HandClaim) -> None:
    """Raise Invalid (`reason`, `expires_at`) for terms that nobody may have."""
    if not claim.reason.strip():
        raise Invalid({"reason": "Say what it is for: whoever looks at it in a year will ask."})
    if claim.expires_at is not None and claim.expires_at <= now:
        raise Invalid({"expires_at": "It ends in the past."})


async def _leaf(tx: Tx, prefix: UUID) -> Network:
    await keep_tree(tx)
    network: Network | None = await tx.fetchval(
        "SELECT network FROM prefix WHERE id = $1 AND status <> 'container'", prefix
    )
    if network is None:
        raise NotFound("prefix that addresses are given out of", prefix)
    return network


class _TakenError(Exception):
    """Undoes the savepoint; others have `positions`."""

    def __init__(self, positions: list[int]) -> None:
        super().__init__()
        self.positions = positions


async def _insert(
    tx: Tx, kind: AddressKind, scope: UUID, positions: Sequence[int], claim: HandClaim
) -> list[int]:
    """Insert all, or none and return those that others have."""
    try:
        async with tx.savepoint():
            rows = await tx.fetch(
                "INSERT INTO address_claim (kind, scope, position, state, client, purpose, reason, "
                "seq, expires_at, claimed_at) SELECT $1, $2, position, 'reserved', $4, $5, $6, 1, "
                "$7, $8 FROM unnest($3::bigint[]) AS c (position) ORDER BY position "
                "ON CONFLICT (kind, scope, position) DO NOTHING RETURNING position",
                kind,
                scope,
                list(positions),
                claim.client,
                claim.purpose,
                claim.reason,
                claim.expires_at,
                tx.now(),
            )
            _require_all({row["position"] for row in rows}, positions)
    except _TakenError as error:
        return error.positions
    await tell(tx, {scope: list(positions)}, took=True)
    return []


def _require_all(won: set[int], positions: Sequence[int]) -> None:
    if len(won) < len(positions):
        raise _TakenError(sorted(set(positions) - won))


def claim_facts(texts: Sequence[str], claim: HandClaim, client: str | None) -> dict[str, object]:
    """Return what the audit trail says of a claim; `client` in words."""
    return {
        "addresses": ", ".join(texts[:10]) + (" …" if len(texts) > 10 else ""),
        "client": client,
        "purpose": claim.purpose,
        "expires_at": claim.expires_at,
    }


async def _record(
    tx: Tx,
    scope: UUID,
    texts: Sequence[str],
    claim: HandClaim,
    *,
    actor: UUID | None,
    actor_label: str,
    kind: str = "prefix",
) -> None:
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="addresses.claim",
        subject_kind=kind,
        subject=scope,
        before={},
        after=claim_facts(texts, claim, await client_words(tx, claim.client)),
        reason=claim.reason,
    )
    tx.publish("addresses", f"prefix:{scope}")
