"""`/admin/connections`: the peers that flows call; added, changed, tested and removed."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.connection import (
    ConnectionFile,
    connection_page,
    fields_region,
    new_page,
    test_result,
)
from app.components.admin.connections import CONNECTIONS, choose_kind_page, connections_page
from app.components.form import Form
from app.components.frame import PageFrame
from app.components.notice import Flash
from app.core.database import Tx
from app.core.errors import Invalid, NotFound
from app.domain.accounts.roles import Permission, allows
from app.domain.accounts.views import AccountView
from app.domain.audit.find import trail
from app.domain.connections.add import add_connection
from app.domain.connections.change import change_connection
from app.domain.connections.errors import (
    ConnectionChanged,
    ConnectionHasMachines,
    ConnectionInUse,
)
from app.domain.connections.find import find_connection, list_connections
from app.domain.connections.kinds import Kind
from app.domain.connections.open import open_connection
from app.domain.connections.provider_fields import providers
from app.domain.connections.remove import remove_connection
from app.domain.connections.typed import typed_again
from app.drivers.errors import DriverError
from app.flows.plug_ins import list_faults
from app.routes.security.dependencies import Calling, Db, Frame, HttpRequest, Me, Sealing
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.typed import typed
from app.routes.security.visit import is_htmx

TEST_S = 20.0
CHANGES = (requires(Permission.CONNECTIONS_CHANGE),)


class Connections(Controller):
    """Staff who draw flows read the list; who runs the datacentre changes it."""

    path = CONNECTIONS
    guards = (requires(Permission.CONNECTIONS_READ),)
    include_in_schema = False

    @get()
    async def list(self, db: Db, me: Me, frame: Frame) -> Response[Any]:
        async with db.snapshot() as tx:
            rows = await list_connections(tx)
        may_change = allows(me.role, Permission.CONNECTIONS_CHANGE)
        return html(connections_page(rows, may_change=may_change, frame=frame))

    @get("/new", guards=CHANGES)
    async def choose(self, frame: Frame) -> Response[Any]:
        return html(choose_kind_page(list_faults(), frame=frame))

    @get("/new/{kind:str}", guards=CHANGES)
    async def begin(self, request: HttpRequest, frame: Frame, kind: FromPath[str]) -> Response[Any]:
        provider = request.query_params.get("provider", "")
        values = {"provider": provider} if provider in providers(_kind(kind)) else {}
        return html(new_page(_kind(kind), Form(values=values, csrf=frame.csrf), frame=frame))

    @post("/new/{kind:str}", guards=CHANGES, status_code=200)
    async def add(
        self,
        request: HttpRequest,
        db: Db,
        me: Me,
        frame: Frame,
        *,
        vault: Sealing,
        kind: FromPath[str],
    ) -> Response[Any]:
        wanted, values = _kind(kind), await typed(request)
        try:
            async with db.transaction() as tx:
                made = await add_connection(
                    tx,
                    vault,
                    name=values.get("name", ""),
                    kind=wanted,
                    typed=values,
                    actor=me.id,
                    actor_label=me.email,
                )
        except Invalid as invalid:
            form = Form(values=values, errors=invalid.fields, csrf=frame.csrf)
            return html(new_page(wanted, form, frame=frame), status_code=422)
        flash = Flash("success", "The connection is added. Test it before a flow calls it.")
        return go(request, f"{CONNECTIONS}/{made}", flash)

    @post("/new/{kind:str}/fields", guards=CHANGES, status_code=200)
    async def fields(self, request: HttpRequest, kind: FromPath[str]) -> Response[Any]:
        """Return the fields that a choice asks for, with what is typed already."""
        values = await typed(request)
        form = Form(values=values)
        return html(fields_region(_kind(kind), form, is_new=values.get("is_new") == "on"))

    @get("/{connection_id:uuid}")
    async def show(
        self, db: Db, me: Me, frame: Frame, connection_id: FromPath[UUID]
    ) -> Response[Any]:
        async with db.snapshot() as tx:
            file = await read_file(tx, connection_id, me)
        return page_of(file, None, frame)

    @post("/{connection_id:uuid}", guards=CHANGES, status_code=200)
    async def change(
        self,
        request: HttpRequest,
        db: Db,
        me: Me,
        frame: Frame,
        *,
        vault: Sealing,
        connection_id: FromPath[UUID],
    ) -> Response[Any]:
        values = await typed(request)
        try:
            async with db.transaction() as tx:
                await change_connection(
                    tx,
                    vault,
                    connection_id,
                    typed=values,
                    seen_at=_moment(values.get("seen", "")),
                    actor=me.id,
                    actor_label=me.email,
                )
        except Invalid as invalid:
            errors, status = invalid.fields, 422
        except ConnectionChanged as changed:
            errors, status = {"": changed.message}, 409
        else:
            flash = Flash("success", "Saved. Flows use it so within seconds.")
            return go(request, f"{CONNECTIONS}/{connection_id}", flash)
        async with db.snapshot() as tx:
            file = await read_file(tx, connection_id, me)
        if status == 409:
            # The page then carries the newer version's time: saving again is a decision.
            values = {**values, "seen": file.connection.updated_at.isoformat()}
        form = Form(values=values, errors=errors, csrf=frame.csrf)
        return page_of(file, form, frame, status=status)

    @post("/{connection_id:uuid}/test", guards=CHANGES, status_code=200)
    async def test(
        self,
        request: HttpRequest,
        db: Db,
        peers: Calling,
        *,
        vault: Sealing,
        connection_id: FromPath[UUID],
    ) -> Response[Any]:
        async with db.snapshot() as tx:
            view = await find_connection(tx, connection_id)
            peer = await open_connection(tx, vault, view.name)
        began_s = time.monotonic()
        flash: Flash
        try:
            async with asyncio.timeout(TEST_S):
                tested = await peers.test(peer)
        except DriverError as error:
            title, flash = "It does not work", Flash("danger", str(error))
        except TimeoutError:
            title = "It does not work"
            flash = Flash("danger", f"{view.name}: no answer within {TEST_S:g} s")
        else:
            took_ms = (time.monotonic() - began_s) * 1000
            title = "It works" if tested.is_certain else "It answers"
            words = f"{tested.words} ({took_ms:,.0f} ms)"
            flash = Flash("success" if tested.is_certain else "info", words)
        if is_htmx(request):
            return html(test_result(flash.tone, title, flash.text))
        there = Flash(flash.tone, f"{title}: {flash.text}")
        return go(request, f"{CONNECTIONS}/{connection_id}", there)

    @post("/{connection_id:uuid}/remove", guards=CHANGES, status_code=200)
    async def remove(
        self, request: HttpRequest, db: Db, me: Me, connection_id: FromPath[UUID]
    ) -> Response[Any]:
        try:
            async with db.transaction() as tx:
                await remove_connection(tx, connection_id, actor=me.id, actor_label=me.email)
        except (ConnectionInUse, ConnectionHasMachines) as refusal:
            return go(request, f"{CONNECTIONS}/{connection_id}", Flash("warning", refusal.message))
        return go(request, CONNECTIONS, Flash("success", "The connection is removed."))


def _kind(text: str) -> Kind:
    try:
        return Kind(text)
    except ValueError:
        raise NotFound("kind of connection", text) from None


async def read_file(tx: Tx, connection: UUID, me: AccountView) -> ConnectionFile:
    """Return what the connection's page shows to that member of staff. Raises NotFound."""
    view = await find_connection(tx, connection)
    sees_trail = allows(me.role, Permission.AUDIT_READ)
    return ConnectionFile(
        connection=view,
        may_change=allows(me.role, Permission.CONNECTIONS_CHANGE),
        trail=await trail(tx, [connection]) if sees_trail else None,
    )


def page_of(
    file: ConnectionFile,
    form: Form | None,
    frame: PageFrame,
    *,
    group: Form | None = None,
    status: int = 200,
) -> Response[Any]:
    """Answer with the connection's page: a form that was refused as it was typed."""
    form = form or Form(values=typed_again(file.connection.facts), csrf=frame.csrf)
    return html(connection_page(file, form, group=group, frame=frame), status_code=status)


def _moment(text: str) -> datetime:
    """Read the version's time; what is no time matches no version."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return read if read.tzinfo else read.replace(tzinfo=UTC)
