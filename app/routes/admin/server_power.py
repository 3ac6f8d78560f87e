"""`/admin/servers/…/reconcile-power` and `take-power`: put right that a power differs."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.dcim import SERVERS
from app.components.admin.server_power import DEED, TAKE, reconcile_page
from app.components.notice import Flash
from app.domain.accounts.roles import Permission
from app.domain.inventory.errors import PowerAsWanted, PowerMoved
from app.domain.inventory.find import find_server
from app.domain.inventory.reconcile_power import order_power
from app.domain.inventory.take_power import judge_by_service, take_power
from app.domain.metal.find import node_of_server
from app.domain.metal.order_remedy import RemedyUnderWay, order_server_power
from app.drivers.power import Power
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.typed import typed


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


class TakenPower(Controller):
    """Takes what was read for right, or no longer; done at once, since it switches nothing."""

    path = f"{SERVERS}/{{server_id:uuid}}/{TAKE}"
    guards = (requires(Permission.SERVERS_CHANGE),)
    include_in_schema = False

    @post(status_code=200)
    async def take(
        self, request: HttpRequest, db: Db, me: Me, server_id: FromPath[UUID]
    ) -> Response[Any]:
        seen = (await typed(request)).get("seen", "")
        try:
            async with db.transaction() as tx:
                await take_power(tx, server_id, _power(seen), actor=me.id, actor_label=me.email)
        except (PowerAsWanted, PowerMoved) as refusal:
            return go(request, f"{SERVERS}/{server_id}", Flash("info", refusal.message))
        flash = Flash("success", f"That it is {seen} counts as right until its service changes.")
        return go(request, f"{SERVERS}/{server_id}", flash)

    @post("/back", status_code=200)
    async def give_back(
        self, request: HttpRequest, db: Db, me: Me, server_id: FromPath[UUID]
    ) -> Response[Any]:
        async with db.transaction() as tx:
            await judge_by_service(tx, server_id, actor=me.id, actor_label=me.email)
        return go(request, f"{SERVERS}/{server_id}", Flash("success", "Its power is read anew."))


def _power(seen: str) -> Power:
    """Return what the form says was seen; what no form of ours says is `UNKNOWN`."""
    return Power(seen) if seen in set(Power) else Power.UNKNOWN


def _as_wanted(
    request: HttpRequest, server_id: UUID, refusal: PowerAsWanted | RemedyUnderWay
) -> Response[Any]:
    return go(request, f"{SERVERS}/{server_id}", Flash("info", refusal.message))
