"""`/admin/orders`: the list, one order with everything of it, and giving one up."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.order import OrderFile, order_page, order_region
from app.components.admin.order_cancel import cancel_page
from app.components.admin.orders import ORDERS, VIEWS, orders_list, orders_page
from app.components.form import Form
from app.components.notice import Flash
from app.core.database import Tx
from app.core.errors import Invalid, NotFound, Refusal
from app.core.money import Money
from app.domain.accounts.roles import Permission, allows
from app.domain.accounts.views import AccountView
from app.domain.addresses.find import addresses_of
from app.domain.audit.find import trail
from app.domain.billing.find import find_invoice
from app.domain.catalog.find import product_by_id
from app.domain.inventory.find import server_of
from app.domain.orders.find import find_order, list_orders
from app.domain.services.script_fault import script_to_mend
from app.flows.find import find_run_row
from app.flows.timeline import timeline_of
from app.flows.views import Trouble
from app.routes.admin.query import wanted_of
from app.routes.admin.reasons import reason_of
from app.routes.admin.stop_order import Stopped, stop_order
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.errors import status_of
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.typed import typed


class Orders(Controller):
    """Orders, for the staff."""

    path = ORDERS
    guards = (requires(Permission.ORDERS_READ),)
    include_in_schema = False

    @get()
    async def list(self, request: HttpRequest, db: Db, frame: Frame) -> Response[Any]:
        wanted = wanted_of(request, ORDERS, VIEWS)
        async with db.snapshot() as tx:
            found = await list_orders(
                tx, states=VIEWS[wanted.view][1], search=wanted.search, page=wanted.page
            )
        return html(orders_page(found, wanted, frame=frame))

    @get("/rows")
    async def refresh_list(self, request: HttpRequest, db: Db) -> Response[Any]:
        wanted = wanted_of(request, ORDERS, VIEWS)
        async with db.snapshot() as tx:
            found = await list_orders(
                tx, states=VIEWS[wanted.view][1], search=wanted.search, page=wanted.page
            )
        return html(orders_list(found, wanted))

    @get("/{order_id:uuid}")
    async def show(self, db: Db, me: Me, frame: Frame, order_id: FromPath[UUID]) -> Response[Any]:
        async with db.snapshot() as tx:
            file = await read_file(tx, order_id, me)
        return html(order_page(file, frame=frame))

    @get("/{order_id:uuid}/now")
    async def refresh(
        self, db: Db, me: Me, frame: Frame, order_id: FromPath[UUID]
    ) -> Response[Any]:
        async with db.snapshot() as tx:
            file = await read_file(tx, order_id, me)
        return html(order_region(file, frame.csrf))

    @get("/{order_id:uuid}/cancel", guards=[requires(Permission.ORDERS_CHANGE)])
    async def ask_to_cancel(self, db: Db, frame: Frame, order_id: FromPath[UUID]) -> Response[Any]:
        return await _cancel_page(db, frame, order_id, Form(csrf=frame.csrf))

    @post("/{order_id:uuid}/cancel", guards=[requires(Permission.ORDERS_CHANGE)], status_code=200)
    async def cancel(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, order_id: FromPath[UUID]
    ) -> Response[Any]:
        values = await typed(request)
        try:
            async with db.transaction() as tx:
                stopped = await stop_order(tx, order_id, me=me, reason=reason_of(values))
        except NotFound:
            raise
        except Refusal as refusal:
            errors = refusal.fields if isinstance(refusal, Invalid) else {"": refusal.message}
            form = Form(values=values, errors=errors, csrf=frame.csrf)
            return await _cancel_page(db, frame, order_id, form, status=status_of(refusal))
        return go(request, f"{ORDERS}/{order_id}", told(stopped))


def told(stopped: Stopped) -> Flash:
    """Say what came of giving an order up."""
    if not stopped.is_cancelled:
        return Flash(
            "warning",
            "Its flow is being stopped and undone; then the order is refunded by itself.",
        )
    if stopped.credited_minor:
        amount = Money(stopped.credited_minor, stopped.currency).text()
        return Flash("success", f"The order is cancelled; {amount} is account credit.")
    return Flash("success", "The order is cancelled.")


async def _cancel_page(
    db: Db, frame: Frame, order_id: UUID, form: Form, *, status: int = 200
) -> Response[Any]:
    async with db.snapshot() as tx:
        order = await find_order(tx, order_id)
        invoice = await find_invoice(tx, order.invoice_id) if order.invoice_id else None
        run = await find_run_row(tx, order.run) if order.run else None
    return html(cancel_page(order, invoice, run, form, frame=frame), status_code=status)


async def read_file(tx: Tx, order_id: UUID, me: AccountView) -> OrderFile:
    """Read an order with all that `me` may see of it; some 17 statements."""
    order = await find_order(tx, order_id)
    sees_invoices = allows(me.role, Permission.INVOICES_READ)
    sees_servers = allows(me.role, Permission.SERVERS_READ)
    subjects = [order.id, order.run, order.invoice_id, order.service_id]
    run = await find_run_row(tx, order.run) if order.run else None
    is_halted = run is not None and run.trouble is Trouble.halted
    return OrderFile(
        at=tx.now(),
        order=order,
        product=await product_by_id(tx, order.product_id),
        invoice=await find_invoice(tx, order.invoice_id)
        if order.invoice_id and sees_invoices
        else None,
        server=await server_of(tx, order.id) if sees_servers else None,
        addresses=await addresses_of(tx, order.id),
        run=run,
        course=await timeline_of(tx, order.run) if order.run else None,
        trail=await trail(tx, subjects) if allows(me.role, Permission.AUDIT_READ) else None,
        may_retry=allows(me.role, Permission.RUNS_CHANGE),
        may_cancel=allows(me.role, Permission.ORDERS_CHANGE),
        sees_stock=sees_servers,
        script_at=await script_to_mend(tx, order.id) if is_halted else None,
    )
