"""`/admin/machines`: what providers say of their machines, and what is done about it."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.machines import (
    DEEDS,
    MACHINES,
    MachinesFile,
    machines_page,
    machines_region,
)
from app.components.notice import Flash
from app.core.database import Tx
from app.core.errors import Conflict, NotFound
from app.domain.accounts.roles import Permission, allows
from app.domain.accounts.views import AccountView
from app.domain.machines.drifts import list_drifts, list_providers, list_strays
from app.domain.machines.order_errand import leave_alone, order_remedy
from app.domain.machines.watch import ask_now
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html

CHANGES = (requires(Permission.SERVICES_CHANGE),)


class Machines(Controller):
    """Each click is carried out by a worker; the page follows."""

    path = MACHINES
    guards = (requires(Permission.SERVICES_READ),)
    include_in_schema = False

    @get()
    async def show(self, db: Db, me: Me, frame: Frame) -> Response[Any]:
        async with db.snapshot() as tx:
            file = await _read(tx, me, frame.csrf)
        return html(machines_page(file, frame=frame))

    @get("/now")
    async def refresh(self, db: Db, me: Me, frame: Frame) -> Response[Any]:
        async with db.snapshot() as tx:
            file = await _read(tx, me, frame.csrf)
        return html(machines_region(file))

    @post("/providers/{name:str}/look", guards=CHANGES, status_code=200)
    async def look(self, request: HttpRequest, db: Db, name: FromPath[str]) -> Response[Any]:
        async with db.transaction() as tx:
            await ask_now(tx, name)
        return go(request, MACHINES, Flash("success", f"{name} is being asked. This page follows."))

    @post("/services/{about:uuid}/remedy", guards=CHANGES, status_code=200)
    async def remedy(
        self, request: HttpRequest, db: Db, me: Me, about: FromPath[UUID]
    ) -> Response[Any]:
        try:
            async with db.transaction() as tx:
                deed = await order_remedy(tx, about, actor=me.id, actor_label=me.email)
        except (Conflict, NotFound) as refusal:
            return go(request, MACHINES, Flash("info", refusal.message))
        flash = Flash("success", f"{DEEDS[deed]}: a worker does it. This page follows.")
        return go(request, MACHINES, flash)

    @post("/strays/{about:uuid}/leave", guards=CHANGES, status_code=200)
    async def leave(
        self, request: HttpRequest, db: Db, me: Me, about: FromPath[UUID]
    ) -> Response[Any]:
        async with db.transaction() as tx:
            await leave_alone(tx, about, actor=me.id, actor_label=me.email)
        return go(request, MACHINES, Flash("success", "It is left alone."))


async def _read(tx: Tx, me: AccountView, csrf: str) -> MachinesFile:
    """Read the page; three statements."""
    return MachinesFile(
        providers=await list_providers(tx),
        drifts=await list_drifts(tx),
        strays=await list_strays(tx),
        may_change=allows(me.role, Permission.SERVICES_CHANGE),
        sees_connections=allows(me.role, Permission.CONNECTIONS_READ),
        csrf=csrf,
    )
