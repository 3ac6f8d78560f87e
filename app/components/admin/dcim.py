"""What the pages of the datacentre share: addresses, tabs, words."""

import htpy as h

from app.components.nav import Tab, tabs
from app.domain.inventory.seed import Feeds, Side
from app.domain.inventory.views import DeviceView, ServerRow

RACKS = "/admin/racks"
SERVERS = "/admin/servers"
DEVICES = "/admin/devices"
CABLES = "/admin/cables"
CPUS = "/admin/cpu-models"
MOVES = "/admin/moves"
DELIVERY = "/admin/delivery"
ACTIVE = "racks"

SIDES: dict[Side, str] = {"both": "Full depth", "front": "Front only", "rear": "Rear only"}
FEEDS: dict[Feeds, str] = {"AB": "A and B", "A": "A", "B": "B"}


def dcim_tabs(active: str) -> h.Element:
    """Return links between the datacentre's pages; `active` is the address of the one shown."""
    items = [
        Tab("Racks", RACKS),
        Tab("Cables", CABLES),
        Tab("CPU models", CPUS),
        Tab("Delivery", DELIVERY),
        Tab("Moves", MOVES),
    ]
    return h.div(".sw-filters")[tabs(items, active, label="Datacentre")]


def units_text(u_position: int | None, u_height: int) -> str:
    """Say `U7`, `U7 to U8`, or that no unit is filled."""
    if u_position is None:
        return "no unit"
    top = u_position + u_height - 1
    return f"U{u_position}" + (f" to U{top}" if top > u_position else "")


def occupant_href(one: ServerRow | DeviceView) -> str:
    return f"{DEVICES if isinstance(one, DeviceView) else SERVERS}/{one.id}"
