"""`/admin`: the dashboard, and the three parts of it that keep themselves current."""

from typing import Any

from litestar import Controller, Response, get

from app.components.admin.dashboard import Now, dashboard_page, now_region
from app.components.admin.health import Health, health_region
from app.components.admin.stock import Stock, stock_region
from app.core.database import Tx
from app.domain.accounts.roles import Permission, allows
from app.domain.accounts.views import AccountView
from app.domain.catalog.find import list_products
from app.domain.catalog.stock import EVERYWHERE, stock_at
from app.domain.inventory.find import (
    count_drifts,
    count_silent,
    counts_by_state,
    list_datacentres,
    list_servers,
    silent_bmcs,
)
from app.domain.inventory.states import ServerState
from app.domain.inventory.views import ServerRow
from app.domain.metal.find import count_node_drifts
from app.domain.notices.find import count_mails
from app.domain.orders.figures import backlog, deliveries, owed
from app.domain.orders.find import stuck
from app.flows.find import live_runs
from app.routes.security.dependencies import Db, Frame, Me
from app.routes.security.guards import requires
from app.routes.security.html import html

NAMED = 8
"""How many servers the dashboard names; the list has them all."""


class Dashboard(Controller):
    """What happens now."""

    path = "/admin"
    guards = (requires(Permission.ADMIN),)
    include_in_schema = False

    @get()
    async def show(self, db: Db, me: Me, frame: Frame) -> Response[Any]:
        async with db.snapshot() as tx:
            now = await read_now(tx, me)
            health = await read_health(tx, me)
            shelf = await read_stock(tx) if health.servers is not None else None
        return html(dashboard_page(now, health, shelf, frame=frame))

    @get("/dashboard/now")
    async def refresh_now(self, db: Db, me: Me, frame: Frame) -> Response[Any]:
        async with db.snapshot() as tx:
            now = await read_now(tx, me)
        return html(now_region(now, frame.csrf))

    @get("/dashboard/health")
    async def refresh_health(self, db: Db, me: Me) -> Response[Any]:
        async with db.snapshot() as tx:
            health = await read_health(tx, me)
        return html(health_region(health))

    @get("/dashboard/stock", guards=[requires(Permission.SERVERS_READ)])
    async def refresh_stock(self, db: Db) -> Response[Any]:
        async with db.snapshot() as tx:
            shelf = await read_stock(tx)
        return html(stock_region(shelf))


async def read_now(tx: Tx, me: AccountView) -> Now:
    """Read what is under way, as far as `me` may see it: 7 statements, however much it is."""
    runs = await live_runs(tx)
    shown = {run.order_id for run in runs}
    return Now(
        at=tx.now(),
        runs=runs,
        orders=tuple(order for order in await stuck(tx) if order.id not in shown),
        deliveries=await deliveries(tx),
        backlog=await backlog(tx),
        owed=await owed(tx) if allows(me.role, Permission.INVOICES_READ) else None,
        may_retry=allows(me.role, Permission.RUNS_CHANGE),
    )


async def read_health(tx: Tx, me: AccountView) -> Health:
    """Read the queues and the servers that want a look: 9 statements at most."""
    counts = await counts_by_state(tx) if allows(me.role, Permission.SERVERS_READ) else None
    silent = await count_silent(tx) if counts else 0
    drifts = await count_drifts(tx) if counts else 0
    node_drifts = await count_node_drifts(tx) if counts else 0
    aside: tuple[ServerRow, ...] = ()
    if counts and counts[ServerState.quarantined]:
        aside = (await list_servers(tx, states=[ServerState.quarantined])).items
    return Health(
        at=tx.now(),
        backlog=await backlog(tx),
        mails=dict(await count_mails(tx)),
        servers=counts,
        quarantined=aside[:NAMED],
        silent=silent,
        silent_bmcs=await silent_bmcs(tx, limit=NAMED) if silent else (),
        drifts=drifts,
        node_drifts=node_drifts,
    )


async def read_stock(tx: Tx) -> Stock:
    """Count what could be delivered: four statements and a pass of the solver."""
    products = await list_products(tx)
    sites = await list_datacentres(tx)
    counts = await stock_at(tx, products, [site.code for site in sites])
    return Stock(
        products=products,
        datacentres=sites,
        counts={
            (product.slug, code): counts.get((product.id, code), 0)
            for product in products
            for code in (EVERYWHERE, *(site.code for site in sites))
        },
    )
