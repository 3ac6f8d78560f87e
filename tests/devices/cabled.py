"""A switch that is reached, with a server cabled to it; and switches that keep VLANs in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from app.core.database import Tx
from app.core.secrets import Vault
from app.domain.devices.access import AccessSeed, save_access, switch_address
from app.domain.devices.ask import keep_state
from app.domain.devices.change import ask_change, keep_plan
from app.domain.devices.ports import note_vlans
from app.domain.inventory.cabling import connect, ports_of, save_device, save_ports
from app.domain.inventory.seed import DeviceSeed, PortSeed
from app.drivers.errors import DriverError, Refused
from app.drivers.pdu.contract import PduAddress
from app.drivers.power import Power
from app.drivers.switching.contract import (
    PortChange,
    PortVlans,
    SwitchAddress,
    SwitchPlan,
    SwitchPort,
    SwitchState,
    port_vlans,
)
from app.drivers.switching.dialects import DIALECTS, commands_of

STAFF: dict[str, Any] = {"actor": None, "actor_label": "ops@slipway.test"}
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGL9iYRsYLkK0wEn5Jqdk0GZcWBzFqo2XC7z6W2ZT0cJ"
PARKED = port_vlans(10)


@dataclass
class StubSwitches:
    """Adapter of `Switches`: each switch has the ports that it is given here."""

    ports: dict[str, PortVlans] = field(
        default_factory=lambda: {f"Gi1/0/{n}": PARKED for n in range(1, 4)}
    )
    fails: DriverError | None = None
    applied: list[SwitchPlan] = field(default_factory=list)

    async def read(self, switch: SwitchAddress) -> SwitchState:
        if self.fails:
            raise self.fails
        ports = tuple(SwitchPort(name=name, vlans=vlans) for name, vlans in self.ports.items())
        return SwitchState(vlans={1: "default", 10: "park"}, ports=ports)

    async def plan(self, switch: SwitchAddress, wanted: Mapping[str, PortVlans]) -> SwitchPlan:
        state = await self.read(switch)
        changes = []
        for name, after in wanted.items():
            port = state.port(name)
            if port is None or port.vlans is None:
                raise Refused(switch.name, field=name, reason="it has no such port")
            if port.vlans != after:
                changes.append(PortChange(port=port.name, before=port.vlans, after=after))
        found = tuple(changes)
        commands = commands_of(DIALECTS[switch.dialect], found, state.vlans)
        return SwitchPlan(changes=found, commands=commands)

    async def apply(self, switch: SwitchAddress, wanted: Mapping[str, PortVlans]) -> SwitchPlan:
        plan = await self.plan(switch, wanted)
        self.ports |= {change.port: change.after for change in plan.changes}
        self.applied += [plan] if plan.changes else []
        return plan

    async def close(self) -> None: ...


@dataclass
class StubPdus:
    """Adapter of `Pdus`: outlets that follow at once."""

    outlets: dict[tuple[str, int], Power] = field(default_factory=dict)
    orders: list[tuple[str, int, Power]] = field(default_factory=list)

    async def read(self, pdu: PduAddress, outlet: int) -> Power:
        return self.outlets.get((pdu.name, outlet), Power.ON)

    async def ensure(
        self, pdu: PduAddress, outlet: int, wanted: Power, *, deadline_s: float
    ) -> None:
        if await self.read(pdu, outlet) is not wanted:
            self.orders.append((pdu.name, outlet, wanted))
            self.outlets[pdu.name, outlet] = wanted

    async def close(self) -> None: ...


async def power_up(
    tx: Tx, vault: Vault, server: UUID, *, access: AccessSeed | None = None
) -> tuple[UUID, UUID]:
    """Plug the server's two supplies into outlet 3 of pdu-a and of pdu-b; returns both PDUs."""
    row = await tx.fetchrow(
        "SELECT d.code, r.name FROM server s JOIN rack r ON r.id = s.rack "
        "JOIN datacentre d ON d.id = r.datacentre WHERE s.id = $1",
        server,
    )
    pdus = []
    supplies = [PortSeed(name=f"psu{number}", kind="power") for number in (1, 2)]
    await save_ports(tx, supplies, server=server, **STAFF)
    mine = [one for one in await ports_of(tx, server=server) if one.kind == "power"]
    for name, supply in zip(("pdu-a", "pdu-b"), mine, strict=True):
        seed = DeviceSeed(
            name=name, kind="pdu", datacentre=row["code"], rack=row["name"], u_position=None,
            ports=(PortSeed(name="outlet 3", kind="power"),),
        )  # fmt: skip
        pdus.append(await save_device(tx, seed, **STAFF))
        (outlet,) = await ports_of(tx, device=pdus[-1])
        await connect(tx, supply.id, outlet.id, **STAFF)
        await save_access(tx, vault, pdus[-1], access or pdu_seed(), **STAFF)
    return pdus[0], pdus[1]


def pdu_seed(**facts: Any) -> AccessSeed:
    given = {"dialect": "apc_rpdu", "host": "10.0.0.3", "port": 161, "secret": "write-s3cret"}
    return AccessSeed(**{**given, **facts})


async def cable_up(
    tx: Tx, vault: Vault, server: UUID, *, name: str = "sw1", access: AccessSeed | None = None
) -> UUID:
    """Put a switch into the server's rack, cable the server to its first port, and reach it."""
    row = await tx.fetchrow(
        "SELECT d.code, r.name FROM server s JOIN rack r ON r.id = s.rack "
        "JOIN datacentre d ON d.id = r.datacentre WHERE s.id = $1",
        server,
    )
    ports = tuple(PortSeed(name=f"GigabitEthernet1/0/{number}") for number in (1, 2))
    seed = DeviceSeed(
        name=name, kind="switch", datacentre=row["code"], rack=row["name"], u_position=None,
        ports=ports,
    )  # fmt: skip
    switch = await save_device(tx, seed, **STAFF)
    await save_ports(tx, [PortSeed(name="uplink0")], server=server, **STAFF)
    mine = next(one for one in await ports_of(tx, server=server) if one.name == "uplink0")
    theirs = (await ports_of(tx, device=switch))[0]
    await connect(tx, mine.id, theirs.id, **STAFF)
    await save_access(tx, vault, switch, access or seed_of(), **STAFF)
    return switch


def seed_of(**facts: Any) -> AccessSeed:
    given = {
        "dialect": "cisco_ios",
        "host": "10.0.0.2",
        "username": "slipway",
        "secret": "s3cret-of-switches",
        "host_key": KEY,
        "parking_vid": 10,
    }
    return AccessSeed(**{**given, **facts})


async def reach(tx: Tx, vault: Vault, switch: UUID) -> UUID:
    """Reach a switch of ports swp1 to swp8 that says something else of some; returns a change."""
    await save_access(tx, vault, switch, seed_of(), **STAFF)
    second = (await ports_of(tx, device=switch))[1]
    await note_vlans(tx, second.id, port_vlans(101))
    stub = StubSwitches({f"swp{number}": PARKED for number in range(1, 10)})
    address = await switch_address(tx, vault, switch)
    await keep_state(tx, switch, await stub.read(address))
    wanted = {"swp2": port_vlans(101), "swp3": port_vlans(5, "200,300-310")}
    change = await ask_change(tx, switch, wanted, **STAFF)
    await keep_plan(tx, change, await stub.plan(address, wanted))
    return change
