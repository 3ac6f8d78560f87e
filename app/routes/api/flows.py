"""`/api/v1/flows`: flows and their versions, read, checked and taken out."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import JSONBody, QueryParameter
from msgspec import Meta, Struct

from app.domain.accounts.scopes import Scope
from app.flows.document import Document, parse
from app.flows.find_flows import diff_versions, find_flow, find_version, list_bindings, list_flows
from app.flows.schema import flow_schema
from app.flows.transfer import export
from app.flows.validate import problems_of
from app.routes.api.answer import answer, tagged
from app.routes.api.flow_json import (
    HIGHEST,
    SMALL,
    BindingList,
    FlowDetail,
    FlowList,
    MaybeNumber,
    Number,
    Slug,
    Verdict,
    VersionDetail,
    VersionDiff,
    VersionList,
    category_binding,
    counted_version,
    flaw,
    flow_detail,
    flow_line,
    version_detail,
    version_diff,
)
from app.routes.api.needs import ETAG, IfNoneMatch, needs
from app.routes.security.dependencies import Db


class Draft(Struct, frozen=True, forbid_unknown_fields=True):
    """A document to be looked through."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"document": SMALL}

    document: Annotated[dict[str, Any], Meta(description="A flow document, finished or not.")]


class Flows(Controller):
    """Flows, read."""

    path = "/flows"
    tags = ("Flows",)

    @get(
        **needs(Scope.FLOWS_READ),
        operation_id="listFlows",
        summary="List flows",
        description="Every flow that is published, with what became of its runs in 30 days.",
    )
    async def list(self, db: Db) -> Response[FlowList]:
        async with db.snapshot() as tx:
            rows = await list_flows(tx)
        return answer(FlowList(items=tuple(map(flow_line, rows))))

    @get(
        "/{slug:str}",
        **needs(Scope.FLOWS_READ, 304),
        response_headers=[ETAG],
        operation_id="showFlow",
        summary="Show a flow",
        description="A flow as it stands: its latest version, and what it serves.",
    )
    async def show(
        self, db: Db, slug: Slug, if_none_match: IfNoneMatch = None
    ) -> Response[FlowDetail]:
        async with db.snapshot() as tx:
            flow = await find_flow(tx, slug)
        return tagged(flow_detail(flow), if_none_match)

    @get(
        "/{slug:str}/versions",
        **needs(Scope.FLOWS_READ),
        operation_id="listVersions",
        summary="Show a flow's history",
        description="Its latest 200 versions, who published each and why, and their runs.",
    )
    async def history(self, db: Db, slug: Slug) -> Response[VersionList]:
        async with db.snapshot() as tx:
            flow = await find_flow(tx, slug)
        return answer(VersionList(items=tuple(map(counted_version, flow.versions))))

    @get(
        "/{slug:str}/versions/{number:int}",
        **needs(Scope.FLOWS_READ, 304),
        response_headers=[ETAG],
        operation_id="showVersion",
        summary="Show a version",
        description="A version with its document.",
    )
    async def show_version(
        self, db: Db, slug: Slug, number: Number, if_none_match: IfNoneMatch = None
    ) -> Response[VersionDetail]:
        async with db.snapshot() as tx:
            version = await find_version(tx, slug, number)
        return tagged(version_detail(version), if_none_match)

    @get(
        "/{slug:str}/document",
        **needs(Scope.FLOWS_READ, 304),
        response_headers=[ETAG],
        operation_id="showDocument",
        summary="Show a flow's document",
        description="What the latest version says, or the one that is named.",
    )
    async def show_document(
        self, db: Db, slug: Slug, version: MaybeNumber = None, if_none_match: IfNoneMatch = None
    ) -> Response[Document]:
        async with db.snapshot() as tx:
            found = await find_version(tx, slug, version)
        return tagged(found.document, if_none_match)

    @get(
        "/{slug:str}/export",
        **needs(Scope.FLOWS_READ),
        operation_id="exportFlow",
        summary="Export a flow",
        description="The document as a file: the same document is always the same text. It names "
        "the connections that it uses and holds none of their secrets.",
    )
    async def export(self, db: Db, slug: Slug, version: MaybeNumber = None) -> Response[Document]:
        async with db.snapshot() as tx:
            found = await find_version(tx, slug, version)
        name = f'attachment; filename="{found.slug}-{found.row.number}.json"'
        text: Any = export(found.document).encode()
        return Response(text, headers={"Content-Disposition": name}, media_type="application/json")

    @get(
        "/{slug:str}/diff",
        **needs(Scope.FLOWS_READ),
        operation_id="diffVersions",
        summary="Compare two versions",
        description="What differs between two versions of a flow, as data and as lines.",
    )
    async def diff(
        self,
        db: Db,
        slug: Slug,
        before: Annotated[
            int, QueryParameter(description="Number of the earlier one.", ge=1, le=HIGHEST)
        ],
        after: Annotated[
            int | None,
            QueryParameter(
                description="Number of the later one; the latest if left out.", ge=1, le=HIGHEST
            ),
        ] = None,
    ) -> Response[VersionDiff]:
        async with db.snapshot() as tx:
            changes = await diff_versions(tx, slug, before, after)
        return answer(version_diff(changes))


@post(
    "/flow-checks",
    **needs(Scope.FLOWS_READ),
    status_code=200,
    tags=["Flows"],
    operation_id="checkFlow",
    summary="Check a document",
    description="Everything that is wrong with a document, by node and field. Nothing is kept. "
    "What is no flow document at all is refused (422, `flow.bad_document`).",
    sync_to_thread=False,
)
def check_flow(data: JSONBody[Draft]) -> Response[Verdict]:
    problems = problems_of(parse(msgspec.json.encode(data.document)))
    return answer(
        Verdict(
            is_valid=not any(one.is_error for one in problems),
            problems=tuple(map(flaw, problems)),
        )
    )


@get(
    "/flow-bindings",
    **needs(Scope.FLOWS_READ),
    tags=["Flows"],
    operation_id="listBindings",
    summary="List what serves which category",
    description="Every product category, with the flow that serves it on a trigger, if any.",
)
async def list_flow_bindings(
    db: Db,
    trigger: Annotated[
        str, QueryParameter(description="The event, such as `order.paid`.")
    ] = "order.paid",
) -> Response[BindingList]:
    async with db.snapshot() as tx:
        rows = await list_bindings(tx, trigger=trigger)
    return answer(BindingList(items=tuple(map(category_binding, rows))))


@get(
    "/flow-schema",
    **needs(Scope.FLOWS_READ, 304),
    response_headers=[ETAG],
    tags=["Flows"],
    operation_id="showSchema",
    summary="Show the schema of documents",
    description="JSON Schema (2020-12) of flow documents with the node types that are installed.",
    sync_to_thread=False,
)
def show_schema(if_none_match: IfNoneMatch = None) -> Response[dict[str, Any]]:
    return tagged(flow_schema(), if_none_match)
