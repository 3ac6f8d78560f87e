"""The contract of a panel of game servers.

A server is known by the id of its service and its owner by that of the account: adapters write
them where the panel shows them again (an external id), and look for them before they make anything.

What takes time is done in short calls, as at a hypervisor: each returns `Working` until it is
through. A memo may be lost: a call without one looks at what is there and goes on from it.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

import msgspec

from app.drivers.errors import Retriable
from app.drivers.hypervisor.contract import Working
from app.drivers.secret import Secret
from app.drivers.tls import Tls

UNLIMITED_SWAP = -1


class GamePeer(msgspec.Struct, frozen=True, kw_only=True):
    """Where a panel is and how it knows us; `provider` names the driver."""

    name: str
    provider: str
    url: str
    key: Secret
    """Of the application: it makes servers and users."""
    client_key: Secret | None = None
    """Of an administrator's own account: it switches servers and reads what they use."""
    tls: Tls
    settings: Mapping[str, str] = {}
    """What else a plug-in's form asks for, by field."""
    more_secrets: Mapping[str, Secret] = {}
    """Further secrets of a plug-in's form, by field."""


class NoRoom(Retriable):
    """The server fits nowhere now; once a node or a port was added, it may."""


class Limited(Retriable):
    """Too many calls for now; it was not done, and may be asked again after `again_s`."""

    def __init__(self, peer: str, message: str, *, again_s: float) -> None:
        super().__init__(peer, message)
        self.again_s = again_s


class GameState(StrEnum):
    """What the panel has a server do."""

    INSTALLING = "installing"
    FAILED = "failed"
    """Its installation failed; what is on it is not of use."""
    READY = "ready"
    SUSPENDED = "suspended"
    """Stopped, and kept from being started by anyone but us."""
    BUSY = "busy"
    """It restores a backup or moves to another node."""


class GamePower(StrEnum):
    """Whether its process runs."""

    RUNNING = "running"
    STARTING = "starting"
    STOPPING = "stopping"
    STOPPED = "stopped"


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """Whose servers they are: the account, as its user at the panel is made."""

    account: UUID
    email: str
    first_name: str
    last_name: str
    password: Secret
    """Of a user that is made; one that is there keeps its own."""


class GameUser(msgspec.Struct, frozen=True, kw_only=True):
    """A user of the panel."""

    id: str
    username: str
    email: str
    is_ours: bool
    """Made by us for this account; else a person made it, and the password is theirs."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a server may use; 0 is without limit."""

    memory_mb: int
    disk_mb: int
    cpu_percent: int
    """Of one thread: 200 are two."""
    swap_mb: int = 0
    """0: none; -1: without limit."""
    io_weight: int = 500
    """Relative to others on its node, 10 to 1000."""
    databases: int = 0
    backups: int = 0
    ports: int = 0
    """More of them that its owner may take."""


class GameWant(msgspec.Struct, frozen=True, kw_only=True):
    """A server to be made. Which node and port is the panel's to choose, by its free room."""

    service: UUID
    name: str
    owner: Owner
    egg: str
    """As `GameOffers.eggs` names it."""
    limits: Limits
    variables: dict[str, str] = {}
    """Of the egg, by their names in the environment; its defaults for those left out."""
    image: str = ""
    """Container image; the egg's first when empty."""
    locations: tuple[str, ...] = ()
    """Where it may be; anywhere when empty."""


class Port(msgspec.Struct, frozen=True, kw_only=True):
    """Where players connect; `host` is the name that the panel shows for the address, if any."""

    ip: str
    port: int
    host: str = ""

    @property
    def words(self) -> str:
        host = self.host or self.ip
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"


class GameServer(msgspec.Struct, frozen=True, kw_only=True):
    """A server as the panel has it now."""

    id: str
    short: str
    """By which its own page and the client's calls name it."""
    name: str
    state: GameState
    node: str
    location: str
    username: str
    """Of its owner at the panel."""
    owner: UUID | None
    """The account whose user that is; None: a person made the user, and knows the password."""
    limits: Limits
    port: Port | None
    more_ports: tuple[Port, ...] = ()
    panel_url: str
    """Its own page, where its owner signs in."""
    service: UUID | None
    """Whose it is, by the mark that we made; None: not one of ours."""

    @property
    def is_suspended(self) -> bool:
        return self.state is GameState.SUSPENDED

    @property
    def is_busy(self) -> bool:
        """Whether the panel works on it."""
        return self.state in (GameState.INSTALLING, GameState.BUSY)


class Variable(msgspec.Struct, frozen=True, kw_only=True):
    """One setting of an egg."""

    code: str
    """In the environment: SERVER_JARFILE."""
    label: str
    default: str
    rules: str
    """What the panel accepts, in its own words: `required|string|max:20`."""


class Egg(msgspec.Struct, frozen=True, kw_only=True):
    """A game that can be installed: `code` is its nest and its name, `Minecraft/Paper`."""

    code: str
    label: str
    images: tuple[str, ...]
    variables: tuple[Variable, ...]


class Location(msgspec.Struct, frozen=True):
    code: str
    label: str


class GameOffers(msgspec.Struct, frozen=True, kw_only=True):
    """What can be sold, for the forms of products."""

    locations: tuple[Location, ...] = ()
    nodes: tuple[str, ...] = ()
    eggs: tuple[Egg, ...] = ()


class GameRoom(msgspec.Struct, frozen=True, kw_only=True):
    """What one node has left; with overcommitment, as the panel counts."""

    node: str
    location: str
    is_open: bool
    """Takes new servers: public, and not under maintenance."""
    free_memory_mb: int | None
    """None: without limit."""
    free_disk_mb: int | None
    free_ports: int


class GameUsage(msgspec.Struct, frozen=True, kw_only=True):
    """What a server uses at this moment."""

    power: GamePower
    cpu_percent: float
    memory_bytes: int
    disk_bytes: int
    net_in_bytes: int
    """Since it was started."""
    net_out_bytes: int
    uptime_s: float


class Game(Protocol):
    """Game servers at one panel. Calls are idempotent and raise only `DriverError`s.

    Each has a total deadline of its own and may be cancelled at any await. Those that need the
    client's key raise Refused without it.
    """

    async def check(self) -> str:
        """Return words about the panel once it accepted the keys; changes nothing."""
        ...

    async def offers(self) -> GameOffers: ...

    async def rooms(self) -> tuple[GameRoom, ...]:
        """Return the room on each node."""
        ...

    async def servers(self) -> tuple[GameServer, ...]:
        """Return every server, ours and others'."""
        ...

    async def user(self, owner: Owner) -> GameUser:
        """Return the account's user: ours, or who has its address already, or a new one."""
        ...

    async def drop_user(self, account: UUID) -> bool:
        """Remove the user that we made for an account, unless a server is its; say whether."""
        ...

    async def find(self, service: UUID) -> GameServer | None:
        """Return the service's server, also one that is not installed yet."""
        ...

    async def create(self, want: GameWant, memo: dict[str, Any]) -> GameServer | Working:
        """Make it, its owner too, and wait until it is installed; one that is there is completed.

        An installation that failed is tried once more. Raises NoRoom.
        """
        ...

    async def power(
        self, service: UUID, wanted: GamePower, memo: dict[str, Any]
    ) -> GameServer | Working:
        """Start it, or stop it: it is asked first, and after a while not asked.

        Raises Refused for a suspended server that is to be started.
        """
        ...

    async def restart(self, service: UUID) -> GameServer: ...

    async def kill(self, service: UUID) -> GameServer:
        """End its process at once, without asking it; what it did not save is lost."""
        ...

    async def suspend(self, service: UUID) -> GameServer:
        """Stop it and keep it from being started, also by its owner at the panel."""
        ...

    async def unsuspend(self, service: UUID) -> GameServer:
        """Allow it to be started again; it is not started by that."""
        ...

    async def reinstall(self, service: UUID, memo: dict[str, Any]) -> GameServer | Working:
        """Run its installation anew; id, ports and settings stay. Raises Refused if suspended."""
        ...

    async def resize(self, service: UUID, limits: Limits) -> GameServer: ...

    async def usage(self, service: UUID, *, short: str = "") -> GameUsage:
        """Return what it uses now; `short`, where it is known, saves looking the server up."""
        ...

    async def delete(self, service: UUID) -> None:
        """Remove it with its data; nothing happens when there is none."""
        ...


__all__ = [
    "UNLIMITED_SWAP", "Egg", "Game", "GameOffers", "GamePeer", "GamePower", "GameRoom",
    "GameServer", "GameState", "GameUsage", "GameUser", "GameWant", "Limited", "Limits", "Location",
    "NoRoom", "Owner", "Port", "Variable", "Working",
]  # fmt: skip
