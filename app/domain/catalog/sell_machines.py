"""Put a new product of virtual machines on sale."""

from collections.abc import Mapping
from uuid import UUID

from app.core.database import Tx
from app.core.errors import Invalid
from app.domain.catalog.put_on_sale import put_on_sale, require_free
from app.domain.catalog.seed import CategorySeed, ProductSeed
from app.domain.machines.check import offer_faults
from app.drivers.hypervisor.contract import Offers


async def sell_machines(
    tx: Tx,
    product: ProductSeed,
    category: CategorySeed,
    *,
    is_new_category: bool,
    offers: Mapping[str, Offers],
    actor: UUID,
    actor_label: str,
    reason: str,
) -> UUID:
    """Return the product, which is on sale, last in its category; audited.

    `offers` is what the providers that could be asked have: names are looked up there. Its flows
    are for the caller to bind. Raises Invalid, by field.
    """
    if product.machine_rules is None:
        raise Invalid({"machine_rules": "Say of what and where its machines are made."})
    await require_free(tx, product.slug)
    if faults := offer_faults(product.machine_rules, offers):
        raise Invalid(faults)
    return await put_on_sale(
        tx,
        product,
        category,
        is_new_category=is_new_category,
        actor=actor,
        actor_label=actor_label,
        reason=reason,
    )
