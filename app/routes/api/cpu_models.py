"""`/api/v1/cpu-models` and `/api/v1/cpu-equivalences`: models, and which stands in for which."""

from litestar import Controller, Response, delete, get, post
from litestar.params import JSONBody
from msgspec.structs import asdict

from app.core.database import Tx
from app.core.errors import NotFound
from app.domain.accounts.scopes import Scope
from app.domain.inventory.cpu_models import (
    list_cpu_models,
    list_equivalences,
    remove_cpu,
    remove_equivalence,
    save_cpu,
    save_equivalence,
)
from app.domain.inventory.seed import CpuSeed, EquivalenceSeed
from app.routes.api.answer import answer, require_match
from app.routes.api.cpu_json import (
    CpuFacts,
    CpuId,
    CpuLine,
    CpuList,
    EquivalenceFacts,
    EquivalenceId,
    EquivalenceLine,
    EquivalenceList,
    cpu_line,
    equivalence_line,
)
from app.routes.api.needs import ETAG, needs
from app.routes.api.once import Asked
from app.routes.api.servers import by
from app.routes.api.space_json import Removed
from app.routes.security.dependencies import Db


class CpuModels(Controller):
    """CPU models."""

    path = "/cpu-models"
    tags = ("Servers",)

    @get(
        **needs(Scope.SERVERS_READ),
        operation_id="listCpuModels",
        summary="List CPU models",
        description="All CPU models by name, and how many servers have each.",
    )
    async def list(self, db: Db) -> Response[CpuList]:
        async with db.snapshot() as tx:
            models = await list_cpu_models(tx)
        return answer(CpuList(tuple(map(cpu_line, models))))

    @post(
        **needs(Scope.SERVERS_WRITE, 409),
        response_headers=[ETAG],
        operation_id="saveCpuModel",
        summary="Save a CPU model",
        description="Add a model, or bring the one of that name to this.",
    )
    async def save(self, ask: Asked, data: JSONBody[CpuFacts]) -> Response[CpuLine]:
        async def deed(tx: Tx) -> CpuLine:
            return await _model(tx, await save_cpu(tx, CpuSeed(**asdict(data)), **by(ask)))

        return await ask.once(deed, status=201)

    @delete(
        "/{cpu_id:uuid}",
        **needs(Scope.SERVERS_WRITE, 409, 412),
        status_code=200,
        operation_id="removeCpuModel",
        summary="Remove a CPU model",
        description="One that no server has, and no equivalence names.",
    )
    async def remove(self, change: Asked, cpu_id: CpuId) -> Response[Removed]:
        async def deed(tx: Tx) -> Removed:
            require_match(change.if_match, await _model(tx, cpu_id))
            await remove_cpu(tx, cpu_id, **by(change))
            return Removed(cpu_id)

        return await change.once(deed)


class CpuEquivalences(Controller):
    """Which CPU model may be delivered in place of which."""

    path = "/cpu-equivalences"
    tags = ("Servers",)

    @get(
        **needs(Scope.SERVERS_READ),
        operation_id="listCpuEquivalences",
        summary="List equivalences of CPUs",
        description="Which model may be delivered in place of which, by group.",
    )
    async def list(self, db: Db) -> Response[EquivalenceList]:
        async with db.snapshot() as tx:
            links = await list_equivalences(tx)
        return answer(EquivalenceList(tuple(map(equivalence_line, links))))

    @post(
        **needs(Scope.SERVERS_WRITE, 409),
        response_headers=[ETAG],
        operation_id="saveCpuEquivalence",
        summary="Save an equivalence of CPUs",
        description="Say that a model may stand in for another in a group, or what it costs by "
        "now. It holds in this direction alone.",
    )
    async def save(self, ask: Asked, data: JSONBody[EquivalenceFacts]) -> Response[EquivalenceLine]:
        async def deed(tx: Tx) -> EquivalenceLine:
            await save_equivalence(tx, EquivalenceSeed(**asdict(data)), **by(ask))
            return next(
                equivalence_line(one)
                for one in await list_equivalences(tx)
                if (one.group, one.wanted, one.stand_in) == (data.group, data.wanted, data.stand_in)
            )

        return await ask.once(deed, status=201)

    @delete(
        "/{equivalence_id:uuid}",
        **needs(Scope.SERVERS_WRITE, 409, 412),
        status_code=200,
        operation_id="removeCpuEquivalence",
        summary="Remove an equivalence of CPUs",
        description="The model no longer stands in for the other; what was delivered stays.",
    )
    async def remove(self, change: Asked, equivalence_id: EquivalenceId) -> Response[Removed]:
        async def deed(tx: Tx) -> Removed:
            known = [one for one in await list_equivalences(tx) if one.id == equivalence_id]
            for one in known:
                require_match(change.if_match, equivalence_line(one))
            await remove_equivalence(tx, equivalence_id, **by(change))
            return Removed(equivalence_id)

        return await change.once(deed)


async def _model(tx: Tx, cpu: CpuId) -> CpuLine:
    """Return a model as it is told. Raises NotFound."""
    for one in await list_cpu_models(tx):
        if one.id == cpu:
            return cpu_line(one)
    raise NotFound("CPU model", cpu)
