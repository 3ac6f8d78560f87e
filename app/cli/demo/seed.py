"""Fill an empty Slipway: the simulated datacentre's hardware, prefixes, catalogue, flow, people.

Everything is known by its natural key, so that the demo can be run again on its data.
"""

from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import msgspec

from app.cli.demo.catalogue import demo_catalogue
from app.cli.demo.logins import Logins
from app.cli.demo.racks import (
    KG_A_UNIT,
    cables_of,
    devices_of,
    ports_of,
    rack_seed,
    warranty_of,
)
from app.cli.import_ import ProviderFile, register_provider
from app.core.database import Database, Tx
from app.core.secrets import Vault
from app.domain.accounts.create_user import create_user
from app.domain.accounts.details import Details
from app.domain.accounts.roles import Role
from app.domain.addresses.seed import AddressSeed, PrefixSeed, VlanGroupSeed
from app.domain.billing.tax import set_tax_rate
from app.domain.inventory.seed import (
    BmcSeed,
    CableSeed,
    CpuSeed,
    DatacentreSeed,
    DiskSeed,
    EquivalenceSeed,
    InventorySeed,
    ServerSeed,
)
from app.ipam.choice import Strategy

VIRTUAL_MEDIA_DATACENTRE = "fra1"
"""Where the demo's machines have no DHCP and boot by virtual media."""
TAX = {"NL": ("BTW", 2_100), "DE": ("USt", 1_900), "FR": ("TVA", 2_000)}

# Loopback space stands in for the provider's public addresses, so that machines of the lab
# can answer on exactly the addresses that the IPAM gave them.
SITE_PREFIXES = {
    "ams1": ("127.16.0.0/24", "127.17.0.0/24", "2001:db8:16::/48"),
    "fra1": ("127.18.0.0/24", "127.19.0.0/24", "2001:db8:18::/48"),
}


class Lab(msgspec.Struct, frozen=True):
    """What the simulated datacentre says of itself in `lab.json`."""

    url: str
    smtp: dict[str, Any]
    ca_pem: str
    mirror_url: str
    ssh_port: int
    datacentres: list[dict[str, Any]]
    racks: list[dict[str, Any]]
    machines: list[dict[str, Any]]


def read_lab(path: Path) -> Lab:
    return msgspec.json.decode(path.read_bytes(), type=Lab)


async def seed(database: Database, vault: Vault, lab: Lab, logins: Logins) -> None:
    """Write everything in one transaction."""
    async with database.transaction() as tx:
        provider = ProviderFile(
            inventory=inventory_of(lab),
            addresses=addresses_of(lab),
            catalog=demo_catalogue(lab.mirror_url),
        )
        await register_provider(tx, vault, provider)
        for country, (name, rate_bp) in TAX.items():
            await set_tax_rate(tx, country, name=name, rate_bp=rate_bp)
        await _people(tx, logins)


def inventory_of(lab: Lab) -> InventorySeed:
    ca_pem = Path(lab.ca_pem).read_text()
    cpus = {machine["cpu_model"]: machine for machine in lab.machines}
    return InventorySeed(
        datacentres=tuple(DatacentreSeed(**site) for site in lab.datacentres),
        racks=tuple(rack_seed(rack) for rack in lab.racks),
        cpu_models=tuple(
            CpuSeed(
                name=name,
                cores=machine["cpu_cores"],
                threads=machine["cpu_threads"],
                base_mhz=machine["cpu_mhz"],
            )
            for name, machine in cpus.items()
        ),
        equivalences=(
            EquivalenceSeed(
                group="xeon-e-2300", wanted="Intel Xeon E-2386G", stand_in="Intel Xeon E-2388G"
            ),
        ),
        servers=tuple(
            _server(machine, number, ca_pem) for number, machine in enumerate(lab.machines)
        ),
        devices=tuple(device for rack in lab.racks for device in devices_of(rack)),
        cables=tuple(cable for machines in _by_rack(lab) for cable in _cables(machines)),
    )


def _by_rack(lab: Lab) -> list[list[dict[str, Any]]]:
    racks: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for machine in lab.machines:
        racks.setdefault((machine["datacentre"], machine["rack"]), []).append(machine)
    return list(racks.values())


def _cables(machines: list[dict[str, Any]]) -> Iterator[CableSeed]:
    """Return the cables of the machines of a rack, in the order of its units."""
    ordered = sorted(machines, key=lambda machine: int(machine["u_position"]))
    for number, machine in enumerate(ordered, 1):
        yield from cables_of(machine, number)


def _server(machine: dict[str, Any], number: int, ca_pem: str) -> ServerSeed:
    by_media = machine["datacentre"] == VIRTUAL_MEDIA_DATACENTRE
    return ServerSeed(
        name=machine["name"],
        serial=machine["serial"],
        datacentre=machine["datacentre"],
        rack=machine["rack"],
        u_position=machine["u_position"],
        u_height=machine["u_height"],
        cpu_model=machine["cpu_model"],
        cpu_count=machine["cpu_count"],
        ram_gb=machine["ram_gb"],
        raid_controller=machine["raid_controller"],
        power_draw_watts=machine["power_draw_watts"],
        weight_kg=KG_A_UNIT * machine["u_height"],
        warranty_ends_on=warranty_of(number),
        mac=machine["mac"],
        ports=ports_of(machine),
        disks=tuple(
            DiskSeed(kind=disk["kind"], capacity_gb=disk["capacity_gb"], quantity=disk["count"])
            for disk in machine["disks"]
        ),
        bmc=BmcSeed(
            url=machine["bmc"]["url"],
            username=machine["bmc"]["username"],
            password=machine["bmc"]["password"],
            system_path=machine["bmc"]["system_path"],
            ca_pem=ca_pem,
            boot_method="virtual-media" if by_media else "network",
        ),
    )


def addresses_of(lab: Lab) -> AddressSeed:
    groups = tuple(
        VlanGroupSeed(name=f"{site['code']}-access", datacentre=site["code"])
        for site in lab.datacentres
    )
    prefixes: list[PrefixSeed] = []
    for site in lab.datacentres:
        primary, extra, ipv6 = SITE_PREFIXES[site["code"]]
        gateway = str(IPv4Network(primary)[1])
        prefixes += [
            PrefixSeed(
                network=primary, datacentre=site["code"], gateway=gateway, purpose="primary"
            ),
            PrefixSeed(network=extra, datacentre=site["code"], purpose="extra"),
            PrefixSeed(
                network=ipv6, datacentre=site["code"], purpose="ipv6", strategy=Strategy.random
            ),
        ]
    return AddressSeed(vlan_groups=groups, prefixes=tuple(prefixes))


async def _people(tx: Tx, logins: Logins) -> None:
    people = (
        (logins.owner, "Demo Owner", Role.OWNER, ""),
        (logins.client, "Demo Client", Role.CLIENT, "NL"),
    )
    for login, name, role, country in people:
        if await tx.fetchval("SELECT 1 FROM account WHERE email = $1", login.email):
            continue
        await create_user(
            tx,
            email=login.email,
            password=login.password,
            details=Details(name=name, country=country),
            role=role,
            actor_label="slipway demo",
        )
