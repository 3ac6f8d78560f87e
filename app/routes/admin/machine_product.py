"""`/admin/stock/virtual/new`: put a product of virtual machines on sale."""

from typing import Any

from litestar import Controller, Response, get, post

from app.components.admin.machine_product import NEW, machine_product_page
from app.components.admin.machine_rules import Providers
from app.components.admin.outlook import product_href
from app.components.form import Form
from app.components.notice import Flash
from app.core.database import Database
from app.core.errors import Invalid
from app.domain.accounts.roles import Permission
from app.domain.catalog.sell_machines import sell_machines
from app.flows.shipped import serve_categories
from app.routes.admin.machines_typed import new_product_of
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
from app.routes.security.flashes import go
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
            new = new_product_of(values)
            async with db.transaction() as tx:
                await sell_machines(
                    tx,
                    new.product,
                    new.category,
                    is_new_category=new.is_new_category,
                    offers=providers.offers,
                    actor=me.id,
                    actor_label=me.email,
                    reason=new.reason,
                )
                await serve_categories(tx)
        except Invalid as refusal:
            form = Form(values=values, errors=_beside_fields(refusal.fields), csrf=frame.csrf)
            return await _page(db, frame, form, providers, status=422)
        told = Flash("success", f"{new.product.name} is on sale.")
        return go(request, product_href(new.product.slug), told)


def _beside_fields(faults: dict[str, str]) -> dict[str, str]:
    """Return faults by the fields of this form: templates are lines of the systems."""
    return {"systems" if "templates" in name else name: fault for name, fault in faults.items()}


async def _page(
    db: Database, frame: Frame, form: Form, providers: Providers, *, status: int = 200
) -> Response[Any]:
    async with db.snapshot() as tx:
        rows = await tx.fetch(
            "SELECT slug, name FROM category c WHERE EXISTS (SELECT FROM product p "
            "WHERE p.category = c.id AND p.machine_rules IS NOT NULL) ORDER BY position, name"
        )
    categories = [(row["slug"], row["name"]) for row in rows]
    page = machine_product_page(form, categories, providers, frame=frame)
    return html(page, status_code=status)
