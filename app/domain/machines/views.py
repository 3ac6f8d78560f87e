"""Providers, and machines that are not what they should be, as pages and programs see them."""

from datetime import datetime
from uuid import UUID

import msgspec

from app.domain.connections.kinds import Kind
from app.domain.machines.judge import Drift
from app.domain.services.states import ServiceState
from app.drivers.hypervisor.contract import VmPower


class ForeignMachine(msgspec.Struct, frozen=True, kw_only=True):
    """A machine at a provider that does not carry our mark."""

    number: str
    node: str
    name: str
    power: VmPower


class ProviderView(msgspec.Struct, frozen=True, kw_only=True):
    """A provider of virtual machines, or a panel of game servers, and what it last said."""

    connection: str
    connection_id: UUID
    kind: Kind
    in_group: str
    weight: int
    """How much it takes beside the others of its group."""
    draining_since: datetime | None
    """Since when no new machine is made there."""
    heard_at: datetime | None
    silent_since: datetime | None
    silence: str
    """Why it does not answer."""
    planned: int
    """Machines that services have there, made or about to be."""
    gone: int
    """How many of these it does not show."""
    machines: int
    """Machines with our mark that it shows."""
    foreign_machines: int
    foreign: tuple[ForeignMachine, ...]
    """The first 50 of these."""

    @property
    def is_doubtful(self) -> bool:
        """Whether so many vanished that its credentials may rather see less than before."""
        return self.gone > 1 and self.gone * 2 > self.planned


class MachineDrift(msgspec.Struct, frozen=True, kw_only=True):
    """A service's machine that is not what the service says."""

    service: UUID
    hostname: str
    account_name: str
    service_state: ServiceState
    connection: str
    node: str
    number: str
    drift: Drift
    drift_since: datetime
    silent_since: datetime | None
    """Since when its provider says nothing: it may be otherwise by now."""
    is_ordered: bool
    """A person has asked for it to be put right, and that is being done."""

    @property
    def name(self) -> str:
        return self.hostname

    @property
    def why(self) -> str:
        return self.drift.words


class StrayMachine(msgspec.Struct, frozen=True, kw_only=True):
    """A machine with our mark that belongs to no service of ours."""

    id: UUID
    connection: str
    number: str
    node: str
    name: str
    power: VmPower
    service: UUID
    """Whose mark it carries."""
    service_state: ServiceState | None
    """None: there is no such service here."""
    first_seen_at: datetime
    left_alone_at: datetime | None
    is_twin: bool
    """The service has another machine at the same provider, known by the same mark."""
    is_ordered: bool

    @property
    def why(self) -> str:
        """Say why it belongs to nobody."""
        if self.is_twin:
            return "Its service has another machine there, known by the same mark"
        if self.service_state is None:
            return "There is no service of that id here; another Slipway may have made it"
        if self.service_state is ServiceState.terminated:
            return "Its service has ended"
        return "Its service has its machine at another provider"
