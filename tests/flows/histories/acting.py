"""The installed node types, their effects acted: what a flow is driven by when it is recorded.

Nodes without an effect, loops and joins are the real ones; one with an effect takes its real
parameters and gives what its schema says, in the step's own transaction.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

import msgspec

from app.core.database import Tx
from app.flows.document import Document, NodeSpec
from app.flows.node import Done, Effect, Idempotency, NodeType, Resource, Step, StepFailed
from app.flows.registry import node_types, shipped_node_types
from app.flows.standins import stand_in

NAMES = UUID(int=0)
ASKED: dict[str, Any] = {
    "hosts": [
        {"name": f"web{number}.example.org", "address": f"192.0.2.{number}"} for number in (1, 2, 3)
    ],
    "product": "mc-8",
    "plan": "18",
}
"""What shipped flows ask for by hand, by its name."""
Faults = Mapping[str, tuple[StepFailed, ...]]
"""By node: what its first attempts fail with. The last one stays when it is not transient."""


def acting(faults: Faults) -> dict[tuple[str, int], NodeType]:
    """Return every node type of this package by (type, version)."""
    return {key: _acted(kind, faults) for key, kind in shipped_node_types().items()}


def _acted(kind: NodeType, faults: Faults) -> NodeType:
    if kind.effect is Effect.PURE or kind.container or kind.join:
        return kind

    async def do(tx: Tx, step: Step, params: Any) -> Done:
        told = faults.get(step.node, ())
        if told and (step.attempt <= len(told) or not told[-1].transient):
            raise told[min(step.attempt, len(told)) - 1]
        return _done(kind, step, msgspec.to_builtins(params))

    return dataclasses.replace(
        kind,
        effect=Effect.DATABASE,
        do=do,
        undo=None if kind.undo is None else _undo,
        probe=None,
        idempotency=Idempotency.KEY,
        idempotency_of=None,
    )


async def _undo(tx: Tx, step: Step, output: Any) -> None:
    """Nothing was done."""


def _done(kind: NodeType, step: Step, params: Mapping[str, Any]) -> Done:
    given = stand_in(step.node, NodeSpec(type=kind.name, params=params), kind, seed=step.node)
    taken = tuple(Resource(what, str(uuid5(NAMES, step.key + what))) for what in kind.takes)
    port = kind.all_ports(params)[0]
    return Done(given.output, port, takes=taken, delivers=kind.delivers)


def input_of(document: Document) -> dict[str, Any]:
    """Return an input that the flow takes: what its trigger says, or an example of its own."""
    if document.flow == "vps-resize":
        return {"cores": 2, "memory_mb": 1024, "disk_gb": 10}
    if document.inputs:
        return {name: ASKED[name] for name in document.inputs["properties"]}
    name, spec = next(
        (name, spec) for name, spec in document.nodes.items() if spec.type.startswith("trigger.")
    )
    kind = node_types()[spec.type, spec.v]
    given: dict[str, Any] = stand_in(name, spec, kind, seed=name).output
    # Of the alerts, those that the flow listens to.
    return given | {"severity": "critical"} if spec.type == "trigger.alert" else given
