"""One service with everything of it, as the staff see it."""

from dataclasses import dataclass

import htpy as h

from app.components.admin.client_machine import differs, machine_card, seen
from app.components.admin.client_services import SERVICES
from app.components.admin.order import address_facts
from app.components.admin.service_deeds import deed_buttons
from app.components.admin.trail import trail_card
from app.components.badge import state_badge
from app.components.button import link_button
from app.components.card import card, split, stack
from app.components.empty import empty
from app.components.facts import code, copyable, facts
from app.components.frame import PageFrame
from app.components.live import live_region
from app.components.money import money
from app.components.page import admin_page, page_head
from app.components.portal.cycle import PER
from app.components.table import Column, Row, table
from app.components.time import moment
from app.core.money import Money
from app.domain.addresses.views import Claimed
from app.domain.audit.views import AuditLine
from app.domain.catalog.kind import ProductKind
from app.domain.machines.serial import why_closed
from app.domain.services.list import InstallationLine, ServiceDetails
from app.domain.services.states import InstallationState, ServiceState
from app.drivers.deploy.live import Purpose
from app.drivers.hypervisor.iso import is_iso

CREDENTIALS = {
    "root_password": "User, with a password",
    "panel_password": "User of the panel, with a password",
    "panel_user": "User of the panel, with a password of their own",
    "ssh_keys": "User, with SSH keys",
}
WORK = {
    Purpose.INSTALL: "Installation",
    Purpose.RESCUE: "Rescue system",
}
"""What a server was booted for; erasures and burn-ins are of no service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceFile:
    """A service with what its viewer may see of it."""

    service: ServiceDetails
    addresses: Claimed
    sees_servers: bool
    may_change: bool
    may_change_servers: bool
    trail: tuple[AuditLine, ...] | None


def service_page(file: ServiceFile, *, frame: PageFrame) -> h.Element:
    return admin_page(
        file.service.line.hostname,
        service_region(file, csrf=frame.csrf),
        frame=frame,
        active="services",
    )


def service_region(file: ServiceFile, *, csrf: str) -> h.Element:
    """Return the whole page but its frame."""
    one = file.service.line
    topics = f"service:{one.id} order:{one.order_id}"
    return live_region(topics, f"{SERVICES}/{one.id}/now", id_="service")[
        page_head(
            one.hostname,
            eyebrow=h.a(href=SERVICES)["Services"],
            status=state_badge(one.state),
            lede=f"{one.product_name} of {one.account_name}",
            actions=h.fragment[
                deed_buttons(one) if file.may_change else None,
                link_button("Order", f"/admin/orders/{one.order_id}", symbol="package"),
            ],
        ),
        split(
            stack(
                _made_of(file, csrf=csrf),
                trail_card(file.trail) if file.trail is not None else None,
            ),
            stack(_facts(file), _access(file.service)),
        ),
    ]


def _made_of(file: ServiceFile, *, csrf: str) -> h.Element | None:
    """Return what was made for it: a machine, a game server, or a server by its installations."""
    match file.service.line.kind:
        case ProductKind.MACHINE:
            return machine_card(file.service, may_change=file.may_change, csrf=csrf)
        case ProductKind.GAME:
            return _game(file.service)
        case ProductKind.SERVER:
            return _installations(file)
        case ProductKind.CUSTOM:
            return None


def _game(service: ServiceDetails) -> h.Element:
    """Return where the game server is and what it is, as its panel last said."""
    found, title = service.game, "Game server"
    if found is None:
        nothing = empty(
            "gamepad-2", "Not planned yet", "Its flow chooses a panel with room for it."
        )
        return card(nothing, title=title, symbol="gamepad-2")
    pairs: list[tuple[str, h.Node]] = [
        ("Panel", code(found.connection)),
        ("Node", code(found.node) if found.node else "not chosen yet"),
        ("Server", copyable(found.number) if found.number else "not made yet"),
        ("State", [found.state or "–", " ", seen(found.seen_at)]),
        ("Power", [state_badge(found.power), " ", seen(found.power_seen_at)]),
        ("Game", found.egg),
        ("Size", found.limits.words),
        ("Address", copyable(found.address) if found.address else "–"),
        ("Owner", code(found.username) if found.username else "–"),
        ("Planned", moment(found.planned_at)),
    ]
    if found.made_at:
        pairs.append(("Made", moment(found.made_at)))
    if found.removed_at:
        pairs.append(("Removed", moment(found.removed_at)))
    lede = "It was removed; this is how it was." if found.removed_at else None
    body = stack(differs(found), facts(pairs))
    usage = h.a(href=f"{SERVICES}/{service.line.id}/usage")["Usage"]
    return card(body, title=title, lede=lede, symbol="gamepad-2", footer=usage)


def _facts(file: ServiceFile) -> h.Element:
    one = file.service.line
    server: h.Node = one.server_name or "none"
    if one.server_id and file.sees_servers:
        server = h.a(href=f"/admin/servers/{one.server_id}")[one.server_name]
    is_over = one.state is ServiceState.terminated
    has_machine = one.kind in (ProductKind.SERVER, ProductKind.MACHINE)
    place = ("Datacentre", one.datacentre or ("not chosen yet" if has_machine else "none of ours"))
    pairs: list[tuple[str, h.Node]] = [
        ("Client", [one.account_name, h.span(".sw-under")[one.account_email]]),
        ("Last server" if is_over else "Server", server)
        if one.kind is ProductKind.SERVER
        else place,
        *([("System", one.os_code or "none")] if has_machine else []),
        ("Price", money(Money(one.recurring_minor, one.currency), per=PER[one.cycle])),
        ("State since", moment(one.state_since)),
    ]
    if one.activated_at:
        pairs.append(("Delivered", moment(one.activated_at)))
    if one.next_due_at and one.state is not ServiceState.terminated:
        pairs.append(("Next due", moment(one.next_due_at)))
    pairs += address_facts(file.addresses)
    return card(facts(pairs), title="Service", symbol="boxes")


def _access(service: ServiceDetails) -> h.Element:
    pairs: list[tuple[str, h.Node]] = [
        (
            CREDENTIALS.get(one.kind, one.kind),
            [
                copyable(one.username),
                h.span(".sw-under")["seen by the client ", moment(one.revealed_at)]
                if one.revealed_at
                else h.span(".sw-under")["not looked at in the portal yet"],
            ],
        )
        for one in service.credentials
    ]
    made = service.machine
    by_hand = made is not None and is_iso(made.template)
    nothing = "Its client installs it." if by_hand else "Made when the system is installed."
    body = facts(pairs) if pairs else h.p(".sw-quiet")[nothing]
    return card(
        body, title="Access", lede="The password itself, staff cannot see.", symbol="key-round"
    )


def _installations(file: ServiceFile) -> h.Element:
    rows = [
        Row(
            cells=(
                h.a(href=f"/admin/servers/{one.server_id}")[one.server_name]
                if file.sees_servers
                else one.server_name,
                WORK[one.purpose],
                state_badge(one.state, _words(one)),
                h.div[
                    f"{one.stage or '–'}, {one.percent} %",
                    h.span(".sw-under.sw-why")[one.error] if one.error else None,
                ],
                moment(one.created_at),
                moment(one.updated_at),
            ),
            id_=f"installation-{one.id}",
        )
        for one in file.service.installations
    ]
    return card(
        table(
            (
                Column("Server"),
                Column("What"),
                Column("State", narrow=True),
                Column("Stage"),
                Column("Begun", narrow=True),
                Column("Last word", narrow=True),
            ),
            rows,
            caption="Installations and live systems",
            empty=empty("hard-drive", "Nothing installed yet", "Each try is listed here."),
        ),
        title="Installations and live systems",
        symbol="hard-drive",
        flush=True,
        footer=_serial(file),
    )


def _words(one: InstallationLine) -> str | None:
    """Return what its state is called, None for the state's own word."""
    return (
        "Booted"
        if (one.purpose, one.state) == (Purpose.RESCUE, InstallationState.installed)
        else None
    )


def _serial(file: ServiceFile) -> h.Element | None:
    """Return the way to the serial line, or why there is none."""
    one, serial = file.service.line, file.service.serial
    if serial is None or not file.may_change or one.state is not ServiceState.active:
        return None
    if serial.is_open_to(by_command_line=file.may_change_servers):
        return h.a(href=f"{SERVICES}/{one.id}/serial")["Serial console"]
    return h.span(".sw-quiet")[why_closed(serial, for_client=False)]
