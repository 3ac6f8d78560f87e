"""A cloud of bare metal in memory: each change takes two calls, as it does at a real one."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from app.drivers.metal.contract import MetalNode, MetalWant, NodeLost, NodeRef, Stage, Working
from app.drivers.power import Power
from app.drivers.secret import Secret


@dataclass
class StandInNode:
    service: UUID | None = None
    attempts: list[str] = field(default_factory=list)
    power: Power = Power.OFF
    is_working: bool = False
    in_rescue: bool = False


@dataclass
class StandInCloud:
    """It has every machine that is asked for by its MAC; tests/metal has a real one."""

    nodes: dict[str, StandInNode] = field(default_factory=dict)

    async def find(self, *, name: str = "", macs: tuple[str, ...] = ()) -> MetalNode:
        node = self.nodes.setdefault(macs[0], StandInNode())
        return self._view(macs[0], node)

    async def read(self, node: str) -> MetalNode:
        return self._view(node, self.nodes[node])

    async def deploy(self, want: MetalWant, memo: dict[str, Any]) -> MetalNode | Working:
        node = self.nodes[want.ref.node]
        if node.service is None:
            node.service, node.power = want.ref.service, Power.ON
            node.attempts.append(want.attempt)
            return Working(memo, 0.0, "it is installed")
        self._require(want.ref)
        return self._view(want.ref.node, node)

    async def reinstall(self, want: MetalWant, memo: dict[str, Any]) -> MetalNode | Working:
        node = self._require(want.ref)
        if want.attempt not in node.attempts:
            node.attempts.append(want.attempt)
            node.power, node.in_rescue = Power.ON, False
            return Working(memo, 0.0, "it is installed anew")
        return self._view(want.ref.node, node)

    async def power(
        self, ref: NodeRef, wanted: Power, memo: dict[str, Any], *, soft: bool = False
    ) -> MetalNode | Working:
        node = self._require(ref)
        if node.power is not wanted:
            node.power = wanted
            return Working(memo, 0.0, "its power is switched")
        return self._view(ref.node, node)

    async def rescue(
        self, ref: NodeRef, password: Secret, memo: dict[str, Any]
    ) -> MetalNode | Working:
        assert password.reveal()
        return self._turn(ref, memo, in_rescue=True)

    async def unrescue(self, ref: NodeRef, memo: dict[str, Any]) -> MetalNode | Working:
        return self._turn(ref, memo, in_rescue=False)

    def _turn(self, ref: NodeRef, memo: dict[str, Any], *, in_rescue: bool) -> MetalNode | Working:
        node = self._require(ref)
        if node.in_rescue is not in_rescue:
            node.in_rescue, node.power = in_rescue, Power.ON
            return Working(memo, 0.0, "it is restarted")
        return self._view(ref.node, node)

    async def release(self, ref: NodeRef, memo: dict[str, Any]) -> Working | None:
        node = self.nodes[ref.node]
        if node.service == ref.service:
            node.service, node.is_working, node.in_rescue = None, True, False
            return Working(memo, 0.0, "it is cleaned")
        node.is_working = False
        return None

    async def close(self) -> None:
        """Nothing is open."""

    def rescued(self) -> int:
        return sum(node.in_rescue for node in self.nodes.values())

    def taken(self) -> int:
        return sum(node.service is not None or node.is_working for node in self.nodes.values())

    def _require(self, ref: NodeRef) -> StandInNode:
        node = self.nodes[ref.node]
        if node.service != ref.service:
            raise NodeLost("metal", ref.node, "another has it")
        return node

    def _view(self, mac: str, node: StandInNode) -> MetalNode:
        stage = Stage.AVAILABLE if node.service is None else Stage.ACTIVE
        stage = Stage.RESCUED if node.in_rescue else stage
        return MetalNode(id=mac, name=mac, stage=stage, state=str(stage), power=node.power)
