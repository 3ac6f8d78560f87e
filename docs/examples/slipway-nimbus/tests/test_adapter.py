"""The adapter does what every provider of virtual machines must do."""

from collections.abc import AsyncIterator
from uuid import uuid4

import msgspec
import pytest
from slipway_nimbus.adapter import Nimbus
from stand_in import TOKEN, Region, nimbus

from app.drivers.egress import Egress
from app.drivers.errors import Refused, Unauthorised
from app.drivers.http.client import HttpClient
from app.drivers.hypervisor.contract import HypervisorPeer, Nic, Ref, Size, VmWant
from app.drivers.peers import NoTurns
from app.drivers.secret import Secret
from app.drivers.tls import TrustSystem
from app.suites.hypervisor import HypervisorContract, through


@pytest.fixture
async def both() -> AsyncIterator[tuple[Region, HypervisorPeer]]:
    async with nimbus() as (region, url):
        yield (
            region,
            HypervisorPeer(
                name="fra-nimbus", provider="nimbus", url=url, username="",
                secret=Secret(TOKEN), tls=TrustSystem(), settings={"region": "fra1"},
            ),
        )  # fmt: skip


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    client = HttpClient(Egress(["127.0.0.0/8"]))
    yield client
    await client.close()


@pytest.fixture
def hypervisor(http: HttpClient, both: tuple[Region, HypervisorPeer]) -> Nimbus:
    return Nimbus(http, both[1], NoTurns())


@pytest.fixture
def want() -> VmWant:
    return VmWant(
        ref=Ref(uuid4(), "web1.example.org"),
        template="debian-12",
        size=Size(cores=1, memory_mb=1024, disk_gb=20),
        nic=Nic(address4="192.0.2.7/24", gateway4="192.0.2.1"),
        password=Secret("Fit for a client, 1!"),
    )


class TestNimbus(HypervisorContract):
    async def test_it_has_the_address_that_was_asked_for(
        self, hypervisor: Nimbus, want: VmWant
    ) -> None:
        await through(lambda memo: hypervisor.create(want, memo))
        assert await hypervisor.addresses(want.ref) == ("192.0.2.7",)

    async def test_it_is_looked_at_and_opened(
        self, hypervisor: Nimbus, both: tuple[Region, HypervisorPeer], want: VmWant
    ) -> None:
        await through(lambda memo: hypervisor.create(want, memo))
        (sample,) = await hypervisor.usage(want.ref)
        assert (sample.period_s, sample.cpu) == (300, 0.25)
        console = await hypervisor.console(want.ref)
        assert (console.url, console.password.reveal()) == ("wss://vnc.nimbus.example/1", "once")
        await hypervisor.set_password(want.ref, "root", Secret("Fit for another, 2!"))
        assert both[0].machines["m-1"]["password"] == "Fit for another, 2!"

    async def test_a_disk_is_not_made_smaller(self, hypervisor: Nimbus, want: VmWant) -> None:
        await through(lambda memo: hypervisor.create(want, memo))
        less = msgspec.structs.replace(want.size, disk_gb=10)
        with pytest.raises(Refused, match="cannot be made smaller"):
            await hypervisor.resize(want.ref, less, {})

    async def test_a_token_that_is_not_known_is_told(
        self, http: HttpClient, both: tuple[Region, HypervisorPeer]
    ) -> None:
        stale = msgspec.structs.replace(both[1], secret=Secret("stale"))
        with pytest.raises(Unauthorised, match="the token is not known"):
            await Nimbus(http, stale, NoTurns()).check()
