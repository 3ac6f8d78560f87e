"""`/products/{slug}`: a product, its order form, and the order itself."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import htpy as h
from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.form import Form
from app.components.portal.price import Quote, price_panel
from app.components.portal.product import (
    FORM_ID,
    Alternative,
    Desk,
    labels_of,
    options_region,
    product_page,
)
from app.components.portal.sign_up import with_next
from app.components.portal.stock import Stock, product_stock, stock_places
from app.core.database import Tx
from app.core.errors import Invalid
from app.core.ids import new_id
from app.domain.accounts.ssh_keys import list_ssh_keys
from app.domain.accounts.views import AccountView
from app.domain.billing.tax import tax_rate_bp
from app.domain.catalog.cycle import Cycle
from app.domain.catalog.find import find_product, list_products
from app.domain.catalog.selection import DATACENTRE, PASTED_KEY, SSH_KEYS, read_selection
from app.domain.catalog.views import ProductView
from app.domain.orders.errors import KeyReused, OutOfStock
from app.domain.orders.place import OrderRequest, place
from app.domain.orders.views import OrderView
from app.routes.portal.order_fields import (
    Fields,
    address_of,
    defaults,
    from_query,
    posted,
    priced,
    view_of,
)
from app.routes.portal.stock import stock_of
from app.routes.security.dependencies import Config, Db, Frame, HttpRequest, MaybeAccount
from app.routes.security.flashes import go
from app.routes.security.html import html
from app.routes.security.rate_limit import CHECKOUT, limited
from app.settings import Settings

LONGEST_KEY = 100
KEY = "idempotency_key"


class OrderForm(Controller):
    """The product's page. Visitors may choose and see prices; to order they sign up."""

    path = "/products/{slug:str}"
    include_in_schema = False

    @get()
    async def show(
        self,
        *,
        request: HttpRequest,
        db: Db,
        account: MaybeAccount,
        settings: Config,
        frame: Frame,
        slug: FromPath[str],
    ) -> Response[Any]:
        async with db.snapshot() as tx:
            product = await find_product(tx, slug)
            desk, fields = await _desk(
                tx, product, from_query(request, product), account, settings, begin=True
            )
        return html(product_page(desk, Form(values=fields, csrf=frame.csrf), frame=frame))

    @get("/stock")
    async def stock(self, db: Db, slug: FromPath[str]) -> Response[Any]:
        async with db.snapshot() as tx:
            product = await find_product(tx, slug)
            counted = await stock_of(tx, [product])
        return html(product_stock(slug, counted[product.id]))

    @post("/price", status_code=200)
    async def price(
        self,
        request: HttpRequest,
        db: Db,
        account: MaybeAccount,
        settings: Config,
        slug: FromPath[str],
    ) -> Response[Any]:
        """Return the price panel, and out of band the questions in their new prices and stock."""
        fields = await posted(request)
        async with db.snapshot() as tx:
            product = await find_product(tx, slug)
            if not product.prices:
                raise Invalid({"": f"{product.name} has no price yet."})
            desk, _ = await _desk(tx, product, fields, account, settings)
        form = Form(values=fields, errors=desk.quote.errors)
        return html(
            h.fragment[
                price_panel(slug, desk.quote, form_id=FORM_ID),
                options_region(desk, form, out_of_band=True),
            ]
        )

    @post("/order", guards=[limited(CHECKOUT)], status_code=200)
    async def order(
        self,
        *,
        request: HttpRequest,
        db: Db,
        account: MaybeAccount,
        settings: Config,
        frame: Frame,
        slug: FromPath[str],
    ) -> Response[Any]:
        """Place the order and lead on to its payment; a visitor is led to sign up first."""
        fields = await posted(request)
        async with db.snapshot() as tx:
            product = await find_product(tx, slug)
        refusal: Invalid | OutOfStock | KeyReused
        try:
            selection = read_selection(product, fields)
            if account is None:
                way = "/sign-in" if fields.get("way") == "sign-in" else "/sign-up"
                return go(request, with_next(way, address_of(product, fields)))
            wish = OrderRequest(
                account=account.id,
                product=slug,
                selection=selection,
                idempotency_key=_key(fields),
                hold_for=timedelta(minutes=settings.hold_minutes),
                pay_within=timedelta(days=settings.order_days),
            )
            async with db.transaction() as tx:
                placed = await place(tx, wish)
        except (Invalid, OutOfStock, KeyReused) as caught:
            refusal = caught
        else:
            return go(request, _next_step(placed))
        async with db.snapshot() as tx:
            desk, _ = await _desk(tx, product, fields, account, settings, refusal=refusal)
        errors = _errors(refusal, product, has_keys=bool(desk.keys))
        form = Form(values=fields, errors=errors, csrf=frame.csrf)
        status = 422 if isinstance(refusal, Invalid) else 409
        return html(product_page(desk, form, frame=frame), status_code=status)


def _next_step(order: OrderView) -> str:
    """Return where to go with an order: to its payment, or to itself when nothing is owed."""
    if order.is_unpaid and order.invoice_id:
        return f"/invoices/{order.invoice_id}/pay"
    return f"/orders/{order.id}"


def _key(fields: Fields) -> str:
    given = str(fields.get(KEY, ""))
    return given if 0 < len(given) <= LONGEST_KEY else new_id().hex


def _errors(
    refusal: Invalid | OutOfStock | KeyReused, product: ProductView, *, has_keys: bool
) -> Mapping[str, str]:
    """Return the message of each bad field, in the order of the form."""
    if isinstance(refusal, OutOfStock):
        return {}
    if isinstance(refusal, KeyReused):
        return {"": refusal.message}
    fields = dict(refusal.fields)
    if not has_keys and SSH_KEYS in fields:
        # There are no boxes to tick; the place to put it right is the one to paste a key in.
        fields.setdefault(PASTED_KEY, fields.pop(SSH_KEYS))
    place = {name: number for number, name in enumerate(labels_of(product))}
    return dict(sorted(fields.items(), key=lambda item: place.get(item[0], -1)))


async def _desk(
    tx: Tx,
    product: ProductView,
    chosen: Fields,
    account: AccountView | None,
    settings: Settings,
    *,
    begin: bool = False,
    refusal: Exception | None = None,
) -> tuple[Desk, Fields]:
    """Return what the form shows, and its fields: `chosen`, with defaults when it begins."""
    everything = await list_products(tx) if isinstance(refusal, OutOfStock) else ()
    stocks = await stock_of(tx, everything or [product])
    stock = stocks.get(product.id, Stock(0))
    rate_bp = await tax_rate_bp(tx, account.id) if account else 0
    currency, cycle = settings.currency, Cycle.monthly
    fields = chosen
    breakdown, errors = None, dict[str, str]()
    if product.prices:
        currency, cycle = view_of(product, chosen, currency=settings.currency)
        if begin:
            fields = {**defaults(product, currency=currency, cycle=cycle), **chosen}
        breakdown, errors = priced(product, fields, tax_rate_bp=rate_bp)
    place = str(fields.get(DATACENTRE, ""))
    desk = Desk(
        product=product,
        stock=stock,
        quote=Quote(
            breakdown=breakdown,
            cycle=cycle,
            errors=errors,
            is_signed_in=account is not None,
            hold_minutes=settings.hold_minutes,
            is_sold_out=stock.at(place) == 0,
            elsewhere=stock_places(stock),
        ),
        currency=currency,
        cycle=cycle,
        keys=await list_ssh_keys(tx, account.id) if account else (),
        idempotency_key=new_id().hex if isinstance(refusal, KeyReused) else _key(fields),
        sold_out=refusal.message if isinstance(refusal, OutOfStock) else None,
        alternatives=tuple(
            one
            for other in everything
            for one in _alternatives(other, stocks[other.id], product, fields)
        ),
    )
    return desk, fields


def _alternatives(
    other: ProductView, stock: Stock, wanted: ProductView, fields: Fields
) -> list[Alternative]:
    """Return the same product in other places, and other products that are in stock."""
    if other.id != wanted.id:
        if not stock.total:
            return []
        return [
            Alternative(
                f"{other.name}: {stock_places(stock) or stock.total}", address_of(other, {})
            )
        ]
    group = wanted.group(DATACENTRE)
    offered = {option.code for option in group.options} if group else set()
    return [
        Alternative(
            f"{wanted.name} in {place.name}: {place.free} free",
            address_of(wanted, {**fields, DATACENTRE: place.code}),
        )
        for place in stock.places
        if place.free and place.code in offered and place.code != fields.get(DATACENTRE)
    ]
