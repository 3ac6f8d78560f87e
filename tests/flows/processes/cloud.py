"""A cloud of bare metal that outlives the workers which call it: what they ask of it, and change."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec
from msgspec.structs import replace

from app.drivers.metal.contract import (
    Image,
    Link,
    MetalWant,
    NodeLost,
    NodeRef,
    Working,
)
from app.drivers.power import Power
from app.drivers.secret import Secret
from tests.flows.walks.cloud import StandInCloud, StandInNode

NAME = "metal"
LOST, FAILED, WORKING = "lost", "failed", "working"
"""What is answered in place of a node."""


@dataclass
class ServedCloud(StandInCloud):
    """The world's own; every change of a node is told to `note`."""

    note: Callable[..., None] = print
    broken: set[str] = field(default_factory=set)
    """MACs of nodes on which no system starts."""

    async def answer(self, deed: str, node: str, *said: str) -> Any:
        before = self.words_of(node)
        try:
            found = await self._do(deed, node, *said)
        except NodeLost:
            return LOST
        if (after := self.words_of(node)) != before:
            self.note("cloud", node, after)
        if isinstance(found, Working):
            return WORKING
        is_failed = node in self.broken and deed in ("deploy", "reinstall", "rescue")
        return FAILED if is_failed else msgspec.to_builtins(found)

    async def _do(self, deed: str, node: str, *said: str) -> Any:
        match deed, said:
            case "nodes", ():
                return [
                    replace(self._view(mac, one), service=one.service)
                    for mac, one in self.nodes.items()
                ]
            case "find", ():
                return await self.find(macs=(node,))
            case "read", ():
                return await self.read(node)
        service, *more = said
        ref = NodeRef(node, UUID(service))
        match deed, more:
            case "deploy" | "reinstall", [attempt]:
                want = MetalWant(
                    ref=ref, attempt=attempt, image=Image(url="", checksum=""), hostname="",
                    link=Link(mac=node),
                )  # fmt: skip
                return await getattr(self, deed)(want, {})
            case "power", [wanted]:
                return await self.power(ref, Power(wanted), {})
            case "rescue", [password]:
                return await self.rescue(ref, Secret(password), {})
            case "unrescue" | "release", []:
                return await getattr(self, deed)(ref, {})
        raise AssertionError(deed)

    def words_of(self, mac: str) -> str:
        """Return how a node is now, and how often a system was installed on it."""
        node = self.nodes.get(mac, StandInNode())
        parts = [f"{node.power}", f"installed {len(node.attempts)} times"]
        parts += ["in use"] * (node.service is not None) + ["in rescue"] * node.in_rescue
        return ", ".join(parts + ["being cleaned"] * node.is_working)
