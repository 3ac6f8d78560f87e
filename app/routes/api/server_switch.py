"""`/api/v1/servers/…/power`: what is being done to a server's power, and have it switched."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from litestar import Controller, Response, get, post
from litestar.params import JSONBody
from msgspec import Meta, Struct

from app.core.database import Tx
from app.domain.accounts.scopes import Scope
from app.domain.inventory.find import find_server
from app.domain.machines.errand import Deed
from app.domain.metal.switch import order_switch, server_switching
from app.drivers.power import Power
from app.routes.api.answer import answer
from app.routes.api.needs import needs
from app.routes.api.once import Asked
from app.routes.api.server_json import ServerId
from app.routes.api.servers import by
from app.routes.api.space_json import Why
from app.routes.security.dependencies import Db


class SwitchOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is done to a server's power, and why."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"deed": "restart", "reason": "A new kernel."}

    deed: Annotated[
        Literal["start", "stop", "restart", "reset"],
        Meta(
            description="`stop` and `restart` ask its system first, and take its power away after "
            "5 min; `reset` does not ask."
        ),
    ]
    reason: Why


class PowerLine(Struct, frozen=True, kw_only=True):
    """A server's power as it was read last, and what is being done to it."""

    power: Power
    power_seen_at: datetime | None
    can_switch: Annotated[bool, Meta(description="False while a flow is at it, or in rescue.")]
    why_not: Annotated[str, Meta(description="Why it cannot be, where its BMC or cloud could.")]
    doing: Annotated[str | None, Meta(description="What was ordered and is not over.")]
    failed: Annotated[
        str | None, Meta(description="The last thing that was ordered, where it was given up.")
    ]
    failed_at: datetime | None
    failed_why: str
    is_untouched: Annotated[
        bool, Meta(description="What failed did not come to tell the server anything.")
    ]


class ServerPower(Controller):
    """The power of servers."""

    path = "/servers/{server_id:uuid}/power"
    tags = ("Servers",)

    @get(
        **needs(Scope.SERVERS_READ),
        operation_id="showServerPower",
        summary="Show a server's power",
        description="Whether it runs, as its BMC or its cloud said last, and what is being done.",
    )
    async def show(self, db: Db, server_id: ServerId) -> Response[PowerLine]:
        async with db.snapshot() as tx:
            line = await _line(tx, server_id)
        return answer(line)

    @post(
        **needs(Scope.SERVERS_WRITE, 409),
        status_code=202,
        operation_id="switchServer",
        summary="Switch a server",
        description="Have a worker start, shut down, restart or reset a server that no flow is at, "
        "whoever has it; see how it goes by `GET`.",
    )
    async def switch(
        self, ask: Asked, server_id: ServerId, data: JSONBody[SwitchOrder]
    ) -> Response[PowerLine]:
        async def deed(tx: Tx) -> PowerLine:
            await order_switch(tx, server_id, Deed(data.deed), **by(ask), reason=data.reason)
            return await _line(tx, server_id)

        return await ask.once(deed, status=202)


async def _line(tx: Tx, server_id: ServerId) -> PowerLine:
    server = await find_server(tx, server_id)
    switching = await server_switching(tx, server_id)
    return PowerLine(
        power=server.power,
        power_seen_at=server.power_seen_at,
        can_switch=switching.can_switch,
        why_not=switching.why_not,
        doing=switching.doing,
        failed=switching.failed,
        failed_at=switching.failed_at,
        failed_why=switching.failed_why,
        is_untouched=switching.is_untouched,
    )
