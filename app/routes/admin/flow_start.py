"""`/admin/flows/SLUG/start`: run a flow now, with input that its schema asks for."""

from collections.abc import Mapping
from typing import Any

from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery

from app.components.admin.flow_bits import FLOWS
from app.components.admin.flow_start import ONCE, VERSION, start_page, subject_list
from app.components.admin.input_form import ADD, REMOVE, inputs_form
from app.components.admin.run_bits import RUNS
from app.components.form import Form
from app.components.frame import PageFrame
from app.components.notice import Flash
from app.core.database import Database, Tx
from app.core.errors import Conflict, Invalid
from app.core.ids import new_id
from app.domain.accounts.roles import Permission
from app.flows.about import ABOUT, find_subjects, require_subject
from app.flows.bind import trigger_type
from app.flows.by_hand import start_by_hand
from app.flows.document import Document
from app.flows.find_flows import find_flow
from app.flows.inputs import BadInput, Inputs
from app.flows.node import Subject
from app.flows.start import FlowDisabled
from app.flows.steer import By
from app.flows.typed_input import beside, input_fields, read_input, reshaped
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.typed import typed
from app.routes.security.visit import is_htmx

LONGEST_KEY = 64


class FlowStart(Controller):
    """A form made for each flow."""

    path = FLOWS + "/{slug:str}"
    guards = (requires(Permission.RUNS_CHANGE),)
    include_in_schema = False

    @get("/start")
    async def ask(self, db: Db, frame: Frame, slug: FromPath[str]) -> Response[Any]:
        return await _page(db, slug, {ONCE: str(new_id())}, {}, frame)

    @get("/subjects")
    async def list_subjects(
        self, db: Db, slug: FromPath[str], about: FromQuery[str] = ""
    ) -> Response[Any]:
        """Return what a run may be about, as the field of it offers that."""
        async with db.snapshot() as tx:
            gives = _gives((await find_flow(tx, slug)).document)
            found = () if gives is Subject.NOTHING else await find_subjects(tx, gives, about)
        return html(subject_list(found))

    @post("/start", status_code=200)
    async def start(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, slug: FromPath[str]
    ) -> Response[Any]:
        """Queue a run, once for each form; or renew the form with more or fewer items."""
        values = await typed(request)
        if values.keys() & {ADD, REMOVE}:
            return await _renewed(request, db, slug, values, frame)
        try:
            async with db.transaction() as tx:
                run = await _start(tx, slug, values, By(me.id, me.email))
        except Invalid as invalid:
            return await _page(db, slug, values, invalid.fields, frame, status=422)
        except (Conflict, FlowDisabled) as refusal:
            return await _page(db, slug, values, {"": refusal.message}, frame, status=422)
        return go(request, f"{RUNS}/{run}", Flash("success", "The run is queued."))


async def _start(tx: Tx, slug: str, values: Mapping[str, str], by: By) -> Any:
    """Return the run. Raises Invalid with every field that is wrong, Conflict, FlowDisabled."""
    flow = await find_flow(tx, slug)
    if values.get(VERSION) != str(flow.row.version):
        raise Conflict(
            f"Version {flow.row.version} was published meanwhile; look whether the input is still "
            "what it asks for, and send it again."
        )
    gives, schema = _gives(flow.document), flow.document.inputs
    fields = input_fields(schema, values)
    data, errors = read_input(fields, values)
    about = None
    if gives is not Subject.NOTHING:
        try:
            about = await require_subject(tx, gives, values.get(ABOUT, ""))
        except Invalid as invalid:
            errors = {**invalid.fields, **errors}
    if schema:
        try:
            Inputs(slug, schema).require(data)
        except BadInput as bad:
            errors = {**beside(fields, bad.fields), **errors}
    if errors:
        raise Invalid(errors)
    return await start_by_hand(
        tx,
        slug,
        data=data,
        dedup_key=f"by-hand:{by.account}:{values.get(ONCE, '')[:LONGEST_KEY] or new_id()}",
        subject=about,
        subject_kind=gives,
        number=flow.row.version,
        by=by,
    )


async def _renewed(
    request: HttpRequest, db: Database, slug: str, values: Mapping[str, str], frame: PageFrame
) -> Response[Any]:
    changed = reshaped(values, add=values.get(ADD, ""), remove=values.get(REMOVE, ""))
    if not is_htmx(request):
        return await _page(db, slug, changed, {}, frame)
    async with db.snapshot() as tx:
        flow = await find_flow(tx, slug)
    fields = input_fields(flow.document.inputs, changed)
    return html(inputs_form(Form(values=changed), fields, f"{FLOWS}/{slug}/start"))


async def _page(
    db: Database,
    slug: str,
    values: Mapping[str, str],
    errors: Mapping[str, str],
    frame: PageFrame,
    *,
    status: int = 200,
) -> Response[Any]:
    async with db.snapshot() as tx:
        flow = await find_flow(tx, slug)
        gives = _gives(flow.document)
        words = values.get(ABOUT, "")
        subjects = () if gives is Subject.NOTHING else await find_subjects(tx, gives, words)
    values = {**values, VERSION: str(flow.row.version)}
    form = Form(values=values, errors=errors, csrf=frame.csrf)
    fields = input_fields(flow.document.inputs, values)
    page = start_page(flow.row, gives, fields, subjects, form, frame=frame)
    return html(page, status_code=status)


def _gives(document: Document) -> Subject:
    kind = trigger_type(document)
    return Subject.NOTHING if kind is None else kind.gives
