"""`/admin/servers/import` and `/export`: servers in, looked at first, and out."""

from typing import Any

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.dcim import SERVERS
from app.components.admin.server_import import IMPORT, import_page, preview_page
from app.components.admin.sheet_import import DOCUMENT
from app.components.form import Form
from app.components.notice import Flash
from app.core.sheets import Unreadable
from app.domain.inventory.arrive import import_servers
from app.domain.inventory.seeds import server_seeds
from app.domain.inventory.server_sheet import csv_of
from app.routes.admin.racks import CHANGES, READS
from app.routes.admin.sent_sheet import NOTHING_SENT, download, sent_sheet
from app.routes.security.dependencies import Config, Db, Frame, HttpRequest, Me, Sealing
from app.routes.security.flashes import go
from app.routes.security.html import html
from app.routes.security.typed import typed


class ServerImport(Controller):
    """In three steps: choose, look, write. The first two write nothing."""

    path = IMPORT
    guards = CHANGES
    include_in_schema = False

    @get(sync_to_thread=False)
    def ask(self, frame: Frame) -> Response[Any]:
        return html(import_page(Form(csrf=frame.csrf), frame=frame))

    @post(status_code=200)
    async def look(
        self, request: HttpRequest, db: Db, vault: Sealing, me: Me, frame: Frame
    ) -> Response[Any]:
        """Show what the file would do."""
        values = await typed(request)
        raw, field = await sent_sheet(request, values)
        try:
            async with db.transaction() as tx:
                arrived = await import_servers(
                    tx, vault, raw, dry_run=True, actor=me.id, actor_label=me.email
                )
        except Unreadable as refusal:
            words = refusal.message if raw.strip() else NOTHING_SENT
            form = Form(values=values, errors={field: words}, csrf=frame.csrf)
            return html(import_page(form, frame=frame), status_code=422)
        page = preview_page(arrived, raw.decode("utf-8-sig"), frame=frame)
        return html(page, status_code=422 if arrived.faults else 200)

    @post("/again", status_code=200)
    async def change(self, request: HttpRequest, frame: Frame) -> Response[Any]:
        """Show the form once more, with what was sent."""
        form = Form(values=await typed(request), csrf=frame.csrf)
        return html(import_page(form, frame=frame))

    @post("/confirm", status_code=200)
    async def write(
        self,
        request: HttpRequest,
        db: Db,
        vault: Sealing,
        me: Me,
        *,
        frame: Frame,
        settings: Config,
    ) -> Response[Any]:
        """Write what was looked at; shown again when it cannot be written any more."""
        document = (await typed(request)).get(DOCUMENT, "")
        try:
            async with db.transaction() as tx:
                arrived = await import_servers(
                    tx,
                    vault,
                    document.encode(),
                    dry_run=False,
                    actor=me.id,
                    actor_label=me.email,
                    burn_in_minutes=settings.burn_in_new_minutes,
                )
        except Unreadable as refusal:
            values = {DOCUMENT: document}
            form = Form(values=values, errors={DOCUMENT: refusal.message}, csrf=frame.csrf)
            return html(import_page(form, frame=frame), status_code=422)
        if not arrived.is_kept:
            return html(preview_page(arrived, document, frame=frame), status_code=422)
        words = f"{len(arrived.new):,} servers are new, {len(arrived.changed):,} are changed."
        return go(request, SERVERS, Flash("success", words))


@get(f"{SERVERS}/export/{{kind:str}}", guards=READS, include_in_schema=False)
async def export_servers(db: Db, kind: FromPath[str]) -> Response[Any]:
    """Return every server as a file that can be taken in again, without passwords."""
    async with db.snapshot() as tx:
        servers = list((await server_seeds(tx)).values())
    return download("servers", kind, whole={"servers": servers}, sheet=lambda: csv_of(servers))
