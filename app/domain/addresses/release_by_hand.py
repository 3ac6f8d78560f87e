"""End a claim that staff made: into quarantine first, as what orders had."""

from uuid import UUID

import asyncpg

from app.core.database import Tx
from app.core.errors import Invalid, NotFound
from app.domain.addresses.errors import NotByHand
from app.domain.addresses.pools import VLAN_COOLDOWN_S
from app.domain.addresses.states import ClaimState
from app.domain.addresses.structure import keep_tree
from app.domain.addresses.text import position_text
from app.domain.audit.record import record
from app.ipam.wants import AddressKind


async def release_by_hand(
    tx: Tx, claim: int, *, seq: int, reason: str, actor: UUID | None, actor_label: str
) -> None:
    """Put what staff claimed into quarantine; it is free when the cool-down of its prefix ends.

    `seq` is that of the claim as it was seen: what has changed since is left alone. Raises
    NotFound, Invalid (`reason`), and NotByHand for what is an order's or the protocol's.
    """
    if not reason.strip():
        raise Invalid({"reason": "Say why: whoever looks at it in a year will ask."})
    row, text = await lock_by_hand(tx, claim, seq=seq)
    await tx.execute(
        "UPDATE address_claim SET state = 'quarantined', client = NULL, reason = $2, "
        "seq = seq + 1, expires_at = $3::timestamptz + make_interval(secs => $4) WHERE id = $1",
        claim,
        f"released by hand: {reason}",
        tx.now(),
        row["cooldown_s"],
    )
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="addresses.release",
        subject_kind="vlan_group" if row["network"] is None else "prefix",
        subject=row["scope"],
        before={"address": text, "client": row["client_email"], "for": row["reason"]},
        after={},
        reason=reason,
    )
    tx.publish("addresses", f"prefix:{row['scope']}")


async def lock_by_hand(tx: Tx, claim: int, *, seq: int) -> tuple[asyncpg.Record, str]:
    """Return a claim of staff, which nobody else changes until the end, and its text.

    Raises NotFound when it is not as it was seen any more, and NotByHand.
    """
    await keep_tree(tx)
    row = await tx.fetchrow(
        "SELECT c.kind, c.scope, c.position, c.state, c.holder, c.reason, c.purpose, c.seq, "
        "c.expires_at, p.network, a.email AS client_email, "
        "coalesce(p.cooldown_s, $2) AS cooldown_s FROM address_claim c "
        "LEFT JOIN prefix p ON p.id = c.scope LEFT JOIN account a ON a.id = c.client "
        "WHERE c.id = $1 FOR UPDATE OF c",
        claim,
        VLAN_COOLDOWN_S,
    )
    if row is None or row["seq"] != seq:
        raise NotFound("claim", "as you saw it")
    text = position_text(AddressKind(row["kind"]), row["network"], row["position"])
    if row["state"] != ClaimState.reserved or not row["reason"] or row["holder"] is not None:
        raise NotByHand(text, ClaimState(row["state"]))
    return row, text
