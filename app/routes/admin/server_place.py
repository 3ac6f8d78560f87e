"""`/admin/servers/ID/place`: another place for a server, looked at before it is written."""

from typing import Any, get_args
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.dcim import MOVES, RACKS, SERVERS
from app.components.admin.server_place import RACK, SIDE, UNIT, place_page
from app.components.frame import PageFrame
from app.components.notice import Flash
from app.core.database import Database
from app.domain.inventory.errors import NoRoom
from app.domain.inventory.find import find_server
from app.domain.inventory.find_racks import rack_view
from app.domain.inventory.plan_moves import accept_moves
from app.domain.inventory.relocate import Place, obstacles_to, relocate
from app.domain.inventory.seed import Side
from app.domain.inventory.views import ServerView
from app.routes.admin.dcim_typed import rack_names
from app.routes.admin.racks import CHANGES
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.html import html
from app.routes.security.typed import typed


class ServerPlace(Controller):
    """Where a server stands, by hand: from a drop on an elevation, or from the form."""

    path = f"{SERVERS}/{{server_id:uuid}}/place"
    guards = CHANGES
    include_in_schema = False

    @get()
    async def look(
        self, request: HttpRequest, db: Db, frame: Frame, server_id: FromPath[UUID]
    ) -> Response[Any]:
        query = request.query_params
        async with db.snapshot() as tx:
            server = await find_server(tx, server_id)
        place = _place(server, query.get(RACK, ""), query.get(UNIT, ""), query.get(SIDE, ""))
        return await _page(db, frame, server, place)

    @post(status_code=200)
    async def write(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, *, server_id: FromPath[UUID]
    ) -> Response[Any]:
        values = await typed(request)
        async with db.snapshot() as tx:
            server = await find_server(tx, server_id)
        place = _place(server, values.get(RACK, ""), values.get(UNIT, ""), values.get(SIDE, ""))
        by: dict[str, Any] = {"actor": me.id, "actor_label": me.email}
        try:
            async with db.transaction() as tx:
                if values.get("as") == "task":
                    reason = f"By {me.name or me.email}"
                    await accept_moves(tx, [(server_id, place)], **by, reason=reason)
                else:
                    await relocate(tx, server_id, place, **by)
        except NoRoom:
            return await _page(db, frame, server, place, status=409)
        if values.get("as") == "task":
            return go(request, MOVES, Flash("success", f"{server.name} is to be moved."))
        words = f"{server.name} stands at unit {place.u_position} now."
        return go(request, f"{RACKS}/{place.rack}", Flash("success", words))


def _place(server: ServerView, rack: str, unit: str, side: str) -> Place:
    """Return the place that is asked for; what is not, or cannot be read, stays as it is."""
    is_number = unit.isascii() and unit.isdecimal() and 0 < len(unit) < 4
    try:
        rack_id = UUID(rack)
    except ValueError:
        rack_id = server.rack_id
    return Place(
        rack=rack_id,
        u_position=int(unit) if is_number else server.u_position,
        side=next((one for one in get_args(Side) if one == side), server.side),
    )


async def _page(
    db: Database, frame: PageFrame, server: ServerView, place: Place, *, status: int = 200
) -> Response[Any]:
    async with db.snapshot() as tx:
        rack = await rack_view(tx, place.rack)
        found = await obstacles_to(tx, server.id, place)
        racks = await rack_names(tx)
    page = place_page(server, racks, rack, place, found, frame=frame)
    return html(page, status_code=status)
