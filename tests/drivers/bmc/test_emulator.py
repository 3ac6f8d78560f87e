"""The Redfish adapter against the real sushy-emulator: TLS with a CA of its own, Basic."""

import asyncio
import hashlib
import http.server
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import bcrypt
import httpx
import msgspec
import pytest

from app.drivers import registry
from app.drivers.bmc.contract import BmcAddress
from app.drivers.bmc.redfish import RedfishFleet
from app.drivers.bmc.redfish.fleet import RedfishBmc
from app.drivers.boot import BootDevice, BootMode
from app.drivers.errors import Refused
from app.drivers.power import Power
from app.drivers.secret import Secret
from app.drivers.tls import TrustAnything, TrustCa, TrustPin, TrustSystem
from tests.drivers.certificates import Authority
from tests.drivers.contract.bmc import BmcContract
from tests.drivers.process import free_port, running

UUIDS = ("27946b59-9e44-4fa7-8e91-f3527a1ef001", "27946b59-9e44-4fa7-8e91-f3527a1ef002")


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BmcAddress]:
    folder = tmp_path_factory.mktemp("emulator")
    authority = Authority(folder)
    issued = authority.issue("bmc")
    (folder / "state").mkdir()
    (folder / "auth").write_text(f"admin:{bcrypt.hashpw(b'secret', bcrypt.gensalt(4)).decode()}\n")
    systems = [
        {
            "uuid": uuid,
            "name": f"node-{number}",
            "power_state": "Off",
            "external_notifier": False,
            "nics": [{"mac": f"52:54:00:AA:00:0{number}", "ip": "192.0.2.1"}],
        }
        for number, uuid in enumerate(UUIDS, 1)
    ]
    drives = [
        {"Id": f"nvme{n}", "Name": "-", "CapacityBytes": 960_197_124_096, "Protocol": "NVMe"}
        for n in range(2)
    ] + [{"Id": "hdd0", "Name": "-", "CapacityBytes": 4_000_787_030_016, "Protocol": "SATA"}]
    storage = {
        "Id": "1",
        "Name": "-",
        "StorageControllers": [],
        "Drives": ["nvme0", "nvme1", "hdd0"],
    }
    (folder / "conf.py").write_text(
        f"SUSHY_EMULATOR_STORAGE = { ({UUIDS[0]: [storage]})!r}\n"
        f"SUSHY_EMULATOR_DRIVES = { ({(UUIDS[0], '1'): drives})!r}\n"
        f"SUSHY_EMULATOR_FAKE_DRIVER = True\nSUSHY_EMULATOR_FAKE_SYSTEMS = {systems!r}\n"
        f"SUSHY_EMULATOR_AUTH_FILE = {str(folder / 'auth')!r}\n"
        f"SUSHY_EMULATOR_SSL_CERT = {str(issued.cert)!r}\nSUSHY_EMULATOR_SSL_KEY = {str(issued.key)!r}\n"
        f"SUSHY_EMULATOR_STATE_DIR = {str(folder / 'state')!r}\n"
    )
    port = free_port()
    program = Path(__file__).with_name("emulator.py")
    with running([str(program), str(folder / "conf.py"), str(port)], port, folder / "log"):
        yield BmcAddress(
            url=f"https://127.0.0.1:{port}",
            username="admin",
            password=Secret("secret"),
            system_path=f"/redfish/v1/Systems/{UUIDS[0]}",
            tls=TrustCa(authority.pem),
        )


@pytest.fixture
async def fleet() -> AsyncIterator[RedfishFleet]:
    fleet = registry.load("bmc", "redfish")()
    yield fleet
    await fleet.close()


@pytest.fixture
def bmc(fleet: RedfishFleet, emulator: BmcAddress) -> RedfishBmc:
    return fleet.bmc(emulator)


async def test_the_disks_are_read_by_kind_and_size(bmc: RedfishBmc) -> None:
    drives = (await bmc.inventory()).drives
    assert drives is not None
    assert [(one.kind, one.capacity_gb) for one in drives] == [
        ("nvme", 960),
        ("nvme", 960),
        ("hdd", 4001),
    ]


@pytest.fixture
def address(emulator: BmcAddress) -> BmcAddress:
    return emulator


@pytest.fixture(scope="module")
def image_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("images")
    for name in ("boot.iso", "other.iso"):
        (folder / name).write_bytes(b"\0" * 4096)

    class Files(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(folder))  # type: ignore[arg-type]

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/boot.iso"
        server.shutdown()


class TestEmulator(BmcContract):
    """The contract, against the emulator."""

    async def test_media_shows_at_the_bmc_itself(
        self, bmc: RedfishBmc, image_url: str, emulator: BmcAddress, tmp_path: Path
    ) -> None:
        await bmc.media.insert(image_url)
        ca = tmp_path / "ca.pem"
        ca.write_text(emulator.tls.pem)  # type: ignore[union-attr]
        async with httpx.AsyncClient(
            auth=("admin", "secret"), verify=ssl.create_default_context(cafile=ca)
        ) as client:
            answer = await client.get(f"{emulator.url}{emulator.system_path}/VirtualMedia/Cd")
        drive = answer.json()
        assert (drive["Image"], drive["Inserted"]) == (image_url, True)

    async def test_an_image_that_is_not_there_is_told_in_the_bmcs_words(
        self, bmc: RedfishBmc, image_url: str
    ) -> None:
        await bmc.media.eject()
        with pytest.raises(Exception, match=r"HTTP [45]") as caught:
            await bmc.media.insert(image_url.replace("boot", "missing"))
        assert caught.value.peer == bmc._link.peer

    async def test_two_systems_of_one_bmc_are_apart(
        self, fleet: RedfishFleet, emulator: BmcAddress
    ) -> None:
        first = fleet.bmc(emulator)
        second = fleet.bmc(
            msgspec.structs.replace(emulator, system_path=f"/redfish/v1/Systems/{UUIDS[1]}")
        )
        await asyncio.gather(
            first.power.ensure(Power.ON, deadline_s=60),
            second.power.ensure(Power.OFF, deadline_s=60),
        )
        assert [await first.power.read(), await second.power.read()] == [Power.ON, Power.OFF]
        other = await second.inventory()
        assert other.nics[0].mac == "52:54:00:aa:00:02"
        assert other.drives is None, "its storage pages answer with an error"

    async def test_an_override_that_stays_is_told(self, bmc: RedfishBmc) -> None:
        override = await bmc.boot.set_once(BootDevice.PXE, mode=BootMode.UEFI)
        assert override.once is False
        assert override.mode is BootMode.UEFI

    async def test_a_device_it_does_not_keep_is_refused(self, bmc: RedfishBmc) -> None:
        # The emulator turns UefiHttp without an address into Pxe.
        with pytest.raises(Refused, match="yet pxe"):
            await bmc.boot.set_once(BootDevice.UEFI_HTTP)


class TestTrust:
    """TLS per BMC: what is not trusted is refused at once and for good."""

    async def test_another_ca_is_refused(
        self, fleet: RedfishFleet, emulator: BmcAddress, tmp_path: Path
    ) -> None:
        stranger = fleet.bmc(
            msgspec.structs.replace(emulator, tls=TrustCa(Authority(tmp_path).pem))
        )
        with pytest.raises(Refused) as caught:
            await stranger.power.read()
        assert caught.value.field == "tls"

    async def test_the_environment_cannot_widen_trust(
        self,
        fleet: RedfishFleet,
        emulator: BmcAddress,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        bundle = tmp_path / "bundle.pem"
        bundle.write_text(emulator.tls.pem)  # type: ignore[union-attr]
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
        with pytest.raises(Refused) as caught:
            await fleet.bmc(msgspec.structs.replace(emulator, tls=TrustSystem())).power.read()
        assert caught.value.field == "tls"

    async def test_a_pinned_certificate(self, fleet: RedfishFleet, emulator: BmcAddress) -> None:
        host, port = emulator.url.removeprefix("https://").split(":")
        pem = await asyncio.to_thread(ssl.get_server_certificate, (host, int(port)))
        right = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
        pinned = fleet.bmc(msgspec.structs.replace(emulator, tls=TrustPin(right)))
        assert await pinned.power.read() in set(Power)
        wrong = fleet.bmc(msgspec.structs.replace(emulator, tls=TrustPin("ab" * 32)))
        with pytest.raises(Refused) as caught:
            await wrong.power.read()
        assert caught.value.field == "tls"

    @pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
    async def test_off_by_explicit_choice(self, fleet: RedfishFleet, emulator: BmcAddress) -> None:
        trusting = fleet.bmc(msgspec.structs.replace(emulator, tls=TrustAnything()))
        assert await trusting.power.read() in set(Power)
