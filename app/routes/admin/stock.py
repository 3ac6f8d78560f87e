"""`/admin/stock`: what is left of each product, whether more can be sold, and its rules."""

from datetime import UTC
from typing import Any

import htpy as h
from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.game_rules import game_rules_in_words
from app.components.admin.layouts_form import Borne, layouts_card
from app.components.admin.machine_rules import machine_rules_in_words
from app.components.admin.outlook import (
    HORIZON_DAYS,
    STOCK,
    ProductStock,
    product_href,
    product_stock_page,
    stock_page,
)
from app.components.admin.rules_form import Known, rules_in_words, rules_page
from app.components.admin.script_form import script_card
from app.components.form import Form
from app.components.frame import PageFrame
from app.components.notice import Flash
from app.core.database import Database, Tx
from app.core.errors import Invalid
from app.domain.accounts.roles import Permission, allows
from app.domain.catalog.change_rules import change_rules
from app.domain.catalog.change_script import script_of
from app.domain.catalog.find import find_product
from app.domain.catalog.kind import ProductKind
from app.domain.catalog.stock import stock_days
from app.domain.catalog.views import ProductView, with_layout
from app.domain.inventory.stock import stock
from app.domain.orders.outlook import outlooks
from app.domain.orders.waiting import waiting_orders
from app.domain.orders.what_if import MOST, sell
from app.routes.admin.rules_typed import rules_of, values_of
from app.routes.admin.space_typed import Entries, client_typed
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.typed import typed

RULES = (requires(Permission.CATALOGUE_CHANGE),)


class StockPages(Controller):
    """Stock and what becomes of it, for the staff."""

    path = STOCK
    guards = (requires(Permission.SERVERS_READ),)
    include_in_schema = False

    @get()
    async def list(self, db: Db, me: Me, frame: Frame) -> Response[Any]:
        async with db.snapshot() as tx:
            products = await outlooks(tx)
            waiting = await waiting_orders(tx)
        may_add = allows(me.role, Permission.CATALOGUE_CHANGE)
        return html(stock_page(products, len(waiting), may_add=may_add, frame=frame))

    @get("/products/{slug:str}")
    async def show(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, slug: FromPath[str]
    ) -> Response[Any]:
        asked = request.query_params.get("number", "").strip()
        values = {"number": asked, "client": request.query_params.get("client", "").strip()}
        entries = Entries(values)
        number = entries.number("number", low=1, high=MOST) if asked else None
        form = Form(values=values, errors=entries.faults)
        async with db.snapshot() as tx:
            client = await client_typed(tx, entries)
            product = await find_product(tx, slug, hidden=True)
            layouts = await _borne(tx, product)
            script = await script_of(tx, product.id)
            shown = ProductStock(
                outlook=next(one for one in await outlooks(tx) if one.product == product.id),
                days=await stock_days(tx, product.id, days=HORIZON_DAYS),
                today=tx.now().astimezone(UTC).date(),
                rules=_in_words(product),
                kind=product.kind,
                form=form,
                answer=await sell(tx, slug, number, client=client)
                if number and not form.errors
                else None,
                may_change=allows(me.role, Permission.CATALOGUE_CHANGE),
            )
        beside = None
        if product.kind is ProductKind.SERVER:
            beside = h.fragment[
                layouts_card(slug, layouts, may_change=shown.may_change),
                script_card(slug, script, may_change=shown.may_change),
            ]
        page = product_stock_page(shown, beside=beside, frame=frame)
        return html(page, status_code=422 if form.errors else 200)

    @get("/products/{slug:str}/rules", guards=RULES)
    async def ask_rules(self, db: Db, frame: Frame, slug: FromPath[str]) -> Response[Any]:
        async with db.snapshot() as tx:
            product = await find_product(tx, slug, hidden=True)
        form = Form(values=values_of(product.server_rules), csrf=frame.csrf)
        return await _rules_page(db, slug, form, frame)

    @post("/products/{slug:str}/rules", guards=RULES, status_code=200)
    async def set_rules(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, slug: FromPath[str]
    ) -> Response[Any]:
        values = await typed(request)
        try:
            rules, reason = rules_of(values)
            async with db.transaction() as tx:
                product = await find_product(tx, slug, hidden=True)
                await change_rules(
                    tx, product.id, rules, actor=me.id, actor_label=me.email, reason=reason
                )
        except Invalid as refusal:
            form = Form(values=values, errors=refusal.fields, csrf=frame.csrf)
            return await _rules_page(db, slug, form, frame, status=422)
        told = Flash("success", "The rules are changed; orders that wait are looked at again.")
        return go(request, product_href(slug), told)


async def _borne(tx: Tx, product: ProductView) -> tuple[Borne, ...]:
    """Return the layouts of a product with the stock that bears each."""
    wants = {
        layout.code: with_layout(product.server_rules, (layout,), None)
        for layout in product.disk_layouts
    }
    counts = await stock(tx, wants, on_vlans=wants if product.address_rules.vlan else ())
    return tuple(
        Borne(layout=layout, servers=counts[layout.code]) for layout in product.disk_layouts
    )


def _in_words(product: ProductView) -> tuple[tuple[str, str], ...]:
    """Return by which rules orders of a product are delivered."""
    if product.machine_rules is not None:
        return machine_rules_in_words(product.machine_rules)
    if product.game_rules is not None:
        return game_rules_in_words(product.game_rules)
    if product.custom_rules is not None:
        most = product.custom_rules.at_most
        limit = [] if most is None else [("At most", f"{most:,} at the same time")]
        return (*limit, *product.custom_rules.settings.items())
    return rules_in_words(product.server_rules)


async def _rules_page(
    db: Database, slug: str, form: Form, frame: PageFrame, *, status: int = 200
) -> Response[Any]:
    async with db.snapshot() as tx:
        product = await find_product(tx, slug, hidden=True)
        known = await _known(tx)
    return html(rules_page(product.name, slug, form, known, frame=frame), status_code=status)


async def _known(tx: Tx) -> Known:
    return Known(
        cpu_models=[row[0] for row in await tx.fetch("SELECT name FROM cpu_model ORDER BY 1")],
        cpu_groups=[
            row[0]
            for row in await tx.fetch('SELECT DISTINCT "group" FROM cpu_equivalence ORDER BY 1')
        ],
        datacentres=[row[0] for row in await tx.fetch("SELECT code FROM datacentre ORDER BY 1")],
    )
