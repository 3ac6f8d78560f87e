"""`/designer/drafts/ID`: the editor's page, and the parts of it that keep up with others."""

from typing import Any
from uuid import UUID

import htpy as h
from litestar import Controller, Response, get
from litestar.params import FromPath, FromQuery

from app.components.designer.editor import editor_page
from app.components.designer.outline import outline
from app.components.designer.patch import patch
from app.components.designer.problems import beside_fields, problem_list
from app.components.designer.trial import trial_dock
from app.flows.drafts.check import check
from app.flows.drafts.find import changes_since, find_draft
from app.flows.registry import node_types
from app.routes.designer.access import DESIGNERS, DRAFT
from app.routes.designer.people import present
from app.routes.designer.trials import latest_trial
from app.routes.security.dependencies import Cache, Db, Frame, Me
from app.routes.security.html import html


class Canvas(Controller):
    """One draft, drawn."""

    path = DRAFT
    guards = DESIGNERS
    include_in_schema = False

    @get()
    async def show(
        self, db: Db, redis: Cache, me: Me, frame: Frame, draft: FromPath[UUID]
    ) -> Response[Any]:
        async with db.snapshot() as tx:
            view = await find_draft(tx, draft)
        page = editor_page(
            view,
            types=node_types().values(),
            found=check(view),
            present=await present(redis, db, draft),
            trial=trial_dock(view, await latest_trial(redis, draft, me.id), db.clock.now()),
            frame=frame,
        )
        return html(page)

    @get("/changes")
    async def changes(self, db: Db, draft: FromPath[UUID], since: FromQuery[int]) -> Response[Any]:
        """Return what others changed after the revision `since`; 204 when nothing did."""
        async with db.snapshot() as tx:
            view = await find_draft(tx, draft)
            if view.rev <= since:
                return Response(None, status_code=204)
            changed = await changes_since(tx, draft, since)
        return html(patch(draft, view.rev, view.sheet, changed))

    @get("/problems")
    async def problems(
        self, db: Db, draft: FromPath[UUID], node: FromQuery[str] = ""
    ) -> Response[Any]:
        """Return what keeps the draft from running, and the words beside the open form's fields."""
        async with db.snapshot() as tx:
            view = await find_draft(tx, draft)
        found = check(view)
        beside = beside_fields(view.sheet, found, node) if node in view.sheet.nodes else None
        return html(h.fragment[problem_list(view.sheet, found), beside])

    @get("/outline")
    async def outline(self, db: Db, draft: FromPath[UUID]) -> Response[Any]:
        async with db.snapshot() as tx:
            return html(outline((await find_draft(tx, draft)).sheet))
