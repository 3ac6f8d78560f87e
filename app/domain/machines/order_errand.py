"""Decide what is done about a machine: each is an errand that a worker does, and audited."""

from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.ids import new_id
from app.core.outbox import emit
from app.domain.audit.record import record
from app.domain.machines.drifts import find_drift, find_stray
from app.domain.machines.errand import ERRAND, GOOD_FOR, REMEDIES, Deed, Errand
from app.domain.machines.errors import AsItShouldBe, TwinMachine, UnderWay
from app.domain.machines.held import HELD
from app.domain.machines.judge import Drift
from app.domain.machines.views import MachineDrift
from app.domain.machines.watch import TOPIC


async def order_remedy(tx: Tx, service: UUID, *, actor: UUID | None, actor_label: str) -> Deed:
    """Have a machine suspended, released from it, or started: what its service says.

    Raises NotFound, AsItShouldBe, UnderWay.
    """
    found = await find_drift(tx, service)
    deed = REMEDIES.get(found.drift)
    if deed is None:
        raise AsItShouldBe(service)
    await hand_over(tx, _errand(tx, deed, found, actor=actor, actor_label=actor_label))
    return deed


async def order_release(
    tx: Tx, service: UUID, *, actor: UUID | None, actor_label: str, reason: str
) -> None:
    """Have a service ended whose machine is gone, once its provider was asked again.

    Raises NotFound, AsItShouldBe, UnderWay.
    """
    found = await find_drift(tx, service)
    if found.drift is not Drift.gone:
        raise AsItShouldBe(service)
    errand = _errand(tx, Deed.release, found, actor=actor, actor_label=actor_label, reason=reason)
    await hand_over(tx, errand)


async def order_removal(
    tx: Tx, about: UUID, *, actor: UUID | None, actor_label: str, reason: str
) -> None:
    """Have a machine deleted whose service has ended, or that belongs to none.

    `about` is the service, or the stray machine. Raises NotFound, AsItShouldBe, TwinMachine,
    UnderWay.
    """
    if await tx.fetchval(f"SELECT EXISTS (SELECT FROM {HELD} m WHERE m.service = $1)", about):
        found = await find_drift(tx, about)
        if found.drift is not Drift.left_over:
            raise AsItShouldBe(about)
        errand = _errand(
            tx, Deed.remove, found, actor=actor, actor_label=actor_label, reason=reason
        )
    else:
        stray = await find_stray(tx, about)
        if stray.is_twin:
            raise TwinMachine(stray.number, service=stray.service)
        errand = Errand(
            id=new_id(),
            deed=Deed.remove,
            about=about,
            service=stray.service,
            hostname=stray.name,
            connection=stray.connection,
            until=tx.now() + GOOD_FOR,
            actor=actor,
            actor_label=actor_label,
            reason=reason,
        )
    await hand_over(tx, errand)


async def leave_alone(
    tx: Tx, stray_id: UUID, *, actor: UUID | None, actor_label: str, reason: str = ""
) -> None:
    """Say that a stray machine is meant to be there: it is not counted any more. Idempotent."""
    stray = await find_stray(tx, stray_id)
    if stray.left_alone_at is not None:
        return
    await tx.execute(
        "UPDATE stray_machine SET left_alone_at = $2 WHERE id = $1", stray_id, tx.now()
    )
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="machines.left_alone",
        subject_kind="stray_machine",
        subject=stray_id,
        before={},
        after={"connection": stray.connection, "machine": stray.number, "name": stray.name},
        reason=reason,
    )
    tx.publish(TOPIC)


def _errand(
    tx: Tx,
    deed: Deed,
    found: MachineDrift,
    *,
    actor: UUID | None,
    actor_label: str,
    reason: str = "",
) -> Errand:
    return Errand(
        id=new_id(),
        deed=deed,
        about=found.service,
        service=found.service,
        hostname=found.hostname,
        connection=found.connection,
        until=tx.now() + GOOD_FOR,
        actor=actor,
        actor_label=actor_label,
        reason=reason,
    )


async def hand_over(tx: Tx, errand: Errand) -> None:
    """Hand it to a worker, unless one about the same machine is under way."""
    about = str(errand.about)
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"{ERRAND}:{about}")
    if await tx.fetchval(
        "SELECT EXISTS (SELECT FROM outbox WHERE topic = $1 AND done_at IS NULL "
        "AND payload->>'about' = $2)",
        ERRAND,
        about,
    ):
        raise UnderWay(errand.about)
    await emit(tx, ERRAND, f"{ERRAND}:{errand.id}:0", msgspec.to_builtins(errand))
    await record(
        tx,
        actor=errand.actor,
        actor_label=errand.actor_label,
        action=f"machines.{errand.deed}",
        subject_kind="stray_machine" if errand.is_of_stray else "service",
        subject=errand.about,
        before={},
        after={"connection": errand.connection, "machine": errand.hostname},
        reason=errand.reason,
    )
    tx.publish(TOPIC, f"service:{errand.service}")
