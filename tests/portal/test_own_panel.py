"""A client gets into the provider's own panel: by a link for one use, or by a plain one."""

from collections.abc import AsyncIterator
from uuid import UUID

import aiohttp
import pytest
from litestar import Litestar
from msgspec.structs import replace
from redis.asyncio import Redis

from app.core.clock import SetClock
from app.core.database import Database
from app.core.live import Live
from app.core.secrets import Vault, new_key
from app.domain.accounts.views import AccountView
from app.drivers.egress import Egress
from app.drivers.errors import Refused, Unauthorised
from app.drivers.hypervisor.contract import HypervisorPeer, Nic, Ref, Size, VmWant
from app.drivers.hypervisor.virtualizor.adapter import Virtualizor
from app.drivers.hypervisor.virtualizor.sign_on import panel_url
from app.drivers.peers import NoTurns, Peers, open_peers
from app.drivers.secret import Secret
from app.resources import Resources
from app.settings import Settings
from app.suites.hypervisor import through
from lab.virtualizor.web import VirtualizorWeb
from tests.application import application
from tests.drivers.hypervisor.panels import virtualizor
from tests.machines.books import a_machine_of
from tests.machines.world import a_machine_shop
from tests.security.browser import Browser


@pytest.fixture
async def peers(clock: SetClock) -> AsyncIterator[Peers]:
    peers = open_peers(Egress(["127.0.0.0/8"]), clock)
    yield peers
    await peers.close()


@pytest.fixture
def app(database: Database, redis: Redis, vault: Vault, peers: Peers) -> Litestar:
    settings = Settings(_env_file=None, base_url="http://slipway.test", keys=new_key())
    return application(Resources(settings, database, redis, Live(redis), vault), peers=peers)


@pytest.fixture
async def panel() -> AsyncIterator[tuple[VirtualizorWeb, HypervisorPeer]]:
    async with virtualizor() as both:
        yield both


async def a_service(database: Database, vault: Vault, ada: AccountView, **typed: str) -> UUID:
    async with database.transaction() as tx:
        await a_machine_shop(tx, vault, **typed)
        return await a_machine_of(tx, ada.id, 101)


async def test_a_client_is_signed_in_once(
    client: Browser, database: Database, peers: Peers, vault: Vault, ada: AccountView,
    panel: tuple[VirtualizorWeb, HypervisorPeer],
) -> None:  # fmt: skip
    standin, peer = panel
    service = await a_service(
        database, vault, ada, provider="virtualizor", base_url=peer.url, panel_url=peer.url,
        username=peer.username, secret=peer.secret.reveal(),
    )  # fmt: skip
    here = f"/services/{service}"
    form = f'action="{here}/panel" target="_blank"'
    assert form in (await client.get(here)).text
    refused = await client.send_form(here, f"{here}/panel")
    assert (refused.status_code, refused.headers["location"]) == (303, here), "it is not there yet"
    assert "cannot be opened just now" in (await client.get(here)).text
    want = VmWant(
        ref=Ref(service, "vm101.example.org"), template="debian-12-x86_64 [kvm]",
        size=Size(cores=1, memory_mb=512, disk_gb=5), nic=Nic(), password=Secret("Fit, 1!"),
    )  # fmt: skip
    at = Virtualizor(peers.http, replace(peer, panel_url=peer.url), NoTurns())
    await through(lambda memo: at.create(want, memo))
    answer = await client.send_form(here, f"{here}/panel")
    assert answer.status_code == 200
    way = answer.headers["refresh"].removeprefix("0; url=")
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    async with aiohttp.ClientSession() as session:
        for words in ("Signed in: vm101.example.org", "Virtualizor - Login"):
            async with session.get(way) as page:
                assert words in await page.text()
    wrong = replace(peer, panel_url=peer.url, secret=Secret("another"))
    with pytest.raises(Unauthorised):
        await Virtualizor(peers.http, wrong, NoTurns()).sign_on(want.ref)
    await through(lambda memo: at.suspend(want.ref, memo))
    with pytest.raises(Refused, match="suspended"):
        await at.sign_on(want.ref)
    async with database.snapshot() as tx:
        rows = await tx.fetch(
            'SELECT actor_label, "after"::text FROM audit_entry '
            "WHERE action = 'machines.panel_opened'"
        )
    assert [tuple(row) for row in rows] == [("ada@example.com", '{"connection": "pve"}')]
    assert standin.calls.count("GET sso") == 1


async def test_others_are_linked_or_not(
    client: Browser, database: Database, vault: Vault, ada: AccountView
) -> None:
    service = await a_service(
        database, vault, ada, provider="solusvm2", base_url="https://solus.example.net",
        panel_url="https://my.example.net",
    )  # fmt: skip
    here = f"/services/{service}"
    assert 'href="https://my.example.net" target="_blank"' in (await client.get(here)).text
    assert (await client.send_form(here, f"{here}/panel")).status_code == 404
    async with database.transaction() as tx:
        await tx.execute("UPDATE connection SET facts = facts - 'panel_url'")
    assert "control panel" not in (await client.get(here)).text


@pytest.mark.parametrize(
    ("url", "panel"),
    [
        ("https://virt.example.net:4085", "https://virt.example.net:4083"),
        ("http://[2001:db8::1]:4084/index.php", "http://[2001:db8::1]:4082"),
        ("https://virt.example.net", ""),
    ],
)
async def test_the_clients_panel_is_beside_the_admins(url: str, panel: str) -> None:
    async with virtualizor() as (_, peer):
        there = replace(peer, url=url)
        if panel:
            assert panel_url(there) == panel
            return
        with pytest.raises(Refused, match="name its address in the connection"):
            panel_url(there)
