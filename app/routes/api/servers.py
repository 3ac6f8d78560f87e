"""`/api/v1/servers`: list, show, change, move, take out of stock, remove, import."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, patch, post
from litestar.params import JSONBody, QueryParameter

from app.core.database import Tx
from app.domain.accounts.scopes import Scope
from app.domain.inventory.arrive import import_servers
from app.domain.inventory.cabling import ports_of
from app.domain.inventory.change import change_servers
from app.domain.inventory.find import find_server, latest_servers
from app.domain.inventory.maintain import begin_maintenance, end_maintenance
from app.domain.inventory.relocate import Place, obstacles_to, relocate
from app.domain.inventory.remove import remove_server
from app.domain.inventory.seed import Side
from app.domain.inventory.states import ServerState
from app.domain.inventory.views import ServerView
from app.routes.api.answer import answer, require_match, tagged
from app.routes.api.listing import USUAL, Cursor, Limit, page_answer, position_of
from app.routes.api.needs import ETAG, IfNoneMatch, needs
from app.routes.api.once import Ask, Asked
from app.routes.api.server_json import (
    MaintenanceBegin,
    MaintenanceEnd,
    NewPlace,
    PlaceVerdict,
    PortList,
    ServerEdit,
    ServerId,
    ServerLine,
    ServerList,
    ServerSheet,
    SheetResult,
    port_line,
    server_line,
    sheet_result,
    verdict,
)
from app.routes.api.space_json import Removed
from app.routes.security.dependencies import Config, Db, HttpRequest, Sealing

STATUSES = (409, 412)


def by(ask: Ask) -> dict[str, Any]:
    return {"actor": ask.caller.account.id, "actor_label": ask.caller.label}


class Servers(Controller):
    """Machines."""

    path = "/servers"
    tags = ("Servers",)

    @get(
        **needs(Scope.SERVERS_READ),
        operation_id="listServers",
        summary="List servers",
        description="Servers, the latest first. Filters that are given all have to hold.",
    )
    async def list(
        self,
        *,
        request: HttpRequest,
        db: Db,
        datacentre: Annotated[str, QueryParameter(description="Code of a datacentre.")] = "",
        rack: Annotated[str, QueryParameter(description="Name of a rack.")] = "",
        status: Annotated[
            ServerState | None, QueryParameter(description="Only in this state.")
        ] = None,
        limit: Limit = USUAL,
        cursor: Cursor = None,
    ) -> Response[ServerList]:
        before = position_of(cursor)
        async with db.snapshot() as tx:
            rows = await latest_servers(
                tx,
                datacentre=datacentre,
                rack=rack,
                state=status or "",
                before=before,
                limit=limit + 1,
            )
        return page_answer(request, rows, limit, position=lambda row: row.id, page=_list_of)

    @get(
        "/{server_id:uuid}",
        **needs(Scope.SERVERS_READ, 304),
        response_headers=[ETAG],
        operation_id="showServer",
        summary="Show a server",
        description="A server with its hardware, place and state; never how to sign in to its BMC.",
    )
    async def show(
        self, db: Db, server_id: ServerId, if_none_match: IfNoneMatch = None
    ) -> Response[ServerLine]:
        async with db.snapshot() as tx:
            server = await find_server(tx, server_id)
        return tagged(server_line(server), if_none_match)

    @patch(
        "/{server_id:uuid}",
        **needs(Scope.SERVERS_WRITE, *STATUSES),
        response_headers=[ETAG],
        operation_id="changeServer",
        summary="Change a server",
        description="Change what is written down of its hardware; what is left out stays.",
    )
    async def change(
        self, change: Asked, server_id: ServerId, data: JSONBody[ServerEdit]
    ) -> Response[ServerLine]:
        async def deed(tx: Tx) -> ServerLine:
            await _require_known(tx, server_id, change)
            await change_servers(tx, [server_id], data, **by(change))
            return server_line(await find_server(tx, server_id))

        return await change.once(deed)

    @delete(
        "/{server_id:uuid}",
        **needs(Scope.SERVERS_WRITE, *STATUSES),
        status_code=200,
        operation_id="removeServer",
        summary="Remove a server",
        description="Take a server off the books that nobody has and that has served no order, "
        "with its disks, ports, cables and BMC.",
    )
    async def remove(
        self,
        change: Asked,
        server_id: ServerId,
        reason: Annotated[
            str, QueryParameter(description="Kept in the audit trail.", max_length=500)
        ] = "",
    ) -> Response[Removed]:
        async def deed(tx: Tx) -> Removed:
            await _require_known(tx, server_id, change)
            await remove_server(tx, server_id, reason=reason, **by(change))
            return Removed(server_id)

        return await change.once(deed)

    @get(
        "/{server_id:uuid}/ports",
        **needs(Scope.SERVERS_READ),
        operation_id="listServerPorts",
        summary="List a server's ports",
        description="Its network cards, power supplies and consoles, and what they are cabled to.",
    )
    async def ports(self, db: Db, server_id: ServerId) -> Response[PortList]:
        async with db.snapshot() as tx:
            await find_server(tx, server_id)
            ports = await ports_of(tx, server=server_id)
        return answer(PortList(tuple(map(port_line, ports))))

    @get(
        "/{server_id:uuid}/place",
        **needs(Scope.SERVERS_READ),
        operation_id="lookAtPlace",
        summary="Look at a place",
        description="Say what would keep a server from a place: units, feeds, weight, cooling, "
        "switch ports, or how many of its client's stand there already.",
    )
    async def look(
        self,
        *,
        db: Db,
        server_id: ServerId,
        rack_id: Annotated[
            UUID | None, QueryParameter(description="Id of the rack; left out: its own.")
        ] = None,
        u_position: Annotated[
            int, QueryParameter(description="Lowest unit, counted from 1.", ge=1, le=32_767)
        ] = 1,
        side: Annotated[Side, QueryParameter(description="Which side it fills.")] = "both",
    ) -> Response[PlaceVerdict]:
        async with db.snapshot() as tx:
            server = await find_server(tx, server_id)
            place = Place(rack_id or server.rack_id, u_position, side)
            found = await obstacles_to(tx, server_id, place)
        return answer(verdict(found))

    @post(
        "/{server_id:uuid}/place",
        **needs(Scope.SERVERS_WRITE, *STATUSES),
        status_code=200,
        response_headers=[ETAG],
        operation_id="placeServer",
        summary="Move a server",
        description="Write down that it stands elsewhere by now; refused with every reason.",
    )
    async def place(
        self, change: Asked, server_id: ServerId, data: JSONBody[NewPlace]
    ) -> Response[ServerLine]:
        async def deed(tx: Tx) -> ServerLine:
            await _require_known(tx, server_id, change)
            place = Place(data.rack_id, data.u_position, data.side)
            await relocate(tx, server_id, place, **by(change), reason=data.reason)
            return server_line(await find_server(tx, server_id))

        return await change.once(deed)

    @post(
        "/{server_id:uuid}/maintenance",
        **needs(Scope.SERVERS_WRITE, *STATUSES),
        status_code=200,
        response_headers=[ETAG],
        operation_id="beginMaintenance",
        summary="Begin maintenance",
        description="Take a server that nobody has out of stock.",
    )
    async def begin(
        self, change: Asked, server_id: ServerId, data: JSONBody[MaintenanceBegin]
    ) -> Response[ServerLine]:
        async def deed(tx: Tx) -> ServerLine:
            await _require_known(tx, server_id, change)
            await begin_maintenance(
                tx, server_id, **by(change), reason=data.reason, ends_at=data.ends_at
            )
            return server_line(await find_server(tx, server_id))

        return await change.once(deed)

    @post(
        "/{server_id:uuid}/maintenance/end",
        **needs(Scope.SERVERS_WRITE, *STATUSES),
        status_code=200,
        response_headers=[ETAG],
        operation_id="endMaintenance",
        summary="End maintenance",
        description="Put a server back into stock, or to cleaning if it may hold a client's data.",
    )
    async def end(
        self, change: Asked, server_id: ServerId, data: JSONBody[MaintenanceEnd]
    ) -> Response[ServerLine]:
        async def deed(tx: Tx) -> ServerLine:
            await _require_known(tx, server_id, change)
            await end_maintenance(tx, server_id, **by(change), reason=data.reason)
            return server_line(await find_server(tx, server_id))

        return await change.once(deed)


@post(
    "/server-imports",
    **needs(Scope.SERVERS_WRITE, 409),
    status_code=200,
    tags=["Servers"],
    operation_id="importServers",
    summary="Import servers",
    description="Take servers in: all, or none and what is wrong with which row. A server is known "
    "by its serial number; what a row says nothing of stays as it is.",
)
async def take_servers_in(
    ask: Asked, vault: Sealing, settings: Config, data: JSONBody[ServerSheet]
) -> Response[SheetResult]:
    async def deed(tx: Tx) -> SheetResult:
        raw = msgspec.json.encode(data.servers)
        arrived = await import_servers(
            tx,
            vault,
            raw,
            dry_run=data.dry_run,
            **by(ask),
            burn_in_minutes=settings.burn_in_new_minutes,
        )
        return sheet_result(arrived)

    return await ask.once(deed)


def _list_of(rows: Sequence[ServerView], following: str | None) -> ServerList:
    return ServerList(items=tuple(map(server_line, rows)), next=following)


async def _require_known(tx: Tx, server_id: UUID, change: Asked) -> None:
    """Raise `ChangedSince` when it is not as the caller knows it; it stays so until the end."""
    if change.if_match is not None:
        await tx.execute("SELECT FROM server WHERE id = $1 FOR NO KEY UPDATE", server_id)
        require_match(change.if_match, server_line(await find_server(tx, server_id)))
