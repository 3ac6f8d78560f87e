"""What a flow listens to, and what webhooks have delivered."""

from piccolo.columns import JSONB, Bytea
from piccolo.constraints import Unique
from piccolo.table import Table

from app.core.columns import key, moment, reference, text
from app.flows.tables import Flow, FlowVersion, Run


class FlowTrigger(Table, tablename="flow_trigger"):
    """What the latest version of a flow listens to; written when it is published.

    `key` names one listener of its kind, such as a webhook's path: no two flows have the same
    (`ix_flow_trigger_key`). `next_at` is a schedule's next tick, moved on by compare-and-swap.
    """

    id = key()
    flow = reference(Flow, index=False)
    version = reference(FlowVersion)
    node = text()
    kind = text(index=True)
    key = text(default="")
    config = JSONB(default="{}")
    next_at = moment(null=True)

    flow_trigger_once = Unique([flow, node])


class HookDelivery(Table, tablename="hook_delivery"):
    """A webhook's delivery and the run that it started: the same one again starts none.

    `delivery` is the sender's own id of it, hashed, or empty; `digest` is of all that was sent.
    """

    id = key()
    flow = reference(Flow, index=False)
    delivery = text(default="")
    digest = Bytea()
    run = reference(Run)
    at = moment(index=True)
