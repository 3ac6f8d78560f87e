"""Change by which rules the virtual machines of a product are made."""

from collections.abc import Mapping
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import Invalid
from app.core.outbox import emit
from app.domain.audit.record import record
from app.domain.catalog.find import product_by_id
from app.domain.catalog.kind import ProductKind, check_kind
from app.domain.catalog.selection import OS
from app.domain.machines.check import check_places, offer_faults
from app.domain.machines.rules import MachineRules, template_faults
from app.drivers.hypervisor.contract import Offers


async def change_machine_rules(
    tx: Tx,
    product: UUID,
    rules: MachineRules,
    *,
    offers: Mapping[str, Offers],
    actor: UUID | None,
    actor_label: str,
    reason: str,
) -> None:
    """Set the machine rules of a product; audited.

    Machines that are planned or made stay as they are; orders that wait for room look again.
    `offers` is what the providers that could be asked have, by connection: names are looked up
    there. Raises Invalid, by field, and NotFound.
    """
    known = await product_by_id(tx, product)
    await check_kind(tx, known.slug, known.category_id, ProductKind.MACHINE)
    group = known.group(OS)
    systems = [option.code for option in group.options] if group else []
    faults = template_faults(rules, systems) | offer_faults(rules, offers)
    if faults:
        raise Invalid(faults)
    await check_places(tx, rules)
    await tx.execute(
        "UPDATE product SET machine_rules = $2, game_rules = NULL, custom_rules = NULL "
        "WHERE id = $1",
        product,
        msgspec.json.encode(rules).decode(),
    )
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="product.machine_rules_changed",
        subject_kind="product",
        subject=product,
        before=msgspec.to_builtins(known.machine_rules) or {},
        after=msgspec.to_builtins(rules),
        reason=reason,
    )
    key = f"stock.appeared:rules:{product}:{tx.now().isoformat()}"
    await emit(tx, "stock.appeared", key, {"product": str(product)})
    tx.publish("stock")
