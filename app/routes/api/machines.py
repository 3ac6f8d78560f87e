"""`/api/v1/machine-…`: what providers say of virtual machines, and what is done about it."""

from litestar import Controller, Response, get, post
from litestar.params import JSONBody

from app.core.database import Tx
from app.domain.accounts.scopes import Scope
from app.domain.connections.find import id_of
from app.domain.connections.grouping import drain, set_group, take_up
from app.domain.machines.drifts import (
    find_provider,
    find_stray,
    list_drifts,
    list_providers,
    list_strays,
)
from app.domain.machines.errand import Deed
from app.domain.machines.order_errand import (
    leave_alone,
    order_release,
    order_remedy,
    order_removal,
)
from app.domain.machines.watch import ask_now
from app.routes.api.answer import answer
from app.routes.api.listing import MOST
from app.routes.api.machine_json import (
    DriftedList,
    ErrandLine,
    LookLine,
    MachineReason,
    OfService,
    ProviderGroup,
    ProviderLine,
    ProviderList,
    ProviderName,
    StrayId,
    StrayLine,
    StrayList,
    drifted_machine,
    provider_line,
    stray_line,
)
from app.routes.api.needs import needs
from app.routes.api.once import Asked
from app.routes.api.servers import by
from app.routes.security.dependencies import Db


class Providers(Controller):
    """Who makes virtual machines."""

    path = "/machine-providers"
    tags = ("Machines",)

    @get(
        **needs(Scope.MACHINES_READ),
        operation_id="listMachineProviders",
        summary="List providers",
        description="Providers of virtual machines and panels of game servers, and what each last "
        "said of all it has.",
    )
    async def list(self, db: Db) -> Response[ProviderList]:
        async with db.snapshot() as tx:
            rows = await list_providers(tx)
        return answer(ProviderList(tuple(map(provider_line, rows))))

    @post(
        "/{name:str}/look",
        **needs(Scope.MACHINES_WRITE, 409),
        status_code=202,
        operation_id="lookAtProvider",
        summary="Look now",
        description="Have a provider asked for all its machines now instead of within a minute.",
    )
    async def look(self, ask: Asked, name: ProviderName) -> Response[LookLine]:
        async def deed(tx: Tx) -> LookLine:
            await id_of(tx, name)
            await ask_now(tx, name)
            return LookLine(connection=name)

        return await ask.once(deed, status=202)

    @post(
        "/{name:str}/group",
        **needs(Scope.PROVIDERS_WRITE, 409),
        status_code=200,
        operation_id="groupProvider",
        summary="Group a provider",
        description="Put a provider into a group, which products may name as a place.",
    )
    async def group(
        self, ask: Asked, name: ProviderName, data: JSONBody[ProviderGroup]
    ) -> Response[ProviderLine]:
        async def deed(tx: Tx) -> ProviderLine:
            connection = await id_of(tx, name)
            await set_group(tx, connection, group=data.group, weight=data.weight, **by(ask))
            return provider_line(await find_provider(tx, name))

        return await ask.once(deed)

    @post(
        "/{name:str}/drain",
        **needs(Scope.PROVIDERS_WRITE, 409),
        status_code=200,
        operation_id="drainProvider",
        summary="Drain a provider",
        description="Have no new machine made there, for maintenance; those there stay.",
    )
    async def drain(
        self, ask: Asked, name: ProviderName, data: JSONBody[MachineReason]
    ) -> Response[ProviderLine]:
        async def deed(tx: Tx) -> ProviderLine:
            await drain(tx, await id_of(tx, name), **by(ask), reason=data.reason)
            return provider_line(await find_provider(tx, name))

        return await ask.once(deed)

    @post(
        "/{name:str}/take-up",
        **needs(Scope.PROVIDERS_WRITE, 409),
        status_code=200,
        operation_id="takeUpProvider",
        summary="Take a provider up again",
        description="Have machines made there again; orders that wait for room look at once.",
    )
    async def take_up(
        self, ask: Asked, name: ProviderName, data: JSONBody[MachineReason]
    ) -> Response[ProviderLine]:
        async def deed(tx: Tx) -> ProviderLine:
            await take_up(tx, await id_of(tx, name), **by(ask), reason=data.reason)
            return provider_line(await find_provider(tx, name))

        return await ask.once(deed)


class MachineDrifts(Controller):
    """Machines of services that differ from these."""

    path = "/machine-drifts"
    tags = ("Machines",)

    @get(
        **needs(Scope.MACHINES_READ),
        operation_id="listMachineDrifts",
        summary="List drifts",
        description="Machines that are gone, left over, off, or suspended otherwise than their "
        f"service says, once two readings say so; the first {MOST}. Nothing is changed by itself.",
    )
    async def list(self, db: Db) -> Response[DriftedList]:
        async with db.snapshot() as tx:
            rows = await list_drifts(tx, limit=MOST)
        return answer(DriftedList(tuple(map(drifted_machine, rows))))

    @post(
        "/{service_id:uuid}/remedy",
        **needs(Scope.MACHINES_WRITE, 409),
        status_code=202,
        operation_id="remedyMachine",
        summary="Put a machine right",
        description="Have it suspended, unsuspended or started at its provider, as its service "
        "says.",
    )
    async def remedy(self, ask: Asked, service_id: OfService) -> Response[ErrandLine]:
        async def deed(tx: Tx) -> ErrandLine:
            done = await order_remedy(tx, service_id, **by(ask))
            return ErrandLine(about=service_id, deed=done)

        return await ask.once(deed, status=202)

    @post(
        "/{service_id:uuid}/release",
        **needs(Scope.MACHINES_WRITE, 409),
        status_code=202,
        operation_id="releaseMachine",
        summary="Give back a gone machine",
        description="End the service of a machine that is gone, and give its addresses back, once "
        "its provider said again that there is none.",
    )
    async def release(
        self, ask: Asked, service_id: OfService, data: JSONBody[MachineReason]
    ) -> Response[ErrandLine]:
        async def deed(tx: Tx) -> ErrandLine:
            await order_release(tx, service_id, **by(ask), reason=data.reason)
            return ErrandLine(about=service_id, deed=Deed.release)

        return await ask.once(deed, status=202)

    @post(
        "/{service_id:uuid}/remove",
        **needs(Scope.MACHINES_WRITE, 409),
        status_code=202,
        operation_id="removeLeftMachine",
        summary="Remove a machine that was left over",
        description="Delete the machine of a service that has ended, with its disk.",
    )
    async def remove(
        self, ask: Asked, service_id: OfService, data: JSONBody[MachineReason]
    ) -> Response[ErrandLine]:
        async def deed(tx: Tx) -> ErrandLine:
            await order_removal(tx, service_id, **by(ask), reason=data.reason)
            return ErrandLine(about=service_id, deed=Deed.remove)

        return await ask.once(deed, status=202)


class StrayMachines(Controller):
    """Machines with our mark that belong to nobody."""

    path = "/stray-machines"
    tags = ("Machines",)

    @get(
        **needs(Scope.MACHINES_READ),
        operation_id="listStrayMachines",
        summary="List stray machines",
        description="Machines that carry the mark of a service, and belong to none of ours; the "
        f"first {MOST}.",
    )
    async def list(self, db: Db) -> Response[StrayList]:
        async with db.snapshot() as tx:
            rows = await list_strays(tx, limit=MOST)
        return answer(StrayList(tuple(map(stray_line, rows))))

    @post(
        "/{stray_id:uuid}/remove",
        **needs(Scope.MACHINES_WRITE, 409),
        status_code=202,
        operation_id="removeStrayMachine",
        summary="Remove a stray machine",
        description="Delete it at its provider, with its disk.",
    )
    async def remove(
        self, ask: Asked, stray_id: StrayId, data: JSONBody[MachineReason]
    ) -> Response[ErrandLine]:
        async def deed(tx: Tx) -> ErrandLine:
            await find_stray(tx, stray_id)
            await order_removal(tx, stray_id, **by(ask), reason=data.reason)
            return ErrandLine(about=stray_id, deed=Deed.remove)

        return await ask.once(deed, status=202)

    @post(
        "/{stray_id:uuid}/leave",
        **needs(Scope.MACHINES_WRITE, 409),
        status_code=200,
        operation_id="leaveStrayMachine",
        summary="Leave a stray machine alone",
        description="Say that it is meant to be there.",
    )
    async def leave(
        self, ask: Asked, stray_id: StrayId, data: JSONBody[MachineReason]
    ) -> Response[StrayLine]:
        async def deed(tx: Tx) -> StrayLine:
            await leave_alone(tx, stray_id, **by(ask), reason=data.reason)
            return stray_line(await find_stray(tx, stray_id))

        return await ask.once(deed)


MACHINE_ROUTES = (Providers, MachineDrifts, StrayMachines)
