"""action.update_service: the server runs; service, server and order are moved to delivered."""

from uuid import UUID

import msgspec

from app.core.database import Tx
from app.domain.inventory.confirm import activate
from app.domain.inventory.power import note_power
from app.domain.orders.mark_delivered import mark_delivered
from app.domain.services.deliver import deliver_service
from app.drivers.power import Power
from app.flows.node import Done, Effect, NodeType, Step


class Params(msgspec.Struct, frozen=True):
    service: UUID
    server: UUID


class Output(msgspec.Struct, frozen=True):
    service: UUID


async def do(tx: Tx, step: Step, params: Params) -> Done:
    """Idempotent: what is active already stays so."""
    await activate(tx, step.subject)
    await note_power(tx, params.server, Power.ON)  # it has just answered
    await deliver_service(tx, params.service, server=params.server)
    await mark_delivered(tx, step.subject)
    return Done(Output(params.service))


node = NodeType(
    name="action.update_service",
    title="Update service",
    summary="Makes service and server active and the order delivered.",
    params=Params,
    effect=Effect.DATABASE,
    do=do,
    timeline="Service activated",
)
