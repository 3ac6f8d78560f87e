"""`/api/v1/devices`: switches, PDUs and what else is in racks, with their ports."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from litestar import Controller, Response, delete, get, post, put
from litestar.params import JSONBody, QueryParameter
from msgspec.structs import asdict

from app.core.database import Tx
from app.domain.accounts.scopes import Scope
from app.domain.inventory.cabling import (
    add_device,
    ports_of,
    remove_device,
    save_device,
    save_ports,
)
from app.domain.inventory.find_racks import find_device, latest_devices, rack_view
from app.domain.inventory.seed import DeviceSeed, PortSeed
from app.domain.inventory.views import DeviceView
from app.routes.api.answer import answer, require_match, tagged
from app.routes.api.device_json import (
    DeviceFacts,
    DeviceId,
    DeviceLine,
    DeviceList,
    NewDevice,
    NewPort,
    NewPorts,
    device_line,
)
from app.routes.api.listing import USUAL, Cursor, Limit, page_answer, position_of
from app.routes.api.needs import ETAG, IfNoneMatch, needs
from app.routes.api.once import Asked
from app.routes.api.server_json import PortList, port_line
from app.routes.api.servers import by
from app.routes.api.space_json import Removed
from app.routes.security.dependencies import Db, HttpRequest


class Devices(Controller):
    """Devices."""

    path = "/devices"
    tags = ("Racks",)

    @get(
        **needs(Scope.SERVERS_READ),
        operation_id="listDevices",
        summary="List devices",
        description="Switches, PDUs and what else is in racks, the latest first.",
    )
    async def list(
        self,
        *,
        request: HttpRequest,
        db: Db,
        rack_id: Annotated[UUID | None, QueryParameter(description="Only in this rack.")] = None,
        limit: Limit = USUAL,
        cursor: Cursor = None,
    ) -> Response[DeviceList]:
        before = position_of(cursor)
        async with db.snapshot() as tx:
            rows = await latest_devices(tx, rack=rack_id, before=before, limit=limit + 1)
        return page_answer(request, rows, limit, position=lambda row: row.id, page=_list_of)

    @post(
        **needs(Scope.SERVERS_WRITE, 409),
        response_headers=[ETAG],
        operation_id="addDevice",
        summary="Add a device",
        description="Put a switch, a PDU or something else into a rack, with its ports.",
    )
    async def add(self, ask: Asked, data: JSONBody[NewDevice]) -> Response[DeviceLine]:
        async def deed(tx: Tx) -> DeviceLine:
            rack = await rack_view(tx, data.rack_id)
            facts = asdict(data)
            del facts["rack_id"]
            seed = DeviceSeed(
                **facts | {"ports": _seeds(data.ports)}, datacentre=rack.datacentre, rack=rack.name
            )
            return device_line(await find_device(tx, await add_device(tx, seed, **by(ask))))

        return await ask.once(deed, status=201)

    @get(
        "/{device_id:uuid}",
        **needs(Scope.SERVERS_READ, 304),
        response_headers=[ETAG],
        operation_id="showDevice",
        summary="Show a device",
        description="A device, its place, and how many of its ports are in use.",
    )
    async def show(
        self, db: Db, device_id: DeviceId, if_none_match: IfNoneMatch = None
    ) -> Response[DeviceLine]:
        async with db.snapshot() as tx:
            device = await find_device(tx, device_id)
        return tagged(device_line(device), if_none_match)

    @put(
        "/{device_id:uuid}",
        **needs(Scope.SERVERS_WRITE, 409, 412),
        response_headers=[ETAG],
        operation_id="changeDevice",
        summary="Change a device",
        description="Bring a device to this; its name, its rack and its ports stay.",
    )
    async def change(
        self, change: Asked, device_id: DeviceId, data: JSONBody[DeviceFacts]
    ) -> Response[DeviceLine]:
        async def deed(tx: Tx) -> DeviceLine:
            known = await _known(tx, device_id, change)
            seed = DeviceSeed(
                **asdict(data), name=known.name, datacentre=known.datacentre, rack=known.rack
            )
            await save_device(tx, seed, **by(change))
            return device_line(await find_device(tx, device_id))

        return await change.once(deed)

    @delete(
        "/{device_id:uuid}",
        **needs(Scope.SERVERS_WRITE, 409, 412),
        status_code=200,
        operation_id="removeDevice",
        summary="Remove a device",
        description="Take a device without cables out of its rack; its ports go with it.",
    )
    async def remove(self, change: Asked, device_id: DeviceId) -> Response[Removed]:
        async def deed(tx: Tx) -> Removed:
            await _known(tx, device_id, change)
            await remove_device(tx, device_id, **by(change))
            return Removed(device_id)

        return await change.once(deed)

    @get(
        "/{device_id:uuid}/ports",
        **needs(Scope.SERVERS_READ),
        operation_id="listDevicePorts",
        summary="List a device's ports",
        description="Its ports, and what they are cabled to.",
    )
    async def ports(self, db: Db, device_id: DeviceId) -> Response[PortList]:
        async with db.snapshot() as tx:
            await find_device(tx, device_id)
            ports = await ports_of(tx, device=device_id)
        return answer(PortList(tuple(map(port_line, ports))))

    @post(
        "/{device_id:uuid}/ports",
        **needs(Scope.SERVERS_WRITE, 409),
        response_headers=[ETAG],
        operation_id="saveDevicePorts",
        summary="Add ports to a device",
        description="Add ports, or bring those of these names to this.",
    )
    async def add_ports(
        self, ask: Asked, device_id: DeviceId, data: JSONBody[NewPorts]
    ) -> Response[PortList]:
        async def deed(tx: Tx) -> PortList:
            await find_device(tx, device_id)
            await save_ports(tx, _seeds(data.ports), device=device_id, **by(ask))
            return PortList(tuple(map(port_line, await ports_of(tx, device=device_id))))

        return await ask.once(deed, status=201)


def _seeds(ports: Sequence[NewPort]) -> tuple[PortSeed, ...]:
    return tuple(PortSeed(**asdict(port)) for port in ports)


async def _known(tx: Tx, device_id: UUID, change: Asked) -> DeviceView:
    """Return the device as it is; it must be as it is known to who asks. Raises NotFound."""
    device = await find_device(tx, device_id)
    require_match(change.if_match, device_line(device))
    return device


def _list_of(rows: Sequence[DeviceView], following: str | None) -> DeviceList:
    return DeviceList(items=tuple(map(device_line, rows)), next=following)
