"""Kinds of connections, and the facts of each that may be shown: never a secret."""

from enum import StrEnum
from typing import TypeAlias

import msgspec

from app.drivers.chat.contract import ChatKind
from app.drivers.http.sign import ALGORITHMS as HMAC_ALGORITHMS


class Kind(StrEnum):
    """What is at the other end."""

    HTTP = "http"
    """An API."""
    SSH = "ssh"
    """A machine that runs commands."""
    DNS = "dns"
    """A name server that takes signed updates."""
    CHAT = "chat"
    """A channel that takes messages."""
    HYPERVISOR = "hypervisor"
    """A provider of virtual machines."""
    GAME = "game"
    """A panel of game servers."""
    METAL = "metal"
    """A cloud that installs servers of ours."""

    @property
    def label(self) -> str:
        return LABELS[self]


LABELS = {
    Kind.HTTP: "HTTP API",
    Kind.SSH: "SSH host",
    Kind.DNS: "Name server",
    Kind.CHAT: "Chat channel",
    Kind.HYPERVISOR: "Virtual machines",
    Kind.GAME: "Game servers",
    Kind.METAL: "Bare metal",
}


class Auth(StrEnum):
    """How an API knows us."""

    NONE = "none"
    BASIC = "basic"
    BEARER = "bearer"
    API_KEY_HEADER = "api_key_header"
    API_KEY_QUERY = "api_key_query"
    OAUTH2 = "oauth2"
    HMAC = "hmac"


class Trust(StrEnum):
    """Which certificates of an API are accepted."""

    SYSTEM = "system"
    """What the machine's own CA bundle signed."""
    CA = "ca"
    """What the given CA signed."""
    PIN = "pin"
    """One certificate, by its fingerprint."""
    OFF = "off"
    """Any: whoever sits between reads the credentials."""


class Identity(StrEnum):
    """What we show an API for ourselves in TLS."""

    NONE = "none"
    CERTIFICATE = "certificate"


class Login(StrEnum):
    """How an SSH host knows us."""

    KEY = "key"
    PASSWORD = "password"  # noqa: S105 - a word


class MetalLogin(StrEnum):
    """How a cloud of bare metal knows us."""

    NONE = "none"
    HTTP_BASIC = "http_basic"
    KEYSTONE = "keystone"
    APPLICATION = "application"


class HttpFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    base_url: str
    test_path: str = ""
    auth: Auth = Auth.NONE
    username: str = ""
    key_name: str = ""
    """Of the header or parameter that carries an API key."""
    token_url: str = ""
    client_id: str = ""
    scope: str = ""
    audience: str = ""
    secret_in_body: bool = False
    algorithm: str = HMAC_ALGORITHMS[0]
    payload: str = ""
    signature_header: str = ""
    signature_value: str = ""
    timestamp_header: str = ""
    trust: Trust = Trust.SYSTEM
    ca_pem: str = ""
    pin: str = ""
    identity: Identity = Identity.NONE
    client_certificate: str = ""
    headers: dict[str, str] = {}

    @property
    def place(self) -> str:
        return self.base_url


class SshFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    host: str
    port: int = 22
    username: str
    login: Login = Login.KEY
    host_keys: tuple[str, ...]

    @property
    def place(self) -> str:
        return f"{self.username}@{self.host}" + (f":{self.port}" if self.port != 22 else "")


class DnsFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    host: str
    port: int = 53
    zones: tuple[str, ...]
    key_name: str
    algorithm: str = "hmac-sha256"

    @property
    def place(self) -> str:
        return self.host + (f":{self.port}" if self.port != 53 else "")


class ChatFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    chat: ChatKind
    host: str
    """Of the webhook, whose address is a secret."""

    @property
    def place(self) -> str:
        return self.host


class HypervisorFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    provider: str
    """The driver's name."""
    base_url: str
    username: str = ""
    owner: str = ""
    """Whose the machines are at a panel."""
    virt: str = ""
    """How a panel virtualises them."""
    panel_url: str = ""
    """Where clients find a panel of their own."""
    trust: Trust = Trust.SYSTEM
    ca_pem: str = ""
    pin: str = ""
    settings: dict[str, str] = {}
    """What else the form of a plug-in's provider asks for, by field."""

    @property
    def place(self) -> str:
        return self.base_url


class GameFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    provider: str
    """The driver's name."""
    base_url: str
    trust: Trust = Trust.SYSTEM
    ca_pem: str = ""
    pin: str = ""
    settings: dict[str, str] = {}
    """What else the form of a plug-in's provider asks for, by field."""

    @property
    def place(self) -> str:
        return self.base_url


class MetalFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Named as in `clouds.yaml`, where that has a name for it."""

    provider: str
    """The driver's name."""
    auth_type: MetalLogin
    base_url: str = ""
    """Empty: where Keystone's catalogue says."""
    auth_url: str = ""
    username: str = ""
    user_domain_name: str = "Default"
    project_name: str = ""
    project_domain_name: str = "Default"
    credential_id: str = ""
    region_name: str = ""
    interface: str = "public"
    trust: Trust = Trust.SYSTEM
    ca_pem: str = ""
    pin: str = ""

    @property
    def place(self) -> str:
        return self.base_url or self.auth_url


Facts: TypeAlias = (
    HttpFacts | SshFacts | DnsFacts | ChatFacts | HypervisorFacts | GameFacts | MetalFacts
)
FACTS: dict[Kind, type[Facts]] = {
    Kind.HTTP: HttpFacts,
    Kind.SSH: SshFacts,
    Kind.DNS: DnsFacts,
    Kind.CHAT: ChatFacts,
    Kind.HYPERVISOR: HypervisorFacts,
    Kind.GAME: GameFacts,
    Kind.METAL: MetalFacts,
}
