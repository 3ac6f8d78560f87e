"""Write prefixes down as they are to be, with the claims that keep back what nobody may have."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import Invalid
from app.core.ids import new_id
from app.domain.addresses.draft import Draft, draft_of, read_names
from app.domain.addresses.errors import CannotDivide, InUse, PrefixOverlaps
from app.domain.addresses.free import after_freeing, pool_appeared
from app.domain.addresses.index import INDEX
from app.domain.addresses.pools import kind_of
from app.domain.addresses.reserved import Network, reserved_positions
from app.domain.addresses.seed import PrefixSeed
from app.domain.addresses.states import PrefixStatus
from app.domain.addresses.text import position_text

KeptBack: TypeAlias = Mapping[int, str]
"""What each position that a prefix keeps back is for: network, broadcast, gateway, reserved."""


async def write_prefix(tx: Tx, known: UUID | None, prefix: PrefixSeed) -> UUID:
    """Write the prefix, new or `known`, and return its id; the tree is locked already.

    Its network and VRF are those of `known`. Raises Invalid (by field), PrefixOverlaps,
    CannotDivide when what becomes a container has claims, and InUse when an order has what is
    to be kept back. Orders that wait for addresses look again.
    """
    before = await tx.fetchval("SELECT status FROM prefix WHERE id = $1", known)
    names = await read_names(tx, [prefix])
    draft = draft_of(prefix, known or new_id(), names, before=before)
    await _refuse_overlap(tx, draft)
    if known is not None and draft.is_container and before != PrefixStatus.container:
        await _refuse_to_contain(tx, draft)
    await write_drafts(tx, [draft])
    return draft.id


async def write_drafts(tx: Tx, drafts: Sequence[Draft]) -> None:
    """Write prefixes that may stand beside each other, containers before what they hold.

    The tree is locked already. Raises InUse when orders have what is to be kept back. Orders that
    wait for addresses look again, once. Cost: seven statements, however many prefixes.
    """
    if not drafts:
        return
    columns = ", ".join(drafts[0].columns)
    rows = [{"id": draft.id, **draft.columns} for draft in drafts]
    await tx.execute(
        f"INSERT INTO prefix (id, {columns}) SELECT id, {columns} "
        "FROM jsonb_populate_recordset(NULL::prefix, $1::jsonb) "
        f"ON CONFLICT (id) DO UPDATE SET ({columns}) = "
        f"({', '.join(f'excluded.{name}' for name in drafts[0].columns)})",
        msgspec.json.encode(rows, enc_hook=str).decode(),
    )
    await reserve(tx, {draft.id: (draft.network, draft.kept_back) for draft in drafts})
    for draft in drafts:
        INDEX.doubt(draft.id)
    first = drafts[0]
    await pool_appeared(tx, kind_of(first.network), first.id, tx.now().isoformat())
    tx.publish("addresses", *(f"prefix:{draft.id}" for draft in drafts))


async def _refuse_overlap(tx: Tx, draft: Draft) -> None:
    """Raise PrefixOverlaps unless, of any two prefixes that overlap, the larger is a container."""
    others = await tx.fetch(
        "SELECT network FROM prefix WHERE vrf IS NOT DISTINCT FROM $1 "
        "AND (network << $2 AND NOT $3 OR network >> $2 AND status <> 'container') "
        "ORDER BY network",
        draft.columns["vrf"],
        draft.network,
        draft.is_container,
    )
    if others:
        raise PrefixOverlaps(draft.network, [row["network"] for row in others])


async def _refuse_to_contain(tx: Tx, draft: Draft) -> None:
    for standing in (await standing_in(tx, [draft.id])).values():
        raise has_claims(draft.network, standing)


async def standing_in(tx: Tx, prefixes: Sequence[UUID]) -> dict[UUID, int]:
    """Return how many claims and reservations leaves have that their parts would need."""
    rows = await tx.fetch(
        "SELECT p.id, (SELECT count(*) FROM address_claim c WHERE c.kind IN ('ip4', 'ip6net') "
        "AND c.scope = p.id AND (c.state <> 'reserved' OR c.reason <> '' OR c.holder IS NOT NULL))"
        " + (SELECT count(*) FROM address_reservation r WHERE r.prefix = p.id) AS standing "
        "FROM prefix p WHERE p.id = ANY($1)",
        list(prefixes),
    )
    return {row["id"]: row["standing"] for row in rows if row["standing"]}


def has_claims(network: Network, standing: int) -> CannotDivide:
    """Return why a leaf cannot become a container."""
    why = f"it has {standing} claims or reservations; split it, and they move to its parts"
    return CannotDivide(str(network), why)


_PLAIN = "{0}.state = 'reserved' AND {0}.reason = '' AND {0}.holder IS NULL"
"""Kept back, and nothing else: by nobody's hand, and not cooling down."""
_HAD = f"""
SELECT id, scope, position,
    CASE WHEN {_PLAIN.format("c")} THEN purpose ELSE kept_back END AS purpose
FROM address_claim c WHERE kind IN ('ip4', 'ip6net') AND scope = ANY($1)
AND (kept_back <> '' OR {_PLAIN.format("c")})
"""


async def reserve(tx: Tx, wanted: Mapping[UUID, tuple[Network, KeptBack]]) -> None:
    """Have each prefix keep back exactly these positions.

    A claim by hand, or a cool-down, on one of them goes on as it is; what is let go in the middle
    of one is free when that ends. Raises InUse. Four statements, which write what differs.
    """
    had = {(row["scope"], row["position"]): row for row in await tx.fetch(_HAD, list(wanted))}
    kept = {
        (prefix, position): purpose
        for prefix, (_, kept_back) in wanted.items()
        for position, purpose in kept_back.items()
    }
    await _let_go(tx, [row["id"] for where, row in had.items() if where not in kept])
    new = {
        where: purpose
        for where, purpose in kept.items()
        if where not in had or had[where]["purpose"] != purpose
    }
    done = await tx.fetch(
        "INSERT INTO address_claim (kind, scope, position, state, purpose, seq, claimed_at) "
        "SELECT kind, scope, position, 'reserved', purpose, 1, $5 "
        "FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::text[]) "
        "AS c (kind, scope, position, purpose) ORDER BY kind, scope, position "
        "ON CONFLICT (kind, scope, position) DO UPDATE SET "
        f"purpose = CASE WHEN {_PLAIN.format('address_claim')} "
        "THEN excluded.purpose ELSE address_claim.purpose END, "
        f"kept_back = CASE WHEN {_PLAIN.format('address_claim')} "
        "THEN '' ELSE excluded.purpose END "
        "WHERE address_claim.state IN ('reserved', 'quarantined') RETURNING scope, position",
        [kind_of(wanted[prefix][0]) for prefix, _ in new],
        [prefix for prefix, _ in new],
        [position for _, position in new],
        list(new.values()),
        tx.now(),
    )
    missing = sorted(new.keys() - {(row["scope"], row["position"]) for row in done})
    if missing:
        prefix = missing[0][0]
        raise in_use(wanted[prefix][0], [position for one, position in missing if one == prefix])


async def _let_go(tx: Tx, claims: Sequence[int]) -> None:
    """Keep no longer back what these claims do: free, or in the middle of something else."""
    await tx.execute(
        "UPDATE address_claim SET kept_back = '' WHERE id = ANY($1) AND kept_back <> ''", claims
    )
    freed = await tx.fetch(
        f"DELETE FROM address_claim c WHERE id = ANY($1) AND {_PLAIN.format('c')} "
        "RETURNING id, kind, scope, position",
        claims,
    )
    await after_freeing(tx, freed)


def in_use(network: Network, positions: Sequence[int]) -> InUse:
    """Return why positions cannot be kept back: orders have them."""
    texts = [position_text(kind_of(network), network, position) for position in positions[:10]]
    return InUse(network, texts)


async def keep_back(tx: Tx, prefix: UUID, network: Network) -> None:
    """Reserve what the protocol keeps in it; what staff keep stays, and old ends become free."""
    gateway = await tx.fetchval("SELECT gateway FROM prefix WHERE id = $1", prefix)
    kept = await tx.fetch(
        "SELECT position FROM address_claim WHERE kind = $2 AND scope = $1 AND (kept_back = "
        "'reserved' OR state = 'reserved' AND reason = '' AND purpose = 'reserved')",
        prefix,
        kind_of(network),
    )
    positions = {row["position"]: "reserved" for row in kept}
    positions |= reserved_positions(network, gateway, ())
    await reserve(tx, {prefix: (network, positions)})


async def find_place(tx: Tx, datacentre: str, rack: str | None) -> tuple[UUID, UUID | None]:
    """Return the ids of a datacentre and of a rack in it. Raises Invalid."""
    row = await tx.fetchrow(
        "SELECT d.id, r.id AS rack FROM datacentre d "
        "LEFT JOIN rack r ON r.datacentre = d.id AND r.name = $2 WHERE d.code = $1",
        datacentre,
        rack,
    )
    if row is None:
        raise Invalid({"datacentre": f"There is no datacentre {datacentre}."})
    if rack is not None and row["rack"] is None:
        raise Invalid({"rack": f"There is no rack {rack} in {datacentre}."})
    return row["id"], row["rack"]
