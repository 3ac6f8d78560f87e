"""Aid with expressions: what may follow, and what it comes to against sample data."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, post
from litestar.params import FromPath

from app.components.designer.aid import aid_fragment
from app.core.errors import NotFound
from app.flows.drafts.aid import aid_with
from app.flows.drafts.find import find_draft
from app.routes.designer.access import DESIGNERS, DRAFT
from app.routes.security.dependencies import Db, HttpRequest
from app.routes.security.html import html
from app.routes.security.typed import typed


class Aid(Controller):
    """Nothing is saved here."""

    path = DRAFT
    guards = DESIGNERS
    include_in_schema = False

    @post("/aid", status_code=200)
    async def show(self, request: HttpRequest, db: Db, draft: FromPath[UUID]) -> Response[Any]:
        values = await typed(request)
        cursor = values.get("cursor", "")
        async with db.snapshot() as tx:
            sheet = (await find_draft(tx, draft)).sheet
        text = values.get("text", "")
        at = int(cursor) if cursor.isdigit() else len(text)
        node, param = values.get("node", ""), values.get("param", "")
        if node not in sheet.nodes:
            raise NotFound("node", node)
        found = aid_with(sheet, node, param, text, at, now=db.clock.now())
        return html(aid_fragment(values.get("key", ""), found))
