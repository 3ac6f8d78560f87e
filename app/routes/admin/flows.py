"""`/admin/flows`: the flows, their versions and what these changed."""

from typing import Any

from litestar import Controller, Response, get
from litestar.params import FromPath

from app.components.admin.flows import FLOWS, changes_page, flow_page, flows_page
from app.core.errors import NotFound
from app.domain.accounts.roles import Permission
from app.flows.find_flows import diff_versions, find_flow, find_version, list_flows
from app.flows.transfer import export
from app.routes.security.dependencies import Db, Frame
from app.routes.security.guards import requires
from app.routes.security.html import html

LAST_VERSION = 2**31 - 1


class Flows(Controller):
    """What is published; drafts are drawn elsewhere."""

    path = FLOWS
    guards = (requires(Permission.FLOWS_READ),)
    include_in_schema = False

    @get()
    async def list(self, db: Db, frame: Frame) -> Response[Any]:
        async with db.snapshot() as tx:
            flows = await list_flows(tx)
        return html(flows_page(flows, frame=frame))

    @get("/{slug:str}")
    async def show(self, db: Db, frame: Frame, slug: FromPath[str]) -> Response[Any]:
        async with db.snapshot() as tx:
            flow = await find_flow(tx, slug)
        return html(flow_page(flow, frame=frame))

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

    @get("/{slug:str}/changes/{before:int}/{after:int}")
    async def show_changes(
        self,
        db: Db,
        frame: Frame,
        slug: FromPath[str],
        *,
        before: FromPath[int],
        after: FromPath[int],
    ) -> Response[Any]:
        for number in (before, after):
            if not 0 < number <= LAST_VERSION:
                raise NotFound("version of a flow", number)
        async with db.snapshot() as tx:
            changes = await diff_versions(tx, slug, before, after)
        return html(changes_page(slug, before, after, changes, frame=frame))
