"""What a panel has: users, locations, nodes with their ports, games, servers."""

import uuid
from dataclasses import dataclass, field


@dataclass
class User:
    id: int
    email: str
    username: str
    first_name: str
    last_name: str
    external_id: str | None = None
    root_admin: bool = False
    password: str | None = None
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass
class Location:
    id: int
    short: str
    long: str = ""


@dataclass
class Node:
    id: int
    name: str
    location: int
    memory: int
    disk: int
    memory_overallocate: int = 0
    disk_overallocate: int = 0
    public: bool = True
    maintenance_mode: bool = False
    is_away: bool = False
    """Its daemon does not answer."""


@dataclass
class Allocation:
    id: int
    node: int
    ip: str
    port: int
    alias: str | None = None
    server: int | None = None


@dataclass
class Variable:
    name: str
    env_variable: str
    default_value: str
    rules: str


@dataclass
class Egg:
    id: int
    nest: int
    name: str
    docker_image: str
    startup: str
    variables: list[Variable]


@dataclass
class Nest:
    id: int
    name: str


@dataclass
class Server:
    id: int
    uuid: str
    name: str
    owner: int
    node: int
    allocation: int
    egg: int
    image: str
    startup: str
    environment: dict[str, str]
    limits: dict[str, int | str | None]
    features: dict[str, int | None]
    external_id: str | None
    status: str | None
    description: str = ""
    ready_at_s: float = 0.0
    starts: bool = False
    """Once it is installed."""
    power: str = "offline"
    is_deaf: bool = False
    """It does not stop when asked to."""
    started_at_s: float = 0.0
    """When its process began, with counters of its own."""
    installs: int = 0

    @property
    def short(self) -> str:
        return self.uuid[:8]
