"""What a person has done about a machine at its provider: asked for here, done by a worker.

Each errand is done in short calls, one outbox row after the other, until it is through or its time
is over; its outcome is in the audit trail.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.outbox import emit
from app.domain.audit.record import record
from app.domain.machines.judge import Drift
from app.domain.machines.note import note_machine, note_removed
from app.domain.machines.watch import TOPIC, ask_now
from app.domain.services.states import ServiceState
from app.domain.services.terminate import terminate_service
from app.drivers.hypervisor.contract import Vm

ERRAND = "machine.errand"
GOOD_FOR = timedelta(minutes=15)
"""A machine is not changed by a click that was made long before its provider answered."""


class Deed(StrEnum):
    """What is done."""

    suspend = "suspend"
    unsuspend = "unsuspend"
    start = "start"
    release = "release"
    """Its provider has it no more: the service ends, and its addresses are given back."""
    remove = "remove"
    """It belongs to no service: it is deleted at its provider with its disk."""


REMEDIES: Mapping[Drift, Deed] = {
    Drift.not_suspended: Deed.suspend,
    Drift.suspended: Deed.unsuspend,
    Drift.off: Deed.start,
}
"""What makes a machine what its service says, and takes nothing from anybody."""


class Errand(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done about a machine, and how far it is."""

    id: UUID
    deed: Deed
    about: UUID
    """The service, or the stray machine."""
    service: UUID
    """Whose mark the machine carries."""
    hostname: str
    connection: str
    until: datetime
    actor: UUID | None
    actor_label: str
    reason: str = ""
    turn: int = 0
    memo: dict[str, Any] = {}

    @property
    def is_of_stray(self) -> bool:
        return self.about != self.service


async def is_still_wanted(tx: Tx, errand: Errand) -> bool:
    """Say whether an errand is still what the books say; they may have changed meanwhile."""
    if errand.is_of_stray:
        row = await tx.fetchrow(
            "SELECT m.connection = t.connection AND m.removed_at IS NULL AS is_taken "
            "FROM stray_machine t LEFT JOIN machine m ON m.service = t.service WHERE t.id = $1",
            errand.about,
        )
        return row is not None and not row["is_taken"]
    row = await tx.fetchrow(
        "SELECT s.state, m.connection, m.removed_at FROM service s "
        "JOIN machine m ON m.service = s.id WHERE s.id = $1",
        errand.service,
    )
    if row is None or row["removed_at"] is not None or row["connection"] != errand.connection:
        return False
    state = ServiceState(row["state"])
    match errand.deed:
        case Deed.suspend:
            return state is ServiceState.suspended
        case Deed.unsuspend | Deed.start:
            return state is ServiceState.active
        case Deed.remove:
            return state is ServiceState.terminated
        case Deed.release:
            return True


async def go_on(tx: Tx, errand: Errand, *, memo: Mapping[str, Any], at: datetime) -> None:
    """Have the next part of an errand done at a time; asked twice, it is done once."""
    following = msgspec.structs.replace(errand, turn=errand.turn + 1, memo=dict(memo))
    key = f"{ERRAND}:{errand.id}:{following.turn}"
    await emit(tx, ERRAND, key, msgspec.to_builtins(following), due_at=at)


async def note_done(tx: Tx, errand: Errand, vm: Vm | None) -> None:
    """Keep that an errand is through: the machine as it is now, or that it is gone."""
    match errand.deed:
        case Deed.release:
            await note_removed(tx, errand.service)
            state = await tx.fetchval("SELECT state FROM service WHERE id = $1", errand.service)
            if state in (ServiceState.active, ServiceState.suspended):
                await terminate_service(
                    tx, errand.service, actor=errand.actor, actor_label=errand.actor_label,
                    reason=errand.reason or "Its machine is gone at the provider.",
                )  # fmt: skip
        case Deed.remove if errand.is_of_stray:
            await tx.execute("DELETE FROM stray_machine WHERE id = $1", errand.about)
        case Deed.remove:
            await note_removed(tx, errand.service)
        case _ if vm is not None:
            await note_machine(tx, errand.service, vm)
    await _keep(tx, errand, "machines.done", "")


async def note_failed(tx: Tx, errand: Errand, why: str) -> None:
    """Keep why an errand was given up."""
    await _keep(tx, errand, "machines.could_not", why)


async def _keep(tx: Tx, errand: Errand, action: str, why: str) -> None:
    await record(
        tx,
        actor=None,
        actor_label="system",
        action=action,
        subject_kind="stray_machine" if errand.is_of_stray else "service",
        subject=errand.about,
        before={},
        after={"deed": errand.deed, "connection": errand.connection},
        reason=why,
    )
    await ask_now(tx, errand.connection)
    tx.publish(TOPIC, f"service:{errand.service}")
