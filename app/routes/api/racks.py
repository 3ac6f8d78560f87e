"""`/api/v1/racks` and `/api/v1/cables`: what stands where, and what is plugged into what."""

from collections.abc import Sequence
from typing import Annotated

from litestar import Controller, Response, delete, get, post
from litestar.params import JSONBody, QueryParameter

from app.core.database import Tx
from app.domain.accounts.scopes import Scope
from app.domain.inventory.cabling import connect, disconnect, find_cable
from app.domain.inventory.find_racks import latest_racks, rack_view
from app.domain.inventory.views import RackView
from app.routes.api.answer import require_match, tagged
from app.routes.api.listing import USUAL, Cursor, Limit, page_answer, position_of
from app.routes.api.needs import ETAG, IfNoneMatch, needs
from app.routes.api.once import Asked
from app.routes.api.server_json import (
    CableId,
    CableLine,
    NewCable,
    RackId,
    RackLine,
    RackList,
    cable_line,
    rack_line,
)
from app.routes.api.servers import by
from app.routes.api.space_json import Removed
from app.routes.security.dependencies import Db, HttpRequest


class Racks(Controller):
    """Racks."""

    path = "/racks"
    tags = ("Racks",)

    @get(
        **needs(Scope.SERVERS_READ),
        operation_id="listRacks",
        summary="List racks",
        description="Racks with what stands in them, the latest first.",
    )
    async def list(
        self,
        *,
        request: HttpRequest,
        db: Db,
        datacentre: Annotated[str, QueryParameter(description="Code of a datacentre.")] = "",
        limit: Limit = USUAL,
        cursor: Cursor = None,
    ) -> Response[RackList]:
        before = position_of(cursor)
        async with db.snapshot() as tx:
            rows = await latest_racks(tx, datacentre=datacentre, before=before, limit=limit + 1)
        return page_answer(request, rows, limit, position=lambda row: row.id, page=_list_of)

    @get(
        "/{rack_id:uuid}",
        **needs(Scope.SERVERS_READ, 304),
        response_headers=[ETAG],
        operation_id="showRack",
        summary="Show a rack",
        description="A rack with its limits and all that stands there, unit by unit.",
    )
    async def show(
        self, db: Db, rack_id: RackId, if_none_match: IfNoneMatch = None
    ) -> Response[RackLine]:
        async with db.snapshot() as tx:
            rack = await rack_view(tx, rack_id)
        return tagged(rack_line(rack), if_none_match)


class Cables(Controller):
    """Cables."""

    path = "/cables"
    tags = ("Racks",)

    @post(
        **needs(Scope.SERVERS_WRITE, 409),
        response_headers=[ETAG],
        operation_id="plugCable",
        summary="Plug a cable in",
        description="Put a cable into two free ports of one kind. A port has one cable at most.",
    )
    async def plug(self, ask: Asked, data: JSONBody[NewCable]) -> Response[CableLine]:
        async def deed(tx: Tx) -> CableLine:
            cable = await connect(
                tx,
                data.a_port,
                data.b_port,
                label=data.label,
                colour=data.colour,
                length_cm=data.length_cm,
                **by(ask),
            )
            return cable_line(await find_cable(tx, cable))

        return await ask.once(deed, status=201)

    @delete(
        "/{cable_id:uuid}",
        **needs(Scope.SERVERS_WRITE, 409, 412),
        status_code=200,
        operation_id="unplugCable",
        summary="Unplug a cable",
        description="Take a cable out of both of its ports.",
    )
    async def unplug(self, change: Asked, cable_id: CableId) -> Response[Removed]:
        async def deed(tx: Tx) -> Removed:
            require_match(change.if_match, cable_line(await find_cable(tx, cable_id)))
            await disconnect(tx, cable_id, **by(change))
            return Removed(cable_id)

        return await change.once(deed)


def _list_of(rows: Sequence[RackView], following: str | None) -> RackList:
    return RackList(items=tuple(map(rack_line, rows)), next=following)
