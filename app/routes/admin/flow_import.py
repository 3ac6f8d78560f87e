"""`/admin/flow-import`: a flow from a file or pasted JSON, looked at before it is published."""

from collections.abc import Mapping
from typing import Any

from litestar import Controller, Response, get, post
from litestar.datastructures import UploadFile

from app.components.admin.flow_bits import FLOWS, IMPORT
from app.components.admin.flow_import import (
    DOCUMENT,
    FILE,
    LATEST,
    NOTE,
    SLUG,
    import_page,
    preview_page,
)
from app.components.form import Form
from app.components.frame import PageFrame
from app.components.notice import Flash
from app.core.database import Database
from app.core.errors import Invalid
from app.domain.accounts.roles import Permission
from app.domain.connections.find import known_names
from app.flows.arrival import Preview, preview_import
from app.flows.document import BadDocument
from app.flows.publish import TriggerBound
from app.flows.still import hold_flow
from app.flows.transfer import CannotImport, FileTooLarge, connections_named, import_flow, read
from app.flows.validate import InvalidFlow
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.typed import typed


class FlowImport(Controller):
    """In three steps: choose, look, publish. The first two write nothing."""

    path = IMPORT
    guards = (requires(Permission.FLOWS_CHANGE),)
    include_in_schema = False

    @get(sync_to_thread=False)
    def ask(self, frame: Frame) -> Response[Any]:
        return html(import_page(Form(csrf=frame.csrf), frame=frame))

    @post(status_code=200)
    async def look(self, request: HttpRequest, db: Db, frame: Frame) -> Response[Any]:
        """Show what the file would do."""
        values = await typed(request)
        sent = (await request.form()).get(FILE)
        raw: bytes | str = await sent.read() if isinstance(sent, UploadFile) else b""
        field = FILE if raw else DOCUMENT
        raw = raw or values.get(DOCUMENT, "").strip()
        try:
            preview = await _preview(db, raw, values.get(SLUG, "").strip())
        except (BadDocument, FileTooLarge) as refusal:
            words = refusal.message if raw else "Choose a file, or paste what one says."
            form = Form(values=values, errors={field: words}, csrf=frame.csrf)
            return html(import_page(form, frame=frame), status_code=422)
        return html(preview_page(preview, Form(csrf=frame.csrf), frame=frame))

    @post("/confirm", status_code=200)
    async def publish(self, request: HttpRequest, db: Db, me: Me, frame: Frame) -> Response[Any]:
        """Publish what was looked at; refused when another version came since."""
        values = await typed(request)
        try:
            async with db.transaction() as tx:
                document = read(values.get(DOCUMENT, ""))
                await hold_flow(tx, document.flow)
                now = await preview_import(tx, values.get(DOCUMENT, ""))
                if now.is_same and now.latest is not None:
                    words = f"Version {now.latest.row.number} says what the file says."
                    return go(request, f"{FLOWS}/{document.flow}", Flash("success", words))
                _require_seen(values.get(LATEST), now)
                await import_flow(
                    tx,
                    values.get(DOCUMENT, ""),
                    connections=await known_names(tx, connections_named(document)),
                    note=values.get(NOTE, ""),
                    by=me.id,
                    by_label=me.email,
                )
        except (BadDocument, FileTooLarge) as refusal:
            form = Form(values=values, errors={DOCUMENT: refusal.message}, csrf=frame.csrf)
            return html(import_page(form, frame=frame), status_code=422)
        except (Invalid, CannotImport, InvalidFlow, TriggerBound) as refusal:
            errors = refusal.fields if isinstance(refusal, Invalid) else {"": refusal.message}
            return await _again(db, values, errors, frame)
        return go(request, f"{FLOWS}/{document.flow}", Flash("success", "The flow is published."))


async def _preview(db: Database, raw: bytes | str, slug: str) -> Preview:
    async with db.snapshot() as tx:
        return await preview_import(tx, raw, slug=slug)


async def _again(
    db: Database, values: Mapping[str, str], errors: Mapping[str, str], frame: PageFrame
) -> Response[Any]:
    preview = await _preview(db, values.get(DOCUMENT, ""), "")
    form = Form(values={NOTE: values.get(NOTE, "")}, errors=errors, csrf=frame.csrf)
    return html(preview_page(preview, form, frame=frame), status_code=422)


def _require_seen(latest: str | None, preview: Preview) -> None:
    """Raise Invalid when the flow has another version than the person saw."""
    number = str(preview.latest.row.number) if preview.latest else ""
    if latest != number:
        words = f"Version {number} was published meanwhile. Look at what changes now."
        raise Invalid({"": words})
