"""Change by which rules the game servers of a product are made."""

from collections.abc import Mapping
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import Invalid
from app.core.outbox import emit
from app.domain.audit.record import record
from app.domain.catalog.find import product_by_id
from app.domain.catalog.kind import ProductKind, check_kind
from app.domain.catalog.views import OptionKind
from app.domain.games.check import answer_faults, check_panels, game_offer_faults
from app.domain.games.rules import GameRules, group_faults
from app.drivers.game.contract import GameOffers


async def change_game_rules(
    tx: Tx,
    product: UUID,
    rules: GameRules,
    *,
    offers: Mapping[str, GameOffers],
    actor: UUID | None,
    actor_label: str,
    reason: str,
) -> None:
    """Set the game rules of a product; audited.

    Servers that are planned or made stay as they are; orders that wait for room look again.
    `offers` is what the panels that could be asked have, by connection: names are looked up
    there. Raises Invalid, by field, and NotFound.
    """
    known = await product_by_id(tx, product)
    await check_kind(tx, known.slug, known.category_id, ProductKind.GAME)
    groups = {group.code: group for group in known.groups}
    answers = {
        code: [option.code for option in group.options]
        for code, group in groups.items()
        if group.kind is OptionKind.choice
    }
    faults = answer_faults(rules, answers, offers) | game_offer_faults(rules, offers)
    faults |= group_faults(rules, groups)
    if faults:
        raise Invalid(faults)
    await check_panels(tx, rules)
    await tx.execute(
        "UPDATE product SET game_rules = $2, machine_rules = NULL, custom_rules = NULL "
        "WHERE id = $1",
        product,
        msgspec.json.encode(rules).decode(),
    )
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="product.game_rules_changed",
        subject_kind="product",
        subject=product,
        before=msgspec.to_builtins(known.game_rules) or {},
        after=msgspec.to_builtins(rules),
        reason=reason,
    )
    key = f"stock.appeared:rules:{product}:{tx.now().isoformat()}"
    await emit(tx, "stock.appeared", key, {"product": str(product)})
    tx.publish("stock")
