"""What rehearsals found."""

from piccolo.columns import JSONB, UUID, Integer
from piccolo.constraints import Check
from piccolo.table import Table

from app.core.columns import key, moment, reference, text
from app.flows.tables import Flow


class FlowRehearsal(Table, tablename="flow_rehearsal"):
    """The latest rehearsal of a content; `flow` is null while only a draft has it."""

    id = key()
    flow = reference(Flow, null=True)
    content_hash = text(unique=True)
    at = moment()
    by = UUID(null=True, default=None)
    by_label = text(default="")
    score = Integer(help_text="percent of the faults that it survives or is undone clean after")
    report = JSONB()

    known_score = Check("score BETWEEN 0 AND 100")
