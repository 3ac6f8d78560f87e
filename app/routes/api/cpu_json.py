"""CPU models and equivalences, as the API tells and takes them."""

from typing import Annotated, Any, ClassVar, TypeAlias
from uuid import UUID

from litestar.params import PathParameter
from msgspec import Meta, Struct

from app.domain.inventory.cpu_models import CpuView, EquivalenceView
from app.routes.api.space_json import same

CpuId: TypeAlias = Annotated[UUID, PathParameter(description="Id of the CPU model.")]
EquivalenceId: TypeAlias = Annotated[UUID, PathParameter(description="Id of the equivalence.")]
_Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=100)]
_Count: TypeAlias = Annotated[int, Meta(ge=1, le=32_767)]
_Cost: TypeAlias = Annotated[
    int,
    Meta(description="The lower goes first; the wanted model costs nothing.", ge=0, le=1_000_000),
]


class CpuFacts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A CPU model, known by its name; cores and threads are of one socket."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "name": "Intel Xeon E-2388G",
        "cores": 8,
        "threads": 16,
        "base_mhz": 3200,
    }

    name: _Name
    cores: _Count
    threads: _Count
    base_mhz: Annotated[int, Meta(description="0: not known.", ge=0, le=1_000_000)] = 0


class CpuLine(Struct, frozen=True, kw_only=True):
    """A CPU model, and how many servers have it."""

    id: UUID
    name: str
    cores: int
    threads: int
    base_mhz: int
    servers: int
    available: Annotated[int, Meta(description="Of these, in stock.")]


class CpuList(Struct, frozen=True):
    """All CPU models by name."""

    items: tuple[CpuLine, ...]


class EquivalenceFacts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`stand_in` may be delivered where `wanted` was ordered, not the other way round."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "group": "Xeon E",
        "wanted": "Intel Xeon E-2386G",
        "stand_in": "Intel Xeon E-2388G",
        "cost": 1,
    }

    group: Annotated[_Name, Meta(description="Rules of products name it.")]
    wanted: _Name
    stand_in: _Name
    cost: _Cost = 1


class EquivalenceLine(Struct, frozen=True, kw_only=True):
    """`stand_in` may be delivered where `wanted` was ordered."""

    id: UUID
    group: str
    wanted: str
    stand_in: str
    cost: _Cost


class EquivalenceList(Struct, frozen=True):
    """Which model may stand in for which, by group."""

    items: tuple[EquivalenceLine, ...]


def cpu_line(one: CpuView) -> CpuLine:
    return CpuLine(**same(one, CpuLine.__struct_fields__))


def equivalence_line(one: EquivalenceView) -> EquivalenceLine:
    return EquivalenceLine(**same(one, EquivalenceLine.__struct_fields__))
