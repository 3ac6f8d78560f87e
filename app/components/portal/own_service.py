"""A service's page: where the server is, how to get in, and how it runs."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import htpy as h

from app.components.badge import badge, state_badge
from app.components.card import card, split
from app.components.facts import code, copyable, facts
from app.components.frame import PageFrame
from app.components.icon import IconName, icon
from app.components.live import live_region
from app.components.money import money
from app.components.notice import notice
from app.components.page import page_head, portal_page
from app.components.portal.cycle import CYCLE_NAMES, PER
from app.components.portal.lists import service_badge
from app.components.portal.own_game import game_cards
from app.components.portal.own_install import install_card, install_steps
from app.components.portal.own_panel import panel_way
from app.components.portal.own_power import (
    just_done,
    not_switched,
    switch_dialogs,
    switched_off,
    switches,
)
from app.components.portal.service_access import Shown, access_card
from app.components.portal.service_asks import ask_dialogs, asks, work_notice
from app.components.time import moment
from app.core.money import Money
from app.domain.machines.order_power import Switching
from app.domain.machines.own_panel import OwnPanel
from app.domain.machines.serial import why_closed
from app.domain.services.states import ServiceState
from app.domain.services.views import ServiceView
from app.drivers.bmc.serial_way import SerialOffer
from app.drivers.power import Power

STANDING = frozenset({ServiceState.active, ServiceState.suspended})


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStory:
    """A service, the port that its SSH server listens on, and what was just revealed."""

    service: ServiceView
    ssh_port: int
    nameservers: Sequence[str] = ()
    """For what its client installs by hand."""
    shown: Shown | None = None
    served: frozenset[str] = frozenset()
    """The events on which a flow serves its product: what can be asked for."""
    switching: Switching = field(default_factory=Switching)
    own_panel: OwnPanel | None = None
    """That of the provider of its machine."""


def service_page(story: ServiceStory, *, frame: PageFrame) -> h.Element:
    service, switching = story.service, story.switching
    # Only what comes from the BMC and from flows follows them; the access stays as it is, so
    # that a password that is on the page is not taken away.
    main: list[h.Node] = [
        service_status(service, switching, story.own_panel, csrf=frame.csrf),
        switch_dialogs(service, switching, csrf=frame.csrf),
    ]
    if service.state in STANDING:
        main += _ways_in(story, csrf=frame.csrf)
        main += [
            asks(service, story.served, switching),
            ask_dialogs(service, story.served, csrf=frame.csrf),
        ]
    return portal_page(
        service.hostname,
        page_head(
            service.hostname,
            eyebrow=h.a(href="/services")["Services"],
            lede=" with ".join(filter(None, (service.product_name, _game(service)))),
        ),
        split(main, [_contract(service), _quick_start(story)]),
        frame=frame,
        active="services",
    )


def _ways_in(story: ServiceStory, *, csrf: str) -> list[h.Element]:
    """Return how to get in, as what kind of product it is of."""
    service = story.service
    if service.game is not None:
        return game_cards(service, service.game, shown=story.shown, csrf=csrf)
    if not service.has_machine:
        return []
    if service.machine is not None and service.iso:
        return [install_card(service, service.machine), _addresses(service)]
    return [
        access_card(service, ssh_port=story.ssh_port, shown=story.shown, csrf=csrf),
        _addresses(service),
    ]


def _game(service: ServiceView) -> str:
    return service.game.name if service.game else ""


def service_status(
    service: ServiceView, switching: Switching, panel: OwnPanel | None, *, csrf: str
) -> h.Element:
    """Return state and power, and what switches it; the region follows flows and what is said."""
    # The power of a server is told on the topic of the order that has it.
    topics = f"service:{service.id} order:{service.order_id}"
    return live_region(topics, f"/services/{service.id}/status", id_="status")[
        _words(service) or work_notice(service),
        switched_off(service, switching),
        not_switched(service, switching),
        card(
            h.div(".sw-stack")[
                facts(
                    [
                        ("State", service_badge(service.state, service.power)),
                        *([("System", service.os_name)] if service.os_name else []),
                        *_place(service),
                    ]
                ),
                switches(service, switching, panel_way(panel, csrf=csrf), csrf=csrf),
                just_done(switching),
            ],
            title="Status",
            symbol="activity",
            footer=_more(service),
        ),
    ]


def _more(service: ServiceView) -> h.Node:
    """Return the ways to what is measured of it, and to its screen or serial line."""
    here = f"/services/{service.id}"
    if service.machine is None and service.game is None:
        if service.serial is None or service.state is not ServiceState.active:
            return None
        if service.serial is SerialOffer.OPEN:
            return h.a(href=f"{here}/serial")["Serial console"]
        return h.span(".sw-quiet")[why_closed(service.serial, for_client=True)]
    usage = h.a(href=f"{here}/usage")["Usage"]
    if service.state is not ServiceState.active or service.machine is None:
        return usage
    return [usage, " · ", h.a(href=f"{here}/console")["Console"]]


def _words(service: ServiceView) -> h.Element | None:
    match service.state:
        case ServiceState.pending | ServiceState.provisioning:
            return h.div(".sw-after")[
                notice(
                    "info",
                    "This server is being set up",
                    h.a(href=f"/orders/{service.order_id}")["Follow its delivery"],
                )
            ]
        case ServiceState.suspended:
            return h.div(".sw-after")[
                notice(
                    "warning",
                    "This service is suspended",
                    "The server is off; data and addresses are kept. Look at your ",
                    h.a(href="/invoices")["invoices"],
                    ", or write to us.",
                )
            ]
        case ServiceState.terminated:
            return h.div(".sw-after")[
                notice(
                    "info", "This service has ended", "Its server and addresses were given back."
                )
            ]
        case _:
            return None


def _power(service: ServiceView) -> h.Node:
    if service.power is None or service.power_seen_at is None:
        return h.span(".sw-help")["not read yet"]
    known = service.power is not Power.UNKNOWN
    shown = state_badge(service.power, service.power.capitalize()) if known else badge("Unknown")
    return h.span(".sw-inline")[shown, h.span(".sw-help")["seen ", moment(service.power_seen_at)]]


def _place(service: ServiceView) -> list[tuple[str, h.Node]]:
    """Return what it runs on and where: a virtual machine by its size, a server by its name."""
    where = f" in {service.datacentre}" if service.datacentre else None
    power = ("Power", _power(service))
    if not service.has_machine:
        place: tuple[str, h.Node] = ("Place", service.datacentre)
        return [*([power] if service.game else []), *([place] if service.datacentre else [])]
    if service.machine is not None:
        return [power, ("Machine", service.machine.words), ("Place", service.datacentre or "–")]
    if service.server_name is None:
        return [power, ("Server", "–")]
    return [power, ("Server", [code(service.server_name), where])]


def _addresses(service: ServiceView) -> h.Element:
    claimed = service.addresses
    rows: list[tuple[str, h.Node]] = []
    for number, ip4 in enumerate(claimed.ip4):
        name = "IPv4" if number == 0 else f"Extra IPv4 {number}"
        rows.append((name, copyable(str(ip4.address), label="Copy")))
    if claimed.ip4 and claimed.ip4[0].gateway:
        first = claimed.ip4[0]
        rows.insert(1, ("Gateway", code(f"{first.gateway} (/{first.prefix_length})")))
    for net in claimed.ip6:
        rows.append(("IPv6", copyable(str(net.host_address), label="Copy")))
        rows.append(("IPv6 network", copyable(str(net.network), label="Copy")))
        if net.gateway:
            rows.append(("IPv6 gateway", code(str(net.gateway))))
    return card(
        facts(rows),
        title="Addresses",
        symbol="network",
        footer=h.a(href=f"/services/{service.id}/reverse-dns")["Reverse DNS: their host names"],
    )


def _contract(service: ServiceView) -> h.Element:
    rows: list[tuple[str, h.Node]] = [
        ("Product", service.product_name),
        (
            "Price",
            [
                money(Money(service.recurring_minor, service.currency), per=PER[service.cycle]),
                " plus tax",
            ],
        ),
        ("Billing", CYCLE_NAMES[service.cycle]),
    ]
    if service.next_due_at and service.state in STANDING:
        rows.append(("Next due", moment(service.next_due_at, relative=False)))
    if service.activated_at:
        rows.append(("Delivered", moment(service.activated_at, relative=False)))
    return card(
        h.div(".sw-facts-tight")[facts(rows)],
        title="Contract",
        footer=h.a(href=f"/orders/{service.order_id}")[f"Order {service.order_number}"],
    )


def _quick_start(story: ServiceStory) -> h.Element | None:
    """Return the first steps; links leave the portal only to what the client ordered."""
    service = story.service
    if service.state not in STANDING or not service.address or not service.has_machine:
        return None
    if service.machine is not None and service.iso:
        return install_steps(service, service.machine, story.nameservers)
    panel = service.panel
    steps: list[tuple[IconName, str, h.Node]] = [
        ("square-terminal", "Connect by SSH", h.a(href="#access")["Command and access"]),
    ]
    if service.has_password:
        steps.append(("lock", "Change the password", ["Run ", code("passwd"), " when you are in"]))
    steps.append(("refresh-cw", "Bring it up to date", code(_update_command(service))))
    if panel:
        steps.append(
            (
                "sliders-horizontal",
                panel.name,
                h.a(href=panel.url, rel="noreferrer", target="_blank")[
                    panel.url.removesuffix("/"), h.span(".visually-hidden")[" (opens a new tab)"]
                ]
                if panel.url
                else "Ordered with the server",
            )
        )
    steps.append(
        ("key-round", "Keys for the next server", h.a(href="/account")["Keep them in your account"])
    )
    return card(
        h.ul(".sw-steps")[
            [
                h.li[icon(symbol), h.div[h.span(".sw-steps-name")[name], h.span[text]]]
                for symbol, name, text in steps
            ]
        ],
        title="Quick start",
        symbol="zap",
    )


def _update_command(service: ServiceView) -> str:
    red_hat = any(
        word in service.os_name.lower() for word in ("alma", "rocky", "centos", "red hat")
    )
    return "dnf upgrade" if red_hat else "apt update && apt upgrade"
