"""`/api/v1/servers/…/hardware`: what a server's BMC says of it, against what is written down."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, TypeAlias
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import JSONBody, PathParameter
from msgspec import Meta, Struct

from app.core.database import Tx
from app.core.errors import NotFound
from app.domain.accounts.scopes import Scope
from app.domain.inventory.discover import accept_difference, ask_hardware, compare
from app.domain.inventory.find import find_server
from app.routes.api.answer import tagged
from app.routes.api.needs import ETAG, IfNoneMatch, needs
from app.routes.api.once import Asked
from app.routes.api.servers import by
from app.routes.security.dependencies import Db

ServerId: TypeAlias = Annotated[UUID, PathParameter(description="Id of the server.")]


class HardwareDifference(Struct, frozen=True, kw_only=True):
    """A fact of which record and BMC say different things."""

    fact: Annotated[str, Meta(description="`serial`, `ram_gb`, …, or `nic:` and an address.")]
    label: str
    written: str
    found: str
    note: Annotated[
        str, Meta(description="Why it cannot be accepted as it stands; empty when it can.")
    ]


class HardwareReport(Struct, frozen=True, kw_only=True):
    """What a BMC or a cloud said last, and how the record differs from that."""

    told_by: Annotated[str, Meta(description="The cloud that inspected it; empty: its BMC.")]
    asked_at: datetime
    read_at: Annotated[datetime | None, Meta(description="Null when it never answered.")]
    error: Annotated[str, Meta(description="Why it did not answer, in its own words.")]
    is_waiting: Annotated[bool, Meta(description="It was asked and has not answered yet.")]
    differences: tuple[HardwareDifference, ...]


class AcceptedFact(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A difference of which the BMC is right."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"fact": "ram_gb"}

    fact: Annotated[str, Meta(min_length=1, max_length=100)]


class ServerHardware(Controller):
    """What BMCs say of servers' hardware."""

    path = "/servers/{server_id:uuid}/hardware"
    tags = ("Servers",)

    @get(
        **needs(Scope.SERVERS_READ, 304),
        response_headers=[ETAG],
        operation_id="showServerHardware",
        summary="Compare a server with what its BMC says",
        description="The last report and its differences from the record as it is now. Not found "
        "until the BMC was asked once.",
    )
    async def show(
        self, db: Db, server_id: ServerId, if_none_match: IfNoneMatch = None
    ) -> Response[HardwareReport]:
        async with db.snapshot() as tx:
            report = await _report(tx, server_id)
        return tagged(report, if_none_match)

    @post(
        **needs(Scope.SERVERS_WRITE, 409),
        response_headers=[ETAG],
        status_code=202,
        operation_id="readServerHardware",
        summary="Ask a server's BMC for its hardware",
        description="The answer takes some seconds: look again until `is_waiting` is false.",
    )
    async def ask(self, ask: Asked, server_id: ServerId) -> Response[HardwareReport]:
        async def deed(tx: Tx) -> HardwareReport:
            await find_server(tx, server_id)
            await ask_hardware(tx, server_id)
            return await _report(tx, server_id)

        return await ask.once(deed, status=202)

    @post(
        "/accepted",
        **needs(Scope.SERVERS_WRITE, 409),
        response_headers=[ETAG],
        status_code=200,
        operation_id="acceptServerHardware",
        summary="Accept what a BMC says",
        description="Bring one fact of the record to what the BMC says of it; audited.",
    )
    async def accept(
        self, ask: Asked, server_id: ServerId, data: JSONBody[AcceptedFact]
    ) -> Response[HardwareReport]:
        async def deed(tx: Tx) -> HardwareReport:
            await accept_difference(tx, server_id, data.fact, **by(ask))
            return await _report(tx, server_id)

        return await ask.once(deed)


async def _report(tx: Tx, server: UUID) -> HardwareReport:
    """Raise NotFound where there is no such server, or its BMC was never asked."""
    name = (await find_server(tx, server)).name
    compared = await compare(tx, server)
    if compared is None:
        raise NotFound("hardware report of server", name)
    return HardwareReport(
        told_by=compared.told_by,
        asked_at=compared.asked_at,
        read_at=compared.read_at,
        error=compared.error,
        is_waiting=compared.is_waiting,
        differences=tuple(
            HardwareDifference(
                fact=one.fact, label=one.label, written=one.written, found=one.found, note=one.note
            )
            for one in compared.differences
        ),
    )
