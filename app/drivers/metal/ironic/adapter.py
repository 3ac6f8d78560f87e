"""OpenStack Ironic as a cloud of bare metal. The contract says what each call does."""

from typing import Any
from uuid import UUID

from app.drivers.egress import Egress
from app.drivers.metal.contract import (
    Examined,
    MetalNode,
    MetalPeer,
    MetalWant,
    NodeFacts,
    NodeRef,
    NodeSeed,
    Working,
)
from app.drivers.metal.ironic import adopt, care, enrol, facts, install, life, nodes
from app.drivers.metal.ironic.api import Api
from app.drivers.power import Power
from app.drivers.secret import Secret


class Ironic:
    """One cloud; keeps its lines and tokens from call to call."""

    def __init__(self, peer: MetalPeer, egress: Egress) -> None:
        self._api = Api(peer, egress)

    async def check(self) -> str:
        drivers = (await self._api.get("/drivers"))["drivers"]
        names = sorted(driver["name"] for driver in drivers if driver["hosts"])
        found = await nodes.all_nodes(self._api)
        what = f"with {len(found)} node{'' if len(found) == 1 else 's'}"
        return f"Ironic {what}, of {', '.join(names) or 'no driver: no conductor is up'}"

    async def nodes(self) -> tuple[MetalNode, ...]:
        return await nodes.all_nodes(self._api)

    async def read(self, node: str) -> MetalNode:
        return nodes.view(await nodes.row_of(self._api, node))

    async def examine(self, node: str) -> Examined:
        return await care.examine(self._api, node)

    async def find(self, *, name: str = "", macs: tuple[str, ...] = ()) -> MetalNode | None:
        row = await nodes.find(self._api, name=name, macs=macs)
        return None if row is None else nodes.view(row)

    async def enrol(self, seed: NodeSeed, memo: dict[str, Any]) -> MetalNode | Working:
        return await enrol.enrol(self._api, seed, memo)

    async def take_on(self, node: str, mark: str) -> MetalNode:
        return await adopt.take_on(self._api, node, mark)

    async def adopt(
        self, node: str, service: UUID | None, memo: dict[str, Any]
    ) -> MetalNode | Working:
        return await adopt.adopt(self._api, node, service, memo)

    async def withdraw(self, node: str, mark: str, memo: dict[str, Any]) -> Working | None:
        return await adopt.withdraw(self._api, node, mark, memo)

    async def cards(self) -> dict[str, tuple[str, ...]]:
        return await nodes.cards(self._api)

    async def offer(self, node: str, memo: dict[str, Any]) -> MetalNode | Working:
        return await enrol.offer(self._api, node, memo)

    async def clean(self, node: str, memo: dict[str, Any]) -> MetalNode | Working:
        return await care.clean(self._api, node, memo)

    async def end_maintenance(self, node: str) -> MetalNode:
        return await care.end_maintenance(self._api, node)

    async def inspect(self, node: str, memo: dict[str, Any]) -> NodeFacts | Working:
        return await enrol.inspect(self._api, node, memo)

    async def facts(self, node: str) -> NodeFacts:
        return await facts.facts(self._api, node)

    async def deploy(self, want: MetalWant, memo: dict[str, Any]) -> MetalNode | Working:  # noqa: ARG002 - the node itself remembers
        return await install.deploy(self._api, want)

    async def reinstall(self, want: MetalWant, memo: dict[str, Any]) -> MetalNode | Working:  # noqa: ARG002 - the node itself remembers
        return await install.reinstall(self._api, want)

    async def rescue(
        self, ref: NodeRef, password: Secret, memo: dict[str, Any]
    ) -> MetalNode | Working:
        return await life.rescue(self._api, ref, password, memo)

    async def unrescue(self, ref: NodeRef, memo: dict[str, Any]) -> MetalNode | Working:
        return await life.unrescue(self._api, ref, memo)

    async def power(
        self, ref: NodeRef, wanted: Power, memo: dict[str, Any], *, soft: bool = False
    ) -> MetalNode | Working:
        return await life.power(self._api, ref, wanted, memo, soft=soft)

    async def reboot(self, ref: NodeRef, memo: dict[str, Any]) -> MetalNode | Working:
        return await life.reboot(self._api, ref, memo)

    async def release(self, ref: NodeRef, memo: dict[str, Any]) -> Working | None:
        return await install.release(self._api, ref, memo)

    async def history(self, node: str) -> tuple[str, ...]:
        return await nodes.history(self._api, node)

    async def close(self) -> None:
        self._api.close()
