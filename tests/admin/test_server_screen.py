"""The screen of a server's machine: by an address for one opening, or at the BMC's own page."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from litestar import Litestar
from redis.asyncio import Redis

from app.adapters import make_fleet
from app.core.database import Database
from app.core.live import Live
from app.core.secrets import Vault, new_key
from app.domain.accounts.roles import Role
from app.resources import Resources
from app.settings import Settings
from tests.admin.conftest import Enter
from tests.admin.stage import Stage
from tests.application import application
from tests.drivers.bmc.faulty import MANAGER, PASSWORD, USER, FaultyBmc
from tests.drivers.certificates import Authority
from tests.security.browser import Browser

pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")

IKVM = f"{MANAGER}/Oem/Supermicro/IKVM"


@pytest.fixture
async def app(database: Database, redis: Redis, vault: Vault) -> AsyncIterator[Litestar]:
    settings = Settings(_env_file=None, base_url="http://slipway.test", keys=new_key())
    fleet = make_fleet(database, vault)
    yield application(Resources(settings, database, redis, Live(redis), vault), serials=fleet)
    await fleet.close()


@pytest.fixture
async def bmc(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FaultyBmc]:
    issued = Authority(tmp_path_factory.mktemp("screen")).issue("bmc")
    async with FaultyBmc(issued, manufacturer="Supermicro") as server:
        yield server


async def reached(stage: Stage, server: UUID, vendor: str, url: str) -> None:
    async with stage.database.transaction() as tx:
        await tx.execute(
            "UPDATE bmc SET url = $2, protocol = $3, vendor = $4, username = $5, "
            "sealed_password = $6, tls_mode = 'off', system_path = '' WHERE server = $1",
            server,
            url,
            "ipmi" if url.startswith("ipmi") else "redfish",
            vendor,
            USER,
            stage.vault.seal(PASSWORD),
        )


async def test_staff_are_let_in_once_and_it_is_kept_who(
    stage: Stage, owner: Browser, enter: Enter, bmc: FaultyBmc
) -> None:
    server = next(iter(stage.servers.values()))
    here = f"/admin/servers/{server}"
    await reached(stage, server, "supermicro", bmc.url)
    opened = "SELECT actor_label FROM audit_entry WHERE action = 'inventory.screen_opened'"

    refused = await owner.send_form(here, f"{here}/screen")
    assert (refused.status_code, refused.headers["location"]) == (303, here)
    assert "this firmware has none" in (await owner.get(here)).text

    bmc.resources[IKVM] = {"Id": "IKVM", "URI": "/redfish/ohkei8Quei5odeem.IKVM"}
    went = await owner.send_form(here, f"{here}/screen")
    there = f"{bmc.url}/redfish/ohkei8Quei5odeem.IKVM"
    assert went.status_code == 200
    assert went.headers["refresh"] == f"0; url={there}"
    assert (went.headers["referrer-policy"], went.headers["cache-control"]) == (
        "no-referrer",
        "no-store",
    )
    assert f'href="{there}"' in went.text
    async with stage.database.transaction() as tx:
        rows = await tx.fetch(opened)
        kept = await tx.fetchval("SELECT count(*) FROM audit_entry WHERE after::text LIKE '%IKVM%'")
    assert ([row["actor_label"] for row in rows], kept) == (["owner@slipway.test"], 0)

    designer = await enter(Role.DESIGNER)
    assert f"{here}/screen" not in (await designer.get(here)).text
    assert (await designer.send_form(here, f"{here}/screen")).status_code == 403


async def test_others_are_led_to_the_page_of_the_bmc(stage: Stage, owner: Browser) -> None:
    server = next(iter(stage.servers.values()))
    here = f"/admin/servers/{server}"
    for vendor, url, page in (
        ("hpe", "https://10.0.0.7:8443", "https://10.0.0.7:8443/irc.html"),
        ("", "https://10.0.0.7", "https://10.0.0.7/"),
        ("dell", "ipmi://[2001:db8::7]:6230", "https://[2001:db8::7]/"),
        ("generic", "ipmi://10.0.0.7", None),
    ):
        await reached(stage, server, vendor, url)
        shown = (await owner.get(here)).text
        assert f"{here}/screen" not in shown
        assert ("Sign in at its BMC" in shown) == (page is not None)
        assert page is None or f'href="{page}"' in shown
    assert (await owner.send_form(here, f"{here}/screen")).status_code == 404
