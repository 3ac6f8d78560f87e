"""`/admin/servers/…/switch/…`: staff start, shut down, restart or reset a server."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.dcim import SERVERS
from app.components.admin.server_switch import PART, switch_page
from app.components.form import Form
from app.core.errors import Invalid, NotFound
from app.domain.accounts.roles import Permission
from app.domain.inventory.find import find_server
from app.domain.machines.errand import Deed
from app.domain.machines.order_power import NotNow
from app.domain.metal.switch import SERVER_DEEDS, order_switch
from app.routes.admin.reasons import reason_of
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.typed import typed


class ServerSwitch(Controller):
    """Asked on a page of its own, done by a worker: the server's page follows."""

    path = f"{SERVERS}/{{server_id:uuid}}/{PART}/{{deed:str}}"
    guards = (requires(Permission.SERVERS_CHANGE),)
    include_in_schema = False

    @get()
    async def ask(
        self, db: Db, frame: Frame, server_id: FromPath[UUID], deed: FromPath[str]
    ) -> Response[Any]:
        return await _asked(db, frame, server_id, _deed(deed), Form(csrf=frame.csrf))

    @post(status_code=200)
    async def do(
        self,
        *,
        request: HttpRequest,
        db: Db,
        me: Me,
        frame: Frame,
        server_id: FromPath[UUID],
        deed: FromPath[str],
    ) -> Response[Any]:
        values, wanted = await typed(request), _deed(deed)
        try:
            reason = reason_of(values)
            async with db.transaction() as tx:
                await order_switch(
                    tx, server_id, wanted, actor=me.id, actor_label=me.email, reason=reason
                )
        except Invalid as invalid:
            form = Form(values=values, errors=invalid.fields, csrf=frame.csrf)
            return await _asked(db, frame, server_id, wanted, form, status=422)
        except NotNow as refusal:
            form = Form(values=values, errors={"": refusal.message}, csrf=frame.csrf)
            return await _asked(db, frame, server_id, wanted, form, status=409)
        return go(request, f"{SERVERS}/{server_id}")


def _deed(name: str) -> Deed:
    if name not in SERVER_DEEDS:
        raise NotFound("page", name)
    return Deed(name)


async def _asked(
    db: Db, frame: Frame, server_id: UUID, deed: Deed, form: Form, *, status: int = 200
) -> Response[Any]:
    async with db.snapshot() as tx:
        server = await find_server(tx, server_id)
    return html(switch_page(server, deed, form, frame=frame), status_code=status)
