"""`/services/…/power/…`: a client starts, shuts down or restarts what is theirs."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, post
from litestar.params import FromPath

from app.components.notice import Flash
from app.core.errors import NotFound, Refusal
from app.domain.machines.errand import Deed
from app.domain.services.switch import switch_service
from app.routes.security.dependencies import Db, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.guards import signed_in
from app.routes.security.rate_limit import POWER, count_towards


class OwnPower(Controller):
    """Done by a worker: the service's page follows."""

    path = "/services/{service_id:uuid}/power"
    guards = (signed_in,)
    include_in_schema = False

    @post("/{deed:str}", status_code=200)
    async def switch(
        self, request: HttpRequest, db: Db, me: Me, service_id: FromPath[UUID], deed: FromPath[str]
    ) -> Response[Any]:
        if deed not in set(Deed):
            raise NotFound("deed", deed)
        await count_towards(POWER, request, who=str(me.id))
        refused: tuple[Flash, ...] = ()
        try:
            async with db.transaction() as tx:
                await switch_service(
                    tx, service_id, Deed(deed), account=me.id, actor=me.id, actor_label=me.email
                )
        except NotFound:
            raise
        except Refusal as refusal:
            refused = (Flash("danger", refusal.message),)
        return go(request, f"/services/{service_id}", *refused)
