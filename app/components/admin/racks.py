"""A datacentre at a glance: every rack by room and row, with its fill, power and states."""

from collections.abc import Mapping, Sequence
from itertools import groupby

import htpy as h

from app.components.admin.dcim import ACTIVE, RACKS, dcim_tabs
from app.components.admin.elevation import state_tone
from app.components.badge import badge
from app.components.button import link_button, submit_button
from app.components.card import card, stack
from app.components.choice import Option, select_field
from app.components.empty import empty
from app.components.form import Form
from app.components.frame import PageFrame
from app.components.live import live_region
from app.components.page import admin_page, page_head
from app.components.progress import quota
from app.domain.inventory.states import ServerState
from app.domain.inventory.views import DatacentreView, RackSummary

DATACENTRE = "datacentre"


def racks_page(
    racks: Sequence[RackSummary],
    sites: Sequence[DatacentreView],
    datacentre: str,
    *,
    may_change: bool,
    frame: PageFrame,
) -> h.Element:
    site = next((one for one in sites if one.code == datacentre), None)
    actions = [
        link_button("Add a rack", f"{RACKS}/new?datacentre={datacentre}", symbol="plus"),
        link_button("Import servers", "/admin/servers/import", symbol="file-text", weight="quiet"),
    ]
    return admin_page(
        "Racks",
        page_head(
            "Racks",
            lede=f"{site.name}: {site.servers:,} servers in {site.racks:,} racks, "
            f"{site.available:,} for sale."
            if site
            else "No datacentre is written down yet.",
            actions=actions if may_change and site else None,
        ),
        dcim_tabs(RACKS),
        _sites(sites, datacentre) if len(sites) > 1 else None,
        racks_region(racks, datacentre),
        frame=frame,
        active=ACTIVE,
    )


def _sites(sites: Sequence[DatacentreView], datacentre: str) -> h.Element:
    form = Form(values={DATACENTRE: datacentre})
    return h.form(".sw-filter-form.sw-sites", method="get", action=RACKS)[
        select_field(
            form,
            DATACENTRE,
            "Datacentre",
            [Option(value=one.code, label=f"{one.name} ({one.racks} racks)") for one in sites],
        ),
        h.div(".sw-actions")[submit_button("Show", weight="plain", busy="Reading…")],
    ]


def racks_region(racks: Sequence[RackSummary], datacentre: str) -> h.Element:
    """Return the racks, which follow what happens to servers."""
    return live_region(
        "servers", f"{RACKS}/now?{DATACENTRE}={datacentre}", id_="racks", at_most_every_ms=2_000
    )[
        stack(_totals(racks), [_row(place, members) for place, members in _rows(racks)])
        if racks
        else card(empty("server", "No racks yet", "Add one, or import servers with their racks."))
    ]


def _rows(racks: Sequence[RackSummary]) -> list[tuple[str, list[RackSummary]]]:
    def place(rack: RackSummary) -> str:
        return ", ".join(filter(None, (rack.room, rack.row and f"row {rack.row}")))

    return [(words, list(members)) for words, members in groupby(racks, place)]


def _row(place: str, racks: Sequence[RackSummary]) -> h.Element:
    return h.section[
        h.h2(".sw-row-title")[place or "In no row"],
        h.div(".sw-rack-cards")[[_card(rack) for rack in racks]],
    ]


def _card(rack: RackSummary) -> h.Element:
    watts = rack.power_draw_watts
    return h.article(".card.sw-rack-card")[
        h.h3(".sw-rack-card-name")[h.a(href=f"{RACKS}/{rack.id}")[rack.name]],
        quota(rack.used_units, rack.u_height, label="Units"),
        quota(watts, rack.limit_watts, label="Power", unit="W")
        if rack.limit_watts
        else h.p(".sw-quiet")[f"{watts:,} W, no limit"],
        h.p(".sw-quiet")[
            f"{rack.largest_gap} free units on end" if rack.largest_gap else "No unit is free"
        ],
        _states(rack.states),
    ]


def _states(states: Mapping[ServerState, int]) -> h.Element:
    return h.ul(".sw-badges")[
        [
            h.li[badge(f"{states[state]} {state}", state_tone(state))]
            for state in ServerState
            if state in states
        ]
    ]


def _totals(racks: Sequence[RackSummary]) -> h.Element:
    limited = [rack for rack in racks if rack.limit_watts]
    counts = {
        state: sum(rack.states.get(state, 0) for rack in racks)
        for state in ServerState
        if any(state in rack.states for rack in racks)
    }
    return card(
        h.div(".sw-totals")[
            quota(
                sum(rack.used_units for rack in racks),
                sum(rack.u_height for rack in racks),
                label="Units",
            ),
            quota(
                sum(rack.power_draw_watts for rack in limited),
                sum(rack.limit_watts or 0 for rack in limited),
                label="Power of racks with a limit",
                unit="W",
            )
            if limited
            else None,
            _states(counts),
        ]
    )
