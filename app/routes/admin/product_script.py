"""`/admin/stock/products/{slug}/script`: what runs in its servers after their installation."""

from typing import Any

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.outlook import STOCK, product_href
from app.components.admin.script_form import script_page
from app.components.form import Form
from app.components.notice import Flash
from app.core.errors import Invalid
from app.domain.accounts.roles import Permission
from app.domain.catalog.change_script import change_script, script_of
from app.domain.catalog.errors import ProductChanged
from app.domain.catalog.find import find_product
from app.domain.catalog.seen import seen
from app.routes.admin.reasons import reason_fault
from app.routes.admin.script_typed import script_fault, script_typed
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.typed import typed


class ProductScript(Controller):
    """The form of a product's post-install script."""

    path = f"{STOCK}/products/{{slug:str}}/script"
    guards = (requires(Permission.CATALOGUE_CHANGE),)
    include_in_schema = False

    @get()
    async def ask(self, db: Db, frame: Frame, slug: FromPath[str]) -> Response[Any]:
        async with db.snapshot() as tx:
            product = await find_product(tx, slug, hidden=True)
            script = await script_of(tx, product.id)
        form = Form(values={"script": script, "seen": seen(script)}, csrf=frame.csrf)
        return html(script_page(product.name, slug, form, frame=frame))

    @post(status_code=200)
    async def set(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, slug: FromPath[str]
    ) -> Response[Any]:
        values = await typed(request)
        script, reason = script_typed(values), " ".join(values.get("reason", "").split())
        found = {"script": await script_fault(script), "reason": reason_fault(reason) or ""}
        faults, status = {field: fault for field, fault in found.items() if fault}, 422
        saved: str | None = None
        async with db.transaction() as tx:
            product = await find_product(tx, slug, hidden=True)
            if not faults:
                try:
                    await change_script(
                        tx,
                        product.id,
                        script,
                        saw=values.get("seen", ""),
                        actor=me.id,
                        actor_label=me.email,
                        reason=reason,
                    )
                except Invalid as refusal:
                    faults = refusal.fields
                except ProductChanged as changed:
                    faults, status = {"": changed.message}, 409
                    # The page then shows what is saved now: saving again is a decision.
                    saved = await script_of(tx, product.id)
                    values = {**values, "seen": seen(saved)}
        if faults:
            form = Form(values=values, errors=faults, csrf=frame.csrf)
            page = script_page(product.name, slug, form, frame=frame, saved=saved)
            return html(page, status_code=status)
        told = Flash("success", "The script is changed; servers that are installed now run it.")
        return go(request, product_href(slug), told)
