"""Put a new product of game servers on sale."""

from collections.abc import Mapping
from uuid import UUID

from app.core.database import Tx
from app.core.errors import Invalid
from app.domain.catalog.put_on_sale import put_on_sale, require_free
from app.domain.catalog.seed import CategorySeed, ProductSeed
from app.domain.games.check import answer_faults, game_offer_faults
from app.drivers.game.contract import GameOffers


async def sell_games(
    tx: Tx,
    product: ProductSeed,
    category: CategorySeed,
    *,
    is_new_category: bool,
    offers: Mapping[str, GameOffers],
    actor: UUID,
    actor_label: str,
    reason: str,
) -> UUID:
    """Return the product, which is on sale, last in its category; audited.

    `offers` is what the panels that could be asked have: names are looked up there, and values of
    variables judged by what their games take. Its flows are for the caller to bind. Raises
    Invalid, by field.
    """
    rules = product.game_rules
    if rules is None:
        raise Invalid({"game_rules": "Say which game it is of, and at which panel."})
    await require_free(tx, product.slug)
    answers = {group.code: [option.code for option in group.options] for group in product.groups}
    if faults := game_offer_faults(rules, offers) | answer_faults(rules, answers, offers):
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
