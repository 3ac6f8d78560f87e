"""Have the flows that Slipway ships serve the categories that nobody chose others for."""

from uuid import UUID

from app.core.database import Tx
from app.core.plug_ins import OURS
from app.domain.catalog.kind import KIND_OF_P, ProductKind
from app.domain.connections.kinds import Kind
from app.domain.connections.provider_fields import providers
from app.flows.bind import bind, trigger_of
from app.flows.document import Document
from app.flows.gallery import find_template, is_shipped, shipper_of
from app.flows.publish import publish
from app.flows.upgrade import load
from app.flows.validate import errors_of

NOTE = "shipped with Slipway"
DELIVERS = "order.paid"
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
IRONIC = {
    "order.paid": "dedicated-ironic",
    "service.suspended": "ironic-suspended",
    "service.unsuspended": "ironic-unsuspended",
    "service.terminated": "ironic-terminated",
    "service.reinstall": "ironic-reinstall",
    "service.rescue": "ironic-rescue",
    "service.unrescue": "ironic-unrescue",
}
"""By event, the flow of a category whose machines a cloud of bare metal installs."""
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
EVERYWHERE = ("server-erase", "server-burn-in")
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
    """Publish them, and bind them where a category has no flow for an event.

    A flow whose latest version is somebody's own stays as it is.
    """
    for kind, flows in BY_KIND.items():
        for trigger, flow in flows.items():
            rows = await tx.fetch(_UNBOUND, trigger, kind)
            fitting = {row["id"]: await _fitting(tx, row["id"], kind, trigger) for row in rows}
            for each in {flow} if kind is ProductKind.SERVER else {*fitting.values()}:
                await _publish_as_shipped(tx, each)
            for each in {*fitting.values()} & {*IRONIC.values()}:
                await publish_once(tx, each)
            for category, each in fitting.items():
                await bind(tx, category=category, trigger=trigger, flow=each)
    for flow in EVERYWHERE:
        await _publish_as_shipped(tx, flow)


async def _publish_as_shipped(tx: Tx, slug: str) -> None:
    """Publish a shipped flow as it is today, unless somebody has published a version since."""
    note = await tx.fetchval(
        "SELECT v.note FROM flow f JOIN flow_version v ON v.flow = f.id WHERE f.slug = $1 "
        "ORDER BY v.number DESC LIMIT 1",
        slug,
    )
    if note in {None, note_of(slug)}:
        await publish(tx, find_template(slug), note=note_of(slug))


async def publish_for(tx: Tx, event: str) -> None:
    """Publish the shipped flow for an event of the whole house, if none ever listened to it."""
    if await tx.fetchval("SELECT true FROM flow_trigger WHERE kind = $1 LIMIT 1", event):
        return
    for slug in EVERYWHERE:
        if trigger_of(find_template(slug)) == event:
            await publish_once(tx, slug)


async def publish_once(tx: Tx, slug: str, *, by: UUID | None = None, by_label: str = "") -> None:
    """Publish a shipped flow that is not there: one that a designer filled in stays as it is."""
    if not await tx.fetchval("SELECT true FROM flow WHERE slug = $1", slug):
        await publish(tx, find_template(slug), note=note_of(slug), by=by, by_label=by_label)


async def _fitting(tx: Tx, category: UUID, kind: ProductKind, trigger: str) -> str:
    """Return the flow for the event, or its like of the provider that all of a category is at."""
    general = BY_KIND[kind][trigger]
    if kind is ProductKind.SERVER and await _is_at_cloud(tx, category):
        return IRONIC[trigger]
    if kind not in SOLD_AT:
        return general
    found = await tx.fetchval(_PROVIDERS, category) or []
    provider = providers(SOLD_AT[kind]).get(found[0]) if len(found) == 1 else None
    flow = provider.flows.get(trigger, general) if provider else general
    return general if why_not(flow, trigger) else flow


async def _is_at_cloud(tx: Tx, category: UUID) -> bool:
    """Return whether the flow that delivers for a category installs at a cloud of bare metal."""
    raw = await tx.fetchval(
        "SELECT v.document FROM flow_binding b JOIN flow_version v ON v.flow = b.flow "
        "WHERE b.category = $1 AND b.trigger = $2 ORDER BY v.number DESC LIMIT 1",
        category,
        DELIVERS,
    )
    return raw is not None and is_for_cloud(load(raw))


def is_for_cloud(document: Document) -> bool:
    """Return whether a flow works with servers through the cloud of bare metal that has them."""
    return any(spec.type.startswith("action.metal_") for spec in document.nodes.values())


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
