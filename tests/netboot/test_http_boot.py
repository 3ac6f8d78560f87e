"""A machine whose UEFI firmware fetches its boot file over HTTP, and what iPXE asks for then."""

from pathlib import Path

import httpx
import pytest
from litestar import Litestar
from redis.asyncio import Redis

from app.core.database import Database
from app.core.live import Live
from app.core.secrets import Vault, new_key
from app.resources import Resources
from app.settings import Settings
from lab.ipxe import BootError, BootKernel, Ipxe, LeaveToFirmware
from tests.application import application
from tests.services.hall import Hall, open_hall

BINARY = b"MZ" + bytes(range(256)) * 40


@pytest.fixture
async def hall(database: Database, vault: Vault) -> Hall:
    return await open_hall(database, vault, boot_method="http")


@pytest.fixture
def app(database: Database, redis: Redis, vault: Vault, tmp_path: Path) -> Litestar:
    (tmp_path / "ipxe.efi").write_bytes(BINARY)
    settings = Settings(
        _env_file=None,
        base_url="http://slipway.test",
        keys=new_key(),
        ipxe_efi_path=str(tmp_path / "ipxe.efi"),
    )
    return application(Resources(settings, database, redis, Live(redis), vault))


def ipxe(machine: httpx.AsyncClient, mac: str) -> Ipxe:
    """Return an iPXE of that card, which runs what it fetches."""

    async def fetch(url: str) -> bytes:
        if not url.startswith("http://slipway.test/"):
            return b"from the mirror"
        answer = await machine.get(url)
        if answer.status_code != 200:
            raise BootError(f"{url}: HTTP {answer.status_code}")
        return answer.content

    async def sleep(_: float) -> None:
        raise BootError("it would try that again for ever")

    settings = {"netX/mac": mac, "netX/ip": "192.0.2.9", "platform": "efi"}
    return Ipxe(fetch, lambda _: None, settings, sleep=sleep)


async def test_firmware_gets_the_boot_file_and_ipxe_goes_on_beside_it(
    machine: httpx.AsyncClient, hall: Hall
) -> None:
    base = (await hall.installation()).spec.callback_base
    head = await machine.head(f"{base}/ipxe.efi")
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(BINARY)))
    answer = await machine.get(f"{base}/ipxe.efi")
    assert (answer.content, answer.headers["content-type"]) == (BINARY, "application/efi")
    assert (await hall.state())[0] == "prepared", "firmware says nothing of how it went on"

    beside = f"{base}/autoexec.ipxe"
    script = (await machine.get(beside)).text
    assert script.index("dhcp") < script.index(f"{base}/boot.ipxe")
    started = await ipxe(machine, hall.mac).run(script, url=beside)
    assert isinstance(started, BootKernel)
    assert (await hall.state())[0] == "booted"
    assert await hall.signals() == 1


async def test_who_was_sent_here_by_dhcp_is_known_by_its_card(
    machine: httpx.AsyncClient, hall: Hall
) -> None:
    await hall.installation()
    assert (await machine.get("/netboot/ipxe.efi")).content == BINARY
    beside = "http://slipway.test/netboot/autoexec.ipxe"
    script = (await machine.get(beside)).text
    started = await ipxe(machine, hall.mac).run(script, url=beside)
    assert isinstance(started, BootKernel)
    assert (await hall.state())[0] == "booted"
    stranger = await ipxe(machine, "02:ff:ff:ff:ff:ff").run(script, url=beside)
    assert stranger == LeaveToFirmware(1)


async def test_the_address_that_a_bmc_keeps_ends_with_the_installation(
    machine: httpx.AsyncClient, hall: Hall
) -> None:
    base = (await hall.installation()).spec.callback_base
    assert (await machine.post(f"{base}/done")).status_code == 204
    for name in ("ipxe.efi", "autoexec.ipxe"):
        assert (await machine.get(f"{base}/{name}")).status_code == 404


async def test_without_a_binary_there_is_none(
    database: Database, redis: Redis, vault: Vault, hall: Hall
) -> None:
    base = (await hall.installation()).spec.callback_base
    settings = Settings(_env_file=None, base_url="http://slipway.test", keys=new_key())
    bare = application(Resources(settings, database, redis, Live(redis), vault))
    transport = httpx.ASGITransport(bare, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://slipway.test") as client:
        for url in (f"{base}/ipxe.efi", "/netboot/ipxe.efi"):
            assert (await client.get(url)).status_code == 404
