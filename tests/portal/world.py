"""A provider with stock in two cities, its catalogue, and orders at every stage of their way."""

from datetime import timedelta
from uuid import UUID

from app.cli.demo.catalogue import demo_catalogue
from app.cli.import_ import ProviderFile, register_provider
from app.core.database import Database, Tx
from app.core.secrets import Vault
from app.domain.accounts.ssh_keys import add_ssh_key
from app.domain.accounts.views import AccountView, SshKeyView
from app.domain.addresses.seed import AddressSeed, PrefixSeed, VlanGroupSeed
from app.domain.billing.record_transfer import record_transfer
from app.domain.billing.tax import set_tax_rate
from app.domain.catalog.find import find_product
from app.domain.catalog.selection import read_selection
from app.domain.inventory.confirm import activate, begin_provisioning
from app.domain.inventory.power import note_power
from app.domain.inventory.seed import (
    CpuSeed,
    DatacentreSeed,
    DiskSeed,
    EquivalenceSeed,
    InventorySeed,
    RackSeed,
    ServerSeed,
)
from app.domain.orders.attach_run import attach_run
from app.domain.orders.find import find_order
from app.domain.orders.mark_delivered import mark_delivered
from app.domain.orders.mark_provisioning import mark_provisioning
from app.domain.orders.place import OrderRequest, place
from app.domain.orders.views import OrderView
from app.domain.services.credentials import keep_access
from app.domain.services.deliver import deliver_service
from app.domain.services.open import open_service
from app.drivers.power import Power
from app.flows.start import start_run
from app.solver.want import DiskKind

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE5lvOmDG3sF7B7Zz9n1iQqD7G1rJm0a9mO0vS3h4T1Q laptop"
XEON_6, XEON_8, EPYC = "Intel Xeon E-2386G", "Intel Xeon E-2388G", "AMD EPYC 7443P"
SITES = {"ams1": ("Amsterdam", "NL", 16), "fra1": ("Frankfurt", "DE", 18)}
# (site, CPU, memory, disks): Metal S has 5, two of which are sold as Metal M as well.
FLEET = (
    ("ams1", XEON_6, 32, DiskSeed(kind=DiskKind.ssd, capacity_gb=480, quantity=2)),
    ("ams1", XEON_6, 64, DiskSeed(kind=DiskKind.ssd, capacity_gb=480, quantity=2)),
    ("ams1", XEON_8, 64, DiskSeed(kind=DiskKind.nvme, capacity_gb=960, quantity=2)),
    ("fra1", XEON_6, 32, DiskSeed(kind=DiskKind.ssd, capacity_gb=480, quantity=2)),
    ("fra1", XEON_8, 64, DiskSeed(kind=DiskKind.nvme, capacity_gb=960, quantity=2)),
)
FORM: dict[str, str | list[str]] = {
    "hostname": "db1.example.org",
    "currency": "EUR",
    "cycle": "monthly",
    "os": "debian-12",
    "datacentre": "",
    "panel": "",
    "extra_ipv4": "0",
}


async def furnish(database: Database, vault: Vault) -> None:
    """Write the whole provider down: Metal L is sold out, nobody has such a server."""
    async with database.transaction() as tx:
        provider = ProviderFile(
            inventory=_inventory(),
            addresses=_addresses(),
            catalog=demo_catalogue("http://mirror.example.net"),
        )
        await register_provider(tx, vault, provider)
        await set_tax_rate(tx, "DE", name="USt", rate_bp=1_900)


def _inventory() -> InventorySeed:
    return InventorySeed(
        datacentres=tuple(
            DatacentreSeed(code=code, name=f"{city} 1", city=city, country=country)
            for code, (city, country, _) in SITES.items()
        ),
        racks=tuple(RackSeed(datacentre=code, name=f"{code}-r01") for code in SITES),
        cpu_models=(
            CpuSeed(name=XEON_6, cores=6, threads=12),
            CpuSeed(name=XEON_8, cores=8, threads=16),
            CpuSeed(name=EPYC, cores=24, threads=48),
        ),
        equivalences=(EquivalenceSeed(group="xeon-e-2300", wanted=XEON_6, stand_in=XEON_8),),
        servers=tuple(
            ServerSeed(
                name=f"{site}-r01-u{number:02d}",
                serial=f"SN{number:05d}",
                datacentre=site,
                rack=f"{site}-r01",
                u_position=number,
                cpu_model=cpu,
                ram_gb=ram_gb,
                mac=f"02:00:00:00:00:{number:02x}",
                disks=(disk,),
            )
            for number, (site, cpu, ram_gb, disk) in enumerate(FLEET, start=1)
        ),
    )


def _addresses() -> AddressSeed:
    prefixes: list[PrefixSeed] = []
    for code, (_, _, number) in SITES.items():
        prefixes += [
            PrefixSeed(
                network=f"203.0.{number}.0/25",
                datacentre=code,
                gateway=f"203.0.{number}.1",
                purpose="primary",
            ),
            PrefixSeed(network=f"203.0.{number}.128/29", datacentre=code, purpose="extra"),
            PrefixSeed(network=f"2001:db8:{number}::/48", datacentre=code, purpose="ipv6"),
        ]
    return AddressSeed(
        vlan_groups=tuple(VlanGroupSeed(name=f"{code}-access", datacentre=code) for code in SITES),
        prefixes=tuple(prefixes),
    )


async def a_key(database: Database, account: AccountView) -> SshKeyView:
    async with database.transaction() as tx:
        return await add_ssh_key(tx, account, name="laptop", text=KEY)


async def ordered(
    tx: Tx, account: AccountView, *, slug: str = "metal-s", **typed: str | list[str]
) -> OrderView:
    """Place an order as the form does; it awaits its payment."""
    product = await find_product(tx, slug)
    return await place(
        tx,
        OrderRequest(
            account=account.id,
            product=slug,
            selection=read_selection(product, {**FORM, **typed}),
            idempotency_key=f"{slug}-{typed}",
            hold_for=timedelta(minutes=30),
        ),
    )


async def pay(tx: Tx, order: OrderView) -> UUID:
    """Pay in full by transfer and start the run that delivers the order; returns the run."""
    assert order.invoice_id is not None
    await record_transfer(
        tx,
        order.invoice_id,
        amount_minor=order.total_minor,
        reference=f"BANK {order.number}",
        actor=None,
        actor_label="test",
    )
    run = await start_run(
        tx,
        category=order.category_id,
        trigger="order.paid",
        subject=order.id,
        data={"order": str(order.id)},
        dedup_key=f"test:{order.id}",
    )
    await attach_run(tx, order.id, run)
    return run


async def deliver(tx: Tx, vault: Vault, order: OrderView, *, keys_only: bool = False) -> UUID:
    """Do to a paid order what its flow would do; returns the service."""
    await mark_provisioning(tx, order.id)
    await begin_provisioning(tx, order.id)
    service = await open_service(tx, order.id)
    await keep_access(tx, vault, service, keys_only=keys_only)
    server = (await find_order(tx, order.id)).server_id
    assert server is not None
    await activate(tx, order.id)
    await deliver_service(tx, service, server=server)
    await mark_delivered(tx, order.id)
    await note_power(tx, server, Power.ON)
    return service


async def step(
    tx: Tx, run: UUID, node: str, status: str, *, scope: str = "/", ago_s: float = 0, **more: object
) -> None:
    """Write an attempt of a node of the run down; `error`, `took_s` and `stands` as wanted."""
    started = tx.now() - timedelta(seconds=ago_s)
    took_s = more.get("took_s")
    finished = started + timedelta(seconds=float(str(took_s))) if took_s is not None else None
    await tx.execute(
        "INSERT INTO step_attempt (run, scope, node, attempt, status, idempotency_key, error, "
        "started_at, finished_at) VALUES ($1, $2, $3, 1, $4, $5, $6, $7, $8)",
        run,
        scope,
        node,
        status,
        f"{run}:{scope}:{node}",
        str(more.get("error", "")),
        started,
        finished,
    )
    if "stands" in more:
        await tx.execute(
            "DELETE FROM token WHERE run = $1 AND scope = $2 AND node = $3", run, scope, node
        )
        await tx.execute(
            "INSERT INTO token (id, run, scope, node, state, attempt) "
            "VALUES (gen_random_uuid(), $1, $2, $3, $4, 1)",
            run,
            scope,
            node,
            str(more["stands"]),
        )


async def installing(
    tx: Tx, order: OrderView, run: UUID, *, percent: int, stage: str, scope: str = "/attempts:1"
) -> None:
    """Put the order's installation at `percent`."""
    service = await open_service(tx, order.id)
    server = (await find_order(tx, order.id)).server_id
    await tx.execute(
        "INSERT INTO installation (id, service, server, step_key, token_hash, sealed_spec, state, "
        "stage, percent, created_at, updated_at) VALUES (gen_random_uuid(), $1, $2, $3, $4, '', "
        "'installing', $5, $6, $7, $7)",
        service,
        server,
        f"{run}:{scope}:install#1",
        run.bytes,
        stage,
        percent,
        tx.now(),
    )
