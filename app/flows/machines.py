"""What the nodes about virtual machines share: whose machine it is, at which provider."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, TypeVar
from uuid import UUID

import msgspec
from msgspec import Meta

from app.core.database import Tx
from app.domain.addresses.find import addresses_of
from app.domain.addresses.views import Claimed
from app.domain.catalog.selection import Selection
from app.domain.machines.note import note_machine
from app.domain.machines.plan import connection_of, planned_machine
from app.domain.machines.take_address import take_addresses
from app.domain.services.credentials import ROOT, keep_access
from app.drivers.errors import Unreachable
from app.drivers.hypervisor.contract import (
    Hypervisor,
    HypervisorPeer,
    Nic,
    Ref,
    Size,
    Vm,
    VmWant,
    Working,
)
from app.drivers.hypervisor.iso import InstallsFromIso, is_iso
from app.drivers.secret import Secret
from app.flows.node import Resource, Step, StepFailed, Wait
from app.flows.turns import SignalledTurns, turn_signal

T = TypeVar("T")
TRY_AGAIN = timedelta(seconds=20)

Connection = Annotated[
    str,
    Meta(
        title="Connection",
        description="At which provider: a connection of kind hypervisor. That of the service's "
        "plan (action.vm_plan) when left out.",
        examples=["fra-pve"],
        extra_json_schema={"x-connection": "hypervisor"},
    ),
]
Service = Annotated[
    UUID | None,
    Meta(
        title="Service",
        description="Whose machine; that of the run's order or service when left out.",
        examples=["=steps.paid.service"],
    ),
]
Cores = Annotated[
    int, Meta(title="Cores", description="Virtual processors.", examples=[2], ge=1, le=512)
]
MemoryMb = Annotated[
    int,
    Meta(title="Memory (MiB)", description="In MiB.", examples=[4096], ge=128, le=16_777_216),
]
DiskGb = Annotated[
    int, Meta(title="Disk (GiB)", description="In GiB.", examples=[40], ge=1, le=131_072)
]


Nodes = Annotated[
    tuple[str, ...],
    Meta(
        title="Nodes",
        description="Where it may be: the one with the most room is taken. Any if left out.",
        examples=[["pve1", "pve2"]],
    ),
]
Storage = Annotated[
    str,
    Meta(
        title="Storage",
        description="Where its disk is; that of the template if left out.",
        examples=["ceph"],
    ),
]
Bridge = Annotated[
    str,
    Meta(
        title="Bridge",
        description="What its network card is plugged into; the template's if left out.",
        examples=["vmbr0"],
    ),
]
Plan = Annotated[
    str,
    Meta(
        title="Plan",
        description="The panel's plan, for all that is not the size; by the service's plan if "
        "left out. Proxmox VE has none.",
        examples=["VPS S"],
    ),
]


class Making(msgspec.Struct, frozen=True, kw_only=True):
    """What a machine is made of, as a node's parameters have it."""

    connection: Connection = ""
    template: Annotated[
        str,
        Meta(
            title="Template",
            description="What is copied, by its name at the provider; it has cloud-init. Or an "
            "ISO, as `local:iso/debian-13.iso`, that the client installs from on the console.",
            examples=["debian-12", "${input.os}"],
            min_length=1,
        ),
    ]
    cores: Cores
    memory_mb: MemoryMb
    disk_gb: DiskGb
    nodes: Nodes = ()
    storage: Storage = ""
    bridge: Bridge = ""
    plan: Plan = ""
    service: Service = None


class MachineOutput(msgspec.Struct, frozen=True, kw_only=True):
    """A machine as the provider has it."""

    service: Annotated[UUID, Meta(description="Whose it is.")]
    machine: Annotated[str, Meta(description="Its id at the provider.")]
    node: Annotated[str, Meta(description="The provider's node that it is on.")]
    power: Annotated[str, Meta(description="running, stopped, paused or unknown.")]


async def seen(step: Step, service: UUID, vm: Vm, *, chosen: Sequence[str] = ()) -> MachineOutput:
    """Return the machine as the provider has it now, and note that with its plan.

    With addresses that the provider chose, the primary first, its order has these from then on.
    """
    async with step.database.transaction() as tx:
        if chosen:
            await take_addresses(tx, service, chosen)
        await note_machine(tx, service, vm)
    return MachineOutput(service=service, machine=vm.id, node=vm.node, power=vm.power.value)


class At(msgspec.Struct, frozen=True):
    """Whose machine, and at which provider."""

    hypervisor: Hypervisor
    ref: Ref
    connection: str

    @property
    def resource(self) -> Resource:
        """How the machine is named on the ledger: where it is found again."""
        return Resource("machine", f"{self.connection} {self.ref.service}")


async def machine_at(step: Step, connection: str, service: UUID | None) -> At:
    """Return whose machine is meant, and its provider: that of its plan if none is named.

    Raises StepFailed, UnknownConnection, WrongKind.
    """
    ref = await ref_of(step, service)
    if not connection:
        async with step.database.snapshot() as tx:
            planned = await connection_of(tx, ref.service)
        if planned is None:
            raise StepFailed("no machine is planned for the service; name the connection")
        connection = planned
    return At(await hypervisor_at(step, connection), ref, connection)


async def hypervisor_at(step: Step, connection: str) -> Hypervisor:
    """Return the provider behind a connection. Raises UnknownConnection, WrongKind."""
    peer = await step.tools.connections.get(step, connection, HypervisorPeer)
    found: Hypervisor = step.tools.peers.hypervisor(peer, SignalledTurns(step.database))
    return found


async def ref_of(step: Step, service: UUID | None) -> Ref:
    """Return the machine of a service, by default of the run's own; one statement.

    Raises StepFailed where there is none.
    """
    async with step.database.snapshot() as tx:
        row = await tx.fetchrow(
            "SELECT id, hostname FROM service WHERE id = $1"
            if service is not None
            else 'SELECT id, hostname FROM service WHERE id = $1 OR "order" = $1',
            step.subject if service is None else service,
        )
    if row is None:
        raise StepFailed("there is no service whose machine this could be; say which")
    return Ref(row["id"], row["hostname"])


async def want_of(step: Step, at: At, params: Making) -> VmWant:
    """Return all that the machine of a service should be: its addresses and access with it.

    The password is made on the first call and kept; where a provider takes no keys there always is
    one. From an ISO a machine gets neither: who installs it says how to get in. Six statements.
    Raises StepFailed for an ISO where none can be installed from.
    """
    ref, is_from_iso = at.ref, is_iso(params.template)
    if is_from_iso and not isinstance(at.hypervisor, InstallsFromIso):
        raise StepFailed(
            f"{at.connection} installs from no ISO; name a template of its in place of "
            f"{params.template}"
        )
    async with step.database.transaction() as tx:
        planned = await planned_machine(tx, ref.service)
        order, selection = await _ordered(tx, ref.service)
        access = None
        if not is_from_iso:
            access = await keep_access(
                tx,
                step.tools.vault,
                ref.service,
                keys_only=bool(selection.ssh_keys) and at.hypervisor.takes_keys,
            )
        claimed = await addresses_of(tx, order)
    return VmWant(
        ref=ref,
        template=params.template,
        size=Size(cores=params.cores, memory_mb=params.memory_mb, disk_gb=params.disk_gb),
        nic=_nic(claimed),
        plan=params.plan or ("" if planned is None else planned.plan),
        nodes=params.nodes,
        storage=params.storage,
        bridge=params.bridge,
        user=ROOT if access is None else access.username,
        password=None if access is None or access.password is None else Secret(access.password),
        ssh_keys=() if is_from_iso else selection.ssh_keys,
        nameservers=step.tools.site.nameservers,
    )


async def _ordered(tx: Tx, service: UUID) -> tuple[UUID, Selection]:
    row = await tx.fetchrow(
        'SELECT o.id, o.selection FROM service s JOIN client_order o ON o.id = s."order" '
        "WHERE s.id = $1",
        service,
    )
    if row is None:
        raise StepFailed("the service is gone")
    return row["id"], msgspec.json.decode(row["selection"], type=Selection)


def _nic(claimed: Claimed) -> Nic:
    if not claimed.ip4:
        raise StepFailed("the order has no addresses; allocate them before the machine is made")
    primary = claimed.ip4[0]
    own6 = claimed.ip6[0] if claimed.ip6 else None
    return Nic(
        vlan=claimed.vlan,
        address4=f"{primary.address}/{primary.prefix_length}",
        gateway4="" if primary.gateway is None else str(primary.gateway),
        address6="" if own6 is None else f"{own6.host_address}/{own6.network.prefixlen}",
        gateway6="" if own6 is None or own6.gateway is None else str(own6.gateway),
        extra4=tuple(f"{one.address}/{one.prefix_length}" for one in claimed.ip4[1:]),
    )


async def drive(
    step: Step, connection: str, call: Callable[[dict[str, Any]], Awaitable[T | Working]]
) -> T | Wait:
    """Do the next thing of a call; the run sleeps while the provider works on it.

    So it does while nothing answers there, and goes on as soon as something does.
    """
    try:
        result = await call(dict(step.memo))
    except Unreachable:
        return away(step, connection, dict(step.memo))
    if isinstance(result, Working):
        until = step.now + timedelta(seconds=result.again_s)
        signal = f"{turn_signal(result.turn)}{step.run}" if result.turn else ""
        return Wait(until=until, signal=signal, memo=result.memo, says=result.says)
    return result


def provider_signal(connection: str) -> str:
    """Return how the signals begin that wake who waits for a provider to answer."""
    return f"provider:{connection}:"


def away(step: Step, connection: str, memo: dict[str, Any]) -> Wait:
    """Wait until a provider that is down answers; it is tried now and then, too."""
    return Wait(
        until=step.now + TRY_AGAIN,
        signal=f"{provider_signal(connection)}{step.run}",
        memo=memo,
        says=f"{connection} does not answer; it goes on by itself once it does",
    )


def where(connection: str) -> str:
    """Return where, for what a node says it would do; nothing where its plan tells."""
    return f" at {connection}" if connection else ""


def service_in(output: Mapping[str, Any] | None) -> UUID | None:
    return None if output is None else UUID(str(output["service"]))
