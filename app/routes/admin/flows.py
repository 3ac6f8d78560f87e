"""`/admin/flows`: the flows, their versions and what these changed."""

from typing import Any

from litestar import Controller, Response, get
from litestar.params import FromPath, FromQuery

from app.components.admin.flow import FlowFile, flow_facts, flow_page
from app.components.admin.flow_bits import FLOWS, ORDER_PAID
from app.components.admin.flow_changes import changes_card, changes_page
from app.components.admin.flows import flows_list, flows_page
from app.core.database import Tx
from app.core.errors import NotFound
from app.domain.accounts.roles import Permission, allows
from app.domain.accounts.views import AccountView
from app.domain.audit.find import trail
from app.flows.bind import trigger_type
from app.flows.find_flows import diff_versions, find_flow, find_version, list_bindings, list_flows
from app.flows.node import Subject
from app.flows.transfer import export
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.visit import is_htmx

LAST_VERSION = 2**31 - 1
BY_CATEGORY = (Subject.ORDER, Subject.SERVICE)
"""What has a category, so that a flow may be bound to that."""


class Flows(Controller):
    """What is published; drafts are drawn elsewhere."""

    path = FLOWS
    guards = (requires(Permission.FLOWS_READ),)
    include_in_schema = False

    @get()
    async def list(self, db: Db, me: Me, frame: Frame, part: FromQuery[str] = "") -> Response[Any]:
        """Return every flow and category; only the lists for `part=list`."""
        async with db.snapshot() as tx:
            flows, served = await list_flows(tx), await list_bindings(tx, trigger=ORDER_PAID)
        if part == "list":
            return html(flows_list(flows, served))
        may_change = allows(me.role, Permission.FLOWS_CHANGE)
        return html(flows_page(flows, served, may_change=may_change, frame=frame))

    @get("/{slug:str}")
    async def show(
        self, db: Db, me: Me, frame: Frame, slug: FromPath[str], part: FromQuery[str] = ""
    ) -> Response[Any]:
        """Return the page of a flow; only what changes by itself for `part=facts`."""
        async with db.snapshot() as tx:
            file = await _file(tx, slug, me)
        if part == "facts":
            return html(flow_facts(file, csrf=frame.csrf))
        return html(flow_page(file, frame=frame))

    @get("/{slug:str}/file")
    async def show_file(self, db: Db, slug: FromPath[str]) -> Response[Any]:
        """Return the latest version as a file; connections are named, without their secrets."""
        async with db.snapshot() as tx:
            version = await find_version(tx, slug)
        name = f'attachment; filename="{version.slug}-{version.row.number}.json"'
        return Response(
            export(version.document),
            media_type="application/json",
            headers={"Content-Disposition": name},
        )

    @get("/{slug:str}/changes")
    async def compare(
        self,
        request: HttpRequest,
        db: Db,
        frame: Frame,
        slug: FromPath[str],
        *,
        before: FromQuery[int],
        after: FromQuery[int],
    ) -> Response[Any]:
        """Return what differs between two versions that were chosen, in the page or as one."""
        return await _changes(request, db, frame, slug, (before, after))

    @get("/{slug:str}/changes/{before:int}/{after:int}")
    async def show_changes(
        self,
        request: HttpRequest,
        db: Db,
        frame: Frame,
        slug: FromPath[str],
        *,
        before: FromPath[int],
        after: FromPath[int],
    ) -> Response[Any]:
        return await _changes(request, db, frame, slug, (before, after))


async def _changes(
    request: HttpRequest, db: Db, frame: Frame, slug: str, numbers: tuple[int, int]
) -> Response[Any]:
    before, after = numbers
    for number in numbers:
        if not 0 < number <= LAST_VERSION:
            raise NotFound("version of a flow", number)
    async with db.snapshot() as tx:
        changes = await diff_versions(tx, slug, before, after)
    if is_htmx(request):
        return html(changes_card(before, after, changes))
    return html(changes_page(slug, before, after, changes, frame=frame))


async def _file(tx: Tx, slug: str, me: AccountView) -> FlowFile:
    flow = await find_flow(tx, slug)
    kind = trigger_type(flow.document)
    is_bound = kind is not None and kind.gives in BY_CATEGORY
    return FlowFile(
        flow=flow,
        served=await list_bindings(tx, trigger=flow.row.trigger) if is_bound else None,
        trail=await trail(tx, [flow.row.id]) if allows(me.role, Permission.AUDIT_READ) else None,
        may_change=allows(me.role, Permission.FLOWS_CHANGE),
        may_run=allows(me.role, Permission.RUNS_CHANGE),
    )
