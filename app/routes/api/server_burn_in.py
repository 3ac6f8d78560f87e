"""`/api/v1/servers/…/burn-ins`: what servers bore before they are sold; begun and stopped."""

from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import JSONBody
from msgspec import Meta, Struct

from app.core.database import Tx
from app.domain.accounts.scopes import Scope
from app.domain.inventory.burn_in import (
    MOST_MINUTES,
    USUAL_MINUTES,
    BurnIn,
    begin_burn_in,
    burn_ins_of,
    find_burn_in,
)
from app.domain.inventory.burn_in_states import BurnInState
from app.domain.inventory.find import find_server
from app.flows.stop_burn_in import stop
from app.routes.api.answer import tagged
from app.routes.api.needs import ETAG, IfNoneMatch, needs
from app.routes.api.once import Asked
from app.routes.api.server_json import ServerId
from app.routes.api.servers import by
from app.routes.api.space_json import Why
from app.routes.security.dependencies import Db


class BurnInBegin(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For how long a server is put under load, and why."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"minutes": 1440, "reason": "New memory."}

    reason: Why
    minutes: Annotated[int, Meta(ge=1, le=MOST_MINUTES)] = USUAL_MINUTES


class BurnInStop(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a burn-in ends early."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"reason": "It is needed now."}

    reason: Why


class BurnInPart(Struct, frozen=True, kw_only=True):
    """One part of a machine; without faults it passed."""

    part: Annotated[
        str, Meta(description="`cpu`, `memory`, `network`, `kernel`, or the name of a disk.")
    ]
    figures: tuple[str, ...]
    faults: tuple[str, ...]


class BurnInLine(Struct, frozen=True, kw_only=True):
    """A burn-in as it stands, or as it was."""

    id: UUID
    state: BurnInState
    minutes: int
    reason: str
    stage: Annotated[str, Meta(description="What the machine is at, in its own words.")]
    asked_at: datetime
    loaded_at: Annotated[datetime | None, Meta(description="Null while it boots.")]
    ended_at: datetime | None
    celsius: Annotated[int | None, Meta(description="When it was last heard of.")]
    hottest_celsius: int | None
    error: Annotated[str, Meta(description="Why it failed, or was stopped.")]
    parts: tuple[BurnInPart, ...]


class BurnInList(Struct, frozen=True, kw_only=True):
    """The last burn-ins of a server, the latest first."""

    items: tuple[BurnInLine, ...]


class ServerBurnIns(Controller):
    """Servers under load before they are sold."""

    path = "/servers/{server_id:uuid}/burn-ins"
    tags = ("Servers",)

    @get(
        **needs(Scope.SERVERS_READ, 304),
        response_headers=[ETAG],
        operation_id="listServerBurnIns",
        summary="List a server's burn-ins",
        description="The last ones, the latest first; the one under way tells how it goes.",
    )
    async def show(
        self, db: Db, server_id: ServerId, if_none_match: IfNoneMatch = None
    ) -> Response[BurnInList]:
        async with db.snapshot() as tx:
            await find_server(tx, server_id)
            lines = tuple(map(_line, await burn_ins_of(tx, server_id)))
        return tagged(BurnInList(items=lines), if_none_match)

    @post(
        **needs(Scope.SERVERS_WRITE, 409),
        operation_id="beginServerBurnIn",
        summary="Burn a server in",
        description="Have a server that nobody has put under load. Meanwhile it is not sold; "
        "nothing is written on its disks. When every part bore it, it is in stock again by itself; "
        "otherwise it goes to quarantine with the reason.",
    )
    async def begin(
        self, ask: Asked, server_id: ServerId, data: JSONBody[BurnInBegin]
    ) -> Response[BurnInLine]:
        async def deed(tx: Tx) -> BurnInLine:
            burn_in = await begin_burn_in(
                tx, server_id, minutes=data.minutes, **by(ask), reason=data.reason
            )
            return _line(await find_burn_in(tx, burn_in))

        return await ask.once(deed, status=201)

    @post(
        "/stopped",
        **needs(Scope.SERVERS_WRITE, 409),
        status_code=200,
        operation_id="stopServerBurnIn",
        summary="Stop a server's burn-in",
        description="The machine is switched off, and is then where it was before.",
    )
    async def end(
        self, ask: Asked, server_id: ServerId, data: JSONBody[BurnInStop]
    ) -> Response[BurnInLine]:
        async def deed(tx: Tx) -> BurnInLine:
            await stop(tx, server_id, **by(ask), reason=data.reason)
            return _line((await burn_ins_of(tx, server_id))[0])

        return await ask.once(deed)


def _line(one: BurnIn) -> BurnInLine:
    return BurnInLine(
        id=one.id,
        state=one.state,
        minutes=one.minutes,
        reason=one.reason,
        stage=one.stage,
        asked_at=one.asked_at,
        loaded_at=one.loaded_at,
        ended_at=one.ended_at,
        celsius=one.celsius,
        hottest_celsius=one.hottest_celsius,
        error=one.error,
        parts=tuple(
            BurnInPart(part=part.part, figures=part.figures, faults=part.faults)
            for part in one.parts
        ),
    )
