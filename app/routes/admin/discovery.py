"""`/admin/servers/ID/discovery`: what its BMC or its cloud says, against what is written down."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.dcim import SERVERS
from app.components.admin.discovery import FACT, discovery_page, discovery_region
from app.components.notice import Flash
from app.core.database import Tx
from app.core.errors import Invalid, NotFound
from app.domain.inventory.discover import accept_difference, ask_hardware, compare
from app.domain.inventory.find import find_server
from app.domain.metal.link import node_of
from app.routes.admin.racks import CHANGES, READS, may_change
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.html import html
from app.routes.security.typed import typed


class Discovery(Controller):
    """Ask, compare, accept one by one."""

    path = f"{SERVERS}/{{server_id:uuid}}/discovery"
    guards = READS
    include_in_schema = False

    @get()
    async def show(self, db: Db, me: Me, frame: Frame, server_id: FromPath[UUID]) -> Response[Any]:
        async with db.snapshot() as tx:
            server = await find_server(tx, server_id)
            comparison = await compare(tx, server_id)
            cloud = await _cloud(tx, server_id)
        may = may_change(me)
        return html(discovery_page(server, comparison, cloud=cloud, may_change=may, frame=frame))

    @get("/now")
    async def refresh(
        self, db: Db, me: Me, frame: Frame, server_id: FromPath[UUID]
    ) -> Response[Any]:
        async with db.snapshot() as tx:
            server = await find_server(tx, server_id)
            comparison = await compare(tx, server_id)
            cloud = await _cloud(tx, server_id)
        csrf = frame.csrf if may_change(me) else ""
        return html(discovery_region(server, comparison, cloud=cloud, csrf=csrf))

    @post(guards=CHANGES, status_code=200)
    async def ask(self, request: HttpRequest, db: Db, server_id: FromPath[UUID]) -> Response[Any]:
        async with db.transaction() as tx:
            await ask_hardware(tx, server_id)
        return go(request, f"{SERVERS}/{server_id}/discovery")

    @post("/accept", guards=CHANGES, status_code=200)
    async def accept(
        self, request: HttpRequest, db: Db, me: Me, server_id: FromPath[UUID]
    ) -> Response[Any]:
        fact = (await typed(request)).get(FACT, "")
        here = f"{SERVERS}/{server_id}/discovery"
        try:
            async with db.transaction() as tx:
                await accept_difference(tx, server_id, fact, actor=me.id, actor_label=me.email)
        except NotFound:
            return go(request, here, Flash("info", "There is no such difference any more."))
        except Invalid as invalid:
            return go(request, here, Flash("danger", " ".join(invalid.fields.values())))
        return go(request, here, Flash("success", "It is written down so."))


async def _cloud(tx: Tx, server: UUID) -> str:
    """Return which cloud has the server, "" for none."""
    linked = await node_of(tx, server)
    return linked.connection if linked else ""
