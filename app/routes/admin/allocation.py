"""`/admin/orders/{id}/allocation`: why an order has its server, and giving it another."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.allocation import allocation_href, allocation_page, choose_page
from app.components.admin.orders import ORDERS
from app.components.form import Form
from app.components.notice import Flash
from app.core.database import Database
from app.core.errors import Invalid, NotFound, Refusal
from app.domain.accounts.roles import Permission, allows
from app.domain.orders.choose_server import choose_server
from app.domain.orders.explain import OrderAccount, explain_order
from app.routes.admin.query import LONGEST_SEARCH
from app.routes.admin.reasons import reason_of
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.errors import status_of
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.typed import typed

CHANGES = (requires(Permission.ORDERS_CHANGE),)


class Allocation(Controller):
    """One order and the stock."""

    path = f"{ORDERS}/{{order_id:uuid}}/allocation"
    guards = (requires(Permission.ORDERS_READ), requires(Permission.SERVERS_READ))
    include_in_schema = False

    @get()
    async def show(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, order_id: FromPath[UUID]
    ) -> Response[Any]:
        asked = _asked(request)
        may_choose = allows(me.role, Permission.ORDERS_CHANGE)
        fault = ""
        try:
            told = await _told(db, order_id, asked)
        except NotFound:
            # The order itself may be what is not there: then this raises again.
            told, fault = await _told(db, order_id, ""), f"There is no server {asked}."
        return html(
            allocation_page(told, asked=asked, fault=fault, may_choose=may_choose, frame=frame),
            status_code=422 if fault else 200,
        )

    @get("/choose", guards=CHANGES)
    async def ask(
        self, request: HttpRequest, db: Db, frame: Frame, order_id: FromPath[UUID]
    ) -> Response[Any]:
        server = _named(request)
        told = await _told(db, order_id, server)
        if told.fixed:
            return go(request, allocation_href(order_id), Flash("warning", told.fixed))
        return _choose_page(told, frame, Form(csrf=frame.csrf))

    @post("/choose", guards=CHANGES, status_code=200)
    async def choose(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, order_id: FromPath[UUID]
    ) -> Response[Any]:
        values, server = await typed(request), _named(request)
        try:
            async with db.transaction() as tx:
                chosen = await choose_server(
                    tx,
                    order_id,
                    server,
                    actor=me.id,
                    actor_label=me.email,
                    reason=reason_of(values),
                )
        except NotFound:
            raise
        except Refusal as refusal:
            errors = refusal.fields if isinstance(refusal, Invalid) else {"": refusal.message}
            form = Form(values=values, errors=errors, csrf=frame.csrf)
            account = await _told(db, order_id, server)
            return _choose_page(account, frame, form, status=status_of(refusal))
        told = Flash("success", f"The order has {chosen.name} now.")
        return go(request, f"{ORDERS}/{order_id}", told)


def _asked(request: HttpRequest) -> str:
    return request.query_params.get("server", "").replace("\0", "").strip()[:LONGEST_SEARCH]


def _named(request: HttpRequest) -> str:
    if server := _asked(request):
        return server
    raise NotFound("server", "")


async def _told(db: Database, order_id: UUID, server: str) -> OrderAccount:
    async with db.snapshot() as tx:
        return await explain_order(tx, order_id, server=server)


def _choose_page(
    told: OrderAccount, frame: Frame, form: Form, *, status: int = 200
) -> Response[Any]:
    asked = told.account.asked
    assert asked is not None  # noqa: S101 - it was asked about
    page = choose_page(told, told.names[asked.server], form, fails=asked.failed, frame=frame)
    return html(page, status_code=status)
