"""A datacentre with something in it: racks with limits, a switch, a PDU, cables, a planned move."""

from typing import Any
from uuid import UUID

from app.domain.inventory.cabling import connect, ports_of, save_device, save_ports
from app.domain.inventory.change_rack import add_rack
from app.domain.inventory.discover import ask_hardware, keep_report
from app.domain.inventory.plan_moves import accept_moves
from app.domain.inventory.relocate import Place, relocate
from app.domain.inventory.seed import DeviceSeed, PortSeed, RackSeed
from app.drivers.bmc.contract import Drive, Inventory, Nic
from tests.admin.stage import Stage

STAFF: dict[str, Any] = {"actor": None, "actor_label": "ops@slipway.test"}
RACK = RackSeed(
    datacentre="ams1",
    name="C1",
    room="Hall 1",
    row="C",
    place=1,
    u_height=16,
    feed_a_watts=1200,
    feed_b_watts=1000,
    weight_kg=200,
    note="Behind the pillar.",
)
SAYS = Inventory(
    uuid=None,
    manufacturer="Acme",
    model="R1",
    serial="SN00001",
    bios_version="2.1",
    memory_gib=64,
    cpu_count=1,
    cpu_model="Intel(R) Xeon(R) E-2386G CPU @ 3.50GHz",
    nics=(Nic(name="NIC1", mac="02:00:00:00:00:01"), Nic(name="NIC2", mac="02:00:00:00:aa:02")),
    drives=tuple(Drive(kind="nvme", capacity_gb=960, serial=f"D{n}") for n in range(3)),
)


async def a_hall(stage: Stage) -> dict[str, UUID]:
    """Return ids by name: `rack`, `switch`, `cable`, `server` (which stands there), `task`."""
    async with stage.database.transaction() as tx:
        rack = await add_rack(tx, RACK, **STAFF)
        ports = tuple(PortSeed(name=f"swp{number}", speed_mbps=10_000) for number in range(1, 9))
        place: dict[str, Any] = {"datacentre": "ams1", "rack": "C1"}
        switch = await save_device(
            tx,
            DeviceSeed(name="c1-sw", kind="switch", model="SN2010", u_position=16, side="front",
                       power_draw_watts=90, ports=ports, **place),
            **STAFF,
        )  # fmt: skip
        outlets = (PortSeed(name="out1", kind="power"),)
        pdu = DeviceSeed(name="c1-pdu-a", kind="pdu", feeds="A", ports=outlets, **place)
        await save_device(tx, pdu, **STAFF)
        server, other = stage.servers["ams1-a1-01"], stage.servers["ams1-a1-02"]
        await relocate(tx, server, Place(rack, 3), **STAFF)
        await relocate(tx, other, Place(rack, 5, "front"), **STAFF)
        nic = PortSeed(name="eth0", mac="02:00:00:00:00:01", speed_mbps=10_000)
        await save_ports(tx, [nic, PortSeed(name="psu1", kind="power")], server=server, **STAFF)
        (eth0, _), (first, *_) = (
            await ports_of(tx, server=server), await ports_of(tx, device=switch)
        )  # fmt: skip
        cable = await connect(
            tx, eth0.id, first.id, label="C-17", colour="blue", length_cm=150, **STAFF
        )
        (task,) = await accept_moves(
            tx, [(stage.servers["ams1-a1-03"], Place(rack, 9))], reason="nearer", **STAFF
        )
        await ask_hardware(tx, server)
        await keep_report(tx, server, SAYS)
    return {
        "rack": rack,
        "switch": switch,
        "server": server,
        "other": other,
        "cable": cable,
        "task": task,
    }


async def value(stage: Stage, sql: str, *values: Any) -> Any:
    async with stage.database.snapshot() as tx:
        return await tx.fetchval(sql, *values)
