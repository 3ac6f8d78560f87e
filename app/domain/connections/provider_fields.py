"""What is asked for, of a connection to a provider: of machines, of game servers, of metal."""

from collections.abc import Mapping

from app.domain.connections.field import Field, Look, secret
from app.domain.connections.kinds import Kind, MetalLogin

_PROVIDER = Field(
    name="provider",
    label="Provider",
    look=Look.CHOICE,
    choices={
        "proxmox": "Proxmox VE",
        "solusvm1": "SolusVM 1",
        "solusvm2": "SolusVM 2",
        "virtualizor": "Virtualizor",
    },
    default="proxmox",
    decides=True,
)
_GAME = (
    Field(
        name="provider",
        label="Panel",
        look=Look.CHOICE,
        choices={"pterodactyl": "Pterodactyl"},
        default="pterodactyl",
    ),
    Field(
        name="base_url",
        label="Address",
        help="Of the panel, as clients open it; mails lead them there.",
        example="https://panel.example.net",
    ),
    secret(
        "secret",
        "Application key",
        "ptla_…, made at the panel under Application API; it may read all and write servers and "
        "users.",
    ),
    secret(
        "client_key",
        "Client key of an administrator",
        "ptlc_…, made at the panel under Account; without it servers are not started and stopped "
        "from here.",
        is_optional=True,
    ),
)
_PANEL = Field(
    name="panel_url",
    label="Panel for clients",
    help="Linked on the pages of clients' machines, for those who have a user there; no link when "
    "empty.",
    example="https://panel.example.net",
    is_optional=True,
)
_PROVIDERS: dict[str, tuple[Field, ...]] = {
    "proxmox": (
        Field(
            name="base_url",
            label="Address",
            help="Of one of the cluster's nodes; it speaks for all of them.",
            example="https://pve1.example.net:8006",
        ),
        Field(
            name="username",
            label="API token or user",
            help="USER@REALM!TOKEN for an API token, which is best: it can be taken back alone. "
            "USER@REALM signs in by password.",
            example="slipway@pve!provisioning",
        ),
        secret("secret", "Token secret or password"),
    ),
    "solusvm1": (
        Field(
            name="base_url",
            label="Address",
            help="Of the master.",
            example="https://solus.example.net:5656",
        ),
        Field(name="username", label="API ID", help="Configuration, API access."),
        secret("secret", "API key"),
        Field(
            name="virt",
            label="Virtualisation",
            help="Of the nodes; make a connection for each that you sell.",
            look=Look.CHOICE,
            choices={"kvm": "KVM", "xen": "Xen PV", "xen hvm": "Xen HVM", "openvz": "OpenVZ"},
            default="kvm",
        ),
        _PANEL,
    ),
    "solusvm2": (
        Field(
            name="base_url",
            label="Address",
            help="Of the management node.",
            example="https://solus.example.net",
        ),
        secret("secret", "API token", "Of an administrator: Account, API tokens."),
        Field(
            name="owner",
            label="Project",
            help="Whose the machines are, by name or number; the token's default project when "
            "empty.",
            is_optional=True,
        ),
        _PANEL,
    ),
    "virtualizor": (
        Field(
            name="base_url",
            label="Address",
            help="Of the master's admin panel.",
            example="https://virt.example.net:4085",
        ),
        Field(name="username", label="API key", help="Configuration, Admin API credentials."),
        secret("secret", "API password"),
        Field(
            name="owner",
            label="Mail domain of its users",
            help="Each machine gets a user of its own at the panel, slipway-…@ this domain, that "
            "nobody signs in as; slipway.invalid when empty.",
            example="panel.example.net",
            is_optional=True,
        ),
        Field(
            name="panel_url",
            label="Panel for clients",
            help="Where clients are signed in, from the pages of their machines; port 4083 (4082 "
            "without TLS) of the same host when empty.",
            example="https://virt.example.net:4083",
            is_optional=True,
        ),
    ),
}


_METAL = (
    Field(
        name="provider",
        label="Provider",
        look=Look.CHOICE,
        choices={"ironic": "OpenStack Ironic"},
        default="ironic",
    ),
    Field(
        name="auth_type",
        label="Sign in with",
        look=Look.CHOICE,
        choices={
            MetalLogin.KEYSTONE: "Keystone: user and password",
            MetalLogin.APPLICATION: "Keystone: application credential",
            MetalLogin.HTTP_BASIC: "User name and password (Basic)",
            MetalLogin.NONE: "Nothing",
        },
        default=MetalLogin.KEYSTONE,
        decides=True,
    ),
)
_METAL_URL = Field(
    name="base_url",
    label="Address",
    help="Of Ironic's API.",
    example="https://ironic.example.net:6385",
)
_METAL_ELSEWHERE = Field(
    name="base_url",
    label="Address",
    help="Of Ironic's API, where it is not the one in Keystone's catalogue.",
    is_optional=True,
    example="https://ironic.example.net:6385",
)
_AUTH_URL = Field(
    name="auth_url",
    label="Keystone",
    help="auth_url in clouds.yaml.",
    example="https://keystone.example.net/v3",
)
_REGION = (
    Field(
        name="region_name",
        label="Region",
        help="region_name; needed where the catalogue has several.",
        is_optional=True,
    ),
    Field(
        name="interface",
        label="Interface",
        look=Look.CHOICE,
        choices={name: name for name in ("public", "internal", "admin")},
        default="public",
    ),
)
_METAL_LOGINS: dict[str, tuple[Field, ...]] = {
    MetalLogin.NONE: (_METAL_URL,),
    MetalLogin.HTTP_BASIC: (
        _METAL_URL,
        Field(name="username", label="User name"),
        secret("secret", "Password"),
    ),
    MetalLogin.KEYSTONE: (
        _AUTH_URL,
        Field(name="username", label="User name", help="username in clouds.yaml."),
        secret("secret", "Password"),
        Field(name="user_domain_name", label="Domain of the user", default="Default"),
        Field(
            name="project_name",
            label="Project",
            help="project_name; without one the user acts on the whole system.",
            is_optional=True,
        ),
        Field(name="project_domain_name", label="Domain of the project", default="Default"),
        *_REGION,
        _METAL_ELSEWHERE,
    ),
    MetalLogin.APPLICATION: (
        _AUTH_URL,
        Field(name="credential_id", label="ID", help="application_credential_id in clouds.yaml."),
        secret("secret", "Secret", "application_credential_secret in clouds.yaml."),
        *_REGION,
        _METAL_ELSEWHERE,
    ),
}


def provider_fields(kind: Kind, chosen: Mapping[str, str]) -> tuple[Field, ...]:
    """Return what is asked for but the certificates, as what is `chosen` so far makes it."""
    if kind is Kind.GAME:
        return _GAME
    if kind is Kind.METAL:
        return (*_METAL, *_METAL_LOGINS.get(chosen.get("auth_type") or MetalLogin.KEYSTONE, ()))
    return (_PROVIDER, *_PROVIDERS.get(chosen.get("provider") or _PROVIDER.default, ()))
