"""`/admin/flows/SLUG/rehearsal/N` and `…/dry-run/N`: a version tried before it is trusted."""

from collections.abc import Mapping
from typing import Any

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.flow_bits import FLOWS
from app.components.admin.flow_dry_run import dry_run_page
from app.components.admin.flow_rehearsal import rehearsal_page
from app.components.admin.input_form import ADD, REMOVE, inputs_form
from app.components.form import Form
from app.components.frame import PageFrame
from app.components.notice import Flash
from app.core.database import Database, Tx
from app.core.errors import NotFound
from app.domain.accounts.roles import Permission, allows
from app.flows.dryrun.given import Given
from app.flows.dryrun.of_flow import dry_run_of
from app.flows.dryrun.of_version import keep_score, rehearse_version
from app.flows.dryrun.result import DryRun
from app.flows.dryrun.score import find_rehearsal
from app.flows.find_flows import find_version
from app.flows.flow_views import VersionView
from app.flows.inputs import BadInput, Inputs
from app.flows.typed_input import beside, input_fields, is_blank, read_input, reshaped
from app.routes.admin.flows import LAST_VERSION
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.typed import typed
from app.routes.security.visit import is_htmx


class FlowTrials(Controller):
    """Nothing here has an effect but that a score is kept."""

    path = FLOWS + "/{slug:str}"
    guards = (requires(Permission.FLOWS_READ),)
    include_in_schema = False

    @get("/rehearsal/{number:int}")
    async def show_rehearsal(
        self, db: Db, me: Me, frame: Frame, slug: FromPath[str], *, number: FromPath[int]
    ) -> Response[Any]:
        """Return what is kept of the version's rehearsal."""
        async with db.snapshot() as tx:
            version = await _version(tx, slug, number)
            found = await find_rehearsal(tx, content_hash=version.row.content_hash)
        may_change = allows(me.role, Permission.FLOWS_CHANGE)
        page = rehearsal_page(_name(version), version, found, may_change=may_change, frame=frame)
        return html(page)

    @post("/rehearsal/{number:int}", guards=(requires(Permission.FLOWS_CHANGE),), status_code=200)
    async def rehearse(
        self, request: HttpRequest, db: Db, me: Me, slug: FromPath[str], *, number: FromPath[int]
    ) -> Response[Any]:
        """Rehearse the version while the person waits, and keep the score."""
        _require_possible(number)
        version, found = await rehearse_version(db, slug, number)
        async with db.transaction() as tx:
            await keep_score(tx, version, found, by=me.id, by_label=me.email)
        words = f"{found.score} % of {len(found.cases)} faults are survived or undone clean."
        return go(request, f"{FLOWS}/{slug}/rehearsal/{number}", Flash("success", words))

    @get("/dry-run/{number:int}")
    async def ask(
        self, db: Db, frame: Frame, slug: FromPath[str], number: FromPath[int]
    ) -> Response[Any]:
        async with db.snapshot() as tx:
            version = await _version(tx, slug, number)
        return _dry_run_page(version, {}, {}, None, frame)

    @post("/dry-run/{number:int}", status_code=200)
    async def try_it(
        self, request: HttpRequest, db: Db, frame: Frame, slug: FromPath[str], number: FromPath[int]
    ) -> Response[Any]:
        """Show what a run with the input would do; or renew the form of it."""
        values = await typed(request)
        async with db.snapshot() as tx:
            version = await _version(tx, slug, number)
        if values.keys() & {ADD, REMOVE}:
            return _renewed(request, version, values, frame)
        schema = version.document.inputs
        fields = input_fields(schema, values)
        is_made_up = is_blank(values)
        data, errors = read_input(fields, values)
        if schema and not is_made_up:
            try:
                Inputs(slug, schema).require(data)
            except BadInput as bad:
                errors = {**beside(fields, bad.fields), **errors}
        if errors:
            return _dry_run_page(version, values, errors, None, frame)
        found = await _dry_run(db, version, None if is_made_up else data)
        return _dry_run_page(version, values, {}, found, frame)


async def _dry_run(db: Database, version: VersionView, data: Mapping[str, Any] | None) -> DryRun:
    async with db.snapshot() as tx:
        return await dry_run_of(tx, version.document, Given(input=data))


def _renewed(
    request: HttpRequest, version: VersionView, values: Mapping[str, str], frame: PageFrame
) -> Response[Any]:
    changed = reshaped(values, add=values.get(ADD, ""), remove=values.get(REMOVE, ""))
    if not is_htmx(request):
        return _dry_run_page(version, changed, {}, None, frame)
    fields = input_fields(version.document.inputs, changed)
    action = f"{FLOWS}/{version.slug}/dry-run/{version.row.number}"
    return html(inputs_form(Form(values=changed), fields, action))


def _dry_run_page(
    version: VersionView,
    values: Mapping[str, str],
    errors: Mapping[str, str],
    found: DryRun | None,
    frame: PageFrame,
) -> Response[Any]:
    form = Form(values=values, errors=errors, csrf=frame.csrf)
    fields = input_fields(version.document.inputs, values)
    page = dry_run_page(_name(version), version, fields, form, found, frame=frame)
    return html(page, status_code=422 if errors else 200)


async def _version(tx: Tx, slug: str, number: int) -> VersionView:
    _require_possible(number)
    return await find_version(tx, slug, number)


def _require_possible(number: int) -> None:
    """Raise NotFound for a number that no version can have."""
    if not 0 < number <= LAST_VERSION:
        raise NotFound("version of a flow", number)


def _name(version: VersionView) -> str:
    return version.document.name or version.slug
