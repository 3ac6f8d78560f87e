"""Rehearse a published version, and keep what was found with it."""

from uuid import UUID

from app.core.database import Database, Tx
from app.domain.audit.record import record
from app.flows.dryrun.given import Given
from app.flows.dryrun.rehearse import Rehearsal, rehearse
from app.flows.dryrun.score import keep_rehearsal
from app.flows.find_flows import find_version
from app.flows.flow_views import VersionView

WAITED_FOR_S = 10.0
"""As long as somebody who waits for it lets a rehearsal go on. Shipped flows take up to 0.5 s."""


async def rehearse_version(
    database: Database, slug: str, number: int | None = None, given: Given | None = None
) -> tuple[VersionView, Rehearsal]:
    """Return a version, the latest if none is named, and its rehearsal; nothing is kept yet.

    It holds no transaction meanwhile. Raises NotFound.
    """
    async with database.snapshot() as tx:
        version = await find_version(tx, slug, number)
    return version, await rehearse(version.document, given, longest_s=WAITED_FOR_S)


async def keep_score(
    tx: Tx, version: VersionView, found: Rehearsal, *, by: UUID | None, by_label: str
) -> None:
    """Keep the rehearsal with what the version says, and note who asked for it."""
    await keep_rehearsal(tx, found, by=by, by_label=by_label)
    await record(
        tx,
        actor=by,
        actor_label=by_label,
        action="flow.rehearsed",
        subject_kind="flow",
        subject=version.flow,
        before={},
        after={"version": version.row.number, "score": found.score},
    )
    tx.publish("flows")
