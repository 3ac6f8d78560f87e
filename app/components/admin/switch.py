"""A switch that is reached: its ports and VLANs, and where they differ."""

from collections.abc import Sequence

import htpy as h

from app.components.admin.dcim import ACTIVE, DEVICES
from app.components.badge import badge
from app.components.button import link_button, submit_button
from app.components.card import card, stack
from app.components.empty import empty
from app.components.facts import code, facts
from app.components.form import (
    csrf_field,
    hidden_field,
)
from app.components.frame import PageFrame
from app.components.live import live_region
from app.components.notice import notice
from app.components.page import admin_page, page_head
from app.components.progress import working
from app.components.table import Column, Row, table
from app.components.time import moment
from app.domain.devices.access import Access
from app.domain.devices.ask import Said
from app.domain.devices.ports import Difference
from app.domain.inventory.views import DeviceView
from app.drivers.switching.contract import SwitchPort


def switch_page(
    device: DeviceView,
    access: Access,
    said: Said,
    differences: Sequence[Difference],
    *,
    may_change: bool,
    frame: PageFrame,
) -> h.Element:
    return admin_page(
        f"Ports and VLANs of {device.name}",
        switch_region(device, access, said, differences, csrf=frame.csrf if may_change else ""),
        frame=frame,
        active=ACTIVE,
    )


def switch_region(
    device: DeviceView,
    access: Access,
    said: Said,
    differences: Sequence[Difference],
    *,
    csrf: str,
) -> h.Element:
    """Return what the switch says, which follows its answers; `csrf` is "" for who looks on."""
    here = f"{DEVICES}/{device.id}/switch"
    read = h.form(".sw-inline-form", method="post", action=f"{here}/read")[
        csrf_field(csrf), submit_button("Read it", busy="Asking…", symbol="refresh-cw")
    ]
    return live_region(f"device:{device.id}", f"{here}/now", id_="switch")[
        page_head(
            f"Ports and VLANs of {device.name}",
            eyebrow=h.a(href=f"{DEVICES}/{device.id}")[device.name],
            lede=["As it said ", moment(said.read_at)]
            if said.read_at
            else "It has not said yet what ports there are.",
            actions=[
                link_button("Change a port", f"{here}/change", symbol="pencil"),
                link_button("Access", f"{DEVICES}/{device.id}/access", weight="quiet"),
                read,
            ]
            if csrf
            else None,
        ),
        stack(
            notice("danger", "The switch could not be read", said.error) if said.error else None,
            working("Waiting for the switch") if said.is_waiting else None,
            [_differences(differences, here, csrf), _ports(said.state.ports), _about(access, said)]
            if said.state
            else None,
        ),
    ]


def _differences(differences: Sequence[Difference], here: str, csrf: str) -> h.Element:
    columns = (
        Column("Port"),
        Column("Written down"),
        Column("The switch says"),
        Column("Put right", narrow=True, hidden_label=True),
    )
    return card(
        table(
            columns,
            [
                Row(
                    cells=(
                        h.span(".sw-strong")[one.name],
                        one.written,
                        h.div[
                            one.found, h.span(".sw-under.sw-why")[one.note] if one.note else None
                        ],
                        _deeds(one, here, csrf) if csrf else None,
                    )
                )
                for one in differences
            ],
            caption="Differences",
            empty=empty("check", "No differences", "The record says what the switch says."),
        ),
        title="Differences",
        symbol="git-compare",
        lede="Nothing is changed by itself: accept what the switch says, or have it do what is "
        "written down.",
        actions=badge(str(len(differences)), "warning", dot=False) if differences else None,
        flush=True,
    )


def _deeds(one: Difference, here: str, csrf: str) -> h.Element:
    return h.div(".sw-actions")[
        _deed(f"{here}/accept", one, "Accept", f"Accept what the switch says of {one.name}", csrf)
        if not one.note
        else None,
        _deed(f"{here}/put-right", one, "Put right", f"Put right on the switch: {one.name}", csrf)
        if one.wanted
        else None,
    ]


def _deed(action: str, one: Difference, words: str, label: str, csrf: str) -> h.Element:
    return h.form(".sw-inline-form", method="post", action=action)[
        csrf_field(csrf),
        hidden_field("name", one.name),
        h.button(".btn.btn-outline.btn-sm", type="submit", aria_label=label, data_busy="…")[words],
    ]


def _ports(ports: Sequence[SwitchPort]) -> h.Element:
    columns = (Column("Port"), Column("Link", narrow=True), Column("VLANs"))
    return card(
        table(
            columns,
            [
                Row(
                    cells=(
                        h.span[
                            h.span(".sw-strong")[port.name],
                            h.span(".sw-under.sw-why")[port.description],
                        ],
                        badge("up", "success") if port.is_up else badge("down", "neutral"),
                        port.vlans.words if port.vlans else "no port of VLANs",
                    )
                )
                for port in ports
            ],
            caption="Ports",
        ),
        title="Ports",
        symbol="network",
        flush=True,
    )


def _about(access: Access, said: Said) -> h.Element:
    vlans = said.state.vlans if said.state else {}
    return card(
        facts(
            [
                ("Reached at", code(f"{access.username}@{access.host}:{access.port}")),
                ("Ports that nobody has", f"VLAN {access.parking_vid}"),
                (
                    "VLANs",
                    ", ".join(f"{vid} {name}" for vid, name in sorted(vlans.items())) or "none",
                ),
            ]
        ),
        title="Switch",
        symbol="network",
    )
