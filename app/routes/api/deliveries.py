"""`/api/v1/deliveries`: machines that stand nowhere yet, racked by the solver."""

from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from litestar import Controller, Response, post
from litestar.params import JSONBody
from msgspec import Meta, Struct

from app.core.database import Tx
from app.core.errors import Invalid
from app.domain.accounts.scopes import Scope
from app.domain.inventory.delivery import (
    MOST_MACHINES,
    Delivery,
    Racked,
    accept_delivery,
    plan_delivery,
    read_delivery,
    spaces_for,
)
from app.routes.api.answer import answer
from app.routes.api.needs import needs
from app.routes.api.once import Asked
from app.routes.api.server_json import SheetServer, Unit
from app.routes.api.servers import by
from app.routes.security.dependencies import Db, Sealing

MACHINE = {
    "name": "ams1-a07-u03",
    "serial": "ABC1234",
    "cpu_model": "AMD EPYC 7443P",
    "ram_gb": "128",
    "mac": "02:00:5e:10:00:01",
}


class NewDelivery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Machines without places, and where they may go."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"datacentre": "ams1", "machines": [MACHINE]}

    datacentre: Annotated[str, Meta(description="Code of the datacentre.", max_length=100)]
    machines: Annotated[list[SheetServer], Meta(min_length=1, max_length=MOST_MACHINES)]
    rack_ids: Annotated[
        list[UUID], Meta(description="Only these racks; empty: all of the datacentre.")
    ] = []


class RackedMachine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A machine of the delivery, and a place for it."""

    serial: str
    rack_id: UUID
    u_position: Unit


class DeliveryPlan(Struct, frozen=True, kw_only=True):
    """Places for machines; those left out fit nowhere."""

    places: tuple[RackedMachine, ...]
    unplaced: Annotated[tuple[str, ...], Meta(description="Serial numbers.")]
    bound: Annotated[int, Meta(description="No plan places more machines than this.")]
    first_fit: Annotated[int, Meta(description="How many first-fit decreasing would place.")]


class PlacedDelivery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Machines and the places that they get; those without a place are left out."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "datacentre": "ams1",
        "machines": [MACHINE],
        "places": [
            {
                "serial": "ABC1234",
                "rack_id": "01a21000-0000-7000-8000-000000000001",
                "u_position": 3,
            }
        ],
    }

    datacentre: Annotated[str, Meta(description="Code of the datacentre.", max_length=100)]
    machines: Annotated[list[SheetServer], Meta(min_length=1, max_length=MOST_MACHINES)]
    places: Annotated[list[RackedMachine], Meta(min_length=1, max_length=MOST_MACHINES)]


class RackedServers(Struct, frozen=True):
    """The servers that were written down, in the order of their places."""

    server_ids: tuple[UUID, ...]


class NewDeliveries(Controller):
    """Machines that arrive."""

    path = "/deliveries"
    tags = ("Racks",)

    @post(
        "/plan",
        **needs(Scope.SERVERS_READ),
        status_code=200,
        operation_id="planDelivery",
        summary="Find places for a delivery",
        description="As many machines as the racks admit by units, feeds, weight, cooling and "
        "ports. Nothing is written; it may take some seconds.",
    )
    async def plan(self, db: Db, data: JSONBody[NewDelivery]) -> Response[DeliveryPlan]:
        async with db.snapshot() as tx:
            delivery = await _machines(tx, data.machines, data.datacentre)
            spaces = await spaces_for(tx, data.datacentre, data.rack_ids)
        plan, racked = await plan_delivery(spaces, delivery.machines)
        placed = {one.serial for one in racked}
        return answer(
            DeliveryPlan(
                places=tuple(
                    RackedMachine(serial=one.serial, rack_id=one.rack, u_position=one.u_position)
                    for one in racked
                ),
                unplaced=tuple(one.serial for one in delivery.machines if one.serial not in placed),
                bound=plan.bound,
                first_fit=plan.first_fit,
            )
        )

    @post(
        **needs(Scope.SERVERS_WRITE, 409),
        operation_id="acceptDelivery",
        summary="Rack a delivery",
        description="Write machines down at these places, all or none; each place is checked "
        "again.",
    )
    async def accept(
        self, ask: Asked, vault: Sealing, data: JSONBody[PlacedDelivery]
    ) -> Response[RackedServers]:
        async def deed(tx: Tx) -> RackedServers:
            delivery = await _machines(tx, data.machines, data.datacentre)
            known = {machine.serial for machine in delivery.machines}
            if stranger := next((one for one in data.places if one.serial not in known), None):
                raise Invalid({"places": f"No machine of the delivery is {stranger.serial}."})
            racked = [
                Racked(serial=one.serial, rack=one.rack_id, u_position=one.u_position)
                for one in data.places
            ]
            made = await accept_delivery(tx, vault, delivery.machines, racked, **by(ask))
            return RackedServers(tuple(made))

        return await ask.once(deed, status=201)


async def _machines(tx: Tx, machines: list[SheetServer], datacentre: str) -> Delivery:
    """Return the machines. Raises Invalid by `machines.N`, counted from 1."""
    delivery = await read_delivery(tx, msgspec.json.encode(machines), datacentre)
    if delivery.faults:
        raise Invalid({f"machines.{one.number}": one.fault for one in delivery.faults})
    return delivery
