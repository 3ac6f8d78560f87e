"""Events to flows: what happened, told to the flows that listen and the runs that wait for it.

Each consumer may be called twice: a run's key names the event.
"""

from collections.abc import Mapping
from functools import partial
from uuid import UUID

import msgspec

from app.core.database import Database, Tx
from app.core.outbox import Parcel, emit
from app.domain.services.ask import Asked
from app.flows.dispatch import Event, dispatch, wake
from app.flows.node import Subject
from app.flows.shipped import publish_for
from app.flows.signals import send_signal
from app.flows.start import Link, NoFlow, chain_of
from app.flows.supersede import supersede
from app.flows.triggers.alerts import Alert, alert_of_notice, run_of_notice
from app.jobs.relay_outbox import Consumer

UNDONE = {
    "service.suspended": "switched off",
    "service.unsuspended": "switched on",
    "service.terminated": "given back",
    "service.reinstall": "installed anew",
    "service.rescue": "rescued",
    "service.unrescue": "booted from its disk",
}
"""What only a flow does about a change of a service; without one a person has to."""
ENDS = {
    "service.suspended": ("service.unsuspended", *Asked),
    "service.unsuspended": ("service.suspended",),
    "service.terminated": ("service.suspended", "service.unsuspended", *Asked),
}
"""What each of them makes pointless of what came before."""


class StillUndone(Exception):
    """An earlier run about the same service is not over yet; the event is told again."""


def event_consumers(database: Database) -> Mapping[str, Consumer]:
    service = partial(tell_of_service, database)
    return {
        "service.created": service,
        "service.suspended": service,
        "service.unsuspended": service,
        "service.terminated": service,
        **dict.fromkeys(Asked, service),
        "server.cleaning": partial(tell_of_server, database),
        "server.burn_in": partial(tell_of_burn_in, database),
        "payment.settled": partial(tell_of_payment, database),
        "alert.received": partial(tell_of_alert, database),
    }


async def tell_of_service(database: Database, parcel: Parcel) -> None:
    """`service.*`: start the flow that is bound to the category; staff hear when none is.

    Of a service only what was said last is brought about: what an earlier event began is
    cancelled first (raises StillUndone until it is over), and what is not so any more, because
    it is told late, starts nothing.
    """
    facts = parcel.payload
    event = Event(
        kind=parcel.topic,
        key=parcel.key,
        data=facts,
        subject=UUID(facts["service"]),
        names=(facts["order"],),
        category=UUID(facts["category"]),
    )
    async with database.transaction() as tx:
        undoing = 0
        if parcel.topic in UNDONE:
            if await _is_past(tx, facts):
                await wake(tx, event)
                return
            undoing = await supersede(
                tx, UUID(facts["service"]), ENDS.get(parcel.topic, ()), by=parcel.topic
            )
        if not undoing:
            await _start_or_tell(tx, event, parcel)
    if undoing:
        raise StillUndone(f"{undoing} earlier runs about {facts['hostname']} are being undone")


async def _is_past(tx: Tx, facts: Mapping[str, str]) -> bool:
    state = await tx.fetchval(
        "SELECT state FROM service WHERE id = $1 FOR SHARE", UUID(facts["service"])
    )
    return bool(state != facts["state"])


async def _start_or_tell(tx: Tx, event: Event, parcel: Parcel) -> None:
    try:
        await dispatch(tx, event)
    except NoFlow as error:
        if parcel.topic in UNDONE:
            await _tell_of_unserved(tx, parcel, error)


async def _tell_of_unserved(tx: Tx, parcel: Parcel, error: NoFlow) -> None:
    facts, undone = parcel.payload, UNDONE[parcel.topic]
    await emit(
        tx,
        "admin.notice",
        f"admin.notice:unserved:{parcel.key}",
        {
            "kind": "service.unserved",
            "service": facts["service"],
            "order": facts["order"],
            "title": f"{facts['hostname']} is {facts['state']}, but nothing was {undone}",
            "text": f"{error.message} Until then this is done by hand.",
        },
    )


async def tell_of_payment(database: Database, parcel: Parcel) -> None:
    """`payment.settled`: money came; the order's or invoice's id is what a run waits for."""
    facts = parcel.payload
    names = [facts[name] for name in ("order", "invoice") if facts[name]]
    event = Event(
        kind="payment.received",
        key=parcel.key,
        data=facts,
        subject=UUID(facts["payment"]),
        subject_kind=Subject.PAYMENT,
        names=tuple(names),
    )
    async with database.transaction() as tx:
        await dispatch(tx, event)


async def tell_of_server(database: Database, parcel: Parcel) -> None:
    """`server.*`: what became of a server that nobody has; its id is what a run waits for."""
    facts = parcel.payload
    event = Event(kind=parcel.topic, key=parcel.key, data=facts, names=(facts["server"],))
    async with database.transaction() as tx:
        await dispatch(tx, event)


async def tell_of_burn_in(database: Database, parcel: Parcel) -> None:
    """`server.burn_in`: the same of one that is to be burned in.

    Where no flow ever listened to that, since it came with a later release than the others, the
    shipped one is published first.
    """
    async with database.transaction() as tx:
        await publish_for(tx, parcel.topic)
    await tell_of_server(database, parcel)


async def tell_of_alert(database: Database, parcel: Parcel) -> None:
    """`alert.received`: an alert of Alertmanager's."""
    name = msgspec.convert(parcel.payload, Alert).name
    event = Event(kind="alert", key=parcel.key, data=parcel.payload, names=(name,))
    async with database.transaction() as tx:
        await dispatch(tx, event)


async def tell_of_notice(database: Database, parcel: Parcel) -> None:
    """`admin.notice`: a notice to the staff is an alert of our own.

    One about a run says what led to that run: a flow that is started by alerts and halts would
    be started by that again, and so on for ever.
    """
    async with database.transaction() as tx:
        run = run_of_notice(parcel.key, parcel.payload)
        chain = await chain_of(tx, run) if run is not None else ()
        told = msgspec.convert(parcel.payload.get("chain", []), tuple[Link, ...])
        alert = alert_of_notice(parcel.key, parcel.payload, at=tx.now())
        event = Event(
            kind="alert",
            # The notice's own key grows with each that leads to another.
            key=f"alert:notice:{parcel.id}",
            data=msgspec.to_builtins(alert),
            names=(alert.name,),
            chain=(*told, *chain),
        )
        await dispatch(tx, event)


async def tell_of_run_end(database: Database, parcel: Parcel) -> None:
    """`run.ended`: wake the run whose sub-flow it was, and start what follows on its flow."""
    run = UUID(parcel.payload["run"])
    async with database.transaction() as tx:
        row = await tx.fetchrow(
            "SELECT r.id AS run, f.slug AS flow, f.name AS flow_name, v.number AS version, "
            "r.status AS outcome, r.subject, r.subject_kind, r.input, r.output, r.error, "
            "r.created_at, r.finished_at, r.parent FROM run r JOIN flow_version v "
            "ON v.id = r.flow_version JOIN flow f ON f.id = v.flow WHERE r.id = $1",
            run,
        )
        if row is None:
            return
        facts = dict(row)
        if facts.pop("parent") is not None:
            await send_signal(tx, f"run:{run}", {"status": row["outcome"]})
        for name in ("input", "output"):
            facts[name] = None if row[name] is None else msgspec.json.decode(row[name])
        event = Event(
            kind="flow.ended",
            key=f"flow.ended:{run}",
            data=msgspec.to_builtins(facts),
            subject=row["subject"],
            subject_kind=Subject(row["subject_kind"]),
            names=(str(run),),
            chain=await chain_of(tx, run),
        )
        await dispatch(tx, event)
