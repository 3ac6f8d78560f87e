"""One server: hardware, place, state, whose it is, and what a person may do to it."""

from dataclasses import dataclass, field
from datetime import datetime

import htpy as h

from app.components.admin.bmc_form import rejection_notice
from app.components.admin.burn_in import burn_in_cards
from app.components.admin.cables import ports_card
from app.components.admin.dcim import FEEDS, RACKS, SERVERS, SIDES, units_text
from app.components.admin.decide import decide_page
from app.components.admin.erasures import erasures_card
from app.components.admin.node_card import cloud_card
from app.components.admin.order import address_facts
from app.components.admin.server_aside import failed_words, what_next
from app.components.admin.server_form import ends_field
from app.components.admin.server_power import power_notice, taken_way
from app.components.admin.server_screen import screen_way
from app.components.admin.server_switch import switch_failed, switch_ways
from app.components.admin.servers import disk_words, hardware_words
from app.components.admin.trail import trail_card
from app.components.badge import state_badge
from app.components.button import link_button
from app.components.card import card, split, stack
from app.components.facts import copyable, facts
from app.components.form import Form
from app.components.frame import PageFrame
from app.components.icon import IconName
from app.components.live import live_region
from app.components.notice import notice
from app.components.page import admin_page, page_head
from app.components.time import moment
from app.components.tone import Tone
from app.domain.addresses.views import Claimed
from app.domain.audit.views import AuditLine
from app.domain.inventory.bmc import Rejection
from app.domain.inventory.burn_in import BURNABLE, BurnIn
from app.domain.inventory.cabling import PortView
from app.domain.inventory.maintain import OPEN_TO_MAINTENANCE
from app.domain.inventory.put_back import ACCEPTABLE
from app.domain.inventory.remove import REMOVABLE
from app.domain.inventory.screen import screen_of
from app.domain.inventory.states import ServerState
from app.domain.inventory.views import ServerView
from app.domain.machines.order_power import Switching
from app.domain.metal.standing import CloudStanding
from app.domain.services.report_erasure import ErasedDisk
from app.drivers.bmc.serial_way import SerialOffer
from app.drivers.bmc.vendors import Vendor


@dataclass(frozen=True, slots=True)
class Deed:
    """Something a person may do to a server: its key in the address, its words."""

    key: str
    button: str
    title: str
    about: str
    states: frozenset[ServerState]


REMOVE = Deed(
    "remove",
    "Remove",
    "Take {name} off the books",
    "It goes with its disks, ports, cables and BMC; the audit trail keeps that it was here. A "
    "server that has served orders stays.",
    REMOVABLE,
)
DEEDS = {
    deed.key: deed
    for deed in (
        Deed(
            "release",
            "Release from quarantine",
            "Put {name} back into stock",
            "Do this when what was wrong with it is put right. It can be sold again at once, "
            "unless an installation was begun on it: then its disks have to be erased first, "
            "and it goes to cleaning.",
            frozenset({ServerState.quarantined}),
        ),
        Deed(
            "finish-cleaning",
            "Cleaning is finished",
            "{name} is clean",
            "This happens by itself once its disks are erased. By hand, it can be sold again at "
            "once: say how its disks were erased.",
            frozenset({ServerState.cleaning}),
        ),
        Deed(
            "accept",
            "Put into stock",
            "Put {name} into stock",
            "It can be sold at once. Say what was looked at.",
            ACCEPTABLE,
        ),
        Deed(
            "begin-maintenance",
            "Begin maintenance",
            "Take {name} out of stock",
            "It is not sold until its maintenance ends.",
            OPEN_TO_MAINTENANCE,
        ),
        Deed(
            "end-maintenance",
            "End maintenance",
            "Put {name} back into stock",
            "It can be sold again at once, unless a client's data may be on its disks: then it "
            "goes to cleaning. Say what was done.",
            frozenset({ServerState.maintenance}),
        ),
        REMOVE,
    )
}
_MAKERS = {
    Vendor.DELL: "Dell",
    Vendor.HPE: "HPE",
    Vendor.SUPERMICRO: "Supermicro",
    Vendor.LENOVO: "Lenovo",
    Vendor.GENERIC: "another vendor",
}
_BOOTS = {"network": "network", "virtual-media": "virtual media", "http": "UEFI HTTP boot"}
_SERIAL = {
    SerialOffer.UNKNOWN: "not told yet",
    SerialOffer.NONE: "none that is spoken here",
    SerialOffer.OFF: "switched off in the BMC",
    SerialOffer.COMMAND_LINE: "behind the BMC's command line",
    SerialOffer.OPEN: "offered",
}
SYMBOLS: dict[str, IconName] = {"begin-maintenance": "wrench", "end-maintenance": "wrench"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFile:
    """A server and what its viewer may do to it; `trail` is None where it may not be seen."""

    at: datetime
    server: ServerView
    ports: tuple[PortView, ...]
    addresses: Claimed
    trail: tuple[AuditLine, ...] | None
    may_change: bool
    csrf: str
    cloud: CloudStanding
    """Whether a cloud of bare metal has it, and what is done there."""
    switching: Switching = field(default_factory=Switching)
    erased: tuple[ErasedDisk, ...] = ()
    """What was done to its disks when it came back, the latest first."""
    burn_ins: tuple[BurnIn, ...] = ()
    """Its last ones, the latest first."""
    rejection: Rejection | None = None
    """What its BMC said to the credentials that are written down, if it rejects them."""


def server_page(file: ServerFile, *, frame: PageFrame) -> h.Element:
    return admin_page(file.server.name, server_region(file), frame=frame, active="servers")


def server_region(file: ServerFile) -> h.Element:
    """Return the whole page but its frame."""
    server = file.server
    return live_region(f"server:{server.id}", f"{SERVERS}/{server.id}/now", id_="server")[
        page_head(
            server.name,
            eyebrow=h.a(href=SERVERS)["Servers"],
            status=state_badge(server.state),
            lede=f"{hardware_words(server)}, {server.ram_gb} GB",
            actions=_actions(file),
        ),
        stack(
            _state(server, file.at),
            _rejection(file),
            power_notice(
                server,
                may_change=file.may_change,
                is_rejected=file.rejection is not None,
                csrf=file.csrf,
            ),
            switch_failed(server, file.switching),
            split(
                stack(
                    _hardware(file),
                    ports_card(file.ports, f"{SERVERS}/{server.id}", may_change=file.may_change),
                    burn_in_cards(file.burn_ins, at=file.at, may_change=file.may_change),
                    erasures_card(file.erased) if file.erased else None,
                    trail_card(file.trail) if file.trail is not None else None,
                ),
                stack(
                    _holder(file),
                    _place(file),
                    _bmc(file),
                    cloud_card(server.name, file.cloud, csrf=file.csrf if file.may_change else ""),
                    _notes(server),
                ),
            ),
        ),
    ]


def _actions(file: ServerFile) -> list[h.Node]:
    if not file.may_change:
        return []
    here = f"{SERVERS}/{file.server.id}"
    is_burning = any(one.is_open for one in file.burn_ins)
    open_to = [deed for deed in DEEDS.values() if file.server.state in deed.states]
    if is_burning:
        open_to = []
    may_burn = file.server.state in BURNABLE and not is_burning and file.cloud.node is None
    return [
        *(
            link_button(deed.button, f"{here}/{deed.key}", symbol=SYMBOLS.get(deed.key, "check"))
            for deed in open_to
            if deed is not REMOVE
        ),
        link_button("Burn in", f"{here}/burn-in", symbol="zap") if may_burn else None,
        link_button("Move", f"{here}/place", symbol="map-pin", weight="quiet"),
        link_button("Change", f"{here}/change", symbol="pencil", weight="quiet"),
        link_button(REMOVE.button, f"{here}/{REMOVE.key}", symbol="trash-2", weight="quiet")
        if REMOVE in open_to
        else None,
    ]


def _state(server: ServerView, at: datetime) -> h.Element | None:
    """Say why it is where it is, when there is something to say."""
    tones: dict[ServerState, Tone] = {
        ServerState.quarantined: "warning",
        ServerState.failed: "danger",
        ServerState.maintenance: "warning",
        ServerState.cleaning: "info",
        ServerState.inspecting: "info",
    }
    if server.state not in tones:
        return None
    reason = server.state_reason or f"It is in {server.state}."
    lead = failed_words(server)
    return notice(
        tones[server.state],
        lead or reason,
        h.p(".sw-break")[reason] if lead else None,
        h.p[
            "Since ",
            moment(server.state_since),
            [". Ends by itself ", moment(server.maintenance_ends_at)]
            if server.maintenance_ends_at
            else None,
        ],
        what_next(server, at),
    )


def _rejection(file: ServerFile) -> h.Element | None:
    if file.rejection is None:
        return None
    change = f"{SERVERS}/{file.server.id}/bmc" if file.may_change else ""
    return rejection_notice(file.rejection, change=change)


def _hardware(file: ServerFile) -> h.Element:
    server = file.server
    raid = server.raid_model or "hardware controller"
    pairs: list[tuple[str, h.Node]] = [
        ("Model", server.model or "not written down"),
        ("CPU", hardware_words(server)),
        ("Memory", f"{server.ram_gb:,} GB"),
        ("Disks", disk_words(server.disks) or "none"),
        ("RAID controller", raid if server.raid_controller else "none; software RAID only"),
        ("Serial number", copyable(server.serial)),
        ("MAC", copyable(server.mac)),
        ("Power draw", f"{server.power_draw_watts:,} W on feeds {FEEDS[server.feeds]}"),
        ("Weight", f"{server.weight_kg:,} kg" if server.weight_kg else "not written down"),
        ("Warranty", _warranty(file)),
    ]
    return card(
        facts(pairs),
        title="Hardware",
        symbol="cpu",
        actions=link_button(
            "Compare with its BMC",
            f"{SERVERS}/{server.id}/discovery",
            size="small",
            weight="quiet",
            symbol="git-compare",
        ),
    )


def _warranty(file: ServerFile) -> h.Node:
    ends_on = file.server.warranty_ends_on
    if ends_on is None:
        return "not written down"
    if ends_on < file.at.date():
        return h.span(".sw-late")[f"ended on {ends_on}"]
    return f"until {ends_on}"


def _notes(server: ServerView) -> h.Element | None:
    return card(h.p(".sw-note")[server.note], title="Note") if server.note else None


def _holder(file: ServerFile) -> h.Element:
    server = file.server
    pairs: list[tuple[str, h.Node]] = [("State since", moment(server.state_since))]
    if server.holder and server.order_number:
        order = h.a(href=f"/admin/orders/{server.holder}")[f"#{server.order_number}"]
        pairs += [
            ("Order", order),
            ("Host name", server.hostname),
            ("Client", server.account_email),
        ]
        if server.service_id:
            pairs.append(("Service", h.a(href=f"/admin/services/{server.service_id}")["Open it"]))
        if server.hold_expires_at:
            pairs.append(("Held until", moment(server.hold_expires_at)))
        pairs += address_facts(file.addresses)
    else:
        pairs.append(("Order", "with nobody"))
    return card(facts(pairs), title="State", symbol="activity", actions=state_badge(server.state))


def _place(file: ServerFile) -> h.Element:
    server = file.server
    return card(
        facts(
            [
                ("Datacentre", f"{server.datacentre_name} ({server.datacentre})"),
                ("Rack", h.a(href=f"{RACKS}/{server.rack_id}")[server.rack]),
                ("Position", units_text(server.u_position, server.u_height)),
                ("Depth", SIDES[server.side]),
            ]
        ),
        title="Place",
        symbol="map-pin",
    )


def _bmc(file: ServerFile) -> h.Element:
    server = file.server
    seen: h.Node = (
        ["last read ", moment(server.power_seen_at)] if server.power_seen_at else "never read yet"
    )
    pairs: list[tuple[str, h.Node]] = [
        ("Power", [state_badge(server.power), h.span(".sw-under")[seen]]),
        ("BMC", copyable(server.bmc_url) if server.bmc_url else "none written down"),
    ]
    if server.power_taken is not None:
        pairs.append(("Should be", taken_way(server, may_change=file.may_change, csrf=file.csrf)))
    if server.bmc_vendor is not None:
        pairs.append(("Made by", _MAKERS[server.bmc_vendor]))
    if server.boot_method:
        pairs.append(("Installs by", _BOOTS[server.boot_method]))
    if server.bmc_serial is not None:
        pairs.append(("Serial console", _SERIAL[server.bmc_serial]))
    screen = screen_of(server) if file.may_change else None
    change = (
        link_button("Change", f"{SERVERS}/{server.id}/bmc", weight="quiet", size="small")
        if file.may_change
        else None
    )
    return card(
        h.div(".sw-stack")[
            facts(pairs), switch_ways(server, file.switching) if file.may_change else None
        ],
        title="Power and BMC",
        symbol="power",
        actions=change,
        footer=screen_way(screen, csrf=file.csrf) if screen is not None else None,
    )


def deed_page(server: ServerView, deed: Deed, form: Form, *, frame: PageFrame) -> h.Element:
    """Return the decision to do `deed` to a server."""
    begins = deed.key == "begin-maintenance"
    return decide_page(
        deed.title.format(name=server.name),
        ends_field(form) if begins else None,
        about=[
            h.p[deed.about],
            h.p(".sw-quiet")[
                state_badge(server.state), " ", server.state_reason, " ", moment(server.state_since)
            ],
        ],
        form=form,
        action=f"{SERVERS}/{server.id}/{deed.key}",
        confirm=deed.button,
        back=(server.name, f"{SERVERS}/{server.id}"),
        frame=frame,
        active="servers",
        labels={"ends": "Ends by itself"},
    )
