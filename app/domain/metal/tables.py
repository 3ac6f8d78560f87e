"""Servers that a cloud of bare metal has: where, and what it last said of them."""

from piccolo.columns import JSONB, UUID, Integer
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


class MetalErrand(Table, tablename="metal_errand"):
    """What a person has done about a server at a cloud, by a worker, part by part.

    `wanted` is what was asked for (`want.py`), `done` which steps of it are through and when,
    `says` what is under way, `error` what stands in the way, in the cloud's own words. One a
    server is under way at most. It is given up at `ends_at`.
    """

    id = key()
    server = reference(Server)
    connection = text()
    wanted = JSONB()
    state = text()
    done = JSONB(default="[]")
    says = text(default="")
    error = text(default="")
    memo = JSONB(default="{}")
    turn = Integer(default=0)
    asked_by = UUID(null=True, default=None)
    asked_as = text()
    asked_at = moment()
    ends_at = moment()
    finished_at = moment(null=True)

    known_errand = Check("state IN ('working', 'done', 'failed', 'stopped')")
    only_ended_is_finished = Check("(state = 'working') = (finished_at IS NULL)")
