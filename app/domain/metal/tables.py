"""Servers that a cloud of bare metal has: where, and what it last said of them."""

from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.core.columns import key, moment, reference, text
from app.domain.inventory.tables import Server


class MetalNode(Table, tablename="metal_node"):
    """The node that a server is, at the connection of that name.

    `state`, `power` and `error` are as the cloud last said, at `seen_at`.
    """

    id = key()
    server = reference(Server, unique=True)
    connection = text()
    node = text()
    state = text(default="")
    power = text(default="unknown")
    error = text(default="")
    seen_at = moment(null=True)

    one_server = Unique([connection, node])
    known_power = Check("power IN ('on', 'off', 'unknown')")
