"""Bind a flow to a product category: which flow serves it on which event."""

from uuid import UUID

from app.core.database import Tx
from app.core.errors import NotFound, Refusal
from app.core.ids import new_id
from app.domain.audit.record import record
from app.flows.document import Document
from app.flows.node import NodeType
from app.flows.registry import UnknownNodeType, node_type
from app.flows.upgrade import load, upgraded

SYSTEM = "system"


class TriggerDoesNotFit(Refusal):
    code = "flow.trigger_does_not_fit"

    def __init__(self, flow: str, *, trigger: str, wanted: str) -> None:
        super().__init__(
            f"The flow {flow} starts on {trigger or 'nothing known here'}, not on {wanted}; bind "
            "one that does, or publish a version with another trigger."
        )
        self.flow = flow
        self.trigger = trigger
        self.wanted = wanted


async def bind(
    tx: Tx,
    *,
    category: UUID,
    trigger: str,
    flow: str,
    by: UUID | None = None,
    by_label: str = "",
) -> None:
    """Let the flow serve a product category from now on; running runs stay on theirs.

    Raises NotFound, and TriggerDoesNotFit when its latest version starts on something else.
    """
    found = await tx.fetchrow(
        "SELECT f.id, v.document, (SELECT slug FROM category WHERE id = $2) AS category, "
        "(SELECT o.slug FROM flow_binding b JOIN flow o ON o.id = b.flow "
        "WHERE b.category = $2 AND b.trigger = $3) AS served_by FROM flow f "
        "LEFT JOIN LATERAL (SELECT document FROM flow_version WHERE flow = f.id "
        "ORDER BY number DESC LIMIT 1) v ON true WHERE f.slug = $1 FOR SHARE OF f",
        flow,
        category,
        trigger,
    )
    if found is None or found["document"] is None:
        raise NotFound("published flow", flow)
    if found["category"] is None:
        raise NotFound("category", category)
    if (given := trigger_of(load(found["document"]))) != trigger:
        raise TriggerDoesNotFit(flow, trigger=given, wanted=trigger)
    if found["served_by"] == flow:
        return
    await tx.execute(
        "INSERT INTO flow_binding (id, category, trigger, flow) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (category, trigger) DO UPDATE SET flow = EXCLUDED.flow",
        new_id(),
        category,
        trigger,
        found["id"],
    )
    facts = {"category": found["category"], "trigger": trigger}
    await record(
        tx,
        actor=by,
        actor_label=by_label or await label_of(tx, by),
        action="flow.bound",
        subject_kind="flow",
        subject=found["id"],
        before={**facts, "flow": found["served_by"]},
        after={**facts, "flow": flow},
    )
    tx.publish("flows")


async def unbind(
    tx: Tx, *, category: UUID, trigger: str, by: UUID | None = None, by_label: str = ""
) -> None:
    """Let no flow serve the category on this trigger; what happens then waits for staff.

    Raises NotFound when none does.
    """
    found = await tx.fetchrow(
        "DELETE FROM flow_binding b USING flow f, category c WHERE b.category = $1 "
        "AND b.trigger = $2 AND f.id = b.flow AND c.id = b.category "
        "RETURNING f.id, f.slug AS flow, c.slug AS category",
        category,
        trigger,
    )
    if found is None:
        raise NotFound("flow bound to", f"{trigger} of this category")
    facts = {"category": found["category"], "trigger": trigger}
    await record(
        tx,
        actor=by,
        actor_label=by_label or await label_of(tx, by),
        action="flow.unbound",
        subject_kind="flow",
        subject=found["id"],
        before={**facts, "flow": found["flow"]},
        after={**facts, "flow": None},
    )
    tx.publish("flows")


def trigger_of(document: Document) -> str:
    """Return the event that starts the flow; "" when no installed node type says so."""
    kind = trigger_type(document)
    return "" if kind is None else str(kind.trigger)


def trigger_type(document: Document) -> NodeType | None:
    """Return the type of the node with which runs begin; None when it is not installed."""
    for spec in upgraded(document).nodes.values():
        try:
            kind = node_type(spec.type, spec.v)
        except UnknownNodeType:
            continue
        if kind.trigger is not None:
            return kind
    return None


async def label_of(tx: Tx, by: UUID | None) -> str:
    """Return what the audit trail calls an account: its address."""
    if by is None:
        return SYSTEM
    email: str | None = await tx.fetchval("SELECT email FROM account WHERE id = $1", by)
    return email or SYSTEM
