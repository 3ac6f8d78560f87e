"""Start a flow by hand: by a person, or a program for them, with their name in the trail."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.core.database import Tx
from app.domain.audit.record import record
from app.flows.find_flows import find_version
from app.flows.node import Subject
from app.flows.start import start_flow
from app.flows.steer import By


async def start_by_hand(
    tx: Tx,
    flow: str,
    *,
    data: Mapping[str, Any],
    dedup_key: str,
    by: By,
    subject: UUID | None = None,
    subject_kind: Subject = Subject.NOTHING,
    number: int | None = None,
) -> UUID:
    """Queue a run of the flow, of version `number` or the latest, and note who asked for it.

    Asked again with the same `dedup_key`, returns the run that is there. Raises as
    `start_flow` does.
    """
    version = None if number is None else (await find_version(tx, flow, number)).row.id
    run = await start_flow(
        tx,
        flow,
        data=data,
        dedup_key=dedup_key,
        subject=subject,
        subject_kind=subject_kind,
        version=version,
    )
    noted = await tx.fetchval(
        "SELECT EXISTS (SELECT FROM audit_entry WHERE subject = $1 AND action = 'run.started')", run
    )
    if not noted:
        await record(
            tx,
            actor=by.account,
            actor_label=by.label,
            action="run.started",
            subject_kind="run",
            subject=run,
            before={},
            after={"flow": flow, "about": subject_kind.value, "subject": subject},
        )
    return run
