"""The providers that Slipway knows by itself: what is asked for of a connection to each."""

from app.domain.connections.field import Field, Look, secret
from app.domain.connections.kinds import Kind
from app.domain.connections.provider import Provider

_PANEL = Field(
    name="panel_url",
    label="Panel for clients",
    help="Linked on the pages of clients' machines, for those who have a user there; no link when "
    "empty.",
    example="https://panel.example.net",
    is_optional=True,
)
_PROXMOX = Provider(
    label="Proxmox VE",
    fields=(
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
)
_SOLUSVM1 = Provider(
    label="SolusVM 1",
    flows={"order.paid": "vps-solusvm1"},
    fields=(
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
)
_SOLUSVM2 = Provider(
    label="SolusVM 2",
    flows={"order.paid": "vps-solusvm2"},
    fields=(
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
)
_VIRTUALIZOR = Provider(
    label="Virtualizor",
    flows={"order.paid": "vps-virtualizor"},
    fields=(
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
)
_PTERODACTYL = Provider(
    label="Pterodactyl",
    fields=(
        Field(
            name="base_url",
            label="Address",
            help="Of the panel, as clients open it; mails lead them there.",
            example="https://panel.example.net",
        ),
        secret(
            "secret",
            "Application key",
            "ptla_…, made at the panel under Application API; it may read all and write servers "
            "and users.",
        ),
        secret(
            "client_key",
            "Client key of an administrator",
            "ptlc_…, made at the panel under Account; without it servers are not started and "
            "stopped from here.",
            is_optional=True,
        ),
    ),
)

OURS: dict[Kind, dict[str, Provider]] = {
    Kind.HYPERVISOR: {
        "proxmox": _PROXMOX,
        "solusvm1": _SOLUSVM1,
        "solusvm2": _SOLUSVM2,
        "virtualizor": _VIRTUALIZOR,
    },
    Kind.GAME: {"pterodactyl": _PTERODACTYL},
}
"""By kind and driver; the first of a kind is what its form begins with."""
