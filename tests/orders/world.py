"""A shop with clients and a room of machines, for tests that buy something."""

from uuid import UUID, uuid4

from app.core.database import Tx
from app.core.ids import new_id
from app.domain.catalog.find import find_product
from app.domain.catalog.register import register_catalog
from app.domain.catalog.selection import read_selection
from app.domain.orders.place import OrderRequest, place
from app.domain.orders.views import OrderView
from tests.catalog.shop import FORM, SHOP


async def a_client(tx: Tx, email: str = "client@example.org", *, country: str = "DE") -> UUID:
    account = new_id()
    await tx.execute(
        "INSERT INTO account (id, email, name, country, password_hash, role, created_at) "
        "VALUES ($1, $2, 'A client', $3, '', 'client', $4)",
        account,
        email,
        country,
        tx.now(),
    )
    return account


async def a_key(tx: Tx, account: UUID, public_key: str) -> UUID:
    key = new_id()
    await tx.execute(
        "INSERT INTO ssh_key (id, account, name, public_key, fingerprint, created_at) "
        "VALUES ($1, $2, 'laptop', $3, $4, $5)",
        key,
        account,
        public_key,
        f"SHA256:{key}",
        tx.now(),
    )
    return key


async def machines(tx: Tx, number: int, *, rack: str = "r1", prefix: str = "192.0.2.0/26") -> UUID:
    """Put a rack with `number` equal servers, a prefix of each family and VLANs in place."""
    datacentre, rack_id, cpu = new_id(), new_id(), new_id()
    datacentre = await tx.fetchval(
        "INSERT INTO datacentre (id, code, name) VALUES ($1, 'fra1', 'Frankfurt') "
        "ON CONFLICT (code) DO UPDATE SET name = excluded.name RETURNING id",
        datacentre,
    )
    cpu = await tx.fetchval(
        "INSERT INTO cpu_model (id, name, cores, threads) VALUES ($1, 'EPYC 7443', 24, 48) "
        "ON CONFLICT (name) DO UPDATE SET cores = excluded.cores RETURNING id",
        cpu,
    )
    await tx.execute(
        "INSERT INTO rack (id, datacentre, name) VALUES ($1, $2, $3)", rack_id, datacentre, rack
    )
    for slot in range(1, number + 1):
        server = new_id()
        await tx.execute(
            "INSERT INTO server (id, name, serial, rack, u_position, cpu_model, ram_gb, mac, "
            "state, state_since) VALUES ($1, $2, $3, $4, $5, $6, 32, $7, 'available', $8)",
            server,
            f"{rack}-{slot}",
            f"serial-{rack}-{slot}",
            rack_id,
            slot,
            cpu,
            f"02:00:00:{rack_id.hex[-2:]}:{rack_id.hex[-4:-2]}:{slot:02x}",
            tx.now(),
        )
        await tx.execute(
            "INSERT INTO disk (id, server, kind, capacity_gb, quantity) "
            "VALUES ($1, $2, 'nvme', 512, 2)",
            new_id(),
            server,
        )
    await tx.execute(
        "INSERT INTO prefix (id, network, datacentre, rack, purpose) "
        "VALUES ($1, $2::text::cidr, $4, $5, 'primary'), ($3, $6::text::cidr, $4, $5, 'primary')",
        new_id(),
        prefix,
        new_id(),
        datacentre,
        rack_id,
        f"2001:db8:{rack_id.hex[-4:]}::/48",
    )
    await tx.execute(
        "INSERT INTO vlan_group (id, name, datacentre, rack) VALUES ($1, $2, $3, $4)",
        new_id(),
        f"vlans of {rack}",
        datacentre,
        rack_id,
    )
    return rack_id


async def take_vlans(tx: Tx, rack: UUID, *, but: int = 0) -> None:
    """Have others hold every VLAN id of a rack but so many."""
    group = await tx.fetchval(
        "UPDATE vlan_group SET first_vid = 100, last_vid = 103 WHERE rack = $1 RETURNING id", rack
    )
    for vid in range(100, 104 - but):
        await tx.execute(
            "INSERT INTO address_claim (kind, scope, position, state, holder, item, purpose, seq, "
            "claimed_at) VALUES ('vlan', $1, $2, 'assigned', $3, 'vlan:primary', '', 1, $4)",
            group,
            vid,
            new_id(),
            tx.now(),
        )


async def a_shop(tx: Tx, *, servers: int = 1) -> None:
    await register_catalog(tx, SHOP)
    if servers:
        await machines(tx, servers)


async def request(
    tx: Tx, account: UUID, *, key: str | None = None, **typed: str | list[str]
) -> OrderRequest:
    product = await find_product(tx, "ax-32")
    return OrderRequest(
        account=account,
        product="ax-32",
        selection=read_selection(product, FORM | typed),
        idempotency_key=key or str(uuid4()),
    )


async def an_order(tx: Tx, account: UUID, **typed: str | list[str]) -> OrderView:
    """Place an order for the shop's server: 59.00 EUR now, before tax."""
    return await place(tx, await request(tx, account, **typed))
