"""Flows and their runs: a stored token graph and an append-only journal."""

from piccolo.columns import JSONB, UUID, BigInt, BigSerial, Boolean, Integer
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.core.columns import key, moment, reference, text
from app.domain.catalog.tables import Category


class Flow(Table, tablename="flow"):
    """A named flow; what runs is one of its versions."""

    id = key()
    slug = text(unique=True)
    name = text()
    description = text(default="")
    is_enabled = Boolean(default=True)
    created_at = moment()


class FlowVersion(Table, tablename="flow_version"):
    """A published, immutable document; `content_hash` leaves out `ui`."""

    id = key()
    flow = reference(Flow)
    number = Integer()
    document = JSONB()
    content_hash = text()
    note = text(default="")
    published_at = moment()
    published_by = UUID(null=True, default=None)

    flow_version_once = Unique([flow, number])


class FlowBinding(Table, tablename="flow_binding"):
    """Which flow a product category runs on a trigger such as `order.paid`."""

    id = key()
    category = reference(Category)
    trigger = text()
    flow = reference(Flow)

    flow_binding_once = Unique([category, trigger])


class Run(Table, tablename="run"):
    """One execution of a flow version. `epoch` fences: a write under an older one is refused."""

    id = key()
    flow_version = reference(FlowVersion)
    status = text(index=True)
    dedup_key = text(unique=True)
    subject = UUID(null=True, default=None, index=True, help_text="the order or service it is for")
    subject_kind = text(default="order")
    input = JSONB(default="{}")
    output = JSONB(null=True, default=None)
    wake_at = moment(null=True)
    lease_owner = text(default="")
    lease_until = moment(null=True)
    epoch = BigInt(default=0)
    cancel_requested = Boolean(default=False)
    parent = UUID(null=True, default=None, index=True, help_text="the run whose sub-flow it is")
    undo_tries = Integer(default=0, help_text="failed tries of the undoing at hand")
    steered = Boolean(default=False, help_text="a person changed its tokens while it was driven")
    error = text(default="")
    created_at = moment()
    started_at = moment(null=True)
    finished_at = moment(null=True)

    known_status = Check(
        "status IN ('queued', 'running', 'waiting', 'halted', 'compensating', 'succeeded', "
        "'failed', 'cancelled')"
    )
    known_subject = Check("subject_kind IN ('nothing', 'order', 'service', 'payment')")


class Token(Table, tablename="token"):
    """Where a run stands: a token per active node and scope (`/`, `/n4:2` inside a loop).

    Written by the worker that holds the run, and by nobody else while it does.
    """

    id = key()
    run = reference(Run)
    scope = text(default="/")
    node = text()
    state = text()
    attempt = Integer(default=0)
    since = moment(null=True)
    wake_at = moment(null=True)
    signal_key = text(default="")
    memo = JSONB(default="{}")
    heard = JSONB(null=True, default=None, help_text="what was sent to the signal it waited for")
    error = JSONB(null=True, default=None, help_text="the failure whose error branch this is")
    doubt = Boolean(default=False, help_text="the attempt may have had its effect: nobody knows")
    override = JSONB(null=True, default=None, help_text="parameters given by a person")

    known_state = Check("state IN ('ready', 'started', 'waiting', 'inside', 'halted')")


class Blob(Table, tablename="run_blob"):
    """An output over 64 KB, apart from the rows that are read often."""

    id = key()
    run = reference(Run)
    content = JSONB()


class StepAttempt(Table, tablename="step_attempt"):
    """One attempt of one node in one scope: intent before the effect, outcome after.

    `type` and `version` are the node's when it was done: a later version of the flow may differ.
    """

    id = BigSerial(primary_key=True)
    run = reference(Run, index=False)
    scope = text(default="/")
    node = text()
    type = text(default="")
    version = Integer(default=1)
    attempt = Integer()
    status = text()
    idempotency_key = text()
    input = JSONB(default="{}")
    output = JSONB(null=True, default=None)
    blob = reference(Blob, null=True, index=False)
    port = text(default="")
    error = text(default="")
    error_kind = text(default="")
    started_at = moment()
    finished_at = moment(null=True)

    step_attempt_once = Unique([run, scope, node, attempt])
    known_status = Check(
        "status IN ('started', 'waiting', 'succeeded', 'failed', 'ambiguous', 'compensated')"
    )


class Event(Table, tablename="run_event"):
    """Append-only story of a run: overlay, timeline, audit."""

    seq = BigSerial(primary_key=True)
    run = reference(Run)
    at = moment()
    kind = text()
    scope = text(default="/")
    node = text(default="")
    facts = JSONB(default="{}")


class Variable(Table, tablename="run_variable"):
    """A variable of a run, as set last."""

    id = BigSerial(primary_key=True)
    run = reference(Run, index=False)
    name = text()
    value = JSONB(default="null")

    run_variable_once = Unique([run, name])


class Resource(Table, tablename="run_resource"):
    """The ledger: what a run has taken, until the client has it or it is given back."""

    id = BigSerial(primary_key=True)
    run = reference(Run, index=False)
    scope = text(default="/")
    node = text()
    kind = text()
    reference = text()  # such as the id of a server
    state = text()
    taken_at = moment()
    ended_at = moment(null=True)

    run_resource_once = Unique([run, scope, node, kind, reference])
    known_state = Check("state IN ('taken', 'delivered', 'returned')")


class Signal(Table, tablename="run_signal"):
    """A message from outside to a waiting node, by correlation key; consumed once."""

    id = BigSerial(primary_key=True)
    signal_key = text()
    payload = JSONB(default="{}")
    at = moment()
    consumed_at = moment(null=True)
