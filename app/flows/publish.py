"""Publish a flow: a new immutable version when what runs has changed, and its binding."""

from uuid import UUID

from app.core.database import Tx
from app.core.ids import new_id
from app.flows.document import Document, content_hash, encode
from app.flows.triggers.register import register_triggers
from app.flows.validate import require_valid


async def publish(tx: Tx, document: Document, *, note: str, by: UUID | None = None) -> UUID:
    """Return the version that holds `document`; the same content twice is the same version."""
    require_valid(document)
    flow: UUID = await tx.fetchval(
        "INSERT INTO flow (id, slug, name, description, created_at) VALUES ($1, $2, $3, $4, $5) "
        "ON CONFLICT (slug) DO UPDATE SET name = EXCLUDED.name, description = EXCLUDED.description "
        "RETURNING id",
        new_id(),
        document.flow,
        document.name or document.flow,
        document.description,
        tx.now(),
    )
    digest = content_hash(document)
    latest = await tx.fetchrow(
        "SELECT id, number, content_hash FROM flow_version WHERE flow = $1 "
        "ORDER BY number DESC LIMIT 1",
        flow,
    )
    if latest is not None and latest["content_hash"] == digest:
        return UUID(str(latest["id"]))
    version: UUID = await tx.fetchval(
        "INSERT INTO flow_version (id, flow, number, document, content_hash, note, published_at, "
        "published_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
        new_id(),
        flow,
        latest["number"] + 1 if latest is not None else 1,
        encode(document),
        digest,
        note,
        tx.now(),
        by,
    )
    await register_triggers(tx, flow, version, document)
    return version


async def bind(tx: Tx, *, category: UUID, trigger: str, flow: str) -> None:
    """Let the flow serve a product category from now on; running runs stay on theirs."""
    await tx.execute(
        "INSERT INTO flow_binding (id, category, trigger, flow) "
        "SELECT $1, $2, $3, id FROM flow WHERE slug = $4 "
        "ON CONFLICT (category, trigger) DO UPDATE SET flow = EXCLUDED.flow",
        new_id(),
        category,
        trigger,
        flow,
    )
