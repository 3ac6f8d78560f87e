"""Dry runs and rehearsals of what is published, with the history and records of its runs."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.flows.document import Document
from app.flows.dryrun.dry_run import dry_run
from app.flows.dryrun.given import Given
from app.flows.dryrun.recording import read_recording
from app.flows.dryrun.result import DryRun
from app.flows.history import find_history
from app.flows.predict import History


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
