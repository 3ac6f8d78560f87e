"""Publishing a draft, throwing it away, and what it changes."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.designer.names import DESIGNER, draft_url
from app.components.designer.publish import changes_panel, publish_sheet
from app.components.form import Form
from app.components.notice import Flash
from app.core.database import Database
from app.core.errors import Invalid
from app.flows.diff import Diff, diff
from app.flows.document import Document
from app.flows.drafts.check import check
from app.flows.drafts.find import find_draft
from app.flows.drafts.publish import (
    NothingToPublish,
    discard_draft,
    latest_version,
    publish_draft,
)
from app.flows.drafts.views import DraftView
from app.flows.publish import TriggerBound
from app.flows.validate import InvalidFlow
from app.routes.designer.access import DESIGNERS, DRAFT, designer_of
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.html import html
from app.routes.security.typed import typed


class Publishing(Controller):
    """From a draft to a version."""

    path = DRAFT
    guards = DESIGNERS
    include_in_schema = False

    @get("/diff")
    async def changes(self, db: Db, draft: FromPath[UUID]) -> Response[Any]:
        """Return what the draft changes of the published version."""
        view, published, found = await _compared(db, draft)
        return html(changes_panel(view.sheet, published, found))

    @get("/publish")
    async def ask(self, db: Db, frame: Frame, draft: FromPath[UUID]) -> Response[Any]:
        return await _sheet(db, draft, Form(csrf=frame.csrf), 200)

    @post("/publish", status_code=200)
    async def publish(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, draft: FromPath[UUID]
    ) -> Response[Any]:
        """Publish what the designer saw, with a note; the draft stays open."""
        values = await typed(request)
        rev = values.get("rev", "")
        try:
            async with db.transaction() as tx:
                number = await publish_draft(
                    tx,
                    draft,
                    rev=int(rev) if rev.isdigit() else -1,
                    note=values.get("note", ""),
                    by=designer_of(me),
                )
        except (Invalid, InvalidFlow, NothingToPublish, TriggerBound) as refusal:
            errors = refusal.fields if isinstance(refusal, Invalid) else {"": refusal.message}
            form = Form(values=values, errors=errors, csrf=frame.csrf)
            return await _sheet(db, draft, form, 422)
        words = f"Version {number} is published."
        return go(request, draft_url(draft), Flash("success", words))

    @post("/discard", status_code=200)
    async def discard(
        self, request: HttpRequest, db: Db, me: Me, draft: FromPath[UUID]
    ) -> Response[Any]:
        async with db.transaction() as tx:
            slug = await discard_draft(tx, draft, by=designer_of(me))
        return go(request, DESIGNER, Flash("success", f"The draft of {slug} is thrown away."))


async def _sheet(db: Database, draft: UUID, form: Form, status: int) -> Response[Any]:
    view, published, found = await _compared(db, draft)
    sheet = publish_sheet(
        view,
        form,
        published=published[0] if published else None,
        found=check(view),
        changes=found,
    )
    return html(sheet, status_code=status)


async def _compared(
    db: Database, draft: UUID
) -> tuple[DraftView, tuple[int, Document] | None, Diff | None]:
    async with db.snapshot() as tx:
        view = await find_draft(tx, draft)
        published = await latest_version(tx, draft)
    found = diff(published[1], view.sheet.document) if published else None
    return view, published, found
