"""Drafts of flows, and every gesture that made them."""

from piccolo.columns import JSONB, UUID, BigInt, BigSerial
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.core.columns import key, moment, reference, text
from app.flows.tables import Flow, FlowVersion


class Draft(Table, tablename="flow_draft"):
    """The one draft of a flow, published already or not.

    `document` and `pins` are as of `kept_rev`; the commands since make them what they are now, so
    that a gesture costs the same in a flow of any size.
    """

    id = key()
    slug = text(unique=True)
    flow = reference(Flow, null=True)
    based_on = reference(FlowVersion, null=True)
    document = JSONB()
    pins = JSONB(default="{}")
    kept_rev = BigInt(default=0)
    rev = BigInt(default=0)
    head = UUID(null=True, default=None, help_text="the latest command's id")
    created_at = moment()
    updated_at = moment()
    updated_by = UUID(null=True, default=None)
    updated_by_name = text(default="")


class DraftCommand(Table, tablename="flow_draft_command"):
    """One gesture: the cells that it changed, before and after, which are its inverse too."""

    id = BigSerial(primary_key=True)
    draft = reference(Draft, index=False)
    rev = BigInt()
    command = UUID(unique=True)
    by = UUID(null=True, default=None)
    by_name = text(default="")
    at = moment()
    kind = text()
    payload = JSONB(default="{}")
    changes = JSONB(default="[]")
    state = text(default="done")
    reverses = BigInt(
        null=True, default=None, help_text="the revision that it takes back or redoes"
    )

    draft_command_once = Unique([draft, rev])
    known_state = Check("state IN ('done', 'undone', 'left', 'turn')")
