"""A thousand clients want the last hundred addresses, and one of the processes dies meanwhile."""

import asyncio
import contextlib
import hashlib
import hmac
import os
import signal
import sys
from collections import Counter
from dataclasses import dataclass
from uuid import UUID

import aiohttp

from app.cli.demo.processes import Child, free_port
from app.core.database import Tx
from app.core.ids import new_id
from app.core.secrets import Vault, new_key, new_token
from app.domain.accounts.sessions import token_hash
from app.domain.addresses.audit import audit_addresses
from app.domain.addresses.register import register_addresses
from app.domain.addresses.seed import AddressSeed, PrefixSeed, VlanGroupSeed
from app.domain.catalog.register import register_catalog
from app.domain.catalog.seed import (
    CatalogSeed,
    CategorySeed,
    OptionGroupSeed,
    OptionSeed,
    ProductSeed,
)
from app.domain.inventory.register import register_inventory
from app.domain.inventory.seed import CpuSeed, DatacentreSeed, InventorySeed, RackSeed
from app.solver.want import ServerWant
from tests.catalog.shop import DEBIAN, eur
from tests.flows.processes.conftest import Yard
from tests.inventory.hall import machine

CLIENTS = 1_000
ADDRESSES = 100
SERVERS = 101
"""One more than can be given an address: whoever is refused looks at what is left."""
PRODUCT = "last-ones"
SITE = "last1"
READY_S = 60.0


@dataclass(frozen=True)
class Shopper:
    """A client who is signed in."""

    account: UUID
    session: str
    nonce: str
    key: str
    address: str

    @property
    def headers(self) -> dict[str, str]:
        cookies = f"slipway_session={self.session}; slipway_csrf={self.nonce}"
        return {"Cookie": cookies, "X-Forwarded-For": self.address}

    @property
    def form(self) -> dict[str, str]:
        text = f"csrf:{self.session}".encode()
        return {
            "_csrf_token": hmac.new(self.nonce.encode(), text, hashlib.sha256).hexdigest(),
            "idempotency_key": self.key,
            "hostname": "last.example.org",
            "currency": "EUR",
            "cycle": "monthly",
            "os": "debian-12",
        }


async def test_the_last_addresses_go_to_as_many_clients_and_the_others_are_told(
    yard: Yard,
) -> None:
    """pitfalls.md: the last unit is sold twice and fails after payment; addresses leak."""
    async with yard.database.transaction() as tx:
        await lay_out(tx)
        shoppers = await sign_in(tx)
    await yard.hire(2)
    webs = [await serve(yard) for _ in range(2)]
    urls = [url for _, url in webs]
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()
    ) as http:
        shopping = [
            asyncio.create_task(shop(http, shopper, urls[number % 2], urls[0]))
            for number, shopper in enumerate(shoppers)
        ]
        await yard.until(lambda: has_sold(yard, ADDRESSES // 4))
        os.kill(webs[1][0].process.pid, signal.SIGKILL)
        os.kill(yard.workers[1].process.pid, signal.SIGKILL)
        answers = Counter(await asyncio.gather(*shopping))
    assert answers == {"served": ADDRESSES, "told why": CLIENTS - ADDRESSES}
    for rows in (await contradictions(yard), await yard.fetch(UNSERVED), await yard.fetch(LEAKED)):
        assert rows == []


UNSERVED = """
SELECT o.id FROM client_order o JOIN product p ON p.id = o.product
WHERE p.slug = 'last-ones' AND (SELECT array_agg(c.kind ORDER BY c.kind) FROM address_claim c
    WHERE c.holder = o.id AND c.state = 'held' AND c.client = o.account)
IS DISTINCT FROM ARRAY['ip4', 'ip6net', 'vlan']
"""
"""Orders that have less, or more, than what they are to have."""

LEAKED = """
SELECT c.id FROM address_claim c LEFT JOIN client_order o ON o.id = c.holder
LEFT JOIN server s ON s.holder = c.holder
WHERE c.state <> 'reserved' AND (o.id IS NULL OR s.id IS NULL)
"""
"""Claims of no order, or of one that has no server."""


async def contradictions(yard: Yard) -> list[object]:
    async with yard.database.transaction() as tx:
        return list((await audit_addresses(tx)).found)


async def has_sold(yard: Yard, number: int) -> bool:
    [[sold]] = await yard.fetch("SELECT count(*) FROM address_claim WHERE kind = 'vlan'")
    return int(sold) >= number


async def serve(yard: Yard) -> tuple[Child, str]:
    """Start a web process; return it and its address when it answers."""
    port = free_port()
    command = [sys.executable, "-m", "app.cli", "serve", "--port", str(port)]
    child = await yard.processes.start(f"web-{port}", command, yard.environment)
    url = f"http://127.0.0.1:{port}"
    await yard.processes.until_ready(child, f"{url}/readyz", timeout_s=READY_S)
    return child, url


async def shop(http: aiohttp.ClientSession, shopper: Shopper, url: str, other: str) -> str:
    """Send the order form; where nobody answers, the same form again to the other process."""
    for place in (url, other):
        with contextlib.suppress(aiohttp.ClientConnectionError):
            async with http.post(
                f"{place}/products/{PRODUCT}/order",
                data=shopper.form,
                headers=shopper.headers,
                allow_redirects=False,
            ) as answer:
                text = await answer.text()
                if answer.status == 409 and "sold out" in text.lower():
                    return "told why"
                if answer.status == 303 and answer.headers["Location"].startswith("/invoices/"):
                    return "served"
                return f"{answer.status} {answer.headers.get('Location')} {text[:300]}"
    return "nobody answered"


async def lay_out(tx: Tx) -> None:
    """Write down servers, a prefix that has room for `ADDRESSES`, and a product of these."""
    await register_inventory(
        tx,
        Vault([new_key()]),
        InventorySeed(
            datacentres=(DatacentreSeed(code=SITE, name="Last"),),
            racks=(RackSeed(datacentre=SITE, name="L1", u_height=SERVERS + 1),),
            cpu_models=(CpuSeed(name="Xeon", cores=8, threads=16, base_mhz=3200),),
            servers=tuple(
                machine(n, name=f"last{n:03d}", serial=f"L{n:05d}", datacentre=SITE, rack="L1",
                        mac=f"02:00:00:01:00:{n:02x}")
                for n in range(1, SERVERS + 1)
            ),
        ),
    )  # fmt: skip
    await register_addresses(
        tx,
        AddressSeed(
            prefixes=(
                PrefixSeed(
                    network="10.77.0.0/25",
                    datacentre=SITE,
                    reserved=(f"10.77.0.{ADDRESSES + 1}-10.77.0.126",),
                ),
                PrefixSeed(network="2001:db8:77::/48", datacentre=SITE),
            ),
            vlan_groups=(VlanGroupSeed(name=SITE, datacentre=SITE),),
        ),
    )
    system = OptionGroupSeed(
        code="os", name="System", is_required=True,
        options=(OptionSeed(code="debian-12", name="Debian 12"),),
    )  # fmt: skip
    product = ProductSeed(
        slug=PRODUCT,
        name="Last ones",
        server_rules=ServerWant(ram_gb=32, datacentres=(SITE,), datacentre_required=True),
        prices=(eur(4_900),),
        groups=(system,),
    )
    category = CategorySeed(slug=PRODUCT, name="Last ones", products=(product,))
    await register_catalog(tx, CatalogSeed(categories=(category,), os_images=(DEBIAN,)))


async def sign_in(tx: Tx) -> list[Shopper]:
    shoppers = [
        Shopper(new_id(), new_token(32), new_token(32), new_id().hex, f"10.1.{n // 200}.{n % 200}")
        for n in range(CLIENTS)
    ]
    await tx.executemany(
        "INSERT INTO account (id, email, name, password_hash, role, created_at) "
        "VALUES ($1, $2, 'Client', '', 'client', $3)",
        [(one.account, f"{one.account}@example.test", tx.now()) for one in shoppers],
    )
    await tx.executemany(
        "INSERT INTO session (id, account, token_hash, created_at, seen_at, expires_at, address, "
        "agent) VALUES ($1, $2, $3, now(), now(), now() + interval '1 hour', $4, 'test')",
        [(new_id(), one.account, token_hash(one.session), one.address) for one in shoppers],
    )
    return shoppers
