"""Put a new product on sale, of whatever kind, as its form was sent."""

from typing import Any, Protocol
from uuid import UUID

from litestar import Response

from app.components.admin.outlook import product_href
from app.components.notice import Flash
from app.core.database import Database, Tx
from app.domain.accounts.views import AccountView
from app.domain.catalog.seed import CategorySeed, ProductSeed
from app.flows.shipped import serve_categories
from app.routes.admin.product_typed import NewProduct
from app.routes.security.dependencies import HttpRequest
from app.routes.security.flashes import go


class Sell(Protocol):
    """A verb of the catalogue; what is offered where its product is made, it knows."""

    async def __call__(
        self,
        tx: Tx,
        product: ProductSeed,
        category: CategorySeed,
        *,
        is_new_category: bool,
        actor: UUID,
        actor_label: str,
        reason: str,
    ) -> UUID: ...


async def put_on_sale(
    request: HttpRequest, db: Database, me: AccountView, new: NewProduct, sell: Sell
) -> Response[Any]:
    """Sell it, with its category and the flows of that, in one commit; leads to its page.

    Raises Invalid, by field.
    """
    async with db.transaction() as tx:
        await sell(
            tx,
            new.product,
            new.category,
            is_new_category=new.is_new_category,
            actor=me.id,
            actor_label=me.email,
            reason=new.reason,
        )
        await serve_categories(tx)
    told = Flash("success", f"{new.product.name} is on sale.")
    return go(request, product_href(new.product.slug), told)
