"""The clouds that a process talks to: each keeps its lines and its token from call to call."""

from collections import OrderedDict

from app.drivers.egress import Egress
from app.drivers.metal.contract import MetalCloud, MetalPeer
from app.drivers.registry import load

KEPT = 32


class Clouds:
    """One driver for each set of facts; changed credentials make another."""

    def __init__(self, egress: Egress) -> None:
        self._egress = egress
        self._kept: OrderedDict[MetalPeer, MetalCloud] = OrderedDict()

    def at(self, peer: MetalPeer) -> MetalCloud:
        """Return the driver of a cloud; nothing is called yet."""
        cloud = self._kept.get(peer)
        if cloud is None:
            cloud = load("metal", peer.provider)(peer, self._egress)
            self._kept[peer] = cloud
        self._kept.move_to_end(peer)
        while len(self._kept) > KEPT:
            # Who has it goes on with it: a line that is used is not in its stock.
            self._kept.popitem(last=False)
        return cloud

    async def close(self) -> None:
        while self._kept:
            await self._kept.popitem()[1].close()
