"""Aid with expressions: what may follow, and what it comes to against sample data."""

from typing import Any
from uuid import UUID

import msgspec
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


class Field(msgspec.Struct, frozen=True):
    """Which field is asked about, as its gesture names it."""

    node: str
    param: str


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
        try:
            field = msgspec.json.decode(values.get("with", ""), type=Field)
        except msgspec.DecodeError as error:
            raise NotFound("field", values.get("with", "")) from error
        if field.node not in sheet.nodes:
            raise NotFound("node", field.node)
        found = aid_with(sheet, field.node, field.param, text, at, now=db.clock.now())
        return html(aid_fragment(values.get("key", ""), found))
