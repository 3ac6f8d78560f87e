"""A real Ironic drives a machine by Redfish: sushy-emulator over TLS, and what goes wrong there."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from aiohttp import web
from msgspec.structs import replace

from app.drivers.bmc.contract import BmcAddress
from app.drivers.metal.contract import MetalWant, NodeSeed, Stage, WorkFailed
from app.drivers.metal.ironic.adapter import Ironic
from app.drivers.power import Power
from app.drivers.tls import TrustCa
from app.suites.hypervisor import through
from tests.drivers.bmc.test_emulator import emulator
from tests.journeys.waiting import until
from tests.metal.ironic import files_of
from tests.metal.test_ironic import a_want

__all__ = ["emulator"]  # a fixture

ISO = b"\0" * 32_768 + b"\x01CD001\x01" + b"\0" * 30_000
"""As much of a disc as is looked at."""
DEAD = "https://127.0.0.1:1"
Seed = Callable[[BmcAddress], NodeSeed]


@pytest.fixture
def image(tmp_path: Path) -> Iterator[str]:
    """Return where the disc is that a machine boots."""
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "live.iso").write_bytes(ISO)
    with files_of(tmp_path / "files") as port:
        yield f"http://127.0.0.1:{port}/live.iso"


@pytest.fixture
async def seed_for(
    cloud: Ironic, emulator: BmcAddress, tmp_path: Path, image: str
) -> AsyncIterator[Seed]:
    """Return what makes a node of the emulator's first machine by some way to its BMC.

    It boots a disc, since no agent runs in an emulated machine.
    """
    assert isinstance(emulator.tls, TrustCa)
    (tmp_path / "ca.pem").write_text(emulator.tls.pem)
    names: list[str] = []

    def seed(bmc: BmcAddress) -> NodeSeed:
        number = uuid4().hex
        names.append(f"by-redfish-{number[:8]}")
        return NodeSeed(
            name=names[-1],
            macs=(f"52:54:00:{number[:2]}:{number[2:4]}:{number[4:6]}",),
            bmc=bmc,
            ca=str(tmp_path / "ca.pem"),
            driver_info={"deploy_iso": image},
            interfaces={"deploy": "ramdisk", "boot": "redfish-virtual-media"},
        )

    yield seed
    for name in names:
        await cloud._api.put(f"/nodes/{name}/maintenance", {"reason": "the test is over"})
        await cloud._api.delete(f"/nodes/{name}")


async def offered(cloud: Ironic, seed: NodeSeed, image: str) -> MetalWant:
    """Have the machine enrolled and offered; return what is wanted on it."""
    node = await through(lambda memo: cloud.enrol(seed, memo))
    await cloud._api.patch(f"/nodes/{node.id}", {"/automated_clean": False})
    await through(lambda memo: cloud.offer(node.id, memo))
    want = a_want(node.id)
    return replace(want, image=replace(want.image, url=image))


@contextlib.asynccontextmanager
async def asked_past(emulator: BmcAddress) -> AsyncIterator[httpx.AsyncClient]:
    """Ask the machine's BMC itself, and not its cloud."""
    auth = (emulator.username, emulator.password.reveal())
    async with httpx.AsyncClient(base_url=emulator.url, auth=auth, verify=False) as bmc:
        yield bmc


async def test_to_active_and_back(
    cloud: Ironic, emulator: BmcAddress, seed_for: Seed, image: str
) -> None:
    want = await offered(cloud, seed_for(emulator), image)
    made = await through(lambda memo: cloud.deploy(want, memo), forgetful=True)
    assert (made.stage, made.power) == (Stage.ACTIVE, Power.ON)
    async with asked_past(emulator) as bmc:
        system = (await bmc.get(emulator.system_path or "")).json()
        assert system["PowerState"] == "On"
        disc = (await bmc.get(f"{emulator.system_path}/VirtualMedia/Cd")).json()
        assert disc["Inserted"], disc
        assert await through(lambda memo: cloud.release(want.ref, memo)) is None
        assert (await bmc.get(emulator.system_path or "")).json()["PowerState"] == "Off"
        assert not (await bmc.get(f"{emulator.system_path}/VirtualMedia/Cd")).json()["Inserted"]
    assert (await cloud.read(made.id)).stage is Stage.AVAILABLE


@contextlib.asynccontextmanager
async def deaf(bmc: BmcAddress) -> AsyncIterator[str]:
    """Pass all on to a BMC but resets, which are taken with thanks; gives the address."""

    async def passed_on(request: web.Request) -> web.Response:
        if request.path.endswith("ComputerSystem.Reset"):
            return web.Response(status=204)
        kept = {k: v for k, v in request.headers.items() if k in {"Authorization", "Content-Type"}}
        answer = await real.request(
            request.method, request.path_qs, headers=kept, content=await request.read()
        )
        kind = answer.headers.get("content-type", "application/json").partition(";")[0]
        return web.Response(status=answer.status_code, body=answer.content, content_type=kind)

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", passed_on)
    runner = web.AppRunner(application, access_log=None)
    async with httpx.AsyncClient(base_url=bmc.url, verify=False) as real:
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()


async def test_what_a_bmc_does_wrong_is_told_in_the_clouds_words(
    cloud: Ironic, emulator: BmcAddress, seed_for: Seed, image: str
) -> None:
    await asyncio.gather(
        _refuses(cloud, seed_for(replace(emulator, url=DEAD))),
        _takes_resets_and_ignores_them(cloud, emulator, seed_for, image),
    )


async def _refuses(cloud: Ironic, seed: NodeSeed) -> None:
    with pytest.raises(WorkFailed, match=r"(?i)unable to connect|refused"):
        await through(lambda memo: cloud.enrol(seed, memo))


async def _takes_resets_and_ignores_them(
    cloud: Ironic, emulator: BmcAddress, seed_for: Seed, image: str
) -> None:
    """It goes on by itself after, and does not go off either."""
    async with deaf(emulator) as url:
        want = await offered(cloud, seed_for(replace(emulator, url=url)), image)
        node = want.ref.node
        with pytest.raises(WorkFailed, match=r"deploy failed: .*set node power state"):
            await through(lambda memo: cloud.deploy(want, memo))
        assert any("set node power state" in event for event in await cloud.history(node))
        async with asked_past(emulator) as bmc:
            path = f"{emulator.system_path}/Actions/ComputerSystem.Reset"
            assert (await bmc.post(path, json={"ResetType": "On"})).is_success

            async def is_on() -> bool:
                return bool(
                    (await bmc.get(emulator.system_path or "")).json()["PowerState"] == "On"
                )

            await until(is_on, within_s=10)
        with pytest.raises(WorkFailed, match="error: "):
            await through(lambda memo: cloud.release(want.ref, memo))
        await cloud._api.patch(f"/nodes/{node}", {"/driver_info/redfish_address": emulator.url})
        assert await through(lambda memo: cloud.release(want.ref, memo)) is None
    assert (await cloud.read(node)).stage is Stage.AVAILABLE
