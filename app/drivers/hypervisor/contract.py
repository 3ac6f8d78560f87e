"""The contract of a provider of virtual machines.

A machine is known by the id of its service: adapters put it where the provider shows it again (a
tag, an external id), and look for it before they make anything.

What takes time is done in short calls. Each returns `Working` until it is through; the caller
keeps the memo, waits, and calls again with it. A memo may be lost: a call without one looks at
what is there and goes on from it.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar, Protocol, runtime_checkable
from uuid import UUID

import msgspec

from app.drivers.errors import Retriable
from app.drivers.secret import Secret
from app.drivers.tls import Tls


class HypervisorPeer(msgspec.Struct, frozen=True, kw_only=True):
    """Where a provider is and how it knows us; `provider` names the driver."""

    name: str
    provider: str
    url: str
    username: str
    secret: Secret
    tls: Tls
    owner: str = ""
    """Whose the machines are at a panel: a project, a user; its own choice when empty."""
    virt: str = ""
    """How a panel virtualises them, where it must be told."""
    panel_url: str = ""
    """Where clients find a panel of their own; as the driver knows it when empty."""
    settings: Mapping[str, str] = {}
    """What else a plug-in's form asks for, by field."""
    more_secrets: Mapping[str, Secret] = {}
    """Further secrets of a plug-in's form, by field."""


UNLIMITED = 2**40
"""What `Capacity` says of memory (MiB) and disk (GiB) to which a provider sets no limit."""


class NoRoom(Retriable):
    """The machine fits nowhere now; once a node was added or machines moved, it may."""


class VmPower(StrEnum):
    """Whether a machine runs."""

    RUNNING = "running"
    STOPPED = "stopped"
    PAUSED = "paused"
    """Its memory is kept and its processors rest; it still occupies the node."""
    UNKNOWN = "unknown"
    """Its node does not say."""


class Ref(msgspec.Struct, frozen=True):
    """Which machine: its service, and the host name by which one without a mark is found."""

    service: UUID
    hostname: str


class Nic(msgspec.Struct, frozen=True, kw_only=True):
    """A network card and its static configuration; an address is with its prefix length.

    A panel that has address pools of its own is asked for exactly these addresses, and refuses
    one that is in none of its pools; gateway and VLAN are then those of the pool.
    """

    vlan: int | None = None
    """802.1Q tag, 1 to 4094; None: untagged."""
    address4: str = ""
    gateway4: str = ""
    address6: str = ""
    gateway6: str = ""
    extra4: tuple[str, ...] = ()
    """Further IPv4 addresses, each with the prefix length of its network."""
    mac: str = ""
    """Kept when given, else the provider makes one."""


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """What a machine may use."""

    cores: int
    memory_mb: int
    disk_gb: int


class VmWant(msgspec.Struct, frozen=True, kw_only=True):
    """A machine to be made. Empty places are chosen by the adapter, by free capacity."""

    ref: Ref
    template: str
    """As `Offers.templates` names it, or `Offers.isos` where the provider installs from these."""
    size: Size
    nic: Nic
    plan: str = ""
    """As `Offers.plans` names it: what a panel says of a machine beside its size."""
    nodes: tuple[str, ...] = ()
    """Those that it may be on; all when empty."""
    storage: str = ""
    bridge: str = ""
    user: str = "root"
    password: Secret | None = None
    ssh_keys: tuple[str, ...] = ()
    nameservers: tuple[str, ...] = ()


class Vm(msgspec.Struct, frozen=True, kw_only=True):
    """A machine as the provider has it now."""

    id: str
    node: str
    name: str
    power: VmPower
    size: Size
    service: UUID | None
    """Whose it is, by the mark that we made; None: not one of ours."""
    is_suspended: bool = False
    is_busy: bool = False
    """The provider works on it."""


class Offer(msgspec.Struct, frozen=True):
    """One thing that a product can be made of: `code` is for requests, `label` for people."""

    code: str
    label: str
    node: str = ""
    """Where it is, if not everywhere."""


class Offers(msgspec.Struct, frozen=True, kw_only=True):
    """What can be sold, for the forms of products."""

    nodes: tuple[Offer, ...] = ()
    templates: tuple[Offer, ...] = ()
    isos: tuple[Offer, ...] = ()
    """Of a provider that installs from them, where it was asked (`InstallsFromIso.isos`)."""
    plans: tuple[Offer, ...] = ()
    storages: tuple[Offer, ...] = ()
    bridges: tuple[Offer, ...] = ()


class Capacity(msgspec.Struct, frozen=True, kw_only=True):
    """What one node has and has left."""

    node: str
    is_up: bool
    cores: int
    memory_mb: int
    free_memory_mb: int
    disk_gb: int
    free_disk_gb: int
    machines: int


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """One sample: means over the `period_s` seconds that began at `at_s` (Unix time)."""

    at_s: int
    period_s: int
    cpu: float
    """Of the machine's cores, 0 to 1."""
    memory_bytes: int
    disk_read_bytes_s: float
    disk_write_bytes_s: float
    net_in_bytes_s: float
    net_out_bytes_s: float
    disk_used_bytes: int = 0
    """0 where the provider does not tell it."""


class Console(msgspec.Struct, frozen=True, kw_only=True):
    """Where our own web socket reads the screen; the secrets live for seconds."""

    url: str
    """Of a web socket (`wss:`), or of a VNC server by TCP (`vnc:`)."""
    headers: dict[str, Secret]
    password: Secret
    """Of the VNC session."""


class Working(msgspec.Struct, frozen=True):
    """Not through yet: call again after `again_s` with this `memo`."""

    memo: dict[str, Any]
    again_s: float
    says: str
    """What is going on, for a timeline."""
    turn: str = ""
    """The turn that is waited for, if that is it: then call as soon as it is given back."""


class Hypervisor(Protocol):
    """Machines at one provider. Calls are idempotent and raise only `DriverError`s.

    Each has a total deadline of its own and may be cancelled at any await.
    """

    takes_keys: ClassVar[bool]
    """Whether machines get SSH keys; where not, each must have a password."""
    names_addresses: ClassVar[bool]
    """Whether a machine gets the address that is asked for; where not, the provider chooses it,
    and `addresses` says which it is."""

    async def check(self) -> str:
        """Return words about the provider once it accepted the credentials; changes nothing."""
        ...

    async def offers(self) -> Offers: ...

    async def capacity(self, storage: str = "") -> tuple[Capacity, ...]:
        """Return the room on each node; disk is that of `storage`, or of the emptiest there."""
        ...

    async def machines(self) -> tuple[Vm, ...]:
        """Return every machine, ours and others', templates left out."""
        ...

    async def find(self, ref: Ref) -> Vm | None:
        """Return the service's machine, also one whose making was broken off."""
        ...

    async def create(self, want: VmWant, memo: dict[str, Any]) -> Vm | Working:
        """Make the machine and start it; one that is there already is taken and completed."""
        ...

    async def power(self, ref: Ref, wanted: VmPower, memo: dict[str, Any]) -> Vm | Working:
        """Start it, or stop it: the guest is asked first, and after a while not asked.

        Raises Refused for a suspended machine that is to be started.
        """
        ...

    async def reboot(self, ref: Ref, memo: dict[str, Any]) -> Vm | Working: ...

    async def suspend(self, ref: Ref, memo: dict[str, Any]) -> Vm | Working:
        """Stop it and keep it from being started, also by the client in the provider's panel."""
        ...

    async def unsuspend(self, ref: Ref, memo: dict[str, Any]) -> Vm | Working:
        """Allow it to be started again, and start it."""
        ...

    async def reinstall(self, want: VmWant, memo: dict[str, Any]) -> Vm | Working:
        """Make it anew from a template; id, node, MAC and addresses stay."""
        ...

    async def resize(
        self, ref: Ref, size: Size, memo: dict[str, Any], *, plan: str = ""
    ) -> Vm | Working:
        """Give it other cores, memory and a larger disk. Raises Refused for a smaller one.

        `plan` is what it is to have from now on where the provider has plans; as before when empty.
        """
        ...

    async def set_password(self, ref: Ref, user: str, password: Secret) -> None:
        """Set it in the guest. Raises Refused where no agent answers in it, or a panel cannot."""
        ...

    async def addresses(self, ref: Ref) -> tuple[str, ...]:
        """Return what the guest says of itself, loopback left out; empty while it says nothing."""
        ...

    async def usage(self, ref: Ref) -> tuple[Usage, ...]:
        """Return samples of the last hour, the oldest first."""
        ...

    async def console(self, ref: Ref) -> Console: ...

    async def delete(self, ref: Ref, memo: dict[str, Any]) -> Working | None:
        """Remove it with its disks; None once it is gone, and when there is none."""
        ...


@runtime_checkable
class SignsOn(Protocol):
    """A provider that lets a client into its own panel; one that cannot leaves this out."""

    async def sign_on(self, ref: Ref) -> Secret:
        """Return the address that signs a browser in, once, for this machine alone.

        Raises Refused for a suspended machine.
        """
        ...


@runtime_checkable
class ChoosesExtras(Protocol):
    """A provider that is told how many further IPv4 addresses a machine gets, and not which.

    `addresses` says then which they are. One that takes those that are asked for leaves this out.
    """

    chooses_extras: ClassVar[bool]


class Turns(Protocol):
    """Lets one at a time through, over all workers: for what a provider cannot do at once."""

    async def take(self, key: str, holder: str, *, for_s: float, at_once: int = 1) -> bool:
        """Return whether `holder` has the turn now; asked again, it keeps it for longer.

        So many as `at_once`, which is 1 or 2, may have it. One that is not given back ends by
        itself after `for_s`.
        """
        ...

    async def give_back(self, key: str, holder: str) -> None: ...
