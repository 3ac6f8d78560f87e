"""`/admin/nodes`: what clouds of bare metal say of their nodes."""

from typing import Any

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.filters import Wanted
from app.components.admin.nodes import CLOUD, NODES, VIEWS, NodesFile, nodes_list, nodes_page
from app.components.notice import Flash
from app.core.database import Tx
from app.domain.accounts.roles import Permission, allows
from app.domain.accounts.views import AccountView
from app.domain.metal.find import count_nodes, list_clouds, list_nodes
from app.domain.metal.watch import ask_now
from app.routes.admin.query import wanted_of
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html

CHANGES = (requires(Permission.SERVERS_CHANGE),)


class Nodes(Controller):
    """The list; it follows what the workers read."""

    path = NODES
    guards = (requires(Permission.SERVERS_READ),)
    include_in_schema = False

    @get()
    async def show(self, request: HttpRequest, db: Db, me: Me, frame: Frame) -> Response[Any]:
        wanted = wanted_of(request, NODES, VIEWS, [CLOUD])
        async with db.snapshot() as tx:
            file = await _read(tx, wanted, me, frame.csrf)
            counts = await count_nodes(tx, connection=wanted.more[CLOUD])
        return html(nodes_page(file, counts, frame=frame))

    @get("/rows")
    async def refresh(self, request: HttpRequest, db: Db, me: Me, frame: Frame) -> Response[Any]:
        wanted = wanted_of(request, NODES, VIEWS, [CLOUD])
        async with db.snapshot() as tx:
            file = await _read(tx, wanted, me, frame.csrf)
        return html(nodes_list(file))

    @post("/clouds/{name:str}/look", guards=CHANGES, status_code=200)
    async def look(self, request: HttpRequest, db: Db, name: FromPath[str]) -> Response[Any]:
        async with db.transaction() as tx:
            await ask_now(tx, name)
        return go(request, NODES, Flash("success", f"{name} is being asked. This page follows."))


async def _read(tx: Tx, wanted: Wanted, me: AccountView, csrf: str) -> NodesFile:
    """Read one page of the list; three statements."""
    return NodesFile(
        clouds=await list_clouds(tx),
        found=await list_nodes(
            tx,
            view=wanted.view,
            connection=wanted.more[CLOUD],
            search=wanted.search,
            page=wanted.page,
        ),
        wanted=wanted,
        may_change=allows(me.role, Permission.SERVERS_CHANGE),
        csrf=csrf,
    )
