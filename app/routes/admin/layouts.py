"""`/admin/stock/products/{slug}/layouts`: how the disks of its servers are divided."""

from collections.abc import Mapping
from typing import Any

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.layouts_form import layouts_page
from app.components.admin.outlook import STOCK, product_href
from app.components.form import Form
from app.components.notice import Flash
from app.core.errors import Invalid
from app.domain.accounts.roles import Permission
from app.domain.catalog.change_layouts import change_layouts, layouts_seen
from app.domain.catalog.errors import ProductChanged
from app.domain.catalog.find import find_product
from app.domain.catalog.selection import LAYOUT
from app.domain.catalog.views import ProductView
from app.routes.admin.layouts_typed import layouts_of, typed_layouts
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.typed import typed


def _saved_now(product: ProductView, typed: Mapping[str, str]) -> dict[str, str]:
    """Return by field what is saved; `offered` only where something else was `typed`."""
    layouts = typed_layouts(product.disk_layouts).replace("\n", "; ") or "none"
    saved = {"layouts": f"Saved now: {layouts}"}
    is_offered = product.group(LAYOUT) is not None
    if is_offered != ("offered" in typed):
        saved["offered"] = f"Saved now: {'they do' if is_offered else 'they do not'}"
    return saved


class LayoutsPage(Controller):
    """The form of a product's disk layouts."""

    path = f"{STOCK}/products/{{slug:str}}/layouts"
    guards = (requires(Permission.CATALOGUE_CHANGE),)
    include_in_schema = False

    @get()
    async def ask(self, db: Db, frame: Frame, slug: FromPath[str]) -> Response[Any]:
        async with db.snapshot() as tx:
            product = await find_product(tx, slug, hidden=True)
        values = {"layouts": typed_layouts(product.disk_layouts), "seen": layouts_seen(product)}
        if product.group(LAYOUT) is not None:
            values["offered"] = "on"
        form = Form(values=values, csrf=frame.csrf)
        return html(layouts_page(product.name, slug, form, frame=frame))

    @post(status_code=200)
    async def set(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, slug: FromPath[str]
    ) -> Response[Any]:
        values = await typed(request)
        async with db.snapshot() as tx:
            product = await find_product(tx, slug, hidden=True)
        try:
            layouts, reason = layouts_of(values)
            async with db.transaction() as tx:
                await change_layouts(
                    tx,
                    product.id,
                    layouts,
                    offered="offered" in values,
                    saw=values.get("seen", ""),
                    actor=me.id,
                    actor_label=me.email,
                    reason=reason,
                )
        except Invalid as refusal:
            form = Form(values=values, errors=refusal.fields, csrf=frame.csrf)
            return html(layouts_page(product.name, slug, form, frame=frame), status_code=422)
        except ProductChanged as changed:
            async with db.snapshot() as tx:
                product = await find_product(tx, slug, hidden=True)
            errors = {"": changed.message, **_saved_now(product, values)}
            # The page then shows what is saved now: saving again is a decision.
            again = {**values, "seen": layouts_seen(product)}
            form = Form(values=again, errors=errors, csrf=frame.csrf)
            return html(layouts_page(product.name, slug, form, frame=frame), status_code=409)
        told = Flash("success", "The layouts are changed; orders that wait are looked at again.")
        return go(request, product_href(slug), told)
