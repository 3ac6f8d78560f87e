"""The shipped delivery, with machines that do not run: it says so, and is never taken for done."""

from itertools import combinations
from typing import Any

import msgspec
import pytest

from app.flows import registry
from app.flows.drafts.place import GRID, NODE_WIDTH, height_of
from app.flows.drafts.ports import ports_of
from app.flows.drafts.sheet import Sheet
from app.flows.gallery import find_template, list_templates
from app.flows.node import Done, Effect, NodeType, Step, StepFailed
from app.flows.nodes.fail import node as fail
from app.flows.nodes.repeat import node as repeat
from tests.flows.conftest import Workshop


class Given(msgspec.Struct, frozen=True):
    server: str = ""
    service: str = ""
    datacentre: str = ""
    rack: str = ""
    template: str = ""
    vlan: int | None = None


def stand_in(name: str, output: dict[str, Any], *, trigger: str | None = None) -> NodeType:
    def do(step: Step, _: Any) -> Done:
        return Done(output)

    return NodeType(name, name, "", Given, Effect.PURE, do, trigger=trigger)


def broken(step: Step, _: Any) -> Done:
    raise StepFailed("no word from the machine")


def kinds() -> dict[tuple[str, int], NodeType]:
    server = {"server": "s1", "name": "s1", "datacentre": "fra", "rack": "r1"}
    made = [
        stand_in("trigger.order_paid", {"order": "o", "service": "s"}, trigger="test"),
        stand_in("action.allocate_server", server),
        stand_in("action.allocate_addresses", {"vlan": None}),
        stand_in("action.port_vlan", {"ports": []}),
        NodeType("action.install_os", "Install", "", Given, Effect.PURE, broken),
        NodeType(
            "action.recover_bmc", "BMC", "", Given, Effect.PURE, broken, ports=("out", "fine")
        ),
        NodeType("action.health_gate", "Gate", "", Given, Effect.PURE, broken),
        stand_in("action.quarantine_server", {"server": "s1", "reason": "no word"}),
        stand_in("action.update_service", {}),
        stand_in("action.send_mail", {}),
        repeat,
        fail,
    ]
    return {(kind.name, kind.version): kind for kind in made}


async def test_a_delivery_for_which_no_server_runs_fails_aloud(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "node_types", kinds)
    run = await workshop.start(find_template("dedicated-server"))
    await workshop.drive()
    assert await workshop.status(run) == "failed"
    done = [node for node, _, _ in await workshop.attempts(run)]
    assert done.count("aside") == 5
    assert "service" not in done
    async with workshop.database.snapshot() as tx:
        error = await tx.fetchval("SELECT error FROM run WHERE id = $1", run)
    assert error.startswith("Five servers could not be installed; the last one said: no word.")


@pytest.mark.parametrize("slug", [row.slug for row in list_templates()])
def test_no_node_of_a_shipped_flow_lies_over_another(slug: str) -> None:
    sheet = Sheet(find_template(slug))
    boxes = {}
    for node in sheet.nodes:
        place = sheet.position(node)
        assert place is not None, node
        boxes[node] = (*place, height_of(len(ports_of(sheet, node))))
    for (one, (x, y, h)), (other, (x2, y2, h2)) in combinations(boxes.items(), 2):
        is_beside = abs(x - x2) >= NODE_WIDTH + 2 * GRID
        assert is_beside or y + h + GRID <= y2 or y2 + h2 + GRID <= y, (one, other)
