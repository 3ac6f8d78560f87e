"""Change the script that runs in each server of a product after it was installed."""

import hashlib
from uuid import UUID

from app.core.database import Tx
from app.core.errors import Invalid
from app.domain.audit.record import record
from app.domain.catalog.find import product_by_id
from app.domain.catalog.kind import ProductKind
from app.domain.catalog.seen import lock_product, require_seen

LONGEST = 16_384
"""Characters; what is larger is fetched by the script."""


async def script_of(tx: Tx, product: UUID) -> str:
    """Return the script of a product, "" for none."""
    script: str | None = await tx.fetchval(
        "SELECT post_install FROM product WHERE id = $1", product
    )
    return script or ""


async def change_script(
    tx: Tx,
    product: UUID,
    script: str,
    *,
    saw: str,
    actor: UUID,
    actor_label: str,
    reason: str,
) -> None:
    """Set a product's script; servers that are installed from now on run it.

    The audit trail has its length and digest, not its text: a script may hold a key. `saw` is
    `seen` of the script that was changed. Raises Invalid, ProductChanged and NotFound.
    """
    await lock_product(tx, product)
    known = await product_by_id(tx, product)
    if known.kind is not ProductKind.SERVER:
        raise Invalid({"script": "Only servers that netboot installs run a script."})
    if len(script) > LONGEST:
        raise Invalid({"script": f"At most {LONGEST:,} characters; this has {len(script):,}."})
    before = await script_of(tx, product)
    require_seen(product, saw, before, what="the script")
    await tx.execute("UPDATE product SET post_install = $2 WHERE id = $1", product, script)
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="product.script_changed",
        subject_kind="product",
        subject=product,
        before=_told(before),
        after=_told(script),
        reason=reason,
    )
    tx.publish("stock")


def _told(script: str) -> dict[str, object]:
    lines = len(script.splitlines())
    return {"lines": lines, "sha256": hashlib.sha256(script.encode()).hexdigest() if script else ""}
