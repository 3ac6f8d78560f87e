"""Have the flows that Slipway ships serve the categories that nobody chose others for."""

from uuid import UUID

from app.core.database import Tx
from app.core.plug_ins import OURS
from app.domain.catalog.kind import KIND_OF_P, ProductKind
from app.domain.connections.kinds import Kind
from app.domain.connections.provider_fields import providers
from app.flows.bind import bind, trigger_of
from app.flows.gallery import find_template, is_shipped, shipper_of
from app.flows.publish import publish
from app.flows.validate import errors_of

NOTE = "shipped with Slipway"
MOST_TOLD = 5
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
    "service.reinstall": "vps-reinstall-asked",
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
EVERYWHERE = ("server-erase",)
"""Flows that listen to events of the whole house: no category is served by them."""

_UNBOUND = f"""
SELECT c.id FROM category c
WHERE NOT EXISTS (SELECT FROM flow_binding b WHERE b.category = c.id AND b.trigger = $1)
AND $2 = coalesce((SELECT {KIND_OF_P} FROM product p WHERE p.category = c.id LIMIT 1), 'server')
"""


_PROVIDERS = """
SELECT array_agg(DISTINCT x.facts->>'provider') FROM product p
CROSS JOIN LATERAL jsonb_array_elements(coalesce(p.machine_rules, p.game_rules)->'places') AS place
JOIN connection x ON x.name = place->>'connection' WHERE p.category = $1
"""
SOLD_AT = {ProductKind.MACHINE: Kind.HYPERVISOR, ProductKind.GAME: Kind.GAME}


async def serve_categories(tx: Tx) -> None:
    """Publish them, and bind them where a category has no flow for an event."""
    for kind, flows in BY_KIND.items():
        for trigger, flow in flows.items():
            rows = await tx.fetch(_UNBOUND, trigger, kind)
            fitting = {row["id"]: await _fitting(tx, row["id"], kind, trigger) for row in rows}
            for each in {flow} if kind is ProductKind.SERVER else {*fitting.values()}:
                await publish(tx, find_template(each), note=note_of(each))
            for category, each in fitting.items():
                await bind(tx, category=category, trigger=trigger, flow=each)
    for flow in EVERYWHERE:
        await publish(tx, find_template(flow), note=NOTE)


async def _fitting(tx: Tx, category: UUID, kind: ProductKind, trigger: str) -> str:
    """Return the flow for the event, or its like of the provider that all of a category is at."""
    general = BY_KIND[kind][trigger]
    if kind not in SOLD_AT:
        return general
    found = await tx.fetchval(_PROVIDERS, category) or []
    provider = providers(SOLD_AT[kind]).get(found[0]) if len(found) == 1 else None
    flow = provider.flows.get(trigger, general) if provider else general
    return general if why_not(flow, trigger) else flow


def why_not(flow: str, trigger: str) -> str:
    """Return why a flow cannot serve an event, as whole sentences; empty when it can."""
    if not is_shipped(flow):
        return "No package ships it."
    document = find_template(flow)
    if errors := errors_of(document):
        words = "; ".join(error.message.rstrip(".") for error in errors[:MOST_TOLD])
        return f"It cannot be published: {words}."
    if (starts_on := trigger_of(document)) != trigger:
        return f"It starts on {starts_on}, not on {trigger}."
    return ""


def note_of(flow: str) -> str:
    """Return what the first version of a shipped flow says of where it is from."""
    package = shipper_of(flow)
    return NOTE if package == OURS else f"shipped with {package}"
