"""A product of virtual machines, and what is needed to sell it."""

from ipaddress import IPv4Network
from typing import Any

import msgspec
from msgspec.structs import replace

from app.core.database import Tx
from app.core.ids import new_id
from app.core.secrets import Vault
from app.domain.addresses.register import register_addresses
from app.domain.addresses.seed import AddressSeed, PrefixSeed
from app.domain.billing.settle import settle
from app.domain.catalog.find import find_product
from app.domain.catalog.register import register_catalog
from app.domain.catalog.seed import CatalogSeed, CategorySeed
from app.domain.catalog.selection import read_selection
from app.domain.connections.add import add_connection
from app.domain.connections.kinds import Kind
from app.domain.machines.rules import MachinePlace, MachineRules, MachineSize
from app.domain.orders.place import OrderRequest, place
from app.domain.orders.views import OrderView
from app.ipam.wants import AddressRules
from tests.billing.ledger import fact
from tests.catalog.shop import FORM, SERVER

PLACE = MachinePlace(connection="pve", datacentre="fra1")
RULES = MachineRules(
    size=MachineSize(cores=1, memory_mb=512, disk_gb=5),
    templates={"debian-12": "debian-12", "ubuntu-24.04": "debian-12"},
    places=(PLACE,),
)
MACHINE = replace(
    SERVER,
    slug="vm-1",
    name="VM-1",
    address_rules=AddressRules(
        primary_purpose="public", extra_same_prefix=True, ipv6_length=None, vlan=False
    ),
    machine_rules=RULES,
    groups=tuple(group for group in SERVER.groups if group.code != "panel"),
)
CLUSTER = {
    "provider": "proxmox",
    "base_url": "https://192.0.2.1:8006",
    "username": "root@pam",
    "secret": "fit for a stand-in",
    "trust": "system",
}


async def a_cluster(tx: Tx, vault: Vault, name: str = "pve", **typed: Any) -> None:
    await add_connection(
        tx,
        vault,
        name=name,
        kind=Kind.HYPERVISOR,
        typed=CLUSTER | typed,
        actor=None,
        actor_label="test",
    )


async def a_site(tx: Tx, code: str = "fra1", network: str = "100.64.7.0/24") -> None:
    """Have a datacentre with addresses for virtual machines."""
    await tx.execute(
        "INSERT INTO datacentre (id, code, name) VALUES ($1, $2, $2) ON CONFLICT DO NOTHING",
        new_id(),
        code,
    )
    gateway = str(next(IPv4Network(network).hosts()))
    prefix = PrefixSeed(network=network, datacentre=code, purpose="public", gateway=gateway)
    await register_addresses(tx, AddressSeed(prefixes=(prefix,)))


async def a_machine_shop(tx: Tx, vault: Vault, **cluster: Any) -> None:
    """Sell VM-1 at a cluster; `cluster` is what is typed of its connection."""
    await a_cluster(tx, vault, **cluster)
    await a_site(tx)
    category = CategorySeed(slug="virtual", name="Virtual servers", products=(MACHINE,))
    await register_catalog(tx, CatalogSeed(categories=(category,)))


async def a_machine_order(
    tx: Tx, account: Any, *, key: str = "", **typed: str | list[str]
) -> OrderView:
    product = await find_product(tx, "vm-1")
    request = OrderRequest(
        account=account,
        product="vm-1",
        selection=read_selection(product, FORM | typed),
        idempotency_key=key or str(new_id()),
    )
    return await place(tx, request)


async def pay(tx: Tx, order: OrderView) -> None:
    """Pay it in full, as the gateway's webhook says so."""
    told = fact(order.invoice_id, order.total_minor, ref=f"pi_{order.number}")
    await settle(tx, told, gateway="stripe")


async def set_rules(tx: Tx, rules: MachineRules) -> None:
    """Give every product of virtual machines these rules."""
    await tx.execute(
        "UPDATE product SET machine_rules = $1 WHERE machine_rules IS NOT NULL",
        msgspec.json.encode(rules).decode(),
    )
