"""A client switches what a service of theirs runs on: a server, a machine, or a game server."""

from uuid import UUID

from app.core.database import Tx
from app.domain.machines.errand import Deed
from app.domain.machines.order_power import Switching, order_power, switching_of
from app.domain.metal.switch import order_own_switch, server_switching


async def switch_service(
    tx: Tx, service: UUID, deed: Deed, *, account: UUID, actor: UUID, actor_label: str
) -> None:
    """Have it switched by a worker. Raises NotFound, NotNow, UnderWay."""
    if not await order_own_switch(
        tx, service, deed, account=account, actor=actor, actor_label=actor_label
    ):
        await order_power(tx, service, deed, account=account, actor=actor, actor_label=actor_label)


async def own_switching(tx: Tx, service: UUID) -> Switching:
    """Return what is being done to it, and what was not done; up to three statements."""
    server = await tx.fetchval(
        'SELECT v.id FROM service s JOIN server v ON v.id = s.server AND v.holder = s."order" '
        "WHERE s.id = $1",
        service,
    )
    return await (switching_of(tx, service) if server is None else server_switching(tx, server))
