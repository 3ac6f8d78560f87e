"""Compare what a cloud shows with the servers that are its nodes. Pure."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from app.core.database import storable
from app.core.ids import new_id
from app.domain.metal.node_rule import Here, NodeDrift, drift_of
from app.drivers.metal.contract import MetalNode
from app.drivers.power import Power


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What is written of one node; the names are those of its table."""

    id: UUID
    node: str
    name: str
    stage: str = ""
    state: str = ""
    power: Power = Power.UNKNOWN
    in_maintenance: bool = False
    maintenance_reason: str = ""
    fault: str = ""
    error: str = ""
    error_at: datetime | None = None
    instance: str = ""
    service: UUID | None = None
    resource_class: str = ""
    driver: str = ""
    first_seen_at: datetime
    changed_at: datetime | None = None
    gone_since: datetime | None = None
    drift: NodeDrift | None = None
    drift_since: datetime | None = None


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A node that was read before, or that a server here is said to be; or both."""

    node: str
    line: Line | None
    noted_at: datetime | None
    """When a flow last noted it; what was read before that is older."""
    here: Here | None
    is_elsewhere: bool
    """By another connection a server here is this node."""


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """What follows from a reading."""

    changed: tuple[Line, ...]
    forgotten: tuple[str, ...]
    """Nodes that no server is, and the cloud shows no more."""
    changed_servers: tuple[UUID, ...]
    """The servers whose nodes are among these."""


def compare(
    known: Sequence[Known], nodes: Sequence[MetalNode], *, began_at: datetime, now: datetime
) -> Compared:
    """Say what changed, of nodes that are known and of new ones.

    What a flow noted since the reading `began_at` is left as it noted it.
    """
    shown = {node.id: node for node in nodes}
    before = {one.node: one for one in known}
    changed, forgotten, servers = [], [], []
    for one in known:
        if one.noted_at is not None and one.noted_at >= began_at:
            continue
        node = shown.get(one.node)
        if one.here is None and node is None:
            forgotten.append(one.node)
            continue
        line = _line(one, node, now)
        if line != one.line:
            changed.append(line)
            if one.here is not None:
                servers.append(one.here.server)
    for node in nodes:
        if node.id not in before:
            fresh = Known(node=node.id, line=None, noted_at=None, here=None, is_elsewhere=False)
            changed.append(_line(fresh, node, now))
    return Compared(
        changed=tuple(changed), forgotten=tuple(forgotten), changed_servers=tuple(servers)
    )


def _line(one: Known, node: MetalNode | None, now: datetime) -> Line:
    old = one.line or Line(id=new_id(), node=one.node, name=one.node, first_seen_at=now)
    read = _gone(old, now) if node is None else _read(old, node, now)
    drift = drift_of(one.here, node, before=old.drift, now=now)
    if drift is NodeDrift.nobodys and one.is_elsewhere:
        drift = None
    since = None if drift is None else old.drift_since if drift is old.drift else now
    return msgspec.structs.replace(read, drift=drift, drift_since=since)


def _gone(old: Line, now: datetime) -> Line:
    """Return it as it was: what the cloud last said of it stays."""
    return msgspec.structs.replace(old, gone_since=old.gone_since or now)


def _read(old: Line, node: MetalNode, now: datetime) -> Line:
    error = storable(node.error)
    new = msgspec.structs.replace(
        old,
        name=storable(node.name),
        stage=node.stage,
        state=storable(node.state),
        power=node.power,
        in_maintenance=node.in_maintenance,
        maintenance_reason=storable(node.maintenance_reason),
        fault=storable(node.fault),
        error=error or old.error,
        error_at=now if error and error != old.error else old.error_at,
        instance=storable(node.instance),
        service=node.service,
        resource_class=storable(node.resource_class),
        driver=storable(node.driver),
        gone_since=None,
    )
    is_as_it_was = (new.stage, new.state) == (old.stage, old.state)
    return new if is_as_it_was else msgspec.structs.replace(new, changed_at=now)
