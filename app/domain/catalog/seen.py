"""What a person saw of a product who changes it: two of them overwrite nothing of each other's."""

import hashlib
from typing import Any
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.domain.catalog.errors import ProductChanged


def seen(*facts: Any) -> str:
    """Return a digest of what a form shows, to be given back with what was typed."""
    return hashlib.sha256(msgspec.json.encode(facts)).hexdigest()


async def lock_product(tx: Tx, product: UUID) -> None:
    """Have whoever else changes the product wait until the transaction ends."""
    await tx.execute("SELECT 1 FROM product WHERE id = $1 FOR NO KEY UPDATE", product)


def require_seen(product: UUID, saw: str, *facts: Any, what: str) -> None:
    """Raise ProductChanged unless a person `saw` the facts as they are, under the lock."""
    if saw != seen(*facts):
        raise ProductChanged(product, what=what)
