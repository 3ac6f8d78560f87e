"""Change by which rules the orders of a product get their servers."""

from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import Invalid
from app.core.outbox import emit
from app.domain.audit.record import record
from app.domain.catalog.find import product_by_id
from app.solver.want import ServerWant

_KNOWN = {
    "cpu_models": "SELECT name FROM cpu_model",
    "cpu_group": 'SELECT DISTINCT "group" FROM cpu_equivalence',
    "datacentres": "SELECT code FROM datacentre",
    "racks": "SELECT r.name FROM rack r UNION SELECT d.code || '/' || r.name "
    "FROM rack r JOIN datacentre d ON d.id = r.datacentre",
}


async def change_rules(
    tx: Tx, product: UUID, rules: ServerWant, *, actor: UUID, actor_label: str, reason: str
) -> None:
    """Set a product's allocation rules; audited, and whoever waits is looked at again by them.

    Servers that orders have already stay theirs. Raises Invalid for names that are not
    written down, NotFound.
    """
    known = await product_by_id(tx, product)
    await _check(tx, rules)
    await tx.execute(
        "UPDATE product SET server_rules = $2 WHERE id = $1",
        product,
        msgspec.json.encode(rules).decode(),
    )
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="product.rules_changed",
        subject_kind="product",
        subject=product,
        before=told(known.server_rules),
        after=told(rules),
        reason=reason,
    )
    key = f"stock.appeared:rules:{product}:{tx.now().isoformat()}"
    await emit(tx, "stock.appeared", key, {"product": str(product)})
    tx.publish("stock", "servers")


def told(rules: ServerWant) -> dict[str, object]:
    """Return the rules that say anything."""
    said = msgspec.to_builtins(rules)
    silent = msgspec.to_builtins(ServerWant())
    return {name: value for name, value in said.items() if value != silent[name]}


async def _check(tx: Tx, rules: ServerWant) -> None:
    """Refuse names that no server could ever have."""
    faults = {}
    group = () if rules.cpu_group is None else (rules.cpu_group,)
    for field, names, what in (
        ("cpu_models", rules.cpu_models, "CPU model"),
        ("cpu_group", group, "equivalence group"),
        ("datacentres", rules.datacentres, "datacentre"),
        ("racks", rules.racks, "rack"),
    ):
        known = {row[0] for row in await tx.fetch(_KNOWN[field])} if names else set()
        if unknown := [name for name in names if name not in known]:
            faults[field] = f"There is no {what} {unknown[0]}."
    if rules.datacentre_required and not rules.datacentres:
        faults["datacentres"] = "Name the datacentres that are required."
    if faults:
        raise Invalid(faults)
