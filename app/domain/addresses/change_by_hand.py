"""Change what staff said of a claim that they made: what it is for, as what, and until when."""

from uuid import UUID

from app.core.database import Tx
from app.domain.addresses.by_hand import HandClaim, check_terms
from app.domain.addresses.release_by_hand import lock_by_hand
from app.domain.audit.record import record


async def change_by_hand(
    tx: Tx, claim: int, wanted: HandClaim, *, seq: int, actor: UUID | None, actor_label: str
) -> None:
    """Bring reason, purpose and end of a claim to what `wanted` says; whose it is stays.

    `seq` is that of the claim as it was seen. Raises NotFound, NotByHand, and Invalid (`reason`,
    `expires_at`).
    """
    row, text = await lock_by_hand(tx, claim, seq=seq)
    if wanted.expires_at != row["expires_at"] or not wanted.reason.strip():
        check_terms(tx.now(), wanted)
    before = {name: row[name] for name in ("reason", "purpose", "expires_at")}
    after = {
        "reason": wanted.reason, "purpose": wanted.purpose, "expires_at": wanted.expires_at,
    }  # fmt: skip
    if before == after:
        return
    await tx.execute(
        "UPDATE address_claim SET reason = $2, purpose = $3, expires_at = $4, seq = seq + 1 "
        "WHERE id = $1",
        claim,
        *after.values(),
    )
    changed = [name for name in after if before[name] != after[name]]
    words = {"reason": "for"}
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="addresses.change_claim",
        subject_kind="vlan_group" if row["network"] is None else "prefix",
        subject=row["scope"],
        before={words.get(name, name): before[name] for name in changed},
        after={"address": text} | {words.get(name, name): after[name] for name in changed},
    )
    tx.publish("addresses", f"prefix:{row['scope']}")
