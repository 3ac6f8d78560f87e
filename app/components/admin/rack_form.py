"""Forms of a rack and of a device, and the labels of a rack to print."""

from collections.abc import Sequence

import htpy as h

from app.components.admin.dcim import ACTIVE, DEVICES, FEEDS, RACKS, SIDES, units_text
from app.components.admin.entry import entry_page, pair
from app.components.admin.trail import trail_card
from app.components.badge import badge
from app.components.button import button, link_button
from app.components.card import card, split, stack
from app.components.choice import Option, select_field
from app.components.facts import copyable, facts
from app.components.form import Form, text_field, textarea_field
from app.components.frame import PageFrame
from app.components.page import admin_page, page_head
from app.domain.audit.views import AuditLine
from app.domain.inventory.seed import DeviceKind
from app.domain.inventory.views import DatacentreView, DeviceView, RackView

KINDS: dict[DeviceKind, str] = {
    "switch": "Switch",
    "pdu": "PDU",
    "panel": "Patch panel",
    "other": "Something else",
}
RACK_LABELS = {
    "name": "Name",
    "datacentre": "Datacentre",
    "room": "Room",
    "row": "Row",
    "place": "Place in the row",
    "u_height": "Units",
    "power_budget_watts": "Power in all",
    "feed_a_watts": "Feed A",
    "feed_b_watts": "Feed B",
    "cooling_watts": "Cooling",
    "weight_kg": "Weight",
    "most_of_client": "Servers of one client",
    "note": "Note",
}
DEVICE_LABELS = {
    "name": "Name",
    "kind": "Kind",
    "rack": "Rack",
    "u_position": "Lowest unit",
    "u_height": "Units",
    "side": "Depth",
    "model": "Model",
    "serial": "Serial number",
    "feeds": "Feeds",
    "power_draw_watts": "Power draw",
    "weight_kg": "Weight",
    "ports": "Ports",
    "note": "Note",
}


def number_field(
    form: Form, name: str, label: str, *, unit: str = "", help_: str = "", optional: bool = True
) -> h.Element:
    return text_field(
        form, name, label, inputmode="numeric", after=unit or None, help_=help_, optional=optional
    )


def rack_form_page(
    form: Form,
    sites: Sequence[DatacentreView],
    rack: RackView | None,
    *,
    frame: PageFrame,
) -> h.Element:
    """Return the form of a new rack, or of one that is there: its datacentre and name stay."""
    title = f"Change rack {rack.name}" if rack else "Add a rack"
    here = f"{RACKS}/{rack.id}" if rack else RACKS
    identity = [
        pair(
            text_field(form, "name", "Name", placeholder="A07"),
            select_field(
                form,
                "datacentre",
                "Datacentre",
                [Option(value=one.code, label=one.name) for one in sites],
            ),
        )
    ]
    return entry_page(
        title,
        identity if rack is None else None,
        pair(
            text_field(form, "room", "Room", optional=True),
            text_field(form, "row", "Row", optional=True),
            number_field(form, "place", "Place in the row"),
        ),
        number_field(form, "u_height", "Units", optional=False),
        pair(
            number_field(
                form,
                "feed_a_watts",
                "Feed A",
                unit="W",
                help_="What it carries alone. Empty: no limit.",
            ),
            number_field(form, "feed_b_watts", "Feed B", unit="W"),
        ),
        pair(
            number_field(
                form,
                "power_budget_watts",
                "Power in all",
                unit="W",
                help_="What the whole rack may draw. Empty: no limit.",
            ),
            number_field(form, "cooling_watts", "Cooling", unit="W"),
        ),
        pair(
            number_field(form, "weight_kg", "Weight", unit="kg"),
            number_field(
                form,
                "most_of_client",
                "Servers of one client",
                help_="No order of a client gets one here beyond it.",
            ),
        ),
        textarea_field(form, "note", "Note", rows=3, optional=True),
        form=form,
        action=f"{here}/change" if rack else f"{RACKS}/new",
        confirm="Write it down",
        back=(f"Rack {rack.name}" if rack else "Racks", here),
        frame=frame,
        active=ACTIVE,
        labels=RACK_LABELS,
    )


def device_form_page(
    form: Form, rack: RackView, device: DeviceView | None, *, frame: PageFrame
) -> h.Element:
    """Return the form of a device of a rack; the name of one that is there stays."""
    title = f"Change {device.name}" if device else f"Add a device to rack {rack.name}"
    here = f"{DEVICES}/{device.id}" if device else f"{RACKS}/{rack.id}"
    return entry_page(
        title,
        text_field(form, "name", "Name", placeholder="ams1-a07-sw1") if device is None else None,
        pair(
            select_field(
                form,
                "kind",
                "Kind",
                [Option(value=kind, label=words) for kind, words in KINDS.items()],
            ),
            text_field(form, "model", "Model", optional=True),
            text_field(form, "serial", "Serial number", optional=True),
        ),
        pair(
            number_field(
                form, "u_position", "Lowest unit", help_="Empty for what stands in no unit."
            ),
            number_field(form, "u_height", "Units"),
            select_field(
                form,
                "side",
                "Depth",
                [Option(value=one, label=words) for one, words in SIDES.items()],
            ),
        ),
        pair(
            number_field(form, "power_draw_watts", "Power draw", unit="W"),
            select_field(
                form,
                "feeds",
                "Feeds",
                [Option(value=one, label=words) for one, words in FEEDS.items()],
            ),
            number_field(form, "weight_kg", "Weight", unit="kg"),
        ),
        text_field(
            form,
            "ports",
            "Ports",
            optional=True,
            mono=True,
            placeholder="swp[1-48]",
            help_="Ports to add. Power ports of a PDU, network ports of anything else.",
        )
        if device is None
        else None,
        textarea_field(form, "note", "Note", rows=3, optional=True),
        form=form,
        action=f"{here}/change" if device else f"{DEVICES}/new?rack={rack.id}",
        confirm="Write it down",
        back=(device.name if device else f"Rack {rack.name}", here),
        frame=frame,
        active=ACTIVE,
        labels=DEVICE_LABELS,
    )


def device_page(
    device: DeviceView,
    ports: h.Node,
    trail: Sequence[AuditLine] | None,
    *,
    may_change: bool,
    frame: PageFrame,
    is_reached: bool = False,
) -> h.Element:
    """Return what is written down of a device; `is_reached` says that a driver reads it."""
    here = f"{DEVICES}/{device.id}"
    return admin_page(
        device.name,
        page_head(
            device.name,
            eyebrow=h.a(href=f"{RACKS}/{device.rack_id}")[
                f"{device.datacentre}, rack {device.rack}"
            ],
            status=badge(KINDS[device.kind], "neutral", dot=False),
            lede=device.model or None,
            actions=[
                _reach(device, here, is_reached=is_reached, may_change=may_change),
                [
                    link_button("Change", f"{here}/change", symbol="pencil"),
                    link_button("Remove", f"{here}/remove", symbol="trash-2", weight="quiet"),
                ]
                if may_change
                else None,
            ],
        ),
        split(
            stack(ports, trail_card(trail) if trail is not None else None),
            stack(
                card(
                    facts(
                        [
                            ("Position", units_text(device.u_position, device.u_height)),
                            ("Depth", SIDES[device.side]),
                            ("Serial number", copyable(device.serial) if device.serial else "none"),
                            (
                                "Power draw",
                                f"{device.power_draw_watts:,} W on {FEEDS[device.feeds]}",
                            ),
                            ("Weight", f"{device.weight_kg:,} kg"),
                        ]
                    ),
                    title="Device",
                    symbol="network",
                ),
                card(h.p(".sw-note")[device.note], title="Note") if device.note else None,
            ),
        ),
        frame=frame,
        active=ACTIVE,
    )


def _reach(
    device: DeviceView, here: str, *, is_reached: bool, may_change: bool
) -> h.Element | None:
    """Return the way to what a switch says itself, or to how it or a PDU is reached."""
    if device.kind not in {"switch", "pdu"}:
        return None
    if is_reached and device.kind == "pdu":
        return link_button("Access", f"{here}/access", symbol="network") if may_change else None
    if is_reached:
        return link_button("Ports and VLANs", f"{here}/switch", symbol="network")
    return link_button("Reach it", f"{here}/access", symbol="network") if may_change else None


def labels_page(rack: RackView, *, frame: PageFrame) -> h.Element:
    """Return a label for the rack and for all that stands in it, three abreast on paper."""
    where = f"{rack.datacentre} {rack.name}"
    return admin_page(
        f"Labels of rack {rack.name}",
        page_head(
            f"Labels of rack {rack.name}",
            eyebrow=h.a(href=f"{RACKS}/{rack.id}")[f"Rack {rack.name}"],
            lede="70 × 37 mm, three abreast and eight down: the usual sheets of 24.",
            actions=button("Print", symbol="file-text", attrs={"data-print": True}),
        ),
        h.ul(".sw-labels")[
            h.li[
                h.strong[where],
                h.span[" ".join(filter(None, (rack.room, rack.row and f"row {rack.row}")))],
            ],
            [
                h.li[
                    h.strong[one.name],
                    h.span[f"{where} {units_text(one.u_position, one.u_height)}"],
                    h.span[f"S/N {one.serial}" if one.serial else one.model],
                    h.span(".sw-label-feeds")[f"Feeds {one.feeds}"],
                ]
                for one in sorted(rack.standing, key=lambda one: -(one.u_position or 0))
            ],
        ],
        frame=frame,
        active=ACTIVE,
    )
