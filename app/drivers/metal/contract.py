"""The contract of a cloud of bare metal, which holds the BMCs and installs the machines itself.

Which machine is used, our solver decides: a call names the node. What takes time is done in
short calls, as with virtual machines (`drivers/hypervisor/contract.py`): each returns `Working`
until it is through, and the caller waits and calls again. Everything that must be remembered is
written on the node at the cloud, so that a call whose memo was lost goes on from what is there.
"""

from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

import msgspec

from app.drivers.bmc.contract import BmcAddress, Drive, Nic
from app.drivers.errors import Refused, Retriable
from app.drivers.hypervisor.contract import Working
from app.drivers.power import Power
from app.drivers.secret import Secret
from app.drivers.tls import Tls

__all__ = ["Working"]


class NoLogin(msgspec.Struct, frozen=True, tag="none"):
    """The cloud asks for no credentials; only its network protects it."""


class BasicLogin(msgspec.Struct, frozen=True, tag="http_basic"):
    """User name and password with every call."""

    username: str
    password: Secret


class KeystoneLogin(msgspec.Struct, frozen=True, kw_only=True, tag="keystone"):
    """A user of Keystone v3, by the names that `clouds.yaml` has for them."""

    auth_url: str
    username: str
    password: Secret
    user_domain_name: str = "Default"
    project_name: str = ""
    """Empty: the token is for the whole system (`system_scope: all`)."""
    project_domain_name: str = "Default"
    region_name: str = ""
    interface: str = "public"


class ApplicationLogin(msgspec.Struct, frozen=True, kw_only=True, tag="application"):
    """An application credential of Keystone v3; it knows its own project."""

    auth_url: str
    credential_id: str
    secret: Secret
    region_name: str = ""
    interface: str = "public"


Login = NoLogin | BasicLogin | KeystoneLogin | ApplicationLogin


class MetalPeer(msgspec.Struct, frozen=True, kw_only=True):
    """Where a cloud is and how it knows us; `provider` names the driver."""

    name: str
    provider: str
    url: str = ""
    """Of the bare-metal API; empty: as Keystone's catalogue says."""
    login: Login
    tls: Tls


class NodeLost(Refused):
    """Somebody else has the node, or it is not there; another one must be chosen."""

    def __init__(self, peer: str, node: str, reason: str) -> None:
        super().__init__(peer, field="node", reason=f"{node}: {reason}")
        self.node = node


class NodeKnown(Refused):
    """The cloud has the machine already, and not by us: it can be adopted."""

    def __init__(self, peer: str, node: str, reason: str) -> None:
        super().__init__(peer, field="node", reason=f"{node}: {reason}")
        self.node = node


class WorkFailed(Retriable):
    """The cloud did what was asked and failed at it; the message is the cloud's own."""

    def __init__(self, peer: str, *, state: str, words: str) -> None:
        super().__init__(peer, f"{state}: {words}" if words else state)
        self.state = state


class Stage(StrEnum):
    """Where a node stands, whatever the cloud calls it."""

    ENROLLED = "enrolled"
    """Known by name only; its BMC has not been asked."""
    MANAGEABLE = "manageable"
    """Its BMC answers; it is not offered."""
    AVAILABLE = "available"
    """Clean, and offered."""
    WORKING = "working"
    """The cloud is about something with it."""
    ACTIVE = "active"
    """Somebody's system is on it."""
    RESCUED = "rescued"
    """It runs a rescue system; what is on its disks is kept."""
    FAILED = "failed"
    """What the cloud was about failed; `error` says why."""


class MetalNode(msgspec.Struct, frozen=True, kw_only=True):
    """A machine as the cloud has it now."""

    id: str
    name: str
    stage: Stage
    state: str
    """The cloud's own word for where it stands."""
    power: Power
    is_switching: bool = False
    """Its power is being changed."""
    error: str = ""
    """The cloud's last words about a failure; it forgets them at its next look at the power."""
    in_maintenance: bool = False
    maintenance_reason: str = ""
    fault: str = ""
    """Why the cloud itself put it into maintenance, by its own name for that; it may end that one
    itself. Empty: a person did, or it is in none."""
    instance: str = ""
    """The allocation that has it; empty: nobody's."""
    service: UUID | None = None
    """The service of ours that this allocation is for; only `nodes` and `examine` say it."""
    is_cleaned: bool = True
    """Its disks are cleaned when it is given back, as far as the cloud tells."""
    resource_class: str = ""
    driver: str = ""
    mark: str = ""
    """Which server of ours it says it is; empty: it says nothing."""


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """A node, and what its drivers say of what they know of it."""

    node: MetalNode
    faults: tuple[str, ...] = ()
    """What stands against switching, managing or deploying it, in the cloud's own words."""


class NodeFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What an inspection found; None and empty: it does not say."""

    cpus: int | None = None
    """Threads, of all CPUs together."""
    sockets: int | None = None
    cpu_model: str = ""
    memory_mb: int | None = None
    disks_gb: tuple[int, ...] = ()
    drives: tuple[Drive, ...] | None = None
    """None where it does not tell all of them with kind and size."""
    macs: tuple[str, ...] = ()
    nics: tuple[Nic, ...] = ()
    """Those of `macs`; a card without a name is called by its address."""
    vendor: str = ""
    product: str = ""
    serial: str = ""
    is_uefi: bool | None = None


class NodeSeed(msgspec.Struct, frozen=True, kw_only=True):
    """A machine that the cloud is to know; one that has its name or a MAC of it is adopted.

    With a `mark` only one that carries it is: another one stands in the way.
    """

    name: str
    macs: tuple[str, ...]
    mark: str = ""
    """Which server of ours it is; it is written on the node."""
    bmc: BmcAddress | None = None
    """How the cloud reaches its BMC, in its own words."""
    ca: str = "check"
    """Whose certificate the BMC must show the cloud: `check`, `any`, or a path where the cloud's
    own program finds the authority's."""
    driver: str = ""
    """Empty: by the protocol of the BMC."""
    driver_info: dict[str, str] = {}
    """What the driver is told besides, by its own names; without secrets."""
    resource_class: str = "baremetal"
    interfaces: dict[str, str] = {}
    """By kind (`deploy`, `boot`), where the driver's own are not meant."""


class NodeRef(msgspec.Struct, frozen=True):
    """Which node, and the service that has it or is to have it."""

    node: str
    service: UUID


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """A disk image and what proves it."""

    url: str
    checksum: str
    """SHA-256 or SHA-512 in hex, or the URL of a file of checksums that names the image."""


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """The network card and its static configuration; an address is with its prefix length."""

    mac: str
    vlan: int | None = None
    address4: str = ""
    gateway4: str = ""
    more4: tuple[str, ...] = ()
    """Further addresses, without gateways."""
    address6: str = ""
    gateway6: str = ""
    nameservers: tuple[str, ...] = ()


class MetalWant(msgspec.Struct, frozen=True, kw_only=True):
    """A system that is to run on a node."""

    ref: NodeRef
    attempt: str
    """Names this installation: asked again with the same, it is not begun anew."""
    image: Image
    hostname: str
    link: Link
    user: str = "root"
    password_hash: Secret | None = None
    """In crypt(3)'s form; None: only keys open the machine."""
    ssh_keys: tuple[str, ...] = ()
    user_data: str = ""
    """The operator's own cloud-config or script, which runs besides."""


class MetalCloud(Protocol):
    """Machines of one cloud. Calls are idempotent and raise only `DriverError`s.

    Each has a total deadline of its own and may be cancelled at any await.
    """

    async def check(self) -> str:
        """Return words about the cloud once it accepted the credentials; changes nothing."""
        ...

    async def nodes(self) -> tuple[MetalNode, ...]:
        """Return every node of the cloud, and whose it is; two requests for each thousand."""
        ...

    async def read(self, node: str) -> MetalNode:
        """Return one node, by its id or name. Raises NodeLost when it is not there."""
        ...

    async def examine(self, node: str) -> Examined:
        """Have a node's drivers checked; nothing is changed at it.

        Raises NodeLost; what else it raises is the cloud's and says nothing of the node.
        """
        ...

    async def find(self, *, name: str = "", macs: tuple[str, ...] = ()) -> MetalNode | None:
        """Return the node with a network card of one of these, else the one of that name."""
        ...

    async def enrol(self, seed: NodeSeed, memo: dict[str, Any]) -> MetalNode | Working:
        """Have the cloud know a machine and reach its BMC; one it knows already is taken."""
        ...

    async def take_on(self, node: str, mark: str) -> MetalNode:
        """Write on a node which server of ours it is. Raises NodeLost where it is another."""
        ...

    async def adopt(
        self, node: str, service: UUID | None, memo: dict[str, Any]
    ) -> MetalNode | Working:
        """Have the cloud take over a machine that runs, as it is; `service` has it from then on.

        Nothing is written on its disks and it is not switched. Raises NodeLost, WorkFailed.
        """
        ...

    async def withdraw(self, node: str, mark: str, memo: dict[str, Any]) -> Working | None:
        """Undo `enrol` and `take_on`: a node that we made is deleted, of others our mark.

        None once it is so; a node without this mark is left alone. Raises NodeLost for one that
        somebody has.
        """
        ...

    async def cards(self) -> dict[str, tuple[str, ...]]:
        """Return the MACs of every node by its id, lower case; a request for each thousand."""
        ...

    async def offer(self, node: str, memo: dict[str, Any]) -> MetalNode | Working:
        """Have a node cleaned and offered, from wherever nobody has it."""
        ...

    async def clean(self, node: str, memo: dict[str, Any]) -> MetalNode | Working:
        """Have a node cleaned and offered, one that is offered already too.

        A lost memo has it cleaned once more. Raises NodeLost where somebody has it, WorkFailed.
        """
        ...

    async def end_maintenance(self, node: str) -> MetalNode:
        """Take a node out of maintenance, whoever put it there. Raises NodeLost."""
        ...

    async def inspect(self, node: str, memo: dict[str, Any]) -> NodeFacts | Working:
        """Look at the hardware; an available node is offered again after. Raises NodeLost."""
        ...

    async def facts(self, node: str) -> NodeFacts:
        """Return what the last inspection found."""
        ...

    async def deploy(self, want: MetalWant, memo: dict[str, Any]) -> MetalNode | Working:
        """Take exactly this node for the service and install the image on it.

        Raises NodeLost when somebody else has it, WorkFailed in the cloud's words; then the same
        call with another `attempt` installs it again.
        """
        ...

    async def reinstall(self, want: MetalWant, memo: dict[str, Any]) -> MetalNode | Working:
        """Install anew on the node that the service has; nobody else gets it meanwhile."""
        ...

    async def rescue(
        self, ref: NodeRef, password: Secret, memo: dict[str, Any]
    ) -> MetalNode | Working:
        """Start a rescue system that lets in whoever knows the password."""
        ...

    async def unrescue(self, ref: NodeRef, memo: dict[str, Any]) -> MetalNode | Working:
        """Start the system on the disks again."""
        ...

    async def power(
        self, ref: NodeRef, wanted: Power, memo: dict[str, Any], *, soft: bool = False
    ) -> MetalNode | Working:
        """Switch the service's node; `soft` asks its system first, and after a while not."""
        ...

    async def reboot(self, ref: NodeRef, memo: dict[str, Any]) -> MetalNode | Working: ...

    async def release(self, ref: NodeRef, memo: dict[str, Any]) -> Working | None:
        """Take the system off the node and have it cleaned; None once it is available again.

        A node that the service has not is left alone.
        """
        ...

    async def history(self, node: str) -> tuple[str, ...]:
        """Return what the cloud noted about a node, the oldest first."""
        ...

    async def close(self) -> None: ...
