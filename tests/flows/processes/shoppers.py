"""A thousand clients at the order form of two web processes, of which one dies meanwhile."""

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

from app.cli.demo.processes import Child
from app.core.database import Tx
from app.core.ids import new_id
from app.core.secrets import new_token
from app.domain.accounts.sessions import token_hash
from app.domain.catalog.register import register_catalog
from app.domain.catalog.seed import (
    CatalogSeed,
    CategorySeed,
    OptionGroupSeed,
    OptionSeed,
    ProductSeed,
)
from app.solver.want import ServerWant
from tests.catalog.shop import DEBIAN, eur
from tests.drivers.process import free_port
from tests.flows.processes.conftest import Yard

CLIENTS = 1_000
PRODUCT = "last-ones"
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


async def rush(yard: Yard, killed_after: int) -> Counter[str]:
    """Let all of them order the product at once; return how many got which answer.

    After so many orders one web process and one worker are killed. Whoever is not answered
    sends the same form to the other process.
    """
    async with yard.database.transaction() as tx:
        shoppers = await sign_in(tx)
    await yard.hire(2)
    webs = [await serve(yard) for _ in range(2)]
    urls = [url for _, url in webs]
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
    ) as http:
        shopping = [
            asyncio.create_task(shop(http, shopper, urls[number % 2], urls[0]))
            for number, shopper in enumerate(shoppers)
        ]
        await yard.until(lambda: has_sold(yard, killed_after))
        os.kill(webs[1][0].process.pid, signal.SIGKILL)
        os.kill(yard.workers[1].process.pid, signal.SIGKILL)
        return Counter(await asyncio.gather(*shopping))


async def has_sold(yard: Yard, number: int) -> bool:
    [[sold]] = await yard.fetch("SELECT count(*) FROM client_order")
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


async def offer(tx: Tx, want: ServerWant) -> None:
    """Put the product on sale."""
    system = OptionGroupSeed(
        code="os", name="System", is_required=True,
        options=(OptionSeed(code="debian-12", name="Debian 12"),),
    )  # fmt: skip
    product = ProductSeed(
        slug=PRODUCT,
        name="Last ones",
        server_rules=want,
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
