"""`/admin/flows/SLUG/…`: bind and unbind, roll back, disable and enable."""

from collections.abc import Mapping, Sequence
from typing import Any

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.flow import CATEGORY, INSTEAD_OF, LATEST
from app.components.admin.flow_bits import FLOWS
from app.components.admin.flow_deeds import (
    CANCEL,
    FINISH,
    LIVE,
    disable_page,
    enable_page,
    roll_back_page,
)
from app.components.form import Form
from app.components.frame import PageFrame
from app.components.notice import Back, Flash
from app.core.database import Database, Tx
from app.core.errors import Conflict, Invalid, NotFound
from app.domain.accounts.roles import Permission, allows
from app.domain.accounts.views import AccountView
from app.domain.catalog.find import category_id
from app.flows.bind import TriggerDoesNotFit, unbind
from app.flows.cancel_live import cancel_live
from app.flows.diff import diff
from app.flows.disable import disable_flow, enable_flow
from app.flows.find_flows import find_flow, find_version, list_bindings
from app.flows.flow_views import FlowView, VersionRow
from app.flows.publish import TriggerBound, roll_back
from app.flows.serve import serve
from app.flows.steer import By
from app.flows.still import hold_flow
from app.flows.validate import InvalidFlow
from app.routes.admin.flows import LAST_VERSION
from app.routes.admin.reasons import reason_of
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.typed import typed


class FlowDeeds(Controller):
    """What a person does to one flow; every form of it may be sent twice."""

    path = FLOWS + "/{slug:str}"
    guards = (requires(Permission.FLOWS_CHANGE),)
    include_in_schema = False

    @post("/bind", status_code=200)
    async def bind(
        self, request: HttpRequest, db: Db, me: Me, slug: FromPath[str]
    ) -> Response[Any]:
        """Let the flow serve a category, in place of the one that the person saw there."""
        values, back = await typed(request), f"{FLOWS}/{slug}"
        sort, seen = values.get(CATEGORY, ""), values.get(INSTEAD_OF, "")
        try:
            async with db.transaction() as tx:
                await hold_flow(tx, slug)
                flow, category = await find_flow(tx, slug), await category_id(tx, sort)
                served = await _served_by(tx, sort, flow.row.trigger)
                _require_seen(sort, served, seen=seen, slug=slug)
                along = await serve(
                    tx,
                    category=category,
                    trigger=flow.row.trigger,
                    flow=slug,
                    by=me.id,
                    by_label=me.email,
                )
        except (Conflict, TriggerDoesNotFit) as refusal:
            return go(request, back, Flash("warning", refusal.message))
        return go(request, back, _bound(sort, slug, instead_of=served), *_told_of(along))

    @post("/unbind/{sort:str}", status_code=200)
    async def unbind(
        self, request: HttpRequest, db: Db, me: Me, slug: FromPath[str], sort: FromPath[str]
    ) -> Response[Any]:
        """Let no flow serve the category, if this one does."""
        async with db.transaction() as tx:
            await hold_flow(tx, slug)
            flow, category = await find_flow(tx, slug), await category_id(tx, sort)
            is_own = await _served_by(tx, sort, flow.row.trigger) == slug
            if is_own:
                await unbind(
                    tx, category=category, trigger=flow.row.trigger, by=me.id, by_label=me.email
                )
        told = (
            Flash("success", f"No flow serves {sort} now.")
            if is_own
            else Flash("warning", f"It does not serve {sort} any more.")
        )
        return go(request, f"{FLOWS}/{slug}", told)

    @get("/roll-back/{number:int}")
    async def ask_to_roll_back(
        self, db: Db, frame: Frame, slug: FromPath[str], number: FromPath[int]
    ) -> Response[Any]:
        return await _roll_back_page(db, slug, number, Form(csrf=frame.csrf), frame)

    @post("/roll-back/{number:int}", status_code=200)
    async def roll_back(
        self,
        request: HttpRequest,
        db: Db,
        me: Me,
        frame: Frame,
        slug: FromPath[str],
        *,
        number: FromPath[int],
    ) -> Response[Any]:
        """Publish the old version anew; refused when another one came since the page was seen."""
        values, back = await typed(request), f"{FLOWS}/{slug}"
        try:
            async with db.transaction() as tx:
                await hold_flow(tx, slug)
                old, latest = await find_version(tx, slug, number), await find_version(tx, slug)
                if old.row.content_hash == latest.row.content_hash:
                    words = f"Version {latest.row.number} says what version {number} said."
                    return go(request, back, Flash("success", words))
                _require_latest(values.get(LATEST), latest.row)
                note = reason_of(values, what="Say why; it is the new version's note.")
                await roll_back(tx, slug, number, by=me.id, by_label=me.email, note=note)
        except Invalid as invalid:
            seen = {name: value for name, value in values.items() if name != LATEST}
            form = Form(values=seen, errors=invalid.fields, csrf=frame.csrf)
            return await _roll_back_page(db, slug, number, form, frame, status=422)
        except (InvalidFlow, TriggerBound) as refusal:
            form = Form(values=values, errors={"": refusal.message}, csrf=frame.csrf)
            return await _roll_back_page(db, slug, number, form, frame, status=422)
        words = f"Version {latest.row.number + 1} runs what version {number} said."
        return go(request, back, Flash("success", words))

    @get("/disable")
    async def ask_to_disable(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, slug: FromPath[str]
    ) -> Response[Any]:
        async with db.snapshot() as tx:
            flow = await find_flow(tx, slug)
        if not flow.row.is_enabled:
            return go(request, f"{FLOWS}/{slug}", Flash("info", "It is disabled already."))
        return _disable_page(flow, me, Form(csrf=frame.csrf), frame)

    @post("/disable", status_code=200)
    async def disable(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, slug: FromPath[str]
    ) -> Response[Any]:
        """Start no run any more; those under way finish, or are cancelled with it."""
        values, back = await typed(request), f"{FLOWS}/{slug}"
        cancelled = 0
        try:
            reason = reason_of(values)
            fate = _fate_of(values, me)
            async with db.transaction() as tx:
                await disable_flow(tx, slug, actor=me.id, actor_label=me.email, reason=reason)
                if fate == CANCEL:
                    by = By(me.id, me.email)
                    cancelled = await cancel_live(tx, slug, by=by, reason=reason)
        except Invalid as invalid:
            async with db.snapshot() as tx:
                flow = await find_flow(tx, slug)
            form = Form(values=values, errors=invalid.fields, csrf=frame.csrf)
            return _disable_page(flow, me, form, frame, status=422)
        except Conflict as conflict:
            return go(request, back, Flash("warning", conflict.message))
        flashes = [Flash("success", "It is disabled: no run of it starts.")]
        if cancelled:
            flashes.append(Flash("info", f"{cancelled} of its runs are being cancelled."))
        return go(request, back, *flashes)

    @get("/enable")
    async def ask_to_enable(
        self, request: HttpRequest, db: Db, frame: Frame, slug: FromPath[str]
    ) -> Response[Any]:
        async with db.snapshot() as tx:
            flow = await find_flow(tx, slug)
        if flow.row.is_enabled:
            return go(request, f"{FLOWS}/{slug}", Flash("info", "It is enabled already."))
        return html(enable_page(flow.row, Form(csrf=frame.csrf), frame=frame))

    @post("/enable", status_code=200)
    async def enable(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, slug: FromPath[str]
    ) -> Response[Any]:
        values, back = await typed(request), f"{FLOWS}/{slug}"
        try:
            reason = reason_of(values)
            async with db.transaction() as tx:
                await enable_flow(tx, slug, actor=me.id, actor_label=me.email, reason=reason)
        except Invalid as invalid:
            async with db.snapshot() as tx:
                flow = await find_flow(tx, slug)
            form = Form(values=values, errors=invalid.fields, csrf=frame.csrf)
            return html(enable_page(flow.row, form, frame=frame), status_code=422)
        except Conflict as conflict:
            return go(request, back, Flash("warning", conflict.message))
        return go(request, back, Flash("success", "It is enabled: runs of it start again."))


def _require_seen(sort: str, served: str, *, seen: str, slug: str) -> None:
    """Raise Conflict when something else serves the category than the person saw there."""
    if served not in (seen, slug):
        raise Conflict(
            f"Meanwhile {served or 'no flow'} serves {sort}; look again before putting this one "
            "in its place."
        )


def _require_latest(seen: str | None, latest: VersionRow) -> None:
    """Raise Invalid when another version was published since the page was seen."""
    if seen != str(latest.number):
        who = latest.published_by or "the system"
        words = f"Version {latest.number} was published meanwhile by {who}. Look at what changes."
        raise Invalid({"": words})


def _fate_of(values: Mapping[str, str], me: AccountView) -> str:
    """Return what is to become of the runs under way. Raises Invalid."""
    fate = values.get(LIVE, FINISH)
    if fate not in (FINISH, CANCEL):
        raise Invalid({LIVE: "Choose what becomes of them."})
    if fate == CANCEL and not allows(me.role, Permission.RUNS_CHANGE):
        raise Invalid({LIVE: "Your role does not cancel runs; ask an operator."})
    return fate


def _bound(sort: str, slug: str, *, instead_of: str) -> Flash:
    """Say what serves the category now; one click binds, and one takes that back."""
    words = f"It serves {sort} from now on"
    if instead_of == slug:
        return Flash("success", f"{words}.")
    if not instead_of:
        return Flash("success", f"{words}.", Back("Unbind it", f"{FLOWS}/{slug}/unbind/{sort}"))
    values = {CATEGORY: sort, INSTEAD_OF: slug}
    again = Back(f"Put {instead_of} back", f"{FLOWS}/{instead_of}/bind", values)
    return Flash("success", f"{words}, in place of {instead_of}.", again)


def _told_of(along: Sequence[str]) -> list[Flash]:
    """Say which flows serve the category from now on because that one does."""
    if not along:
        return []
    words = f"With it, for what comes after delivery: {', '.join(along)}."
    return [Flash("info", words)]


async def _served_by(tx: Tx, sort: str, trigger: str) -> str:
    """Return the slug of the flow that serves the category; "" when none does."""
    for binding in await list_bindings(tx, trigger=trigger):
        if binding.category_slug == sort:
            return binding.flow or ""
    raise NotFound("category", sort)


async def _roll_back_page(
    db: Database, slug: str, number: int, form: Form, frame: PageFrame, *, status: int = 200
) -> Response[Any]:
    if not 0 < number <= LAST_VERSION:
        raise NotFound("version of a flow", number)
    async with db.snapshot() as tx:
        flow, old = await find_flow(tx, slug), await find_version(tx, slug, number)
    changes = diff(flow.document, old.document)
    page = roll_back_page(flow.row, old.row, changes, form, frame=frame)
    return html(page, status_code=status)


def _disable_page(
    flow: FlowView, me: AccountView, form: Form, frame: PageFrame, *, status: int = 200
) -> Response[Any]:
    page = disable_page(
        flow.row,
        form,
        sorts=[one.category_name for one in flow.row.bindings],
        may_cancel=allows(me.role, Permission.RUNS_CHANGE),
        frame=frame,
    )
    return html(page, status_code=status)
