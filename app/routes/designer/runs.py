"""`/designer/runs/ID`: a run over its flow, followed, stepped through, and taken into a draft."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.designer.names import draft_url
from app.components.designer.overlay import debugged_words, nothing_chosen, overlay_page, run_now
from app.components.designer.overlay_deeds import Hands
from app.components.designer.overlay_node import node_panel
from app.components.notice import Flash
from app.core.database import Tx
from app.core.errors import NotFound
from app.domain.accounts.roles import Permission, allows
from app.domain.accounts.views import AccountView
from app.flows.drafts.arrange import placed
from app.flows.drafts.debug import debug_run
from app.flows.drafts.sheet import Sheet
from app.flows.find import find_run_row
from app.flows.overlay import LAST, find_node, find_overlay
from app.flows.sheet import find_stands
from app.routes.designer.access import DESIGNERS, designer_of
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html

RUN = "/designer/runs/{run:uuid}"


class Overlays(Controller):
    """One run, drawn."""

    path = RUN
    guards = (requires(Permission.FLOWS_READ),)
    include_in_schema = False

    @get()
    async def show(self, db: Db, frame: Frame, run: FromPath[UUID]) -> Response[Any]:
        async with db.snapshot() as tx:
            found = await find_overlay(tx, run)
            now = tx.now()
        return html(overlay_page(found, Sheet(placed(found.document)), now, frame=frame))

    @get("/now")
    async def now(self, request: HttpRequest, db: Db, run: FromPath[UUID]) -> Response[Any]:
        """Return how the run stands now, or stood at its event number `at`."""
        query = request.query_params
        since = _number(query.get("since"), 0) if "since" in query else None
        async with db.snapshot() as tx:
            found = await find_overlay(tx, run, position=_number(query.get("at"), LAST))
            return html(run_now(found, tx.now(), since=since))

    @get("/panel")
    async def panel(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, run: FromPath[UUID]
    ) -> Response[Any]:
        """Return what the node `chosen` did, in the round `scope`."""
        query = request.query_params
        node = query.get("chosen", "")
        if not node:
            return html(nothing_chosen())
        async with db.snapshot() as tx:
            found = await find_overlay(tx, run, position=_number(query.get("at"), LAST))
            file = await find_node(
                tx,
                run,
                found.document,
                node,
                upto=found.moment.seq if found.moment else 0,
                scope=query.get("scope", ""),
                page=max(_number(query.get("page"), 1), 1),
            )
            is_open = found.finished_at is None and not found.is_past
            hands = await _hands(tx, run, me, frame.csrf) if is_open else None
            return html(node_panel(found, file, tx.now(), hands=hands))

    @post("/debug", guards=list(DESIGNERS))
    async def debug(
        self, request: HttpRequest, db: Db, me: Me, run: FromPath[UUID]
    ) -> Response[Any]:
        async with db.transaction() as tx:
            done = await debug_run(tx, run, by=designer_of(me))
        return go(request, draft_url(done.draft), Flash("success", debugged_words(done)))


async def _hands(tx: Tx, run: UUID, me: AccountView, csrf: str) -> Hands:
    return Hands(
        row=await find_run_row(tx, run),
        stands=await find_stands(tx, run),
        role=me.role,
        may_change=allows(me.role, Permission.RUNS_CHANGE),
        csrf=csrf,
    )


def _number(text: str | None, otherwise: int) -> int:
    """Return a number out of an address. Raises NotFound for one that is none."""
    if text is None:
        return otherwise
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise NotFound("event", text[:20])
    return min(int(text), 2**62)
