"""Dispatch: what happened starts each flow that listens, once, and wakes each run that waits.

An event is told at least once, so that all of this may come twice: the event's key makes each
flow's run one.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import Conflict, Refusal
from app.core.outbox import emit
from app.flows.node import Subject
from app.flows.nodes import alert, flow_ended, payment_received
from app.flows.signals import send_signal
from app.flows.start import FlowDisabled, Link, start_flow, start_run

FILTERS: Mapping[str, Callable[[Any, Mapping[str, Any], Collection[str]], bool]] = {
    "alert": alert.matches,
    "flow.ended": flow_ended.matches,
    "payment.received": payment_received.matches,
}
"""By kind, whether an event starts a flow whose trigger has these parameters; others always.

Called with the parameters, what is said, and the kinds of the events that led to this one.
"""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened."""

    kind: str
    """As triggers name it: `order.paid`, `payment.received`, `alert`."""
    key: str
    """The same whenever this event is told, and no other's."""
    data: Mapping[str, Any]
    """What there is to say of it: the input of the runs that it starts."""
    subject: UUID | None = None
    subject_kind: Subject = Subject.NOTHING
    names: tuple[str, ...] = ()
    """What those who wait may call it by, beside its subject: of a service its order too."""
    category: UUID | None = None
    """Of the product that it is about, for events that flows are bound to by category."""
    chain: tuple[Link, ...] = ()
    """What led to it: flows that it does not start again."""


async def dispatch(tx: Tx, event: Event) -> tuple[UUID, ...]:
    """Start what listens and signal `event:KIND:NAME` to who waits; returns the runs.

    An event of a category starts the flow that is bound to it and raises NoFlow where none is.
    Of the others each flow is on its own: one that does not take the event is told to the
    staff and keeps no other back. Signals are sent first, in the order of their names, so that
    two events at once do not wait for each other.
    """
    await wake(tx, event)
    if event.category is not None and event.subject is not None:
        run = await start_run(
            tx,
            category=event.category,
            trigger=event.kind,
            subject=event.subject,
            data=event.data,
            dedup_key=event.key,
            chain=event.chain,
        )
        return (run,)
    started = [await start_or_tell(tx, flow, event) for flow in await _listening(tx, event)]
    return tuple(run for run in started if run is not None)


async def wake(tx: Tx, event: Event) -> None:
    """Signal who waits for the event, and start nothing."""
    names = {*event.names, *([str(event.subject)] if event.subject else [])}
    for name in sorted(names):
        await send_signal(tx, f"event:{event.kind}:{name}", dict(event.data))


async def start_or_tell(tx: Tx, flow: UUID, event: Event) -> UUID | None:
    """Start one flow for the event, or tell the staff, once, why it was not started.

    The notice is an alert in its turn. It says what led to it, so that flows which listen to
    alerts and refuse them do not hear of each other for ever.
    """
    try:
        return await start_flow(
            tx,
            flow,
            data=event.data,
            dedup_key=f"{event.key}:{flow}",
            subject=event.subject,
            subject_kind=event.subject_kind,
            event=event.kind,
            chain=event.chain,
        )
    except FlowDisabled:  # since it was found listening
        return None
    except Conflict:  # it passes: told once more, the event starts it
        raise
    except Refusal as error:
        slug = await tx.fetchval("SELECT slug FROM flow WHERE id = $1", flow)
        await emit(
            tx,
            "admin.notice",
            f"admin.notice:not-started:{flow}:{event.key}",
            {
                "kind": "flow.not_started",
                "flow": slug,
                "event": event.kind,
                "chain": msgspec.to_builtins((*event.chain, Link(flow, event.kind))),
                "title": f"The flow {slug} was not started",
                "text": f"{event.kind} should have started it: {error.message}",
            },
        )
        return None


async def _listening(tx: Tx, event: Event) -> list[UUID]:
    rows = await tx.fetch(
        "SELECT t.flow, t.config FROM flow_trigger t JOIN flow f ON f.id = t.flow "
        "WHERE t.kind = $1 AND f.is_enabled AND t.flow <> ALL($2) ORDER BY f.slug",
        event.kind,
        [link.flow for link in event.chain],
    )
    takes, led_by = FILTERS.get(event.kind), {link.event for link in event.chain}
    return [
        row["flow"]
        for row in rows
        if takes is None or takes(msgspec.json.decode(row["config"]), event.data, led_by)
    ]
