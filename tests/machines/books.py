"""Virtual servers by our own books alone, and what a provider is said to have of them."""

from uuid import UUID

from msgspec.structs import replace

from app.core.clock import SetClock
from app.core.database import Database, Tx
from app.core.ids import new_id
from app.core.secrets import Vault
from app.domain.inventory.power_rule import SETTLES
from app.domain.machines.choose import Chosen
from app.domain.machines.note import note_machine
from app.domain.machines.plan import write_plan
from app.domain.machines.watch import note_reading, take_due
from app.domain.orders.mark_provisioning import mark_provisioning
from app.domain.services.deliver import deliver_service
from app.domain.services.open import open_service
from app.drivers.hypervisor.contract import Size, Vm, VmPower
from tests.machines.world import PLACE, RULES, a_machine_order, a_machine_shop, pay

SIZE = Size(cores=1, memory_mb=512, disk_gb=5)


def vm_of(service: UUID, number: int, power: VmPower = VmPower.RUNNING) -> Vm:
    return Vm(
        id=str(number), node="pve1", name=f"vm{number}.example.org", power=power, size=SIZE,
        service=service,
    )  # fmt: skip


async def a_machine_of(tx: Tx, account: UUID, number: int, *, template: str = "debian-12") -> UUID:
    """Deliver a virtual server to `account`; returns its service."""
    order = await a_machine_order(tx, account, hostname=f"vm{number}.example.org")
    await pay(tx, order)
    service = await open_service(tx, order.id)
    await mark_provisioning(tx, order.id)
    await write_plan(tx, service, Chosen(PLACE, "pve1"), RULES.size, template)
    await note_machine(tx, service, vm_of(service, number))
    await deliver_service(tx, service, server=None)
    return service


async def five_machines(
    database: Database, clock: SetClock, vault: Vault, account: UUID
) -> list[UUID]:
    """Have services whose machines will be well, off, gone, let run, and left over."""
    async with database.transaction() as tx:
        await a_machine_shop(tx, vault)
        made = [await a_machine_of(tx, account, number) for number in range(101, 106)]
        await tx.execute("UPDATE service SET state = 'suspended' WHERE id = $1", made[3])
        await tx.execute("UPDATE service SET state = 'terminated' WHERE id = $1", made[4])
    clock.advance(seconds=SETTLES.total_seconds())
    return made


def readings(five: list[UUID]) -> list[Vm]:
    """Return what their provider then shows, one that is nobody's and one of others with it."""
    well, off, _, runs, left = five
    stray = replace(vm_of(new_id(), 200), name="stray.example.org")
    other = replace(vm_of(well, 300), service=None, name="somebody-elses")
    shown = [vm_of(well, 101), vm_of(off, 102, VmPower.STOPPED), vm_of(runs, 104)]
    return [*shown, vm_of(left, 105), stray, other]


async def hear(database: Database, clock: SetClock, *vms: Vm, times: int = 2) -> None:
    """Have `pve` say that it has these, in as many readings."""
    for _ in range(times):
        clock.advance(seconds=60)
        async with database.transaction() as tx:
            await take_due(tx, 5, silent=False)
            await note_reading(tx, "pve", vms, began_at=tx.now())
