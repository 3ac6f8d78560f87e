"""How the driver gets in, what keeps it out, and what a cloud that fails or hangs costs."""

import asyncio
import ssl
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from msgspec.structs import replace

from app.drivers.egress import Egress, EgressDenied
from app.drivers.errors import Busy, Refused, Unanswered, Unauthorised, Unreachable
from app.drivers.metal.contract import (
    ApplicationLogin,
    BasicLogin,
    KeystoneLogin,
    MetalPeer,
    MetalWant,
    NodeSeed,
    NoLogin,
    Stage,
    WorkFailed,
)
from app.drivers.metal.ironic import api
from app.drivers.metal.ironic.adapter import Ironic
from app.drivers.metal.ironic.line import LINES
from app.drivers.peers import open_peers
from app.drivers.secret import Secret
from app.drivers.tls import TrustAnything, TrustCa, TrustPin, TrustSystem
from app.suites.hypervisor import through
from tests.drivers.certificates import Authority
from tests.metal.conftest import LOOPBACK
from tests.metal.gateway import Gateway, gateway
from tests.metal.ironic import USER
from tests.metal.test_ironic import a_want

SECRETS = {"slipway": "user's secret", "4f2a": "credential's secret"}
DEAD = "http://127.0.0.1:1"


@pytest.fixture
async def open_gateway(peer: MetalPeer) -> AsyncIterator[Gateway]:
    """Nothing but Ironic's network protects it."""
    async with gateway(peer.url) as made:
        yield made


def no_login(url: str) -> MetalPeer:
    return MetalPeer(name="metal", provider="ironic", url=url, login=NoLogin(), tls=TrustSystem())


async def test_by_keystone_with_a_user_or_an_application_credential(peer: MetalPeer) -> None:
    async with gateway(peer.url, SECRETS) as keystone:
        auth_url = f"{keystone.url}/identity/v3"
        user = KeystoneLogin(
            auth_url=auth_url, username="slipway", password=Secret("user's secret"),
            project_name="metal", region_name="one",
        )  # fmt: skip
        credential = ApplicationLogin(
            auth_url=auth_url, credential_id="4f2a", secret=Secret("credential's secret")
        )
        for login in (user, replace(user, project_name=""), credential):
            cloud = Ironic(replace(peer, url="", login=login), LOOPBACK)
            assert "fake-hardware" in await cloud.check()
            keystone.tokens.clear()  # they expire; the next call gets another
            assert "fake-hardware" in await cloud.check()
            await cloud.close()
        wrong = replace(user, password=Secret("not the secret"))
        with pytest.raises(Unauthorised, match="requires authentication") as told:
            await Ironic(replace(peer, url="", login=wrong), LOOPBACK).check()
        assert "not the secret" not in str(told.value)
        elsewhere = replace(user, region_name="two")
        with pytest.raises(Refused, match="two"):
            await Ironic(replace(peer, url="", login=elsewhere), LOOPBACK).check()


async def test_without_credentials_and_with_wrong_ones(
    peer: MetalPeer, open_gateway: Gateway
) -> None:
    peers = open_peers(LOOPBACK)
    tested = await peers.test(no_login(open_gateway.url))
    assert tested.words.startswith("Ironic with")
    assert (await peers.test(peer)).is_certain
    for login in (NoLogin(), BasicLogin(USER, Secret("not the password"))):
        with pytest.raises(Unauthorised):
            await peers.test(replace(peer, login=login))
    await peers.close()


async def test_certificates_are_checked_as_the_connection_says(
    peer: MetalPeer, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    shown = authority.issue("ironic")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(shown.cert, shown.key)
    async with gateway(peer.url, SECRETS, tls=context) as keystone:
        login = KeystoneLogin(
            auth_url=f"{keystone.url}/identity/v3", username="slipway",
            password=Secret("user's secret"), project_name="metal",
        )  # fmt: skip
        at = replace(peer, url="", login=login)
        for tls in (TrustCa(authority.pem), TrustPin(shown.sha256.upper()), TrustAnything()):
            cloud = Ironic(replace(at, tls=tls), LOOPBACK)
            assert "fake-hardware" in await cloud.check()
            await cloud.close()
        asked = len(keystone.asked)
        for tls, words in ((TrustSystem(), "certificate"), (TrustPin("0" * 64), shown.sha256)):
            with pytest.raises(Refused, match=words) as told:
                await Ironic(replace(at, tls=tls), LOOPBACK).check()
            assert told.value.field == "tls"
        assert len(keystone.asked) == asked, "nothing was sent to whom it does not trust"


async def test_it_goes_only_where_it_may(peer: MetalPeer) -> None:
    with pytest.raises(EgressDenied, match=r"127\.0\.0\.1"):
        await Ironic(peer, Egress()).check()
    with pytest.raises(Unreachable, match="refused"):
        await Ironic(no_login(DEAD), LOOPBACK).check()


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_a_proxy_whose_ironic_is_away_is_an_outage(
    peer: MetalPeer, open_gateway: Gateway, status: int
) -> None:
    """Who waits for the cloud goes on waiting, and takes no installation for failed."""
    open_gateway.faults["/nodes"] = status
    cloud = Ironic(no_login(open_gateway.url), LOOPBACK)
    with pytest.raises(Unreachable, match="boom"):
        await cloud.read("any")
    await cloud.close()


async def test_a_cloud_that_hangs_costs_nobody_else_anything(
    peer: MetalPeer, open_gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud = Ironic(no_login(open_gateway.url), LOOPBACK)
    await cloud.check()
    open_gateway.faults["/nodes"] = None
    monkeypatch.setattr(api, "CALL_S", 0.5)
    began = time.monotonic()
    calls = [asyncio.create_task(cloud.read("any")) for _ in range(2 * LINES)]
    await asyncio.sleep(0.2)
    assert len(_threads()) <= LINES
    ended = await asyncio.gather(*calls, return_exceptions=True)
    assert time.monotonic() - began < 30, "the gateway is silent for an hour"
    assert {type(error) for error in ended} <= {Unanswered, Busy, Unreachable}
    monkeypatch.setattr(api, "CALL_S", 30.0)
    given_up = asyncio.create_task(cloud.read("any"))
    await asyncio.sleep(0.2)
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    open_gateway.faults.clear()
    assert "fake-hardware" in await cloud.check(), "a line that was cut is replaced"
    for _ in range(600):
        if not _threads():
            break
        await asyncio.sleep(0.05)
    assert not _threads(), "threads end with their sockets"
    await cloud.close()


def _threads() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name.startswith("ironic-")]


async def test_a_rebuild_that_ironic_fails_at_is_done_another_way(
    open_gateway: Gateway, seed: NodeSeed
) -> None:
    """Ironic 39.0.0 answers some rebuilds with 500."""
    cloud = Ironic(no_login(open_gateway.url), LOOPBACK)
    want = await deployed(cloud, seed)
    open_gateway.faults['"target": "rebuild"'] = 500
    again = replace(want, attempt=str(uuid4()), hostname="again.example.org")
    anew = await through(lambda memo: cloud.reinstall(again, memo), forgetful=True)
    assert anew.stage is Stage.ACTIVE
    row = await cloud._api.get(f"/nodes/{anew.id}")
    assert row["instance_info"]["slipway"]["attempt"] == again.attempt
    assert await through(lambda memo: cloud.release(want.ref, memo)) is None


async def deployed(cloud: Ironic, seed: NodeSeed) -> MetalWant:
    await through(lambda memo: cloud.enrol(seed, memo))
    node = await through(lambda memo: cloud.offer(seed.name, memo))
    want = a_want(node.id)
    await through(lambda memo: cloud.deploy(want, memo))
    return want


async def test_a_deploy_that_fails_says_why_and_may_be_tried_again(
    cloud: Ironic, seed: NodeSeed
) -> None:
    """The image cannot be had; then what is the matter is put right."""
    await through(lambda memo: cloud.enrol(seed, memo))
    node = await through(lambda memo: cloud.offer(seed.name, memo))
    agent = {"deploy_kernel": f"{DEAD}/kernel", "deploy_ramdisk": f"{DEAD}/ramdisk"}
    await cloud._api.patch(
        f"/nodes/{node.id}", {"/deploy_interface": "direct", "/driver_info": agent}
    )
    want = a_want(node.id)
    want = replace(want, image=replace(want.image, url=f"{DEAD}/debian-12.qcow2"))
    with pytest.raises(WorkFailed, match=r"deploy failed: .*Connection refused"):
        await through(lambda memo: cloud.deploy(want, memo), forgetful=True)
    seen = await cloud.read(node.id)
    assert seen.stage is Stage.FAILED
    assert any("Connection refused" in event for event in await cloud.history(node.id))
    await cloud._api.put(f"/nodes/{node.id}/maintenance", {"reason": "its driver is changed"})
    await cloud._api.patch(f"/nodes/{node.id}", {"/deploy_interface": "fake"})
    await cloud._api.delete(f"/nodes/{node.id}/maintenance")
    again = replace(want, attempt=str(uuid4()))
    made = await through(lambda memo: cloud.deploy(again, memo))
    assert made.stage is Stage.ACTIVE
    assert await through(lambda memo: cloud.release(want.ref, memo)) is None


async def test_nothing_is_taken_that_a_person_works_on(cloud: Ironic, seed: NodeSeed) -> None:
    await through(lambda memo: cloud.enrol(seed, memo))
    node = await through(lambda memo: cloud.offer(seed.name, memo))
    await cloud._api.put(f"/nodes/{node.id}/maintenance", {"reason": "a fan is changed"})
    with pytest.raises(Refused, match="a fan is changed"):
        await through(lambda memo: cloud.deploy(a_want(node.id), memo))
    await cloud._api.delete(f"/nodes/{node.id}/maintenance")
    want = a_want(node.id)
    bad = replace(want, image=replace(want.image, checksum="short"))
    with pytest.raises(Refused, match="checksum"):
        await through(lambda memo: cloud.deploy(bad, memo))
