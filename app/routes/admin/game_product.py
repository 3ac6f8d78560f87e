"""`/admin/stock/games/new`: put a product of game servers on sale."""

from functools import partial
from typing import Any

from litestar import Controller, Response, get, post

from app.components.admin.game_product import NEW, game_parts, game_product_page
from app.components.admin.game_rules import Panels
from app.components.form import Form
from app.core.database import Database
from app.core.errors import Invalid
from app.domain.accounts.roles import Permission
from app.domain.catalog.find import categories_of
from app.domain.catalog.kind import ProductKind
from app.domain.catalog.sell_games import sell_games
from app.routes.admin.games_typed import new_game_of
from app.routes.admin.panels import read_panels
from app.routes.admin.product_sale import put_on_sale
from app.routes.security.dependencies import (
    Calling,
    Config,
    Db,
    Frame,
    HttpRequest,
    Me,
    Sealing,
)
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.typed import typed


class GameProduct(Controller):
    """A new product, its category and the flows of that, in one commit."""

    path = NEW
    guards = (requires(Permission.CATALOGUE_CHANGE),)
    include_in_schema = False

    @get()
    async def ask(
        self, db: Db, frame: Frame, peers: Calling, vault: Sealing, settings: Config
    ) -> Response[Any]:
        panels = await read_panels(db, vault, peers)
        values = {"currency": settings.currency, "places.0.connection": _first(panels)}
        return await _page(db, frame, Form(values=values, csrf=frame.csrf), panels)

    @get("/parts")
    async def parts(
        self, request: HttpRequest, db: Db, peers: Calling, vault: Sealing
    ) -> Response[Any]:
        """Return the fields of another game."""
        egg = request.query_params.get("egg", "")
        panels = await read_panels(db, vault, peers)
        return html(game_parts(Form(values={"egg": egg}), panels.eggs.get(egg)))

    @post(status_code=200)
    async def add(
        self,
        request: HttpRequest,
        db: Db,
        me: Me,
        frame: Frame,
        *,
        peers: Calling,
        vault: Sealing,
    ) -> Response[Any]:
        values = await typed(request)
        panels = await read_panels(db, vault, peers)
        try:
            sell = partial(sell_games, offers=panels.offers)
            return await put_on_sale(request, db, me, new_game_of(values), sell)
        except Invalid as refusal:
            form = Form(values=values, errors=_beside_fields(refusal.fields), csrf=frame.csrf)
            return await _page(db, frame, form, panels, status=422)


def _first(panels: Panels) -> str:
    return next(iter(panels.connections), "")


def _beside_fields(faults: dict[str, str]) -> dict[str, str]:
    """Return faults by the fields of this form."""
    return {
        name.removeprefix("game_rules.").replace("chosen.", "choices.", 1): fault
        for name, fault in faults.items()
    }


async def _page(
    db: Database, frame: Frame, form: Form, panels: Panels, *, status: int = 200
) -> Response[Any]:
    async with db.snapshot() as tx:
        categories = await categories_of(tx, ProductKind.GAME)
    return html(game_product_page(form, categories, panels, frame=frame), status_code=status)
