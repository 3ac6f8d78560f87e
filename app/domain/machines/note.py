"""Note what a provider says of a service's machine; one without a plan is not ours to note."""

from uuid import UUID

from app.core.database import Tx
from app.core.outbox import emit
from app.drivers.hypervisor.contract import Vm, VmPower
from app.drivers.hypervisor.iso import is_iso
from app.drivers.power import Power

POWER = {VmPower.RUNNING: Power.ON, VmPower.STOPPED: Power.OFF}


async def note_machine(tx: Tx, service: UUID, vm: Vm) -> None:
    """Note that the machine is there: its number, node, size and power. Idempotent."""
    await tx.execute(
        "UPDATE machine SET number = $2, node = $3, "
        "cores = coalesce(nullif($4, 0), cores), memory_mb = coalesce(nullif($5, 0), memory_mb), "
        "disk_gb = greatest(disk_gb, $6), power = $7, power_seen_at = $8, "
        "made_at = coalesce(made_at, $8), drift = '', drift_since = NULL "
        "WHERE service = $1 AND removed_at IS NULL",
        service,
        vm.id,
        vm.node,
        vm.size.cores,
        vm.size.memory_mb,
        vm.size.disk_gb,
        POWER.get(vm.power, Power.UNKNOWN),
        tx.now(),
    )
    await _tell(tx, service)


async def note_plan(tx: Tx, service: UUID, plan: str) -> None:
    """Note that the machine has another of its panel's plans. Idempotent."""
    await tx.execute(
        "UPDATE machine SET plan = $2 WHERE service = $1 AND removed_at IS NULL", service, plan
    )


async def note_removed(tx: Tx, service: UUID) -> None:
    """Note that the provider has the machine no more. Idempotent.

    The first time, orders that wait for room look again.
    """
    connection = await tx.fetchval(
        "UPDATE machine SET removed_at = $2, power = 'off', power_seen_at = $2, drift = '', "
        "drift_since = NULL "
        "WHERE service = $1 AND removed_at IS NULL RETURNING connection",
        service,
        tx.now(),
    )
    if connection is not None:
        key = f"stock.appeared:machine:{service}:{tx.now().isoformat()}"
        await emit(tx, "stock.appeared", key, {"connection": connection})
    await _tell(tx, service)


async def _tell(tx: Tx, service: UUID) -> None:
    order = await tx.fetchval('SELECT "order" FROM service WHERE id = $1', service)
    tx.publish(f"service:{service}", f"order:{order}")


async def note_template(tx: Tx, service: UUID, template: str) -> None:
    """Write down what the machine is made of now; an ISO is in its drive."""
    await tx.execute(
        "UPDATE machine SET template = $2, is_iso_in = $3 WHERE service = $1",
        service,
        template,
        is_iso(template),
    )


async def note_ejected(tx: Tx, service: UUID) -> None:
    """Note that no ISO is in the machine's drive. Idempotent."""
    await tx.execute("UPDATE machine SET is_iso_in = false WHERE service = $1", service)
    await _tell(tx, service)
