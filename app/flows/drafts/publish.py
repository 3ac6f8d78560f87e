"""Publish a draft as its flow's next version, or throw it away."""

from uuid import UUID

from app.core.database import Tx
from app.core.errors import Invalid
from app.domain.audit.record import record
from app.flows.document import Document, content_hash, parse
from app.flows.drafts.change import keep, lock
from app.flows.drafts.errors import BadGesture
from app.flows.drafts.find import sheet_of
from app.flows.drafts.views import Designer
from app.flows.publish import publish


class NothingToPublish(BadGesture):
    code = "draft.nothing_to_publish"

    def __init__(self, number: int) -> None:
        super().__init__(f"Nothing that runs differs from version {number}, which is published.")


async def publish_draft(tx: Tx, draft: UUID, *, rev: int, note: str, by: Designer) -> int:
    """Return the number of the version that the draft has become; it stays open.

    Raises `Invalid` without a note or when the draft is not the one that was looked at,
    `InvalidFlow` when it cannot run, and `NothingToPublish`.
    """
    row = await lock(tx, draft)
    if row["rev"] != rev:
        words = "Someone changed the draft while you wrote; look at it again before publishing."
        raise Invalid({"": words})
    sheet = await sheet_of(tx, row)
    latest = await latest_version(tx, draft)
    if latest is not None and content_hash(latest[1]) == content_hash(sheet.document):
        raise NothingToPublish(latest[0])
    version = await publish(tx, sheet.document, note=note, by=by.id, by_label=by.name)
    await keep(tx, draft, rev, sheet)
    number: int = await tx.fetchval(
        "UPDATE flow_draft d SET based_on = v.id, flow = v.flow FROM flow_version v "
        "WHERE d.id = $1 AND v.id = $2 RETURNING v.number",
        draft,
        version,
    )
    tx.publish(f"draft:{draft}")
    return number


async def discard_draft(tx: Tx, draft: UUID, *, by: Designer) -> str:
    """Throw the draft and its history away, and return its short name; versions stay."""
    row = await lock(tx, draft)
    await tx.execute("DELETE FROM flow_draft_command WHERE draft = $1", draft)
    await tx.execute("DELETE FROM flow_draft WHERE id = $1", draft)
    await record(
        tx,
        actor=by.id,
        actor_label=by.name,
        action="flow.draft_discarded",
        subject_kind="flow",
        subject=row["flow"],
        before={"draft": row["slug"], "rev": row["rev"]},
        after={},
    )
    tx.publish(f"draft:{draft}", "flows")
    return str(row["slug"])


async def latest_version(tx: Tx, draft: UUID) -> tuple[int, Document] | None:
    """Return the number and the document of the latest version of a draft's flow."""
    found = await tx.fetchrow(
        "SELECT v.number, v.document FROM flow_draft d JOIN flow_version v ON v.flow = d.flow "
        "WHERE d.id = $1 ORDER BY v.number DESC LIMIT 1",
        draft,
    )
    return None if found is None else (found["number"], parse(found["document"]))
