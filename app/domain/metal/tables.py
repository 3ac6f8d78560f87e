"""Servers that a cloud of bare metal has: where, and what the clouds say of their nodes."""

from piccolo.columns import JSONB, UUID, Boolean, Integer, Text
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.core.columns import key, moment, reference, text
from app.domain.inventory.tables import Server


class MetalNode(Table, tablename="metal_node"):
    """The node that a server is, at the connection of that name.

    `state`, `power` and `error` are as a flow last saw them, at `seen_at`.
    """

    id = key()
    server = reference(Server, unique=True)
    connection = text()
    node = text(index=True)
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


class CloudWatch(Table, tablename="cloud_watch"):
    """When the cloud behind a connection is asked for all its nodes, and what came of it.

    It was last heard at `heard_at`, with so many `nodes`; it is silent since `silent_since`, for
    the reason `silence`.
    """

    connection = Text(primary_key=True, default=None)
    due_at = moment()
    asked_at = moment(null=True)
    heard_at = moment(null=True)
    silent_since = moment(null=True)
    silence = text(default="")
    nodes = Integer(default=0)


class CloudNode(Table, tablename="cloud_node"):
    """A node as its cloud last showed it; whose it is says `metal_node`.

    It was first seen in its `state` at `changed_at`, and a flow noted it last at `noted_at`.
    `fault` is why the cloud itself put it into maintenance; empty where a person did.
    `error` is the cloud's last word of a failure, read at `error_at`: the cloud itself forgets it.
    `stage` is empty for one that was gone before it was read. `service` is the one of ours whose
    allocation has it. `drift` is how it differs.
    """

    id = key()
    connection = text()
    node = text(index=True)
    name = text()
    stage = text(default="")
    state = text(default="")
    power = text(default="unknown")
    in_maintenance = Boolean(default=False)
    maintenance_reason = text(default="")
    fault = text(default="")
    error = text(default="")
    error_at = moment(null=True)
    instance = text(default="")
    service = UUID(default=None, null=True)
    resource_class = text(default="")
    driver = text(default="")
    first_seen_at = moment()
    changed_at = moment(null=True)
    noted_at = moment(null=True)
    gone_since = moment(null=True)
    drift = text(default="")
    drift_since = moment(null=True)

    node_once = Unique([connection, node])
    known_node_power = Check("power IN ('on', 'off', 'unknown')")
    known_stage = Check(
        "stage IN ('', 'enrolled', 'manageable', 'available', 'working', 'active', 'rescued', "
        "'failed')"
    )
    known_node_drift = Check(
        "drift IN ('', 'gone', 'twin', 'taken', 'occupied', 'lost', 'failed', 'maintenance', "
        "'not_offered', 'off', 'on', 'nobodys')"
    )
    node_drift_with_time = Check("(drift = '') = (drift_since IS NULL)")
