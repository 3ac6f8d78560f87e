"""`/orders`: the client's orders and their delivery."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.notice import Flash
from app.components.portal.cycle import CYCLE_NAMES
from app.components.portal.lists import orders_page, orders_region
from app.components.portal.order import OrderStory, cancel_page, order_page, order_progress
from app.core.database import Tx
from app.domain.catalog.find import product_by_id
from app.domain.catalog.views import OptionKind, ProductView
from app.domain.orders.cancel import cancel_own
from app.domain.orders.errors import AlreadyPaid
from app.domain.orders.find import find_order, orders_of
from app.domain.orders.states import OrderState
from app.domain.orders.views import OrderView
from app.routes.portal.page_number import page_number
from app.routes.portal.progress import progress_of
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.guards import signed_in
from app.routes.security.html import html

HERE = "/orders"


class Orders(Controller):
    """A client sees nobody's orders but their own: every look-up is by account."""

    path = HERE
    guards = (signed_in,)
    include_in_schema = False

    @get()
    async def list_all(self, request: HttpRequest, db: Db, me: Me, frame: Frame) -> Response[Any]:
        async with db.snapshot() as tx:
            orders = await orders_of(tx, me.id, page=page_number(request))
        return html(orders_page(orders, f"account:{me.id}", frame=frame))

    @get("/rows")
    async def rows(self, request: HttpRequest, db: Db, me: Me) -> Response[Any]:
        async with db.snapshot() as tx:
            orders = await orders_of(tx, me.id, page=page_number(request))
        return html(orders_region(orders, f"account:{me.id}"))

    @get("/{order_id:uuid}")
    async def show(self, db: Db, me: Me, frame: Frame, order_id: FromPath[UUID]) -> Response[Any]:
        async with db.snapshot() as tx:
            order = await find_order(tx, order_id, account=me.id)
            product = await product_by_id(tx, order.product_id)
            story = await _story(tx, order, chosen=tuple(chosen(product, order)))
        return html(order_page(story, frame=frame))

    @get("/{order_id:uuid}/progress")
    async def progress(self, db: Db, me: Me, order_id: FromPath[UUID]) -> Response[Any]:
        async with db.snapshot() as tx:
            story = await _story(tx, await find_order(tx, order_id, account=me.id))
        return html(order_progress(story))

    @get("/{order_id:uuid}/cancel")
    async def ask_to_cancel(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, order_id: FromPath[UUID]
    ) -> Response[Any]:
        async with db.snapshot() as tx:
            order = await find_order(tx, order_id, account=me.id)
        if not order.is_unpaid:
            return go(request, f"{HERE}/{order_id}")
        return html(cancel_page(order, frame=frame))

    @post("/{order_id:uuid}/cancel", status_code=200)
    async def cancel(
        self, request: HttpRequest, db: Db, me: Me, order_id: FromPath[UUID]
    ) -> Response[Any]:
        here = f"{HERE}/{order_id}"
        try:
            async with db.transaction() as tx:
                await cancel_own(tx, order_id, account=me.id, actor_label=me.email)
        except AlreadyPaid as refusal:
            return go(request, here, Flash("warning", refusal.message))
        return go(request, here, Flash("success", "The order is cancelled."))


async def _story(tx: Tx, order: OrderView, chosen: tuple[tuple[str, str], ...] = ()) -> OrderStory:
    is_over = order.state is OrderState.cancelled
    return OrderStory(
        order=order,
        chosen=chosen,
        progress=await progress_of(tx, None if is_over else order.run),
        now=tx.now(),
    )


def chosen(product: ProductView, order: OrderView) -> list[tuple[str, str]]:
    """Return each question of the order form and its answer, in words."""
    selection = order.selection
    answers: list[tuple[str, str]] = []
    for group in product.groups:
        if group.kind is OptionKind.ssh_keys:
            count = len(selection.ssh_keys)
            answers.append((group.name, _keys(count)))
        elif group.kind is OptionKind.quantity:
            if quantity := selection.quantity(group.code):
                answers.append((group.name, str(quantity)))
        elif code := selection.choice(group.code):
            option = group.option(code)
            answers.append((group.name, option.name if option else code))
    return [*answers, ("Billing", CYCLE_NAMES[order.cycle])]


def _keys(count: int) -> str:
    if count == 0:
        return "None; a password is made"
    return "1 key" if count == 1 else f"{count} keys"
