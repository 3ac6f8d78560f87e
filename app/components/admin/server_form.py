"""Forms that change what is written down of servers: of one, or the same of many."""

from collections.abc import Sequence
from uuid import UUID

import htpy as h

from app.components.admin.dcim import FEEDS, SERVERS
from app.components.admin.entry import entry_page, pair
from app.components.admin.rack_form import number_field
from app.components.choice import Option, checkbox_field, select_field
from app.components.form import Form, hidden_field, text_field, textarea_field
from app.components.frame import PageFrame
from app.domain.inventory.views import ServerRow, ServerView

LABELS = {
    "name": "Name",
    "model": "Model",
    "cpu_model": "CPU",
    "cpu_count": "Sockets",
    "ram_gb": "Memory",
    "disks": "Disks",
    "raid_controller": "RAID controller",
    "raid_model": "RAID model",
    "power_draw_watts": "Power draw",
    "feeds": "Feeds",
    "weight_kg": "Weight",
    "mac": "MAC",
    "warranty_ends_on": "Warranty ends",
    "note": "Note",
    "rack": "Rack",
    "reason": "Reason",
    "ends": "Ends",
}
SERVER = "server"


def change_page(
    server: ServerView, form: Form, cpus: Sequence[str], *, frame: PageFrame
) -> h.Element:
    return entry_page(
        f"Change {server.name}",
        pair(text_field(form, "name", "Name"), text_field(form, "model", "Model", optional=True)),
        pair(
            select_field(
                form, "cpu_model", "CPU", [Option(value=name, label=name) for name in cpus]
            ),
            number_field(form, "cpu_count", "Sockets", optional=False),
            number_field(form, "ram_gb", "Memory", unit="GB", optional=False),
        ),
        text_field(
            form,
            "disks",
            "Disks",
            optional=True,
            mono=True,
            placeholder="2 x 960 nvme; 4 x 8 TB hdd",
            help_="Count, size and kind; a size without a unit is in GB.",
        ),
        checkbox_field(form, "raid_controller", "It has a hardware RAID controller"),
        text_field(form, "raid_model", "RAID model", optional=True),
        pair(
            number_field(form, "power_draw_watts", "Power draw", unit="W"),
            _feeds(form),
            number_field(form, "weight_kg", "Weight", unit="kg"),
        ),
        pair(
            text_field(form, "mac", "MAC", mono=True, help_="Of the card that it boots from."),
            text_field(form, "warranty_ends_on", "Warranty ends", kind="date", optional=True),
        ),
        textarea_field(form, "note", "Note", rows=4, optional=True),
        form=form,
        action=f"{SERVERS}/{server.id}/change",
        confirm="Write it down",
        back=(server.name, f"{SERVERS}/{server.id}"),
        frame=frame,
        active="servers",
        labels=LABELS,
    )


def many_page(
    servers: Sequence[ServerRow],
    form: Form,
    racks: Sequence[tuple[UUID, str]],
    *,
    frame: PageFrame,
) -> h.Element:
    """Return the form that changes the same of several servers; what is empty stays."""
    names = ", ".join(server.name for server in servers)
    return entry_page(
        f"Change {len(servers)} servers",
        [hidden_field(SERVER, str(server.id)) for server in servers],
        pair(
            text_field(form, "model", "Model", optional=True),
            number_field(form, "power_draw_watts", "Power draw", unit="W"),
            number_field(form, "weight_kg", "Weight", unit="kg"),
        ),
        pair(
            _feeds(form, blank="As they are"),
            text_field(form, "warranty_ends_on", "Warranty ends", kind="date", optional=True),
        ),
        textarea_field(form, "note", "Note", rows=3, optional=True),
        select_field(
            form,
            "rack",
            "Put all of them into rack",
            [Option(value=str(id_), label=words) for id_, words in racks],
            blank="Where they stand",
            optional=True,
            help_="Where they fit best. The rules of the rack decide for all of them.",
        ),
        checkbox_field(form, "maintenance", "Take them out of stock for maintenance"),
        *maintenance_fields(form),
        form=form,
        action=f"{SERVERS}/many/change",
        confirm="Change all of them",
        back=("Servers", SERVERS),
        frame=frame,
        active="servers",
        labels=LABELS,
        lede=f"{names}. What is left empty stays; all are changed, or none.",
    )


def maintenance_fields(form: Form) -> list[h.Element]:
    return [
        textarea_field(
            form, "reason", "Reason", rows=2, optional=True, help_="Needed for maintenance."
        ),
        ends_field(form),
    ]


def ends_field(form: Form) -> h.Element:
    """Return the field of the time at which a maintenance ends by itself, in UTC."""
    return text_field(
        form,
        "ends",
        "Ends by itself, UTC",
        optional=True,
        placeholder="2027-03-01 06:00",
        help_="Empty: when somebody says so.",
    )


def _feeds(form: Form, blank: str | None = None) -> h.Element:
    options = [Option(value=one, label=words) for one, words in FEEDS.items()]
    return select_field(form, "feeds", "Feeds", options, blank=blank, optional=blank is not None)
