"""Have the flows that Slipway ships serve the categories that nobody chose others for."""

from app.core.database import Tx
from app.domain.catalog.kind import KIND_OF_P, ProductKind
from app.flows.bind import bind
from app.flows.gallery import find_template
from app.flows.publish import publish

NOTE = "shipped with Slipway"
SERVERS = {
    "order.paid": "dedicated-server",
    "service.suspended": "server-suspended",
    "service.unsuspended": "server-unsuspended",
    "service.terminated": "server-terminated",
}
"""By event, the flow of a category whose machines are physical."""
MACHINES = {
    "order.paid": "vps-proxmox",
    "service.suspended": "vps-suspended",
    "service.unsuspended": "vps-unsuspended",
    "service.terminated": "vps-terminated",
}
"""By event, the flow of a category whose machines are virtual."""
GAMES = {
    "order.paid": "game-pterodactyl",
    "service.suspended": "game-suspended",
    "service.unsuspended": "game-unsuspended",
    "service.terminated": "game-terminated",
}
"""By event, the flow of a category of game servers."""
BY_KIND = {
    ProductKind.SERVER: SERVERS,
    ProductKind.MACHINE: MACHINES,
    ProductKind.GAME: GAMES,
}
"""Those of other kinds are templates, which a designer fills in first."""

_UNBOUND = f"""
SELECT c.id FROM category c
WHERE NOT EXISTS (SELECT FROM flow_binding b WHERE b.category = c.id AND b.trigger = $1)
AND $2 = coalesce((SELECT {KIND_OF_P} FROM product p WHERE p.category = c.id LIMIT 1), 'server')
"""


async def serve_categories(tx: Tx) -> None:
    """Publish them, and bind them where a category has no flow for an event."""
    for kind, flows in BY_KIND.items():
        for trigger, flow in flows.items():
            rows = await tx.fetch(_UNBOUND, trigger, kind)
            if rows or kind is ProductKind.SERVER:
                await publish(tx, find_template(flow), note=NOTE)
            for row in rows:
                await bind(tx, category=row["id"], trigger=trigger, flow=flow)
