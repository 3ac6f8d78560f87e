"""Whether a node is what its server and service say: pure, from what its cloud shows."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from app.domain.inventory.power_rule import SETTLES, wanted_power
from app.domain.inventory.states import ServerState
from app.domain.services.states import ServiceState
from app.drivers.metal.contract import MetalNode, Stage
from app.drivers.power import Power


class NodeDrift(StrEnum):
    """How a node differs from what it should be; of several, the first is told."""

    gone = "gone"
    """Its cloud has it no more."""

    twin = "twin"
    """Another connection shows it too, and there it is another server."""

    taken = "taken"
    """Its service has a server, and the cloud has given the node to somebody else."""

    occupied = "occupied"
    """No service has its server, and the cloud has a system on it."""

    failed = "failed"
    """What the cloud was about with it failed."""

    lost = "lost"
    """A service has its server, and the cloud has no system on it."""

    maintenance = "maintenance"
    """The cloud has it in maintenance, and its server is not: it is at work, for sale, or in
    quarantine, where no look at it passes as long."""

    not_offered = "not_offered"
    """Its server is for sale, and the cloud does not offer it."""

    off = "off"
    """Its service is active, and it is off: its client may have shut it down."""

    on = "on"
    """Its service is suspended, and it runs."""

    nobodys = "nobodys"
    """No server here is this node."""

    @property
    def words(self) -> str:
        return _WORDS[self]


_WORDS = {
    NodeDrift.gone: "The cloud has it no more",
    NodeDrift.twin: "Two connections show it, each as another server",
    NodeDrift.taken: "Its service is here; the cloud has given it to somebody else",
    NodeDrift.occupied: "No service has it; the cloud has a system on it",
    NodeDrift.failed: "What the cloud was about with it failed",
    NodeDrift.lost: "Its service is here; the cloud has no system on it",
    NodeDrift.maintenance: "In maintenance at the cloud, and not here",
    NodeDrift.not_offered: "For sale here; the cloud does not offer it",
    NodeDrift.off: "Its service is active; it is off",
    NodeDrift.on: "Its service is suspended; it is on",
    NodeDrift.nobodys: "No server here is this node",
}
OF_POWER = frozenset({NodeDrift.off, NodeDrift.on})
COUNTED = frozenset(NodeDrift) - {NodeDrift.nobodys}
"""What somebody should look at; a cloud may have nodes that are none of ours."""
FOR_SALE = frozenset({ServerState.available, ServerState.held})
ASIDE = frozenset({ServerState.quarantined, ServerState.maintenance, ServerState.failed})
"""A person sees to it already, or is told to."""
UNDER_WAY = frozenset({ServerState.provisioning, ServerState.releasing})
"""A flow brings it to its service, or takes it away; a halted one is told as that."""
SERVED = frozenset({ServiceState.active, ServiceState.suspended})
_WITHOUT = frozenset({Stage.ENROLLED, Stage.MANAGEABLE, Stage.AVAILABLE})
_WITH = frozenset({Stage.ACTIVE, Stage.RESCUED})


class Here(msgspec.Struct, frozen=True, kw_only=True):
    """The server that a node is, and the service that has it."""

    server: UUID
    server_state: ServerState
    server_since: datetime
    """Since when it is in this state."""
    service: UUID | None = None
    service_state: ServiceState | None = None
    service_since: datetime | None = None
    power_taken: Power | None = None
    """What staff took for right against what its service says."""
    is_under_way: bool = False
    """A run is at it."""
    is_twin: bool = False
    """Another server is the same node, by another connection."""


def drift_of(
    here: Here | None, node: MetalNode | None, *, before: NodeDrift | None, now: datetime
) -> NodeDrift | None:
    """Return how a node differs from its server; None when it does not, or nobody can say.

    `node` is None when the cloud does not show it, `here` when no server is this node. Nothing is
    judged while a run is at it, nor for a while after server or service changed: their flow has
    time to bring it about. What the cloud works on, or says nothing of, stays as it was judged
    `before`.
    """
    if here is None:
        return None if node is None else NodeDrift.nobodys
    changed_at = max(here.server_since, here.service_since or here.server_since)
    if here.is_under_way or now < changed_at + SETTLES:
        return None
    if node is None or here.is_twin:
        return NodeDrift.gone if node is None else NodeDrift.twin
    if here.server_state in UNDER_WAY:
        return None
    still = None if before in (NodeDrift.gone, NodeDrift.twin, NodeDrift.nobodys) else before
    if node.stage is Stage.WORKING:
        return still
    return _of_state(here, node) or _of_power(here, node, still)


def _of_state(here: Here, node: MetalNode) -> NodeDrift | None:
    """Return how state, owner or maintenance differ."""
    found: NodeDrift | None = None
    is_served = here.server_state is ServerState.active and here.service_state in SERVED
    if is_served and node.instance and node.service != here.service:
        found = NodeDrift.taken
    elif not is_served and node.stage in _WITH:
        found = NodeDrift.occupied
    elif here.server_state in ASIDE:
        is_wanted = here.server_state is ServerState.quarantined
        found = NodeDrift.maintenance if is_wanted and node.in_maintenance else None
    elif node.stage is Stage.FAILED:
        found = NodeDrift.failed
    elif is_served and node.stage in _WITHOUT:
        found = NodeDrift.lost
    elif node.in_maintenance:
        found = NodeDrift.maintenance
    elif here.server_state in FOR_SALE and node.stage is not Stage.AVAILABLE:
        found = NodeDrift.not_offered
    return found


def _of_power(here: Here, node: MetalNode, still: NodeDrift | None) -> NodeDrift | None:
    wanted = wanted_power(here.server_state, here.service_state)
    if wanted is None or node.power in (wanted, here.power_taken):
        return None
    if node.is_switching or node.power is Power.UNKNOWN:
        return still if still in OF_POWER else None
    return NodeDrift.off if wanted is Power.ON else NodeDrift.on
