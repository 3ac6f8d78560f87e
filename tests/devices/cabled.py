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
