"""`/admin/stock/products/{slug}/games`: by which rules its game servers are made."""

from typing import Any

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.game_rules import Panels, game_rules_page
from app.components.admin.outlook import STOCK, product_href
from app.components.form import Form
from app.components.frame import PageFrame
from app.components.notice import Flash
from app.core.database import Database
from app.core.errors import Invalid
from app.domain.accounts.roles import Permission
from app.domain.catalog.change_game_rules import change_game_rules
from app.domain.catalog.find import find_product
from app.domain.catalog.views import ProductView
from app.routes.admin.games_typed import game_rules_of, values_of
from app.routes.admin.panels import read_panels
from app.routes.security.dependencies import Calling, Db, Frame, HttpRequest, Me, Sealing
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.typed import typed


class GameRulesPage(Controller):
    """Who sells things says of what; the connections are there already."""

    path = f"{STOCK}/products/{{slug:str}}/games"
    guards = (requires(Permission.CATALOGUE_CHANGE),)
    include_in_schema = False

    @get()
    async def ask(
        self, db: Db, frame: Frame, peers: Calling, vault: Sealing, *, slug: FromPath[str]
    ) -> Response[Any]:
        product, panels = await _product(db, slug), await read_panels(db, vault, peers)
        form = Form(values=values_of(product.game_rules), csrf=frame.csrf)
        return _page(product, form, panels, frame)

    @post(status_code=200)
    async def set(
        self,
        request: HttpRequest,
        db: Db,
        me: Me,
        frame: Frame,
        *,
        peers: Calling,
        vault: Sealing,
        slug: FromPath[str],
    ) -> Response[Any]:
        values = await typed(request)
        product, panels = await _product(db, slug), await read_panels(db, vault, peers)
        try:
            rules, reason = game_rules_of(values)
            async with db.transaction() as tx:
                await change_game_rules(
                    tx,
                    product.id,
                    rules,
                    offers=panels.offers,
                    actor=me.id,
                    actor_label=me.email,
                    reason=reason,
                )
        except Invalid as refusal:
            form = Form(values=values, errors=_beside_fields(refusal.fields), csrf=frame.csrf)
            return _page(product, form, panels, frame, status=422)
        unasked = {place.connection for place in rules.places} - panels.offers.keys()
        told = Flash("success", "The game rules are changed; the next order goes by them.")
        if unasked:
            names = ", ".join(sorted(unasked))
            told = Flash("warning", f"Saved. {names} could not be asked whether it has all that.")
        return go(request, product_href(slug), told)


def _beside_fields(faults: dict[str, str]) -> dict[str, str]:
    """Return faults by the fields of this form: each variable is a line of one."""
    lines = ("chosen", "variables")
    return {
        field if field in lines else name: fault
        for name, fault in faults.items()
        for field in [name.partition(".")[0]]
    }


def _page(
    product: ProductView, form: Form, panels: Panels, frame: PageFrame, *, status: int = 200
) -> Response[Any]:
    groups = [group.code for group in product.groups]
    page = game_rules_page(product.name, product.slug, form, groups, panels, frame=frame)
    return html(page, status_code=status)


async def _product(db: Database, slug: str) -> ProductView:
    async with db.snapshot() as tx:
        return await find_product(tx, slug, hidden=True)
