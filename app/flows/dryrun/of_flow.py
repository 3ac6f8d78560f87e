"""Dry runs and rehearsals of what is published, with the history and records of its runs."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import NotFound
from app.flows.document import Document, parse
from app.flows.dryrun.dry_run import dry_run
from app.flows.dryrun.given import Given
from app.flows.dryrun.recording import read_recording
from app.flows.dryrun.result import DryRun
from app.flows.history import find_history
from app.flows.predict import History


class Published(msgspec.Struct, frozen=True):
    """A version of a flow, with its document."""

    flow: str
    version: UUID
    number: int
    document: Document


async def find_published(tx: Tx, slug: str, number: int | None = None) -> Published:
    """Return a version of a flow, the latest if none is named. Raises NotFound."""
    row = await tx.fetchrow(
        "SELECT v.id, v.number, v.document FROM flow_version v JOIN flow f ON f.id = v.flow "
        "WHERE f.slug = $1 AND ($2::int IS NULL OR v.number = $2) ORDER BY v.number DESC LIMIT 1",
        slug,
        number,
    )
    if row is None:
        raise NotFound("published version of the flow", slug)
    return Published(slug, row["id"], row["number"], parse(row["document"]))


async def history_of(tx: Tx, document: Document) -> History:
    """Return how long steps took by the latest version of the document's flow; empty if none."""
    version: UUID | None = await tx.fetchval(
        "SELECT v.id FROM flow_version v JOIN flow f ON f.id = v.flow WHERE f.slug = $1 "
        "ORDER BY v.number DESC LIMIT 1",
        document.flow,
    )
    return History() if version is None else await find_history(tx, version, document)


async def given_for(tx: Tx, given: Given, run: UUID | None) -> Given:
    """Return what a dry run goes by, with a recorded run. Raises NotFound, TooLong."""
    if run is None:
        return given
    return msgspec.structs.replace(given, recorded=await read_recording(tx, run))


async def dry_run_of(
    tx: Tx,
    document: Document,
    given: Given | None = None,
    *,
    run: UUID | None = None,
    pins: Mapping[str, Any] | None = None,
) -> DryRun:
    """Return what a document, a draft or a version, would do, and how long that usually takes.

    `run` is a recorded run that answers, `pins` are a draft's. Reads only; see `dry_run` for
    what bounds it.
    """
    given = await given_for(tx, given or Given(), run)
    if pins is not None:
        given = msgspec.structs.replace(given, pins={**pins, **given.pins})
    history = await history_of(tx, document)
    return await dry_run(document, given, now=tx.now(), history=history)
