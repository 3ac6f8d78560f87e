"""Proxmox VE as a provider of virtual machines."""

import asyncio
import time
from typing import Any, ClassVar
from urllib.parse import quote
from weakref import WeakKeyDictionary

from app.drivers.http.client import HttpClient
from app.drivers.hypervisor.contract import (
    Capacity,
    Console,
    HypervisorPeer,
    Offer,
    Offers,
    Ref,
    Size,
    Turns,
    Usage,
    Vm,
    VmPower,
    VmWant,
    Working,
)
from app.drivers.hypervisor.proxmox import isos, life
from app.drivers.hypervisor.proxmox.api import Api, Failed
from app.drivers.hypervisor.proxmox.cluster import Cluster
from app.drivers.hypervisor.proxmox.create import create
from app.drivers.hypervisor.proxmox.guest import find_guest, need_guest
from app.drivers.hypervisor.proxmox.login import http_peer
from app.drivers.secret import Secret

OFFERS_S = 2.0
"""Orders that are paid together ask for what there is together; room is looked at each time."""
BRIDGES_S = 30.0
"""Nodes get new bridges by hand, and orders ask for them a hundred times a minute."""
_BRIDGES: WeakKeyDictionary[HttpClient, dict[tuple[str, str], tuple[float, list[Offer]]]] = (
    WeakKeyDictionary()
)
"""When each node's were read, and what they were; of each process."""
SHORTEST_PASSWORD, LONGEST_PASSWORD = 5, 1024


class Proxmox:
    """A cluster. The contract says what each call does."""

    takes_keys: ClassVar[bool] = True
    names_addresses: ClassVar[bool] = True

    def __init__(self, http: HttpClient, peer: HypervisorPeer, turns: Turns) -> None:
        self._api = Api(http, http_peer(peer))
        self._turns = turns
        self._known = _BRIDGES.setdefault(http, {})

    async def check(self) -> str:
        self._api.forget_ticket()
        version = await self._api.get("version")
        cluster = await Cluster.read(self._api)
        up = [node.node for node in cluster.capacity() if node.is_up]
        if not up:
            reason = "no node is seen with these credentials; give them PVEAuditor on / at least"
            raise Failed(self._api.name, field="permission", reason=reason)
        return f"Proxmox VE {version['version']} with {', '.join(sorted(up))}"

    async def offers(self) -> Offers:
        cluster = await Cluster.read(self._api, within_s=OFFERS_S)
        nodes = [node.node for node in cluster.capacity() if node.is_up]
        bridges = await asyncio.gather(*(self._bridges(node) for node in nodes))
        return Offers(
            nodes=tuple(Offer(node, node) for node in nodes),
            templates=tuple(
                Offer(row["name"], f"{row['name']} ({row['vmid']})", row["node"])
                for row in cluster.templates()
            ),
            storages=tuple(
                Offer(row["storage"], row["storage"], "" if row.get("shared") else row["node"])
                for row in cluster.rows
                if row.get("type") == "storage" and "images" in str(row.get("content", ""))
            ),
            bridges=tuple(bridge for found in bridges for bridge in found),
        )

    async def _bridges(self, node: str) -> list[Offer]:
        """Return the bridges of a node, as they were within the last `BRIDGES_S`."""
        place, now = (self._api.base_url, node), time.monotonic()
        read_at, bridges = self._known.get(place, (-BRIDGES_S, []))
        if now - read_at >= BRIDGES_S:
            rows = await self._api.get(f"nodes/{node}/network", type="any_bridge")
            bridges = [
                Offer(row["iface"], row["iface"], node)
                for row in rows
                if "bridge" in str(row.get("type", "")).lower()
            ]
            self._known[place] = (now, bridges)
        return bridges

    async def isos(self, like: str = "") -> tuple[Offer, ...]:
        return await isos.isos(self._api, await Cluster.read(self._api), like)

    async def eject(self, ref: Ref, memo: dict[str, Any]) -> Vm | Working:
        return await isos.eject(self._api, ref, memo)

    async def capacity(self, storage: str = "") -> tuple[Capacity, ...]:
        return (await Cluster.read(self._api)).capacity(storage)

    async def machines(self) -> tuple[Vm, ...]:
        return (await Cluster.read(self._api)).machines()

    async def find(self, ref: Ref) -> Vm | None:
        guest = await find_guest(self._api, ref)
        return None if guest is None else guest.vm

    async def create(self, want: VmWant, memo: dict[str, Any]) -> Vm | Working:
        return self._paced(await create(self._api, self._turns, want, memo))

    def _paced(self, found: Vm | Working) -> Vm | Working:
        if isinstance(found, Working):
            return self._api.pace.paced(self._api.base_url, found)
        return found

    async def power(self, ref: Ref, wanted: VmPower, memo: dict[str, Any]) -> Vm | Working:
        return await life.power(self._api, ref, wanted, memo)

    async def reboot(self, ref: Ref, memo: dict[str, Any]) -> Vm | Working:
        return await life.reboot(self._api, ref, memo)

    async def suspend(self, ref: Ref, memo: dict[str, Any]) -> Vm | Working:
        return await life.suspend(self._api, ref, memo)

    async def unsuspend(self, ref: Ref, memo: dict[str, Any]) -> Vm | Working:
        return await life.unsuspend(self._api, ref, memo)

    async def reinstall(self, want: VmWant, memo: dict[str, Any]) -> Vm | Working:
        return self._paced(await life.reinstall(self._api, self._turns, want, memo))

    async def resize(
        self, ref: Ref, size: Size, memo: dict[str, Any], *, plan: str = ""
    ) -> Vm | Working:
        if plan:
            reason = "Proxmox VE has no plans; leave it out"
            raise Failed(self._api.name, field="plan", reason=reason)
        return await life.resize(self._api, ref, size, memo)

    async def delete(self, ref: Ref, memo: dict[str, Any]) -> Working | None:
        return await life.delete(self._api, ref, memo)

    async def set_password(self, ref: Ref, user: str, password: Secret) -> None:
        if not SHORTEST_PASSWORD <= len(password.reveal()) <= LONGEST_PASSWORD:
            reason = f"it needs {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters"
            raise Failed(self._api.name, field="password", reason=reason)
        guest = await need_guest(self._api, ref)
        await self._api.post(
            f"{guest.path}/agent/set-user-password", username=user, password=password.reveal()
        )

    async def addresses(self, ref: Ref) -> tuple[str, ...]:
        guest = await need_guest(self._api, ref)
        try:
            found = await self._api.get(f"{guest.path}/agent/network-get-interfaces")
        except Failed:
            raise
        except Exception as error:
            # The agent or the machine does not run, or the machine is to have no agent.
            if "not running" in str(error) or "No QEMU guest agent" in str(error):
                return ()
            raise
        return tuple(
            address["ip-address"]
            for card in found["result"]
            if card.get("name") != "lo"
            for address in card.get("ip-addresses", ())
            if not address["ip-address"].startswith("fe80:")
        )

    async def usage(self, ref: Ref) -> tuple[Usage, ...]:
        guest = await need_guest(self._api, ref)
        rows = await self._api.get(f"{guest.path}/rrddata", timeframe="hour", cf="AVERAGE")
        return tuple(
            Usage(
                at_s=int(row["time"]),
                period_s=60,
                cpu=float(row.get("cpu", 0)),
                memory_bytes=int(row.get("mem", 0)),
                disk_read_bytes_s=float(row.get("diskread", 0)),
                disk_write_bytes_s=float(row.get("diskwrite", 0)),
                net_in_bytes_s=float(row.get("netin", 0)),
                net_out_bytes_s=float(row.get("netout", 0)),
            )
            for row in sorted(rows, key=lambda row: row.get("time", 0))
            # Minutes that were not measured yet have a time and nothing else.
            if "time" in row and "cpu" in row
        )

    async def console(self, ref: Ref) -> Console:
        guest = await need_guest(self._api, ref)
        found = await self._api.post(
            f"{guest.path}/vncproxy", **{"websocket": 1, "generate-password": 1}
        )
        scheme, _, rest = self._api.base_url.partition("://")
        query = f"port={found['port']}&vncticket={quote(found['ticket'], safe='')}"
        return Console(
            url=f"{'wss' if scheme == 'https' else 'ws'}://{rest}/{guest.path}/vncwebsocket?{query}",
            headers=await self._api.credentials(),
            password=Secret(found.get("password") or found["ticket"]),
        )
