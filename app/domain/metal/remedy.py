"""What a person may have done about a node that differs: pure, from how it was read."""

from collections.abc import Mapping
from enum import StrEnum

from app.domain.inventory.states import TAKEN, ServerState
from app.domain.metal.node_rule import NodeDrift
from app.domain.metal.views import NodeRow
from app.domain.services.states import ServiceState


class NodeDeed(StrEnum):
    """What is done."""

    start = "start"
    """It is switched on, as its service says."""

    stop = "stop"
    """Its system is asked to stop, and after a while it is not asked."""

    forget = "forget"
    """Here alone: the server is no node of the cloud any more."""

    aside = "aside"
    """Here alone: the server goes to maintenance, so that nobody is sold what cannot be had."""

    end_maintenance = "end_maintenance"
    """The cloud has it in maintenance no more, whoever put it there."""

    offer = "offer"
    """The cloud cleans its disks and offers it."""

    release = "release"
    """The cloud takes off the system that an allocation of ours has on it, and cleans its disks."""


AT_CLOUD = frozenset(NodeDeed) - {NodeDeed.forget, NodeDeed.aside}
"""Done there by a worker, the others here at once."""
QUICK = frozenset({NodeDeed.start, NodeDeed.stop, NodeDeed.end_maintenance})
"""Of these, what is done in moments or not at all."""
TYPED = frozenset({NodeDeed.offer, NodeDeed.release})
"""What is on its disks is lost: its name is typed first."""
_SWITCHES: Mapping[NodeDrift, NodeDeed] = {
    NodeDrift.off: NodeDeed.start,
    NodeDrift.on: NodeDeed.stop,
}
_UNFIT = frozenset(
    {NodeDrift.occupied, NodeDrift.failed, NodeDrift.maintenance, NodeDrift.not_offered}
)


def deeds_for(node: NodeRow) -> tuple[NodeDeed, ...]:
    """Return what may be done about a node, the harmless first; nothing while it is not known.

    Its maintenance may be ended whether it differs or not: a technician may be through here, too.
    """
    if node.silent_since is not None or node.is_ordered:
        return ()
    is_shown = node.server is not None and node.gone_since is None
    more = (NodeDeed.end_maintenance,) if node.in_maintenance and is_shown else ()
    return tuple(sorted((*_of_drift(node), *more), key=list(NodeDeed).index))


def _of_drift(node: NodeRow) -> tuple[NodeDeed, ...]:
    drift = node.drift
    if drift is None:
        return ()
    if drift in _SWITCHES:
        return (_SWITCHES[drift],)
    if drift is NodeDrift.gone:
        return (NodeDeed.forget,)
    found = []
    if drift in _UNFIT and node.server_state is ServerState.available:
        found.append(NodeDeed.aside)
    if drift in (NodeDrift.failed, NodeDrift.not_offered) and is_free(node) and not node.instance:
        found.append(NodeDeed.offer)
    if drift is NodeDrift.occupied and node.allocated_to is not None and is_free(node):
        found.append(NodeDeed.release)
    return tuple(found)


def is_free(node: NodeRow) -> bool:
    """Say whether no order has its server, and no service that goes on has its allocation."""
    is_taken = node.server_state is None or node.server_state in TAKEN
    return not is_taken and node.allocated_state in (None, ServiceState.terminated)


def is_still_wanted(node: NodeRow, deed: NodeDeed) -> bool:
    """Say whether a deed at the cloud is still right; the books may have changed meanwhile."""
    if deed is NodeDeed.end_maintenance:
        return True  # the cloud says whether it is still in it; a run may wait for just that end
    if node.is_under_way:
        return False
    match deed:
        case NodeDeed.start:
            return node.service_state is ServiceState.active
        case NodeDeed.stop:
            return node.service_state is ServiceState.suspended
        case _:
            return is_free(node)
