"""One rack: its elevations, what it carries of what it may, and what is to be carried there."""

from dataclasses import dataclass

import htpy as h

from app.components.admin.dcim import ACTIVE, DEVICES, MOVES, RACKS, SERVERS, units_text
from app.components.admin.elevation import COLOURS, Colour, elevations, legend
from app.components.button import link_button
from app.components.card import card, stack
from app.components.facts import facts
from app.components.frame import PageFrame
from app.components.live import live_region
from app.components.nav import Tab, tabs
from app.components.page import admin_page, page_head
from app.components.progress import quota
from app.domain.inventory.views import RackView


@dataclass(frozen=True, slots=True, kw_only=True)
class RackFile:
    """A rack as its viewer sees it."""

    rack: RackView
    colour: Colour
    ports: tuple[int, int] | None
    """Of its switches: (taken, all); None without a switch."""
    may_change: bool


def rack_page(file: RackFile, *, frame: PageFrame) -> h.Element:
    return admin_page(f"Rack {file.rack.name}", rack_region(file), frame=frame, active=ACTIVE)


def rack_region(file: RackFile) -> h.Element:
    """Return the whole page but its frame; it follows what happens to servers."""
    rack, here = file.rack, f"{RACKS}/{file.rack.id}"
    place = " · ".join(filter(None, (rack.datacentre, rack.room, rack.row and f"row {rack.row}")))
    return live_region(
        "servers", f"{here}/now?colour={file.colour}", id_="rack", at_most_every_ms=2_000
    )[
        page_head(
            f"Rack {rack.name}",
            eyebrow=h.a(href=f"{RACKS}?datacentre={rack.datacentre}")[place],
            lede=f"{len(rack.servers)} servers in {rack.u_height} units",
            actions=_actions(file),
        ),
        stack(
            tabs(
                [Tab(words, f"{here}?colour={key}") for key, words in COLOURS.items()],
                f"{here}?colour={file.colour}",
                label="Colour by",
            ),
            h.div(".sw-rack-layout")[
                card(
                    elevations(rack, colour=file.colour, draggable=file.may_change),
                    title="Elevation",
                    symbol="server",
                    lede="Drag a server to another unit, or choose “Move” on its page; "
                    "you see whether it may stand there before anything is written."
                    if file.may_change
                    else None,
                ),
                stack(
                    card(capacity(rack, file.ports), title="Capacity"),
                    card(legend(rack, file.colour), title=COLOURS[file.colour])
                    if rack.servers
                    else None,
                    _devices(rack),
                    _moves(rack),
                    card(h.p(".sw-note")[rack.note], title="Note") if rack.note else None,
                ),
            ],
        ),
    ]


def _actions(file: RackFile) -> list[h.Node]:
    here = f"{RACKS}/{file.rack.id}"
    labels = link_button("Labels", f"{here}/labels", symbol="receipt", weight="quiet")
    if not file.may_change:
        return [labels]
    return [
        link_button("Change", f"{here}/change", symbol="pencil"),
        link_button("Add a device", f"{DEVICES}/new?rack={file.rack.id}", symbol="plus"),
        labels,
    ]


def capacity(rack: RackView, ports: tuple[int, int] | None = None) -> h.Element:
    """Return how much of each of its limits a rack uses; what has no limit says so."""
    watts = rack.power_draw_watts
    limits = (
        ("Power", watts, rack.power_budget_watts or None, "W"),
        ("Feed A alone", rack.drawn_from("A"), rack.feed_a_watts, "W"),
        ("Feed B alone", rack.drawn_from("B"), rack.feed_b_watts, "W"),
        ("Cooling", watts, rack.cooling_watts, "W"),
        ("Weight", rack.load_kg, rack.weight_kg, "kg"),
        ("Switch ports", *(ports or (0, None)), ""),
    )
    known = [one for one in limits if one[2] is not None]
    unknown = [one[0].lower() for one in limits if one[2] is None]
    return stack(
        quota(rack.used_units, rack.u_height, label="Units"),
        [quota(used, limit or 0, label=name, unit=unit) for name, used, limit, unit in known],
        h.p(".sw-quiet")[f"{watts:,} W drawn. Without a limit: {', '.join(unknown)}."]
        if unknown
        else None,
    )


def _devices(rack: RackView) -> h.Element | None:
    if not rack.devices:
        return None
    return card(
        facts(
            (
                one.name,
                [
                    h.a(href=f"{DEVICES}/{one.id}")[f"{one.kind}, {one.model or 'no model'}"],
                    h.span(".sw-under")[
                        f"{units_text(one.u_position, one.u_height)}, "
                        f"{one.cabled} of {one.ports} ports cabled"
                    ],
                ],
            )
            for one in rack.devices
        ),
        title="Devices",
        symbol="network",
    )


def _moves(rack: RackView) -> h.Element | None:
    if not rack.moves:
        return None
    return card(
        facts(
            (
                units_text(one.u_position, one.u_height),
                h.a(href=f"{SERVERS}/{one.server}")[one.server_name],
            )
            for one in rack.moves
        ),
        title="Kept for planned moves",
        symbol="arrow-right",
        actions=link_button("All", MOVES, size="small", weight="quiet"),
    )
