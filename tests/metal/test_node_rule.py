"""Which nodes differ from their servers. Pure."""

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from app.domain.inventory.power_rule import SETTLES
from app.domain.inventory.states import ServerState as S
from app.domain.metal.node_rule import ASIDE, OF_POWER, SERVED, Here, NodeDrift, drift_of
from app.domain.metal.reading import Known, Line, compare
from app.domain.services.states import ServiceState
from app.drivers.metal.contract import MetalNode, Stage
from app.drivers.power import Power
from tests.conftest import START

ONE, TWO, SERVER = UUID(int=1), UUID(int=2), UUID(int=3)
NOW = START + SETTLES
LATER = NOW + timedelta(minutes=2)
NODE = MetalNode(
    id="n1", name="box1", stage=Stage.ACTIVE, state="active", power=Power.ON, instance="a",
    service=ONE,
)  # fmt: skip
FREE = replace(NODE, stage=Stage.AVAILABLE, state="available", instance="", service=None)
SERVES = Here(
    server=SERVER, server_state=S.active, server_since=START, service=ONE,
    service_state=ServiceState.active, service_since=START,
)  # fmt: skip
STOCK = Here(server=SERVER, server_state=S.available, server_since=START)
ENDED = replace(SERVES, service_state=ServiceState.terminated)
SUSPENDED = replace(SERVES, service_state=ServiceState.suspended)


@pytest.mark.parametrize(
    ("here", "node", "drift"),
    [
        (SERVES, NODE, None),
        (STOCK, FREE, None),
        (SUSPENDED, replace(NODE, power=Power.OFF), None),
        (SERVES, replace(NODE, stage=Stage.RESCUED), None),
        (SERVES, None, NodeDrift.gone),
        (STOCK, None, NodeDrift.gone),
        (None, NODE, NodeDrift.nobodys),
        (None, None, None),
        (replace(STOCK, is_twin=True), FREE, NodeDrift.twin),
        (SERVES, replace(NODE, service=TWO), NodeDrift.taken),
        (SERVES, replace(NODE, service=None), NodeDrift.taken),
        (STOCK, NODE, NodeDrift.occupied),
        (ENDED, NODE, NodeDrift.occupied),
        (replace(STOCK, server_state=S.quarantined), NODE, NodeDrift.occupied),
        (SERVES, FREE, NodeDrift.lost),
        (SUSPENDED, replace(FREE, stage=Stage.MANAGEABLE), NodeDrift.lost),
        (SERVES, replace(NODE, stage=Stage.FAILED), NodeDrift.failed),
        (STOCK, replace(FREE, stage=Stage.FAILED, in_maintenance=True), NodeDrift.failed),
        (
            replace(STOCK, server_state=S.cleaning),
            replace(FREE, stage=Stage.FAILED),
            NodeDrift.failed,
        ),
        (STOCK, replace(FREE, in_maintenance=True), NodeDrift.maintenance),
        (SERVES, replace(NODE, in_maintenance=True), NodeDrift.maintenance),
        (replace(STOCK, server_state=S.maintenance), replace(FREE, in_maintenance=True), None),
        (replace(STOCK, server_state=S.quarantined), FREE, None),
        (
            replace(STOCK, server_state=S.quarantined),
            replace(FREE, in_maintenance=True),
            NodeDrift.maintenance,
        ),
        (STOCK, replace(FREE, stage=Stage.MANAGEABLE), NodeDrift.not_offered),
        (replace(STOCK, server_state=S.enrolled), replace(FREE, stage=Stage.MANAGEABLE), None),
        (SERVES, replace(NODE, power=Power.OFF), NodeDrift.off),
        (SUSPENDED, NODE, NodeDrift.on),
        (replace(SUSPENDED, power_taken=Power.ON), NODE, None),
        (SERVES, replace(NODE, power=Power.UNKNOWN), None),
        (SERVES, replace(NODE, power=Power.OFF, is_switching=True), None),
        (replace(SERVES, server_state=S.provisioning), FREE, None),
    ],
)
def test_what_differs(here: Here | None, node: MetalNode | None, drift: NodeDrift | None) -> None:
    assert drift_of(here, node, before=None, now=NOW) is drift


HERES = st.builds(
    Here,
    server=st.just(SERVER),
    server_state=st.sampled_from(S),
    server_since=st.sampled_from([START, NOW]),
    service=st.just(ONE),
    service_state=st.none() | st.sampled_from(ServiceState),
    service_since=st.sampled_from([START, NOW]),
    is_under_way=st.booleans(),
    is_twin=st.booleans(),
)
NODES = st.builds(
    MetalNode,
    id=st.just("n1"),
    name=st.just("box1"),
    stage=st.sampled_from(Stage),
    state=st.just(""),
    power=st.sampled_from(Power),
    is_switching=st.booleans(),
    in_maintenance=st.booleans(),
    instance=st.sampled_from(["", "a"]),
    service=st.sampled_from([None, ONE, TWO]),
)
BEFORE = st.none() | st.sampled_from(NodeDrift)


@given(here=HERES, node=st.none() | NODES, before=BEFORE)
def test_it_is_never_early_and_never_in_the_way_of_a_run(
    here: Here, node: MetalNode | None, before: NodeDrift | None
) -> None:
    found = drift_of(here, node, before=before, now=NOW)
    is_early = here.is_under_way or NOW in (here.server_since, here.service_since)
    if is_early:
        assert found is None
        return
    assert (found is NodeDrift.gone) == (node is None)
    assert found is not NodeDrift.nobodys
    if node is None:
        return
    is_served = here.server_state is S.active and here.service_state in SERVED
    if node.stage is Stage.WORKING and found is not NodeDrift.twin:
        assert found in (None, before), "what the cloud works on is no proof"
    elif found in (NodeDrift.lost, NodeDrift.taken, *OF_POWER):
        assert is_served
    elif found in (NodeDrift.occupied, NodeDrift.not_offered):
        assert not is_served
    elif here.server_state in ASIDE:
        is_held_back = here.server_state is S.quarantined and node.in_maintenance
        held_back = NodeDrift.maintenance if is_held_back else None
        assert found in (held_back, NodeDrift.twin)
    if found in OF_POWER:
        assert node.power is not Power.UNKNOWN or found is before


def known(node: str = "n1", **facts: object) -> Known:
    plain = Known(node=node, line=None, noted_at=None, here=STOCK, is_elsewhere=False)
    return replace(plain, **facts)


def test_a_reading_becomes_lines() -> None:
    failing = replace(FREE, stage=Stage.FAILED, state="clean failed", error="no\x00 disk")
    found = compare([known()], [failing, replace(NODE, id="n2")], began_at=NOW, now=NOW)
    first, second = found.changed
    assert (first.drift, first.drift_since, first.error, first.error_at) == (
        NodeDrift.failed, NOW, "no\ufffd disk", NOW,
    )  # fmt: skip
    assert (second.drift, second.service, second.changed_at) == (NodeDrift.nobodys, ONE, NOW)
    assert found.changed_servers == (SERVER,)

    def again(line: Line | None, *nodes: MetalNode, **facts: object) -> tuple[Line, ...]:
        return compare([known(line=line, **facts)], nodes, began_at=LATER, now=LATER).changed

    assert again(first, failing) == (), "nothing is written where nothing changed"
    (well,) = again(first, FREE)
    assert (well.drift, well.error, well.error_at) == (None, "no\ufffd disk", NOW), "it is kept"
    (gone,) = again(well)
    assert (gone.gone_since, gone.state, gone.drift) == (LATER, "available", NodeDrift.gone)
    (back,) = again(gone, FREE)
    assert (back.gone_since, back.drift) == (None, None)
    assert again(first, FREE, noted_at=LATER) == (), "a flow knows it better"
    (never,) = again(None)
    assert (never.stage, never.drift) == ("", NodeDrift.gone)
    lost = compare([known(here=None, line=second)], [], began_at=LATER, now=LATER)
    assert (lost.changed, lost.forgotten) == ((), ("n1",))
    (elsewhere,) = again(None, NODE, here=None, is_elsewhere=True)
    assert elsewhere.drift is None, "by another connection it is a server's"
