"""`/admin/backlog`: orders that wait for a server, and who of them goes first."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.backlog import backlog_page, backlog_region, priority_page
from app.components.admin.outlook import BACKLOG
from app.components.form import Form
from app.components.frame import PageFrame
from app.components.notice import Flash
from app.core.database import Database
from app.core.errors import Invalid
from app.domain.accounts.roles import Permission, allows
from app.domain.orders.find import find_order
from app.domain.orders.find_backlog import last_served, waiting_lines
from app.domain.orders.set_priority import HIGHEST, LOWEST, set_priority
from app.routes.admin.reasons import reason_of
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.typed import typed

CHANGES = (requires(Permission.ORDERS_CHANGE),)
SHOWN = 50


class Backlog(Controller):
    """Who waits, for the staff."""

    path = BACKLOG
    guards = (requires(Permission.ORDERS_READ), requires(Permission.SERVERS_READ))
    include_in_schema = False

    @get()
    async def show(self, db: Db, me: Me, frame: Frame) -> Response[Any]:
        async with db.snapshot() as tx:
            waiting, served = await waiting_lines(tx, limit=SHOWN), await last_served(tx)
        may_change = allows(me.role, Permission.ORDERS_CHANGE)
        return html(backlog_page(waiting, served, may_change=may_change, frame=frame))

    @get("/now")
    async def refresh(self, db: Db, me: Me) -> Response[Any]:
        async with db.snapshot() as tx:
            waiting, served = await waiting_lines(tx, limit=SHOWN), await last_served(tx)
        may_change = allows(me.role, Permission.ORDERS_CHANGE)
        return html(backlog_region(waiting, served, may_change=may_change))

    @get("/{order_id:uuid}/priority", guards=CHANGES)
    async def ask(self, db: Db, frame: Frame, order_id: FromPath[UUID]) -> Response[Any]:
        return await _priority_page(db, order_id, Form(csrf=frame.csrf), frame)

    @post("/{order_id:uuid}/priority", guards=CHANGES, status_code=200)
    async def change(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, order_id: FromPath[UUID]
    ) -> Response[Any]:
        values = await typed(request)
        try:
            priority = _priority(values)
            reason = reason_of(values)
            async with db.transaction() as tx:
                await set_priority(
                    tx, order_id, priority, actor=me.id, actor_label=me.email, reason=reason
                )
        except Invalid as refusal:
            form = Form(values=values, errors=refusal.fields, csrf=frame.csrf)
            return await _priority_page(db, order_id, form, frame, status=422)
        return go(request, BACKLOG, Flash("success", f"The order has priority {priority} now."))


def _priority(values: dict[str, str]) -> int:
    text = values.get("priority", "").strip()
    digits = text.removeprefix("-").removeprefix("+")
    if digits.isascii() and digits.isdecimal() and len(digits) < len("999"):
        number = int(text)
        if LOWEST <= number <= HIGHEST:
            return number
    raise Invalid({"priority": f"Type a whole number from {LOWEST} to {HIGHEST}."})


async def _priority_page(
    db: Database, order_id: UUID, form: Form, frame: PageFrame, *, status: int = 200
) -> Response[Any]:
    async with db.snapshot() as tx:
        order = await find_order(tx, order_id)
    return html(priority_page(order, form, frame=frame), status_code=status)
