"""`/admin/nodes/errands/…`: how far it is what a person has done about a server at a cloud."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.node_errand import ERRANDS, errand_page, errand_region
from app.components.notice import Flash
from app.core.errors import NotFound, Refusal
from app.domain.metal.ask import ask_again
from app.domain.metal.errand import find_errand, stop
from app.routes.admin.racks import CHANGES, READS, may_change
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.html import html


class NodeErrands(Controller):
    """One errand: followed, stopped, done again."""

    path = f"{ERRANDS}/{{errand_id:uuid}}"
    guards = READS
    include_in_schema = False

    @get()
    async def show(self, db: Db, me: Me, frame: Frame, errand_id: FromPath[UUID]) -> Response[Any]:
        async with db.snapshot() as tx:
            errand = await find_errand(tx, errand_id)
        return html(errand_page(errand, may_change=may_change(me), frame=frame))

    @get("/now")
    async def refresh(
        self, db: Db, me: Me, frame: Frame, errand_id: FromPath[UUID]
    ) -> Response[Any]:
        async with db.snapshot() as tx:
            errand = await find_errand(tx, errand_id)
        return html(errand_region(errand, csrf=frame.csrf if may_change(me) else ""))

    @post("/stop", guards=CHANGES, status_code=200)
    async def stop(
        self, request: HttpRequest, db: Db, me: Me, errand_id: FromPath[UUID]
    ) -> Response[Any]:
        here = f"{ERRANDS}/{errand_id}"
        try:
            async with db.transaction() as tx:
                await stop(tx, errand_id, actor=me.id, actor_label=me.email)
        except NotFound:
            raise
        except Refusal as refusal:
            return go(request, here, Flash("info", refusal.message))
        return go(request, here, Flash("success", "It is stopped. What was done stays."))

    @post("/again", guards=CHANGES, status_code=200)
    async def again(
        self, request: HttpRequest, db: Db, me: Me, errand_id: FromPath[UUID]
    ) -> Response[Any]:
        try:
            async with db.transaction() as tx:
                made = await ask_again(tx, errand_id, actor=me.id, actor_label=me.email)
        except NotFound:
            raise
        except Refusal as refusal:
            return go(request, f"{ERRANDS}/{errand_id}", Flash("danger", refusal.message))
        return go(request, f"{ERRANDS}/{made}", Flash("info", "It goes on from where it is."))
