"""Virtual machines and their providers as the API tells them; what this says stays as it is."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, TypeAlias
from uuid import UUID

from litestar.params import PathParameter
from msgspec import Meta, Struct

from app.domain.connections.grouping import LEAST, MOST, USUAL
from app.domain.connections.kinds import Kind
from app.domain.machines.errand import Deed
from app.domain.machines.judge import Drift
from app.domain.machines.views import MachineDrift, ProviderView, StrayMachine
from app.domain.services.states import ServiceState
from app.drivers.hypervisor.contract import VmPower
from app.routes.api.space_json import Why, same

OfService: TypeAlias = Annotated[UUID, PathParameter(description="Id of the service.")]
StrayId: TypeAlias = Annotated[UUID, PathParameter(description="Id of the stray machine.")]
ProviderName: TypeAlias = Annotated[str, PathParameter(description="Name of the connection.")]


class ForeignLine(Struct, frozen=True, kw_only=True):
    """A machine without our mark."""

    number: Annotated[str, Meta(description="Its id at the provider.")]
    node: str
    name: str
    power: VmPower


class ProviderLine(Struct, frozen=True, kw_only=True):
    """A provider of virtual machines or game servers, and what it said when asked for all."""

    connection: str
    kind: Annotated[
        Kind, Meta(description="hypervisor: of virtual machines; game: a panel of game servers.")
    ]
    in_group: Annotated[str, Meta(description="Products name it as `@` and this; empty: none.")]
    weight: Annotated[int, Meta(description="How much it takes beside others of its group.")]
    draining_since: Annotated[
        datetime | None, Meta(description="Since when no new machine is made there.")
    ]
    heard_at: Annotated[datetime | None, Meta(description="When it answered last.")]
    silent_since: Annotated[
        datetime | None,
        Meta(description="Since when it does not answer; of its machines nothing is known then."),
    ]
    silence: Annotated[str, Meta(description="Why it does not, in its words.")]
    planned: Annotated[int, Meta(description="Machines that services have there.")]
    gone: Annotated[int, Meta(description="How many of these it shows no more.")]
    machines: Annotated[int, Meta(description="Machines with our mark that it shows.")]
    foreign_machines: Annotated[int, Meta(description="Machines without our mark.")]
    foreign: Annotated[
        tuple[ForeignLine, ...], Meta(description="The first 50 of those without our mark.")
    ]


class ProviderList(Struct, frozen=True):
    """All providers by name."""

    items: tuple[ProviderLine, ...]


class DriftedMachine(Struct, frozen=True, kw_only=True):
    """A service's machine that is not what the service says."""

    service: UUID
    hostname: str
    service_state: ServiceState
    connection: str
    node: str
    number: Annotated[str, Meta(description="Its id at the provider.")]
    drift: Annotated[Drift, Meta(description="How it differs.")]
    drift_since: datetime
    silent_since: Annotated[
        datetime | None, Meta(description="Since when its provider does not answer.")
    ]
    is_ordered: Annotated[bool, Meta(description="It is being put right just now.")]


class DriftedList(Struct, frozen=True):
    """Machines that differ, the longest first; 200 at most."""

    items: tuple[DriftedMachine, ...]


class StrayLine(Struct, frozen=True, kw_only=True):
    """A machine with our mark that belongs to no service of ours."""

    id: UUID
    connection: str
    number: Annotated[str, Meta(description="Its id at the provider.")]
    node: str
    name: str
    power: VmPower
    service: Annotated[UUID, Meta(description="Whose mark it carries.")]
    service_state: Annotated[ServiceState | None, Meta(description="Null: no such service.")]
    first_seen_at: datetime
    left_alone_at: datetime | None
    is_twin: Annotated[bool, Meta(description="That service has another machine there.")]
    why: str
    is_ordered: Annotated[bool, Meta(description="It is being removed just now.")]


class StrayList(Struct, frozen=True):
    """Such machines, those that are left alone last; 200 at most."""

    items: tuple[StrayLine, ...]


class MachineReason(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why it is done."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"reason": "It was deleted at the provider by hand."}

    reason: Why


class ProviderGroup(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The group that a provider is in, and how much it takes there."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"group": "fra", "weight": 200}

    group: Annotated[str, Meta(description="Empty: none.", max_length=63)]
    weight: Annotated[int, Meta(ge=LEAST, le=MOST)] = USUAL


class ErrandLine(Struct, frozen=True, kw_only=True):
    """What a worker does; its outcome is in the audit trail, and the next readings show it."""

    about: Annotated[UUID, Meta(description="The service, or the stray machine.")]
    deed: Deed


class LookLine(Struct, frozen=True, kw_only=True):
    """A provider that is being asked."""

    connection: str


def provider_line(one: ProviderView) -> ProviderLine:
    names = tuple(name for name in ProviderLine.__struct_fields__ if name != "foreign")
    own = ForeignLine.__struct_fields__
    foreign = tuple(ForeignLine(**same(vm, own)) for vm in one.foreign)
    return ProviderLine(**same(one, names), foreign=foreign)


def drifted_machine(one: MachineDrift) -> DriftedMachine:
    return DriftedMachine(**same(one, DriftedMachine.__struct_fields__))


def stray_line(one: StrayMachine) -> StrayLine:
    return StrayLine(**same(one, StrayLine.__struct_fields__))
