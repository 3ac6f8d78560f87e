"""What is asked for, of a connection to a provider: of machines, of game servers, of metal."""

from collections.abc import Mapping

from app.core.plug_ins import OURS as PACKAGE
from app.core.plug_ins import Fault, taken
from app.domain.connections.field import Field, Look, secret
from app.domain.connections.kinds import Facts, Kind, MetalLogin
from app.domain.connections.our_providers import OURS
from app.domain.connections.provider import PLUGGABLE, Provider, plugged

_LABELS = {Kind.HYPERVISOR: "Provider", Kind.GAME: "Panel"}


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


def providers(kind: Kind) -> dict[str, Provider]:
    """Return the providers of a kind by driver: ours, then those of other packages."""
    ours = OURS.get(kind, {})
    others = {one.name: one.thing for one in plugged(kind)[0] if one.name not in ours}
    return {**ours, **others}


def provider_faults() -> tuple[Fault, ...]:
    """Return why providers of other packages are left out."""
    return tuple(
        fault
        for kind in PLUGGABLE
        for fault in (
            *plugged(kind)[1],
            *(
                Fault(one.package, f"slipway.providers.{kind}", one.name, taken([PACKAGE]))
                for one in plugged(kind)[0]
                if one.name in OURS[kind]
            ),
        )
    )


def is_known(kind: Kind, facts: Facts) -> bool:
    """Return whether the form of a connection can be shown: its provider's package is here."""
    return kind not in PLUGGABLE or getattr(facts, "provider", "") in providers(kind)


def provider_fields(kind: Kind, chosen: Mapping[str, str]) -> tuple[Field, ...]:
    """Return what is asked for but the certificates, as what is `chosen` so far makes it."""
    if kind is Kind.METAL:
        return (*_METAL, *_METAL_LOGINS.get(chosen.get("auth_type") or MetalLogin.KEYSTONE, ()))
    known = providers(kind)
    chosen_name = chosen.get("provider") or next(iter(known))
    found = known.get(chosen_name)
    provider = Field(
        name="provider",
        label=_LABELS[kind],
        help=found.about if found else "",
        look=Look.CHOICE,
        choices={name: one.label for name, one in known.items()},
        default=next(iter(known)),
        decides=True,
    )
    return (provider, *(found.fields if found else ()))
