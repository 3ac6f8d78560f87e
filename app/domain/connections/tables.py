"""The peers that flows call: where they are, and how they know us."""

from piccolo.columns import JSONB, Bytea, Integer
from piccolo.constraints import Check
from piccolo.table import Table

from app.core.columns import key, moment, text


class Connection(Table, tablename="connection"):
    """A peer that flows name by `name`, which never changes; `facts` may be shown to staff.

    Of providers, those `in_group` stand for each other by their `weight`; none that is drained
    gets a new machine. `sealed_secrets` is a sealed JSON object of the secrets by field.
    """

    id = key()
    name = text(unique=True)
    kind = text()
    facts = JSONB()
    sealed_secrets = Bytea()
    created_at = moment()
    updated_at = moment()
    in_group = text(default="")
    weight = Integer(default=100)
    draining_since = moment(null=True)

    known_kind = Check("kind IN ('http', 'ssh', 'dns', 'chat', 'hypervisor', 'metal', 'game')")
    plain_name = Check("name ~ '^[a-z0-9][a-z0-9-]{0,62}$'")
    plain_group = Check("in_group ~ '^([a-z0-9][a-z0-9-]{0,62})?$'")
    some_weight = Check("weight BETWEEN 1 AND 1000")
