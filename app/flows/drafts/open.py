"""Open a draft: of a flow that is published, from a template, or of a new and empty flow."""

import re
from itertools import chain, count
from typing import Any
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import Invalid, NotFound
from app.core.ids import new_id
from app.flows.document import Document, encode, parse
from app.flows.drafts.arrange import placed
from app.flows.drafts.sheet import in_order
from app.flows.drafts.views import Designer

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")


async def open_flow(tx: Tx, slug: str, *, by: Designer) -> UUID:
    """Return the draft of a flow; it is made from the latest version when there is none."""
    found = await tx.fetchrow(
        "SELECT f.id AS flow, v.id AS version, v.document FROM flow f JOIN flow_version v "
        "ON v.flow = f.id WHERE f.slug = $1 ORDER BY v.number DESC LIMIT 1",
        slug,
    )
    draft: UUID | None = await tx.fetchval("SELECT id FROM flow_draft WHERE slug = $1", slug)
    if draft is not None:
        return draft
    if found is None:
        raise NotFound("flow", slug)
    document = parse(found["document"])
    return await _insert(tx, document, by, flow=found["flow"], based_on=found["version"])


async def open_new(
    tx: Tx, *, name: str, slug: str, by: Designer, template: Document | None = None
) -> UUID:
    """Return the draft of a new flow, empty or as the template has it.

    A short name that is left out is made from the name, with a number where that is taken. Raises
    `Invalid` when the name is missing, or the short name is bad or taken.
    """
    name, slug = name.strip(), slug.strip()
    if not name:
        raise Invalid({"name": "Give the flow a name."})
    is_given, slug = slug != "", slug or slug_of(name)
    if _SLUG.fullmatch(slug) is None:
        raise Invalid({"slug": "Use small letters, digits and -, 64 at most."})
    free = await _free_slug(tx, slug)
    if is_given and free != slug:
        raise Invalid({"slug": f"There is a flow {slug} already; open it, or choose another name."})
    slug = free
    made = template or Document(flow=slug, nodes={}, edges=())
    return await _insert(tx, msgspec.structs.replace(made, flow=slug, name=name), by)


def slug_of(name: str) -> str:
    """Return the short name that a flow's name makes: `Dedicated server` → `dedicated-server`."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:64].strip("-")


async def _free_slug(tx: Tx, slug: str) -> str:
    """Return the short name, or the first of `slug-2`, `slug-3`… that no flow or draft has."""
    stem = slug[:60].strip("-")
    rows = await tx.fetch(
        "SELECT slug FROM flow WHERE starts_with(slug, $1) "
        "UNION SELECT slug FROM flow_draft WHERE starts_with(slug, $1)",
        stem,
    )
    taken = {row["slug"] for row in rows}
    numbered = (f"{stem}-{number}" for number in count(2))
    return next(one for one in chain([slug], numbered) if one not in taken)


async def _insert(
    tx: Tx,
    document: Document,
    by: Designer,
    *,
    flow: UUID | None = None,
    based_on: UUID | None = None,
) -> UUID:
    values: tuple[Any, ...] = (new_id(), document.flow, flow, based_on)
    # Two people opening the same flow at once get the same draft.
    draft: UUID = await tx.fetchval(
        "INSERT INTO flow_draft (id, slug, flow, based_on, document, created_at, updated_at, "
        "updated_by, updated_by_name) VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8) "
        "ON CONFLICT (slug) DO UPDATE SET slug = EXCLUDED.slug RETURNING id",
        *values,
        encode(placed(in_order(document))),
        tx.now(),
        by.id,
        by.name,
    )
    return draft
