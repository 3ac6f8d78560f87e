"""Which network card gets which address by DHCP: those of servers that orders have."""

from collections import defaultdict
from collections.abc import Sequence
from ipaddress import IPv4Network
from uuid import UUID

from app.core.database import Tx
from app.drivers.deploy.contract import BOOT_FILE
from app.drivers.dhcp.contract import DhcpHost, DhcpPlan, DhcpSubnet
from app.ipam.wants import PRIMARY_IP4

BOOT_PATH = "/netboot/ipxe?mac=${net0/mac}"
BOOT_FILE_PATH = f"/netboot/{BOOT_FILE}"


async def dhcp_plan(
    tx: Tx,
    *,
    base_url: str,
    has_boot_file: bool,
    nameservers: Sequence[str] = (),
    datacentre: str = "",
) -> DhcpPlan:
    """Return every IPv4 leaf of a datacentre ("": of all) with its hosts; two statements.

    A server that nobody has is in none: its card would keep the address of who had it. Networks of
    a VRF are left out, since two of them may be alike.
    """
    prefixes = await tx.fetch(
        "SELECT p.id, p.network, p.gateway FROM prefix p JOIN datacentre d ON d.id = p.datacentre "
        "WHERE family(p.network) = 4 AND masklen(p.network) < 32 AND p.status = 'active' "
        "AND p.vrf IS NULL AND $1 IN ('', d.code) ORDER BY p.network",
        datacentre,
    )
    rows = await tx.fetch(
        "SELECT c.scope, c.position, s.mac, o.hostname FROM address_claim c "
        "JOIN server s ON s.holder = c.holder JOIN client_order o ON o.id = c.holder "
        "WHERE c.kind = 'ip4' AND c.item = $1 AND c.state IN ('held', 'assigned') "
        "AND c.scope = ANY($2) ORDER BY c.position",
        PRIMARY_IP4,
        [row["id"] for row in prefixes],
    )
    networks: dict[UUID, IPv4Network] = {row["id"]: row["network"] for row in prefixes}
    hosts: dict[UUID, list[DhcpHost]] = defaultdict(list)
    for row in rows:
        address = networks[row["scope"]].network_address + row["position"]
        hosts[row["scope"]].append(
            DhcpHost(mac=row["mac"], address=address, hostname=row["hostname"])
        )
    return DhcpPlan(
        subnets=tuple(
            DhcpSubnet(
                prefix=row["id"],
                network=row["network"],
                router=row["gateway"],
                nameservers=tuple(nameservers),
                hosts=tuple(hosts[row["id"]]),
            )
            for row in prefixes
        ),
        boot_url=base_url.rstrip("/") + BOOT_PATH,
        boot_file_url=base_url.rstrip("/") + BOOT_FILE_PATH if has_boot_file else "",
    )
