"""Have the flows that Slipway ships serve the categories that nobody chose others for."""

from uuid import UUID

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
AT_PANELS = {
    "solusvm1": "vps-solusvm1",
    "solusvm2": "vps-solusvm2",
    "virtualizor": "vps-virtualizor",
}
"""In place of `vps-proxmox` where all machines of a category are at one provider of that kind."""

EVERYWHERE = ("server-erase",)
"""Flows that listen to events of the whole house: no category is served by them."""

_UNBOUND = f"""
SELECT c.id FROM category c
WHERE NOT EXISTS (SELECT FROM flow_binding b WHERE b.category = c.id AND b.trigger = $1)
AND $2 = coalesce((SELECT {KIND_OF_P} FROM product p WHERE p.category = c.id LIMIT 1), 'server')
"""


_PROVIDERS = """
SELECT array_agg(DISTINCT x.facts->>'provider') FROM product p
CROSS JOIN LATERAL jsonb_array_elements(p.machine_rules->'places') AS place
JOIN connection x ON x.name = place->>'connection' WHERE p.category = $1
"""


async def serve_categories(tx: Tx) -> None:
    """Publish them, and bind them where a category has no flow for an event."""
    for kind, flows in BY_KIND.items():
        for trigger, flow in flows.items():
            rows = await tx.fetch(_UNBOUND, trigger, kind)
            fitting = {row["id"]: await _fitting(tx, row["id"], flow) for row in rows}
            for each in {flow} if kind is ProductKind.SERVER else {*fitting.values()}:
                await publish(tx, find_template(each), note=NOTE)
            for category, each in fitting.items():
                await bind(tx, category=category, trigger=trigger, flow=each)
    for flow in EVERYWHERE:
        await publish(tx, find_template(flow), note=NOTE)


async def _fitting(tx: Tx, category: UUID, flow: str) -> str:
    """Return the flow, or its like for the panel that makes all machines of the category."""
    if flow != MACHINES["order.paid"]:
        return flow
    providers = await tx.fetchval(_PROVIDERS, category) or []
    return AT_PANELS.get(providers[0], flow) if len(providers) == 1 else flow
