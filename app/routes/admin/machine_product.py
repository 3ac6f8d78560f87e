"""`/admin/stock/virtual/new`: put a product of virtual machines on sale."""

from functools import partial
from typing import Any

from litestar import Controller, Response, get, post

from app.components.admin.machine_product import NEW, machine_product_page
from app.components.admin.machine_rules import Providers
from app.components.form import Form
from app.core.database import Database
from app.core.errors import Invalid
from app.domain.accounts.roles import Permission
from app.domain.catalog.find import categories_of
from app.domain.catalog.kind import ProductKind
from app.domain.catalog.sell_machines import sell_machines
from app.routes.admin.machines_typed import new_product_of
from app.routes.admin.product_sale import put_on_sale
from app.routes.admin.providers import read_providers
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


class MachineProduct(Controller):
    """A new product, its category and the flows of that, in one commit."""

    path = NEW
    guards = (requires(Permission.CATALOGUE_CHANGE),)
    include_in_schema = False

    @get()
    async def ask(
        self, db: Db, frame: Frame, peers: Calling, vault: Sealing, settings: Config
    ) -> Response[Any]:
        providers = await read_providers(db, vault, peers)
        values = {"currency": settings.currency, "role": "primary"}
        return await _page(db, frame, Form(values=values, csrf=frame.csrf), providers)

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
        providers = await read_providers(db, vault, peers)
        try:
            sell = partial(sell_machines, offers=providers.offers)
            return await put_on_sale(request, db, me, new_product_of(values), sell)
        except Invalid as refusal:
            form = Form(values=values, errors=_beside_fields(refusal.fields), csrf=frame.csrf)
            return await _page(db, frame, form, providers, status=422)


def _beside_fields(faults: dict[str, str]) -> dict[str, str]:
    """Return faults by the fields of this form: templates are lines of the systems."""
    return {"systems" if "templates" in name else name: fault for name, fault in faults.items()}


async def _page(
    db: Database, frame: Frame, form: Form, providers: Providers, *, status: int = 200
) -> Response[Any]:
    async with db.snapshot() as tx:
        categories = await categories_of(tx, ProductKind.MACHINE)
    page = machine_product_page(form, categories, providers, frame=frame)
    return html(page, status_code=status)
