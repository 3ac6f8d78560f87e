"""`/api/v1/flows/{flow}/…`: publish, take in, go back, bind, enable and disable."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, ClassVar

import msgspec
from litestar import Controller, Response, post
from litestar.params import JSONBody
from msgspec import Meta, Struct

from app.core.database import Tx
from app.core.errors import Invalid, NotFound
from app.domain.accounts.scopes import Scope
from app.domain.catalog.find import category_id
from app.domain.connections.find import known_names
from app.flows.bind import unbind
from app.flows.disable import disable_flow, enable_flow
from app.flows.document import Document
from app.flows.find_flows import find_flow, find_version
from app.flows.publish import publish, roll_back
from app.flows.serve import serve
from app.flows.still import hold_flow
from app.flows.transfer import connections_named, import_flow, read
from app.routes.api.answer import require_match
from app.routes.api.flow_json import (
    HIGHEST,
    SMALL,
    Binding,
    FlowDetail,
    Note,
    Slug,
    VersionDetail,
    flow_detail,
    version_detail,
)
from app.routes.api.needs import ETAG, needs
from app.routes.api.once import Asked

STATUSES = (409, 412)
Reason = Annotated[str, Meta(description="Kept in the audit trail.", max_length=500)]


class Publication(Struct, frozen=True, forbid_unknown_fields=True):
    """A document that is to run from now on."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"note": "Waits longer", "document": SMALL}

    document: Document
    note: Note


class FlowFile(Struct, frozen=True, forbid_unknown_fields=True):
    """An exported flow that is to be taken in."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "note": "From the other site",
        "slug": "greet-by-mail",
        "document": SMALL,
    }

    document: Annotated[dict[str, Any], Meta(description="The content of the file.")]
    note: Note
    slug: Annotated[
        str, Meta(description="Another slug for it; its own if left out.", max_length=64)
    ] = ""


class Return(Struct, frozen=True, forbid_unknown_fields=True):
    """An old version that is to run again, as a new one."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"version": 3, "note": "The new one is too slow"}

    version: Annotated[int, Meta(description="Its number.", ge=1, le=HIGHEST)]
    note: Annotated[str, Meta(description="Why.", max_length=1_000)] = ""


class Serving(Struct, frozen=True, forbid_unknown_fields=True):
    """A product category on an event."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"category": "dedicated", "trigger": "order.paid"}

    category: Annotated[str, Meta(description="Slug of the category.", examples=["dedicated"])]
    trigger: Annotated[str, Meta(examples=["order.paid"])] = "order.paid"


class Why(Struct, frozen=True, forbid_unknown_fields=True):
    """The reason for a decision."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"reason": "It mails everyone twice"}

    reason: Annotated[Reason, Meta(min_length=1)]


class FlowDeeds(Controller):
    """What changes flows. Runs under way stay on the version that they began with."""

    path = "/flows"
    tags = ("Flows",)

    @post(
        **needs(Scope.FLOWS_WRITE, *STATUSES),
        response_headers=[ETAG],
        operation_id="importFlow",
        summary="Import a flow",
        description="Publish an exported flow. Refused as a whole when a node type or connection "
        "that it needs is not here, or anything is wrong with it.",
    )
    async def import_flow(self, ask: Asked, data: JSONBody[FlowFile]) -> Response[VersionDetail]:
        raw = msgspec.json.encode(data.document)

        async def deed(tx: Tx) -> VersionDetail:
            document = read(raw)
            await import_flow(
                tx,
                raw,
                connections=await known_names(tx, connections_named(document)),
                note=data.note,
                slug=data.slug,
                by=ask.caller.account.id,
                by_label=ask.caller.label,
            )
            return version_detail(await find_version(tx, data.slug or document.flow))

        return await ask.once(deed, status=201)

    @post(
        "/{slug:str}/versions",
        **needs(Scope.FLOWS_WRITE, *STATUSES),
        response_headers=[ETAG],
        operation_id="publishFlow",
        summary="Publish a version",
        description="Make a document the latest version of its flow, which is made if it is new. "
        "The same content again is no new version. `If-Match` is the `ETag` of the flow.",
    )
    async def publish(
        self, change: Asked, slug: Slug, data: JSONBody[Publication]
    ) -> Response[VersionDetail]:
        if data.document.flow != slug:
            told = f"This is a document of {data.document.flow}; send it there."
            raise Invalid({"document.flow": told})

        async def deed(tx: Tx) -> VersionDetail:
            await _require_known(tx, slug, change)
            await publish(
                tx,
                data.document,
                note=data.note,
                by=change.caller.account.id,
                by_label=change.caller.label,
            )
            return version_detail(await find_version(tx, slug))

        return await change.once(deed, status=201)

    @post(
        "/{slug:str}/roll-back",
        **needs(Scope.FLOWS_WRITE, *STATUSES),
        response_headers=[ETAG],
        operation_id="rollBack",
        summary="Go back to an old version",
        description="Publish what an old version says as a new one. `If-Match` is the `ETag` of "
        "the flow.",
    )
    async def roll_back(
        self, change: Asked, slug: Slug, data: JSONBody[Return]
    ) -> Response[VersionDetail]:
        async def deed(tx: Tx) -> VersionDetail:
            await _require_known(tx, slug, change)
            await roll_back(
                tx,
                slug,
                data.version,
                by=change.caller.account.id,
                by_label=change.caller.label,
                note=data.note,
            )
            return version_detail(await find_version(tx, slug))

        return await change.once(deed, status=201)

    @post(
        "/{slug:str}/bind",
        **needs(Scope.FLOWS_WRITE, *STATUSES),
        status_code=200,
        response_headers=[ETAG],
        operation_id="bindFlow",
        summary="Bind to a category",
        description="Let the flow serve a product category on an event from now on, in place of "
        "the one that did. With a flow that delivers servers by a cloud of bare metal, the shipped "
        "flows for the rest of their life are bound too, where no flow of your own is.",
    )
    async def bind(
        self, change: Asked, slug: Slug, data: JSONBody[Serving]
    ) -> Response[FlowDetail]:
        async def alter(tx: Tx) -> None:
            await serve(
                tx,
                category=await category_id(tx, data.category),
                trigger=data.trigger,
                flow=slug,
                by=change.caller.account.id,
                by_label=change.caller.label,
            )

        return await _changed(change, slug, alter)

    @post(
        "/{slug:str}/unbind",
        **needs(Scope.FLOWS_WRITE, *STATUSES),
        status_code=200,
        response_headers=[ETAG],
        operation_id="unbindFlow",
        summary="Unbind from a category",
        description="Let no flow serve the category on this event; what happens then waits for "
        "staff.",
    )
    async def unbind(
        self, change: Asked, slug: Slug, data: JSONBody[Serving]
    ) -> Response[FlowDetail]:
        async def alter(tx: Tx) -> None:
            bound = flow_detail(await find_flow(tx, slug)).bindings
            if Binding(category=data.category, trigger=data.trigger) not in bound:
                raise NotFound("binding of this flow", f"to {data.category} on {data.trigger}")
            await unbind(
                tx,
                category=await category_id(tx, data.category),
                trigger=data.trigger,
                by=change.caller.account.id,
                by_label=change.caller.label,
            )

        return await _changed(change, slug, alter)

    @post(
        "/{slug:str}/disable",
        **needs(Scope.FLOWS_WRITE, *STATUSES),
        status_code=200,
        response_headers=[ETAG],
        operation_id="disableFlow",
        summary="Disable a flow",
        description="Start no run of it any more, until it is enabled. Runs under way go on.",
    )
    async def disable(self, change: Asked, slug: Slug, data: JSONBody[Why]) -> Response[FlowDetail]:
        async def alter(tx: Tx) -> None:
            await disable_flow(
                tx,
                slug,
                actor=change.caller.account.id,
                actor_label=change.caller.label,
                reason=data.reason,
            )

        return await _changed(change, slug, alter)

    @post(
        "/{slug:str}/enable",
        **needs(Scope.FLOWS_WRITE, *STATUSES),
        status_code=200,
        response_headers=[ETAG],
        operation_id="enableFlow",
        summary="Enable a flow",
        description="Let runs of it start again.",
    )
    async def enable(self, change: Asked, slug: Slug) -> Response[FlowDetail]:
        async def alter(tx: Tx) -> None:
            await enable_flow(
                tx, slug, actor=change.caller.account.id, actor_label=change.caller.label
            )

        return await _changed(change, slug, alter)


async def _changed(
    change: Asked, slug: str, alter: Callable[[Tx], Awaitable[None]]
) -> Response[Any]:
    """Do one change of a flow, and answer with the flow as it stands then."""

    async def deed(tx: Tx) -> FlowDetail:
        await _require_known(tx, slug, change)
        await alter(tx)
        return flow_detail(await find_flow(tx, slug))

    return await change.once(deed)


async def _require_known(tx: Tx, slug: str, change: Asked) -> None:
    """Raise `ChangedSince` when the flow is not as the caller knows it; it stays so until the end.

    Raises NotFound for a flow that is not there, but only to who says that it knows it.
    """
    if change.if_match is not None:
        await hold_flow(tx, slug)
        require_match(change.if_match, flow_detail(await find_flow(tx, slug)))
