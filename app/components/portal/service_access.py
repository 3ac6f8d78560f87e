"""How to get in: the command, and the password, shown once, or the keys."""

from dataclasses import dataclass

import htpy as h

from app.components.card import card
from app.components.confirm import confirm_button
from app.components.facts import code, copyable, facts
from app.components.notice import notice
from app.components.time import moment
from app.domain.services.states import ServiceState
from app.domain.services.views import InstalledKey, ServiceView


@dataclass(frozen=True, slots=True)
class Shown:
    """The password that was revealed by this very request, or why it was not."""

    password: str | None
    refusal: str = ""


def ssh_command(service: ServiceView, port: int) -> str:
    """Return the line to type: `ssh root@203.0.113.24`, with `-p` when the port is another."""
    address = service.address or _ip6(service)
    option = "" if port == 22 else f"-p {port} "
    return f"ssh {option}{service.username}@{address}"


def access_card(
    service: ServiceView, *, ssh_port: int, shown: Shown | None, csrf: str
) -> h.Element:
    """Return the card; with `shown`, the password stands in it for this one time."""
    rows: list[tuple[str, h.Node]] = [
        ("Command", copyable(ssh_command(service, ssh_port), label="Copy")),
        ("User", code(service.username)),
        ("Port", code(str(ssh_port))),
    ]
    if service.has_password:
        rows.append(("Password", password_fact(service, shown, csrf)))
    if service.keys:
        name = "SSH key" if len(service.keys) == 1 else "SSH keys"
        rows.append((name, h.ul(".sw-keys")[[_key(key) for key in service.keys]]))
    return card(
        h.div(".sw-stack")[
            reveal_notice(shown),
            facts(rows),
        ],
        title="Access",
        symbol="key-round",
        id_="access",
    )


def reveal_notice(shown: Shown | None) -> h.Element | None:
    """Return what to do with the password that is shown now; None when none was asked for."""
    if shown is None:
        return None
    if shown.password is None:
        return notice("info", "The password is not shown again", shown.refusal)
    return notice(
        "warning",
        "This is the only time it is shown here",
        "Keep it in a safe place now, and change it when you first sign in.",
    )


def password_fact(service: ServiceView, shown: Shown | None, csrf: str) -> h.Node:
    """Return the password, a button that shows it once, or where it is to be found."""
    if shown is not None and shown.password is not None:
        return copyable(shown.password, label="Copy password", secret=False)
    if service.revealed_at is not None:
        return h.span(".sw-help")[
            "Shown ", moment(service.revealed_at), "; it is in the mail of the delivery."
        ]
    if service.state is not ServiceState.active:
        return h.span(".sw-help")["Not shown while the service is suspended."]
    return confirm_button(
        "Show the password",
        id_="reveal",
        title="Show the password once?",
        text="It is shown this one time. Have a place ready to keep it, and nobody behind you.",
        action=f"/services/{service.id}/credentials/reveal",
        csrf=csrf,
        confirm="Show it",
        confirm_weight="primary",
        symbol="eye",
        small=True,
    )


def _key(key: InstalledKey) -> h.Element:
    return h.li[
        h.span(".sw-key-name")[key.name or "Pasted at the order", " ", h.small[key.kind]],
        code(key.fingerprint),
    ]


def _ip6(service: ServiceView) -> str:
    return str(service.addresses.ip6[0].host_address) if service.addresses.ip6 else service.hostname
