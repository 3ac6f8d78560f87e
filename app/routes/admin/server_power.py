"""`/admin/servers/…/reconcile-power`: switch a server to what its service says."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.dcim import SERVERS
from app.components.admin.server_power import DEED, reconcile_page
from app.components.notice import Flash
from app.domain.accounts.roles import Permission
from app.domain.inventory.errors import PowerAsWanted
from app.domain.inventory.find import find_server
from app.domain.inventory.reconcile_power import order_power
from app.domain.metal.find import node_of_server
from app.domain.metal.order_remedy import RemedyUnderWay, order_server_power
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html


class ServerPower(Controller):
    """Asked on a page of its own, done by a worker: the server's page follows."""

    path = f"{SERVERS}/{{server_id:uuid}}/{DEED}"
    guards = (requires(Permission.SERVERS_CHANGE),)
    include_in_schema = False

    @get()
    async def ask(
        self, request: HttpRequest, db: Db, frame: Frame, server_id: FromPath[UUID]
    ) -> Response[Any]:
        async with db.snapshot() as tx:
            server = await find_server(tx, server_id)
            node = await node_of_server(tx, server_id)
        if server.power_to_put_right is None:
            return _as_wanted(request, server_id, PowerAsWanted(server.name))
        return html(reconcile_page(server, by_cloud=node is not None, frame=frame))

    @post(status_code=200)
    async def do(
        self, request: HttpRequest, db: Db, me: Me, server_id: FromPath[UUID]
    ) -> Response[Any]:
        try:
            async with db.transaction() as tx:
                by_cloud = await order_server_power(
                    tx, server_id, actor=me.id, actor_label=me.email
                )
                if not by_cloud:
                    await order_power(tx, server_id, actor=me.id, actor_label=me.email)
        except (PowerAsWanted, RemedyUnderWay) as refusal:
            return _as_wanted(request, server_id, refusal)
        flash = Flash("success", "It is being switched. This page follows.")
        return go(request, f"{SERVERS}/{server_id}", flash)


def _as_wanted(
    request: HttpRequest, server_id: UUID, refusal: PowerAsWanted | RemedyUnderWay
) -> Response[Any]:
    return go(request, f"{SERVERS}/{server_id}", Flash("info", refusal.message))
