"""Publish a flow: a new immutable version when what runs has changed, or an old one again."""

from uuid import UUID

import asyncpg
from msgspec.structs import replace

from app.core.database import Tx
from app.core.errors import Invalid, NotFound, Refusal
from app.core.ids import new_id
from app.domain.audit.record import record
from app.flows.bind import label_of, trigger_of
from app.flows.document import Document, content_hash, encode, parse
from app.flows.triggers.register import register_triggers
from app.flows.upgrade import upgraded
from app.flows.validate import require_valid

LONGEST_NOTE = 2_000


class TriggerBound(Refusal):
    """The version would not start on what the flow is bound to."""

    code = "flow.trigger_bound"

    def __init__(self, flow: str, *, trigger: str, bound: tuple[str, ...]) -> None:
        super().__init__(
            f"The flow {flow} serves {', '.join(bound)}, and this version starts on {trigger}: "
            "bind another flow to these first, or publish this one under another name."
        )
        self.flow = flow
        self.trigger = trigger
        self.bound = bound


async def publish(
    tx: Tx, document: Document, *, note: str, by: UUID | None = None, by_label: str = ""
) -> UUID:
    """Return the version that holds `document`; the same content twice is the same version.

    Of a version that is there, positions and notes are brought up to date. `note` says why, and
    `by` and `by_label` who; the label is looked up when it is left out. Raises InvalidFlow,
    Invalid without a note, and TriggerBound. About ten statements.
    """
    require_valid(document)
    note = note.strip()[:LONGEST_NOTE]
    if not note:
        raise Invalid({"note": "Say what changed, for those who look for the reason later."})
    flow: UUID = await tx.fetchval(
        # The update locks the flow, so that versions are numbered one after the other.
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
    latest = await _latest(tx, flow)
    if latest is not None and latest["content_hash"] == digest:
        await _keep_positions(tx, latest, document)
        return UUID(str(latest["id"]))
    await _require_bindings(tx, flow, document)
    number = latest["number"] + 1 if latest is not None else 1
    version: UUID = await tx.fetchval(
        "INSERT INTO flow_version (id, flow, number, document, content_hash, note, published_at, "
        "published_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
        new_id(),
        flow,
        number,
        encode(document),
        digest,
        note,
        tx.now(),
        by,
    )
    await record(
        tx,
        actor=by,
        actor_label=by_label or await label_of(tx, by),
        action="flow.published",
        subject_kind="flow",
        subject=flow,
        before={"version": latest["number"]} if latest is not None else {},
        after={"version": number},
        reason=note,
    )
    tx.publish("flows")
    await register_triggers(tx, flow, version, upgraded(document))
    return version


async def roll_back(
    tx: Tx, flow: str, number: int, *, by: UUID | None = None, by_label: str = "", note: str = ""
) -> UUID:
    """Publish what version `number` holds as a new version, and return that.

    Runs under way stay on theirs. Raises NotFound, and InvalidFlow when what ran then cannot
    run any more. The version that is the latest already is returned as it is.
    """
    raw = await tx.fetchval(
        "SELECT v.document FROM flow_version v JOIN flow f ON f.id = v.flow "
        "WHERE f.slug = $1 AND v.number = $2",
        flow,
        number,
    )
    if raw is None:
        raise NotFound("version of a flow", f"{flow} {number}")
    said = f"Back to version {number}"
    said = f"{said}: {note.strip()}" if note.strip() else said
    return await publish(tx, parse(raw), note=said, by=by, by_label=by_label)


async def _latest(tx: Tx, flow: UUID) -> asyncpg.Record | None:
    return await tx.fetchrow(
        "SELECT id, number, content_hash, document FROM flow_version WHERE flow = $1 "
        "ORDER BY number DESC LIMIT 1",
        flow,
    )


async def _keep_positions(tx: Tx, latest: asyncpg.Record, document: Document) -> None:
    stored = parse(latest["document"])
    if stored.ui != document.ui:
        await tx.execute(
            "UPDATE flow_version SET document = $2 WHERE id = $1",
            latest["id"],
            encode(replace(stored, ui=document.ui)),
        )
        tx.publish("flows")


async def _require_bindings(tx: Tx, flow: UUID, document: Document) -> None:
    rows = await tx.fetch(
        "SELECT c.slug, b.trigger FROM flow_binding b JOIN category c ON c.id = b.category "
        "WHERE b.flow = $1 AND b.trigger <> $2 ORDER BY c.slug, b.trigger",
        flow,
        trigger := trigger_of(document),
    )
    if rows:
        bound = tuple(f"{row['slug']} on {row['trigger']}" for row in rows)
        raise TriggerBound(document.flow, trigger=trigger, bound=bound)
