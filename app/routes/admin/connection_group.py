"""`/admin/connections/…/group`, `/drain`, `/take-up`: how much a provider takes, or nothing."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, post
from litestar.params import FromPath

from app.components.admin.connections import CONNECTIONS
from app.components.form import Form
from app.components.notice import Flash
from app.core.errors import Invalid
from app.domain.accounts.roles import Permission
from app.domain.connections.errors import ConnectionHasMachines
from app.domain.connections.grouping import drain, set_group, take_up
from app.routes.admin.connections import page_of, read_file
from app.routes.admin.reasons import reason_of
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.typed import typed


class ConnectionGroups(Controller):
    """Asked on the connection's page, which says what came of it."""

    path = f"{CONNECTIONS}/{{connection_id:uuid}}"
    guards = (requires(Permission.CONNECTIONS_CHANGE),)
    include_in_schema = False

    @post("/group", status_code=200)
    async def group(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, *, connection_id: FromPath[UUID]
    ) -> Response[Any]:
        values = await typed(request)
        weight = values.get("weight", "").strip()
        try:
            async with db.transaction() as tx:
                await set_group(
                    tx,
                    connection_id,
                    group=values.get("group", "").strip().removeprefix("@"),
                    weight=int(weight) if weight.isascii() and weight.isdigit() else 0,
                    actor=me.id,
                    actor_label=me.email,
                )
        except Invalid as invalid:
            form = Form(values=values, errors=invalid.fields, csrf=frame.csrf)
            return await _refused(db, me, frame, connection_id, form, status=422)
        except ConnectionHasMachines as refusal:
            form = Form(values=values, errors={"": refusal.message}, csrf=frame.csrf)
            return await _refused(db, me, frame, connection_id, form, status=409)
        return _back(request, connection_id, Flash("success", "The group is saved."))

    @post("/drain", status_code=200)
    async def drain(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, *, connection_id: FromPath[UUID]
    ) -> Response[Any]:
        values = await typed(request)
        try:
            reason = reason_of(values)
        except Invalid as invalid:
            form = Form(values=values, errors=invalid.fields, csrf=frame.csrf)
            return await _refused(db, me, frame, connection_id, form, status=422)
        async with db.transaction() as tx:
            await drain(tx, connection_id, actor=me.id, actor_label=me.email, reason=reason)
        flash = Flash("success", "It is drained. Machines that are there stay.")
        return _back(request, connection_id, flash)

    @post("/take-up", status_code=200)
    async def take_up(
        self, request: HttpRequest, db: Db, me: Me, connection_id: FromPath[UUID]
    ) -> Response[Any]:
        async with db.transaction() as tx:
            await take_up(tx, connection_id, actor=me.id, actor_label=me.email)
        return _back(request, connection_id, Flash("success", "Machines are made there again."))


async def _refused(
    db: Db, me: Me, frame: Frame, connection: UUID, form: Form, *, status: int
) -> Response[Any]:
    async with db.snapshot() as tx:
        file = await read_file(tx, connection, me)
    return page_of(file, None, frame, group=form, status=status)


def _back(request: HttpRequest, connection: UUID, flash: Flash) -> Response[Any]:
    return go(request, f"{CONNECTIONS}/{connection}", flash)
