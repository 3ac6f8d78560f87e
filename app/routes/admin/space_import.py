"""`/admin/prefixes/import` and `/export`: a whole tree in, looked at first, and out."""

from typing import Any

import msgspec
from litestar import Controller, Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath

from app.components.admin.address_space import PREFIXES
from app.components.admin.space_import import (
    DATACENTRE,
    DOCUMENT,
    FILE,
    IMPORT,
    import_page,
    preview_page,
)
from app.components.form import Form
from app.components.frame import PageFrame
from app.components.notice import Flash
from app.core.database import Database
from app.core.errors import NotFound
from app.core.sheets import Unreadable
from app.domain.accounts.roles import Permission
from app.domain.addresses.arrive import export_space, import_space
from app.domain.addresses.sheet import csv_of
from app.domain.inventory.find import list_datacentres
from app.routes.admin.prefixes import CHANGES
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.typed import typed


class SpaceImport(Controller):
    """In three steps: choose, look, write. The first two write nothing."""

    path = IMPORT
    guards = CHANGES
    include_in_schema = False

    @get()
    async def ask(self, db: Db, frame: Frame) -> Response[Any]:
        return await _form_page(db, Form(csrf=frame.csrf), frame)

    @post(status_code=200)
    async def look(self, request: HttpRequest, db: Db, me: Me, frame: Frame) -> Response[Any]:
        """Show what the file would do."""
        values = await typed(request)
        sent = (await request.form()).get(FILE)
        raw = await sent.read() if isinstance(sent, UploadFile) else b""
        field = FILE if raw else DOCUMENT
        raw = raw or values.get(DOCUMENT, "").encode()
        place = values.get(DATACENTRE, "")
        try:
            async with db.snapshot() as tx:
                arrival = await import_space(
                    tx, raw, datacentre=place, dry_run=True, actor=me.id, actor_label=me.email
                )
        except Unreadable as refusal:
            words = refusal.message if raw.strip() else "Choose a file, or paste what one says."
            form = Form(values=values, errors={field: words}, csrf=frame.csrf)
            return await _form_page(db, form, frame, status=422)
        page = preview_page(arrival, raw.decode("utf-8-sig"), place, frame=frame)
        return html(page, status_code=422 if arrival.faults else 200)

    @post("/again", status_code=200)
    async def change(self, request: HttpRequest, db: Db, frame: Frame) -> Response[Any]:
        """Show the form once more, with what was sent."""
        return await _form_page(db, Form(values=await typed(request), csrf=frame.csrf), frame)

    @post("/confirm", status_code=200)
    async def write(self, request: HttpRequest, db: Db, me: Me, frame: Frame) -> Response[Any]:
        """Write what was looked at; shown again when it cannot be written any more."""
        values = await typed(request)
        document, place = values.get(DOCUMENT, ""), values.get(DATACENTRE, "")
        try:
            async with db.transaction() as tx:
                arrival = await import_space(
                    tx,
                    document.encode(),
                    datacentre=place,
                    dry_run=False,
                    actor=me.id,
                    actor_label=me.email,
                )
        except Unreadable as refusal:
            form = Form(values=values, errors={DOCUMENT: refusal.message}, csrf=frame.csrf)
            return await _form_page(db, form, frame, status=422)
        if not arrival.is_kept:
            page = preview_page(arrival, document, place, frame=frame)
            return html(page, status_code=422)
        words = f"{arrival.prefixes:,} prefixes and {arrival.addresses:,} addresses are taken in."
        return go(request, PREFIXES, Flash("success", words))


@get(
    f"{PREFIXES}/export/{{kind:str}}",
    guards=[requires(Permission.ADDRESSES_READ)],
    include_in_schema=False,
)
async def export_prefixes(db: Db, kind: FromPath[str]) -> Response[Any]:
    """Return the whole tree as a file: JSON, or CSV without VRFs' notes and VLAN groups."""
    async with db.snapshot() as tx:
        space = await export_space(tx)
    if kind == "json":
        content = msgspec.json.format(msgspec.json.encode(space), indent=2)
        media_type = "application/json"
    elif kind == "csv":
        content, media_type = csv_of(space.prefixes).encode(), "text/csv"
    else:
        raise NotFound("export as", kind)
    name = f'attachment; filename="prefixes.{kind}"'
    return Response(content, headers={"Content-Disposition": name}, media_type=media_type)


async def _form_page(
    db: Database, form: Form, frame: PageFrame, *, status: int = 200
) -> Response[Any]:
    async with db.snapshot() as tx:
        sites = await list_datacentres(tx)
    return html(import_page(form, sites, frame=frame), status_code=status)
