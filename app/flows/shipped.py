"""Have the flows that Slipway ships serve the categories that nobody chose others for."""

from app.core.database import Tx
from app.flows.bind import bind
from app.flows.gallery import find_template
from app.flows.publish import publish

NOTE = "shipped with Slipway"
SERVERS = {
    "order.paid": "dedicated-server",
    "service.suspended": "server-suspended",
    "service.unsuspended": "server-unsuspended",
    "service.terminated": "server-terminated",
    "service.reinstall": "server-reinstall",
    "service.rescue": "server-rescue",
    "service.unrescue": "server-unrescue",
}
"""By event, the flow of a category whose machines are physical."""
MACHINES = {
    "order.paid": "vps-proxmox",
    "service.suspended": "vps-suspended",
    "service.unsuspended": "vps-unsuspended",
    "service.terminated": "vps-terminated",
}
"""By event, the flow of a category whose machines are virtual."""

EVERYWHERE = ("server-erase",)
"""Flows that listen to events of the whole house: no category is served by them."""

_UNBOUND = """
SELECT c.id FROM category c
WHERE NOT EXISTS (SELECT FROM flow_binding b WHERE b.category = c.id AND b.trigger = $1)
AND $2 = EXISTS (SELECT FROM product p WHERE p.category = c.id AND p.machine_rules IS NOT NULL)
"""


async def serve_categories(tx: Tx) -> None:
    """Publish them, and bind them where a category has no flow for an event."""
    for flows, is_virtual in ((SERVERS, False), (MACHINES, True)):
        for trigger, flow in flows.items():
            rows = await tx.fetch(_UNBOUND, trigger, is_virtual)
            if rows or not is_virtual:
                await publish(tx, find_template(flow), note=NOTE)
            for row in rows:
                await bind(tx, category=row["id"], trigger=trigger, flow=flow)
    for flow in EVERYWHERE:
        await publish(tx, find_template(flow), note=NOTE)
