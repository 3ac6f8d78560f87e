"""What each mail can say: one struct per template, the names that its template may use.

Every field is always there; one that does not apply is empty (`""`, `[]`), so that a
template asks `{% if password %}`. Amounts and times come as people read them.
"""

from typing import Annotated, Any

import msgspec

from app.domain.notices.errors import BadValues

Words = Annotated[str, msgspec.Meta(max_length=2_000)]


class Link(msgspec.Struct, frozen=True):
    """A link with its words; `url` is http, https or ssh."""

    title: Words
    url: Words


class Line(msgspec.Struct, frozen=True):
    """A line of an invoice."""

    label: Words
    amount: Words


class BankAccount(msgspec.Struct, frozen=True):
    """Where a transfer goes, and what is written on it."""

    holder: Words
    iban: Words
    bic: Words
    reference: Words


class Common(msgspec.Struct, frozen=True, kw_only=True):
    """Known in every mail: the provider's name and the address of the portal or of a page in it."""

    company: Words = "Slipway"
    portal_url: Words = ""


class ServiceDelivered(Common, frozen=True, kw_only=True):
    """`service-delivered`: `password` or `ssh_keys` (a key's name and fingerprint each) is given.

    `ipv4` or `ipv6` is given; `ipv6_network` in CIDR notation. `portal_url` leads to the service.
    """

    name: Words
    order_number: int
    product: Words
    hostname: Words
    os: Words
    ipv4: Words = ""
    extra_ipv4: list[Words] = []
    ipv6: Words = ""
    ipv6_network: Words = ""
    ssh_username: Words
    ssh_port: int = 22
    password: Words = ""
    ssh_keys: list[Words] = []
    panel: Words = ""
    panel_url: Words = ""
    links: list[Link] = []

    def __post_init__(self) -> None:
        # The catalogue may name it without its scheme; the credentials must not wait for that.
        if self.panel_url and not self.panel_url.startswith(("http://", "https://")):
            msgspec.structs.force_setattr(self, "panel_url", f"https://{self.panel_url}")


class ServiceReinstalled(Common, frozen=True, kw_only=True):
    """`service-reinstalled`: the way in is that of `service-delivered`; no password is in it.

    `os` is what it has now, `portal_url` leads to the service.
    """

    name: Words
    order_number: int
    product: Words
    hostname: Words
    os: Words
    ipv4: Words = ""
    ipv6: Words = ""
    ssh_username: Words
    ssh_port: int = 22
    has_password: bool = False
    ssh_keys: list[Words] = []


class ServiceToInstall(Common, frozen=True, kw_only=True):
    """`service-to-install`: `service-delivered` of a machine that its client installs from an ISO.

    Nobody set a password or keys in it. `iso` is the file's name; `console_url` leads to its
    screen, `portal_url` to the service.
    """

    name: Words
    order_number: int
    product: Words
    hostname: Words
    os: Words
    iso: Words
    ipv4: Words = ""
    ipv4_prefix: int = 32
    ipv4_netmask: Words = ""
    ipv4_gateway: Words = ""
    extra_ipv4: list[Words] = []
    ipv6: Words = ""
    ipv6_network: Words = ""
    ipv6_gateway: Words = ""
    nameservers: list[Words] = []
    console_url: Words = ""


class GameDelivered(Common, frozen=True, kw_only=True):
    """`game-delivered`: `password` is empty where the client has a user at the panel already.

    `address` is where players connect, `panel_url` the server's own page at the panel.
    """

    name: Words
    order_number: int
    product: Words
    hostname: Words
    game: Words
    address: Words
    panel_url: Words
    username: Words
    password: Words = ""


class Detail(msgspec.Struct, frozen=True):
    """One more thing to know of a service."""

    label: Words
    value: Words


class CustomDelivered(Common, frozen=True, kw_only=True):
    """`custom-delivered`: beside the order, what its flow gives in `values` of the mail's node."""

    name: Words
    order_number: int
    product: Words
    hostname: Words
    url: Words = ""
    username: Words = ""
    password: Words = ""
    details: list[Detail] = []


class OrderReceived(Common, frozen=True, kw_only=True):
    """`order-received`: the server is held until `pay_by`; `bank` if transfers are taken."""

    name: Words
    order_number: int
    product: Words
    hostname: Words
    invoice_number: Words
    lines: list[Line] = []
    total: Words
    invoice_url: Words
    pay_by: Words = ""
    bank: BankAccount | None = None


class PaymentReceived(Common, frozen=True, kw_only=True):
    """`payment-received`: `method` in words (`bank transfer`), `portal_url` leads to the order."""

    name: Words
    order_number: int
    product: Words
    invoice_number: Words
    amount: Words
    method: Words
    paid_at: Words
    invoice_url: Words


class OrderWaitingForStock(Common, frozen=True, kw_only=True):
    """`order-waiting-for-stock`: `paid` is the amount, `portal_url` leads to the order."""

    name: Words
    order_number: int
    product: Words
    hostname: Words
    paid: Words = ""


class OrderRefunded(Common, frozen=True, kw_only=True):
    """`order-refunded`: `amount` went to the account's credit, which is now `balance`."""

    name: Words
    order_number: int
    product: Words
    amount: Words
    balance: Words = ""
    reason: Words = ""


class StaffNotice(Common, frozen=True, kw_only=True):
    """`staff-notice`: `paragraphs` is the text split at line ends."""

    title: Words
    paragraphs: list[Words] = []
    link: Words = ""


VALUES: dict[str, type[Common]] = {
    "service-delivered": ServiceDelivered,
    "service-reinstalled": ServiceReinstalled,
    "service-to-install": ServiceToInstall,
    "game-delivered": GameDelivered,
    "custom-delivered": CustomDelivered,
    "order-received": OrderReceived,
    "payment-received": PaymentReceived,
    "order-waiting-for-stock": OrderWaitingForStock,
    "order-refunded": OrderRefunded,
    "staff-notice": StaffNotice,
}

# Never in a subject: that one is kept and shown unsealed.
SECRETS: dict[str, frozenset[str]] = dict.fromkeys(
    ("service-delivered", "game-delivered", "custom-delivered"), frozenset({"password"})
)


def carries_credentials(code: str) -> bool:
    """Say whether mails of this template hold what lets someone into a server."""
    return code in SECRETS


def complete(code: str, values: dict[str, Any]) -> dict[str, Any]:
    """Return the values with every field of the template's struct; raises `BadValues`.

    Unknown names are dropped; a missing or wrong one is named in the refusal.
    """
    kind = VALUES.get(code)
    if kind is None:
        raise BadValues(code, f"there is no such template; there are {', '.join(VALUES)}")
    try:
        facts: dict[str, Any] = msgspec.to_builtins(msgspec.convert(values, kind))
    except msgspec.ValidationError as error:
        raise BadValues(code, str(error)) from error
    return facts


def names_of(code: str, part: str) -> tuple[str, ...]:
    """Return the names that this part of a template may use, the template's own first."""
    fields = msgspec.structs.fields(VALUES[code])
    common = {field.name for field in msgspec.structs.fields(Common)}
    hidden = SECRETS.get(code, frozenset()) if part == "subject" else frozenset()
    own = [field.name for field in fields if field.name not in common]
    return tuple(name for name in (*own, *sorted(common)) if name not in hidden)
