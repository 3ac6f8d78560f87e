"""`/api/v1/address-audits`: what audits of the address space found, and one more of them now."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import PathParameter
from msgspec import Meta, Struct

from app.core.database import Tx
from app.domain.accounts.scopes import Scope
from app.domain.addresses.audit import AuditResult, audit_addresses, find_audit, list_audits
from app.routes.api.answer import tagged
from app.routes.api.listing import USUAL, Cursor, Limit, Paged, page_answer, position_of
from app.routes.api.needs import ETAG, IfNoneMatch, needs
from app.routes.api.once import Asked
from app.routes.api.space_json import same
from app.routes.security.dependencies import Db, HttpRequest


class AuditLine(Struct, frozen=True, kw_only=True):
    """An audit in a list."""

    id: UUID
    at: datetime
    took_ms: int
    claims: Annotated[int, Meta(description="How many were looked at.")]
    drifts: Annotated[int, Meta(description="How many contradictions were found.")]
    processes: Annotated[
        int,
        Meta(
            description="How many processes have compared the addresses that they remember as "
            "free; they do so within a minute after the audit, and what differs is added to it."
        ),
    ]


class AuditList(Paged, frozen=True, kw_only=True):
    """A part of the list of audits, the latest first."""

    items: tuple[AuditLine, ...]


class DriftLine(Struct, frozen=True, kw_only=True):
    """One contradiction."""

    kind: Annotated[str, Meta(description="Stable across releases.")]
    subject: Annotated[str, Meta(description="The address, prefix or service.")]
    message: Annotated[str, Meta(description="What contradicts what.")]


class AuditDetail(AuditLine, frozen=True, kw_only=True):
    """An audit with each contradiction; at most 1,000 of a kind are named."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "id": "0193f1d2-a4c8-7a6f-9b3e-5d7c8e1f2a34",
        "at": "2026-11-26T10:23:00Z",
        "took_ms": 41,
        "claims": 20480,
        "drifts": 1,
        "processes": 3,
        "found": [
            {
                "kind": "claim_without_order",
                "subject": "192.0.2.17/32",
                "message": "assigned by order #312, whose service is terminated",
            }
        ],
    }

    found: tuple[DriftLine, ...]


class AddressAudits(Controller):
    """Audits of the address space."""

    path = "/address-audits"
    tags = ("Addresses",)

    @get(
        **needs(Scope.ADDRESSES_READ),
        operation_id="listAddressAudits",
        summary="List audits",
        description="Audits of the address space, the latest first. The worker makes one every "
        "hour.",
    )
    async def list(
        self, request: HttpRequest, db: Db, limit: Limit = USUAL, cursor: Cursor = None
    ) -> Response[AuditList]:
        before = position_of(cursor)
        async with db.snapshot() as tx:
            rows = await list_audits(tx, before=before, limit=limit + 1)
        return page_answer(request, rows, limit, position=lambda row: row.id, page=_list_of)

    @post(
        **needs(Scope.ADDRESSES_WRITE, 409),
        response_headers=[ETAG],
        operation_id="runAddressAudit",
        summary="Audit now",
        description="Compare addresses with orders, services, prefixes and reservations, and keep "
        "what contradicts.",
    )
    async def run(self, ask: Asked) -> Response[AuditDetail]:
        async def deed(tx: Tx) -> AuditDetail:
            return _detail(await audit_addresses(tx))

        return await ask.once(deed, status=201)

    @get(
        "/{audit_id:uuid}",
        **needs(Scope.ADDRESSES_READ, 304),
        response_headers=[ETAG],
        operation_id="showAddressAudit",
        summary="Show an audit",
        description="An audit with each contradiction that it found.",
    )
    async def show(
        self,
        db: Db,
        audit_id: Annotated[UUID, PathParameter(description="Id of the audit.")],
        if_none_match: IfNoneMatch = None,
    ) -> Response[AuditDetail]:
        async with db.snapshot() as tx:
            audit = await find_audit(tx, audit_id)
        return tagged(_detail(audit), if_none_match)


def _list_of(rows: Sequence[AuditResult], following: str | None) -> AuditList:
    lines = [AuditLine(**same(row, AuditLine.__struct_fields__)) for row in rows]
    return AuditList(items=tuple(lines), next=following)


def _detail(audit: AuditResult) -> AuditDetail:
    found = tuple(
        DriftLine(kind=drift.kind, subject=drift.subject, message=drift.says)
        for drift in audit.found
    )
    return AuditDetail(found=found, **same(audit, AuditLine.__struct_fields__))
