"""A machine that its client installs from an ISO: what that takes, in place of a way in."""

from collections.abc import Sequence

import htpy as h

from app.components.card import card
from app.components.facts import code, facts
from app.components.icon import IconName, icon
from app.domain.services.states import ServiceState
from app.domain.services.views import MachineFacts, ServiceView


def install_card(service: ServiceView, machine: MachineFacts) -> h.Element:
    """Return what it is installed from, and that nobody has set a way in."""
    drive = "in its drive" if machine.is_iso_in else "taken out of its drive"
    return card(
        h.div(".sw-stack")[
            h.p[
                "You install its system yourself, on its screen. Nobody has set a password or a "
                "key in it: you get in as you say while you install it."
            ],
            facts([("ISO", [code(machine.iso), " ", h.span(".sw-help")[drive]])]),
        ],
        title="Access",
        symbol="key-round",
        id_="access",
        footer=h.a(href=f"/services/{service.id}/console")["Open its screen"]
        if service.state is ServiceState.active
        else None,
    )


def install_steps(
    service: ServiceView, machine: MachineFacts, nameservers: Sequence[str]
) -> h.Element:
    """Return how it is installed, as a list of steps."""
    screen = h.a(href=f"/services/{service.id}/console")["Console"]
    steps: list[tuple[IconName, str, h.Node]] = [
        ("monitor", "Open its screen", screen if service.state is ServiceState.active else "Later"),
        ("network", "Give it its addresses", "No DHCP hands them out: type those of this page"),
        ("globe", "Name servers", code(" ".join(nameservers)) if nameservers else "Your own"),
        ("power", "Let it restart", "It starts from its disk once that has a system"),
    ]
    if machine.is_iso_in:
        steps.append(("arrow-up", "Take the ISO out", "Under Status, when it is installed"))
    return card(
        h.ul(".sw-steps")[
            [
                h.li[icon(symbol), h.div[h.span(".sw-steps-name")[name], h.span[text]]]
                for symbol, name, text in steps
            ]
        ],
        title="Install it",
        symbol="zap",
    )
