"""Services as their clients see them."""

from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import msgspec

from app.core.paging import Page
from app.domain.addresses.views import Claimed
from app.domain.catalog.cycle import Cycle
from app.domain.catalog.kind import ProductKind
from app.domain.games.rules import GameLimits
from app.domain.machines.rules import size_in_words
from app.domain.services.ask import Asked
from app.domain.services.states import ServiceState
from app.drivers.bmc.serial_way import SerialOffer
from app.drivers.deploy.live import Purpose
from app.drivers.hypervisor.iso import file_of, is_iso
from app.drivers.power import Power


class ServiceRow(msgspec.Struct, frozen=True, kw_only=True):
    """One service in its client's list."""

    id: UUID
    order_id: UUID
    order_number: int
    product_name: str
    hostname: str
    os_name: str
    """As the catalogue calls it; the option's code where the system is not offered any more."""
    state: ServiceState
    state_since: datetime
    server_name: str | None
    """None for a virtual machine."""
    datacentre: str | None
    """Name of the site, once there is a machine."""
    power: Power | None
    """As the BMC or the provider last said; None while there is no machine."""
    address: str
    """The primary IPv4 address, or where a game is played; "" before it is given."""
    cycle: Cycle
    currency: str
    recurring_minor: int
    next_due_at: datetime | None
    created_at: datetime
    activated_at: datetime | None


class InstalledKey(msgspec.Struct, frozen=True, kw_only=True):
    """A public key that the server was installed with."""

    name: str
    """As it is called in the client's list; "" when it is not in there."""
    kind: str
    fingerprint: str
    """`SHA256:…` as `ssh-keygen -l` prints it."""


class MachineFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A virtual machine as its client sees it."""

    cores: int
    memory_mb: int
    disk_gb: int
    template: str
    """What it is made of; clients see it of an ISO alone."""
    is_iso_in: bool

    @property
    def words(self) -> str:
        return size_in_words(self.cores, self.memory_mb, self.disk_gb)

    @property
    def iso(self) -> str:
        """Return the file that its client installs it from; "" of a machine that came installed."""
        return file_of(self.template) if is_iso(self.template) else ""


class GameFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A game server as its client sees it."""

    egg: str
    limits: GameLimits
    panel_url: str
    """Its own page at the panel; "" before it is made."""

    @property
    def name(self) -> str:
        """Return the game, without the shelf that the panel keeps it on."""
        return self.egg.rpartition("/")[2]


class PanelView(msgspec.Struct, frozen=True, kw_only=True):
    """A control panel that was ordered with the server."""

    name: str
    url: str
    """Where it is used, "" where the catalogue does not say."""


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """A server that is being installed, or booted into its rescue system."""

    purpose: Purpose
    stage: str
    percent: int


class Missed(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for last and came to nothing, and when that was clear."""

    purpose: Purpose
    stage: str
    at: datetime


class AskedFor(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for, and when."""

    what: Asked
    at: datetime


class ServiceView(ServiceRow, frozen=True, kw_only=True):
    """A service with everything that its page shows; never a password."""

    kind: ProductKind
    server_id: UUID | None
    serial: SerialOffer | None
    """Whether its server's serial line can be opened; None without a server that has a BMC."""
    machine: MachineFacts | None
    """None while there is no virtual machine, and for a physical server."""
    game: GameFacts | None
    """None while no game server is planned, and for all else."""
    power_seen_at: datetime | None
    addresses: Claimed
    username: str
    has_password: bool
    """Whether a password was made; without one there are only keys."""
    revealed_at: datetime | None
    rescue_since: datetime | None
    """Since when the server runs its rescue system; None while it runs its own."""
    is_at_cloud: bool
    """Whether a cloud of bare metal has its server, and a rescue system of its own."""
    os_code: str
    work: Work | None
    """What is being done to the server now."""
    asked: AskedFor | None
    """What was asked for and is neither done nor failed; nothing of it need have begun."""
    missed: Missed | None
    """What came to nothing within a day, and nothing is at it any more."""
    keys: tuple[InstalledKey, ...]
    panel: PanelView | None

    @property
    def iso(self) -> str:
        """Return the file that its client installs it from; "" where it came installed."""
        return self.machine.iso if self.machine else ""

    @property
    def has_machine(self) -> bool:
        """Say whether it is a server or a virtual machine, with addresses and SSH."""
        return self.kind in (ProductKind.SERVER, ProductKind.MACHINE)


ServicePage: TypeAlias = Page[ServiceRow]
