"""Ports with what is plugged into them, and the list of all cables."""

from collections.abc import Sequence
from uuid import UUID

import htpy as h

from app.components.admin.dcim import ACTIVE, CABLES, DEVICES, SERVERS, dcim_tabs
from app.components.admin.entry import entry_page, pair
from app.components.admin.filters import Wanted, filter_form
from app.components.button import link_button
from app.components.card import card
from app.components.choice import Option, select_field
from app.components.empty import empty
from app.components.facts import code
from app.components.form import Form, text_field
from app.components.frame import PageFrame
from app.components.page import admin_page, page_head
from app.components.pagination import pagination
from app.components.table import Column, Row, table
from app.core.paging import Page
from app.domain.inventory.cabling import CableEnd, CableView, PortView
from app.domain.inventory.seed import PortKind

PORT_KINDS: dict[PortKind, str] = {"network": "Network", "power": "Power", "console": "Console"}
LABELS = {
    "a": "From",
    "b": "To",
    "label": "Label",
    "colour": "Colour",
    "length_cm": "Length",
    "name": "Name",
    "kind": "Kind",
    "mac": "MAC",
    "speed_mbps": "Speed",
}


def owner_href(server: UUID | None, device: UUID | None) -> str:
    return f"{SERVERS}/{server}" if server else f"{DEVICES}/{device}"


def ports_card(ports: Sequence[PortView], owner: str, *, may_change: bool) -> h.Element:
    """Return the ports of a server or device; `owner` is its address."""
    rows = [
        Row(
            cells=(
                h.span[
                    h.span(".sw-strong")[port.name],
                    h.span(".sw-under.sw-why")[_about(port)],
                ],
                PORT_KINDS[port.kind],
                h.a(href=owner_href(port.far_server, port.far_device))[
                    f"{port.far_owner}, {port.far_port}"
                ]
                if port.cable
                else "–",
                _deed(port) if may_change else None,
            )
        )
        for port in ports
    ]
    columns = (
        Column("Port"),
        Column("Kind", narrow=True),
        Column("Plugged into"),
        Column("Cable", narrow=True, hidden_label=True),
    )
    return card(
        table(
            columns,
            rows,
            caption="Ports",
            empty=empty("network", "No ports", "Add network cards and power supplies here."),
        ),
        title="Ports",
        symbol="network",
        flush=True,
        actions=link_button("Add ports", f"{owner}/ports", size="small", symbol="plus")
        if may_change
        else None,
    )


def _about(port: PortView) -> str:
    speed = f"{port.speed_mbps / 1000:g} Gbit/s" if port.speed_mbps else ""
    cable = " ".join(filter(None, (port.colour, port.label)))
    return ", ".join(filter(None, (port.mac, speed, cable and f"cable {cable}")))


def _deed(port: PortView) -> h.Element:
    if port.cable:
        return link_button("Unplug", f"{CABLES}/{port.cable}/unplug", size="small", weight="quiet")
    return link_button("Plug in", f"{CABLES}/new?a={port.id}", size="small", weight="quiet")


def cables_page(found: Page[CableView], wanted: Wanted, *, frame: PageFrame) -> h.Element:
    rows = [
        Row(
            cells=(
                h.span[
                    h.span(".sw-strong")[cable.label or "no label"],
                    h.span(".sw-under")[_cable_words(cable)],
                ],
                _end(cable.a_owner, cable.a_port, cable.a_rack),
                _end(cable.b_owner, cable.b_port, cable.b_rack),
                PORT_KINDS[cable.kind],
            ),
            href=owner_href(cable.a_server, cable.a_device),
        )
        for cable in found.items
    ]
    columns = (Column("Cable"), Column("From"), Column("To"), Column("Kind", narrow=True))
    return admin_page(
        "Cables",
        page_head("Cables", lede="What is plugged into what; a port has one cable at most."),
        dcim_tabs(CABLES),
        h.div(".sw-filters")[filter_form(wanted, search="Label, server, device, port or rack")],
        card(
            table(
                columns,
                rows,
                caption="Cables",
                empty=empty(
                    "network",
                    "Nothing matches" if wanted.search else "No cables yet",
                    "Cables are plugged in on the page of a server or a device.",
                ),
            ),
            flush=True,
        ),
        h.div(".sw-list-foot")[
            h.p(".sw-list-total")[f"{found.total:,} in all" if found.total else None],
            pagination(
                page=min(wanted.page, found.page_count),
                page_count=found.page_count,
                href=lambda page: wanted.address(page=page),
            ),
        ],
        frame=frame,
        active=ACTIVE,
    )


def _cable_words(cable: CableView) -> str:
    length = f"{cable.length_cm / 100:g} m" if cable.length_cm else ""
    return ", ".join(filter(None, (cable.colour, length)))


def _end(owner: str, port: str, rack: str) -> h.Element:
    return h.div[owner, h.span(".sw-under")[code(port), f" in rack {rack}"]]


def plug_page(
    form: Form,
    port: PortView,
    end: CableEnd,
    free: Sequence[tuple[UUID, str]],
    *,
    frame: PageFrame,
) -> h.Element:
    """Return the form of a cable from a port; `free` are those that it could go to."""
    return entry_page(
        f"Plug a cable into {port.name}",
        select_field(
            form,
            "b",
            "To",
            [Option(value=str(id_), label=words) for id_, words in free],
            blank="Choose a free port",
            help_=None if free else "No port of this kind is free. Add one to a device first.",
        ),
        pair(
            text_field(form, "label", "Label", optional=True),
            text_field(form, "colour", "Colour", optional=True),
            text_field(form, "length_cm", "Length", optional=True, after="cm", inputmode="numeric"),
        ),
        form=form,
        action=f"{CABLES}/new?a={port.id}",
        confirm="Plug it in",
        back=(end.owner, owner_href(end.server, end.device)),
        frame=frame,
        active=ACTIVE,
        labels=LABELS,
    )


def ports_page(form: Form, owner: str, back: str, *, frame: PageFrame) -> h.Element:
    """Return the form that adds ports to a server or device, or changes those of these names."""
    return entry_page(
        f"Ports of {owner}",
        text_field(
            form,
            "name",
            "Name",
            mono=True,
            placeholder="eth[0-3]",
            help_="Several at once as eth[0-3]. One that is there is changed.",
        ),
        pair(
            select_field(
                form,
                "kind",
                "Kind",
                [Option(value=kind, label=words) for kind, words in PORT_KINDS.items()],
            ),
            text_field(
                form, "speed_mbps", "Speed", optional=True, after="Mbit/s", inputmode="numeric"
            ),
        ),
        text_field(
            form,
            "mac",
            "MAC",
            optional=True,
            mono=True,
            help_="Of one network card, not of several.",
        ),
        form=form,
        action=f"{back}/ports",
        confirm="Write them down",
        back=(owner, back),
        frame=frame,
        active=ACTIVE,
        labels=LABELS,
    )
