"""SolusVM 1: our adapter against a stand-in that refuses what a published module never sends."""

from collections.abc import AsyncIterator
from uuid import uuid4

import msgspec
import pytest

from app.drivers.errors import RateLimited, Refused, Retriable, Unanswered, Unauthorised
from app.drivers.http.client import HttpClient
from app.drivers.hypervisor.contract import (
    HypervisorPeer,
    Nic,
    NoRoom,
    Ref,
    Size,
    VmPower,
    VmWant,
    Working,
)
from app.drivers.hypervisor.solusvm1.adapter import SolusVm1
from app.drivers.hypervisor.solusvm1.api import read
from app.drivers.hypervisor.solusvm1.machine import service_in, username
from app.drivers.secret import Secret
from app.suites.hypervisor import HypervisorContract, through
from lab.solusvm1.panel import Vserver
from lab.solusvm1.web import SolusVm1Web
from lab.standin import Fault
from tests.drivers.hypervisor.panels import KEY, TOKEN, solusvm1
from tests.drivers.hypervisor.turns import LocalTurns

PASSWORD = "Fit for a client, 1!"


@pytest.fixture
async def both() -> AsyncIterator[tuple[SolusVm1Web, HypervisorPeer]]:
    async with solusvm1() as both:
        yield both


@pytest.fixture
def standin(both: tuple[SolusVm1Web, HypervisorPeer]) -> SolusVm1Web:
    return both[0]


@pytest.fixture
def hypervisor(http: HttpClient, peer: HypervisorPeer) -> SolusVm1:
    return SolusVm1(http, peer, LocalTurns())


@pytest.fixture
def want() -> VmWant:
    return VmWant(
        ref=Ref(uuid4(), "web1.example.org"),
        template="debian-12",
        size=Size(cores=1, memory_mb=512, disk_gb=5),
        nic=Nic(),
        plan="Small",
        password=Secret(PASSWORD),
    )


def only(standin: SolusVm1Web) -> Vserver:
    (one,) = standin.panel.machines.values()
    return one


class TestSolusVm1(HypervisorContract):
    larger_plan = "Middle"

    async def test_the_machine_is_ordered_as_asked_and_has_the_panels_address(
        self, hypervisor: SolusVm1, standin: SolusVm1Web, want: VmWant
    ) -> None:
        want = msgspec.structs.replace(
            want, nodes=("node2",), nic=Nic(address4="100.64.7.99/24"), plan="Large"
        )
        made = await through(lambda memo: hypervisor.create(want, memo))
        one = only(standin)
        assert (made.node, one.plan, one.password) == ("node2", "Large", PASSWORD)
        assert made.size == Size(cores=2, memory_mb=1024, disk_gb=20), "the plan's"
        assert await hypervisor.addresses(want.ref) == ("100.64.7.254",)

    async def test_answers_in_broken_xml_are_read_too(
        self, hypervisor: SolusVm1, standin: SolusVm1Web, want: VmWant
    ) -> None:
        standin.is_old = True
        assert await hypervisor.machines() == ()
        made = await through(lambda memo: hypervisor.create(want, memo))
        assert await hypervisor.machines() == (made,)
        with pytest.raises(Refused, match="cannot be made smaller"):
            await hypervisor.resize(want.ref, Size(cores=1, memory_mb=512, disk_gb=1), {})
        assert read("<status>error</status><statusmsg>No") == {"status": "error"}

    async def test_a_creation_whose_answer_is_lost_is_waited_for_and_found(
        self, hypervisor: SolusVm1, standin: SolusVm1Web, want: VmWant
    ) -> None:
        standin.ills.waiting.append(Fault("vserver-create", "lost"))
        with pytest.raises(Unanswered):
            await through(lambda memo: hypervisor.create(want, memo))
        made = await through(lambda memo: hypervisor.create(want, memo))
        assert (made.id, standin.calls.count("vserver-create")) == (str(only(standin).id), 1)

    async def test_while_one_may_be_under_way_none_is_made(
        self, hypervisor: SolusVm1, standin: SolusVm1Web, want: VmWant
    ) -> None:
        """Its client is there, its machine is not: as while an earlier call is at work."""
        standin.panel.clients[username(want.ref.service)] = 7
        memo: dict[str, object] = {}
        waited_s = 0.0
        while waited_s < 170:
            waiting = await hypervisor.create(want, memo)
            assert isinstance(waiting, Working)
            memo, waited_s = waiting.memo, waited_s + waiting.again_s
        assert "vserver-create" not in standin.calls
        await through(lambda memo: hypervisor.create(want, memo))
        assert len(standin.panel.machines) == 1

    async def test_its_client_goes_with_it(
        self, hypervisor: SolusVm1, standin: SolusVm1Web, want: VmWant
    ) -> None:
        standin.panel.clients["ada"] = 5
        await through(lambda memo: hypervisor.create(want, memo))
        await through(lambda memo: hypervisor.delete(want.ref, memo))
        standin.panel.clients[username(want.ref.service)] = 6
        await through(lambda memo: hypervisor.delete(want.ref, memo))
        assert standin.panel.clients == {"ada": 5}

    async def test_a_package_is_changed_by_plan(
        self, hypervisor: SolusVm1, standin: SolusVm1Web, want: VmWant
    ) -> None:
        await through(lambda memo: hypervisor.create(want, memo))
        large = Size(cores=2, memory_mb=1024, disk_gb=20)
        with pytest.raises(Refused, match="name the plan"):
            await hypervisor.resize(want.ref, large, {})
        with pytest.raises(Refused, match="no plan is called Huge; there are Small"):
            await hypervisor.resize(want.ref, large, {}, plan="Huge")
        with pytest.raises(Refused, match="has 2 cores, 1024 MB and 5 GB"):
            await through(lambda memo: hypervisor.resize(want.ref, large, memo, plan="Middle"))
        seen = await through(lambda memo: hypervisor.resize(want.ref, large, memo, plan="Large"))
        assert seen.size == large

    async def test_a_reinstalled_machine_has_the_password_that_its_client_has(
        self, hypervisor: SolusVm1, standin: SolusVm1Web, want: VmWant
    ) -> None:
        await through(lambda memo: hypervisor.create(want, memo))
        one = only(standin)
        await hypervisor.set_password(want.ref, "root", Secret("another one 2"))
        assert one.password == "another one 2"
        other = msgspec.structs.replace(want, template="ubuntu-24.04")
        await through(lambda memo: hypervisor.reinstall(other, memo))
        assert (one.installs, one.template, one.password) == (2, "ubuntu-24.04", PASSWORD)

    async def test_what_it_will_not_do_is_said_in_its_words(
        self, hypervisor: SolusVm1, standin: SolusVm1Web, want: VmWant
    ) -> None:
        for wrong, words in (
            ({"password": None}, "takes no SSH keys"),
            ({"plan": ""}, "name the plan; there are Small"),
            ({"nic": Nic(address6="2001:db8::1/64")}, "without IPv6"),
        ):
            with pytest.raises(Refused, match=words):
                await hypervisor.create(msgspec.structs.replace(want, **wrong), {})
        for action, form, words in (
            ("vserver-info", {"colour": "red"}, "Invalid parameter colour"),
            ("vserver-fly", {}, "Invalid action vserver-fly"),
            ("vserver-boot", {}, "Empty parameter vserverid"),
            ("vserver-boot", {"vserverid": "99"}, "Virtual server not found"),
        ):
            with pytest.raises(Refused, match=words):
                await hypervisor._api.ask(action, **form)
        full = "No available IP addresses"
        standin.ills.waiting.append(Fault("vserver-create", "error", full))
        with pytest.raises(NoRoom, match=full):
            await through(lambda memo: hypervisor.create(want, memo))
        standin.panel.clients.clear()  # as if nobody had begun
        words = f"{PASSWORD} {TOKEN} {KEY} try again"
        standin.ills.waiting.append(Fault("vserver-create", "error", words))
        with pytest.raises(Retriable) as broken:
            await through(lambda memo: hypervisor.create(want, memo))
        assert not any(secret in str(broken.value) for secret in (PASSWORD, TOKEN, KEY))

    async def test_keys_are_in_no_word_of_ours(
        self, hypervisor: SolusVm1, http: HttpClient, peer: HypervisorPeer, standin: SolusVm1Web
    ) -> None:
        wrong = msgspec.structs.replace(peer, secret=Secret("not-the-key"))
        with pytest.raises(Unauthorised, match="Invalid id or key"):
            await SolusVm1(http, wrong, LocalTurns()).check()
        xen = msgspec.structs.replace(peer, virt="xen")
        with pytest.raises(Refused, match="No nodes of that type"):
            await SolusVm1(http, xen, LocalTurns()).check()
        elsewhere = msgspec.structs.replace(peer, url=f"{peer.url}/other")
        with pytest.raises(Retriable, match="no answer of SolusVM") as other:
            await SolusVm1(http, elsewhere, LocalTurns()).check()
        assert TOKEN not in f"{other.value!r} {other.value}"
        standin.rate.calls, standin.rate.per_s = 1, 7
        await hypervisor._api.ask("client-list")
        with pytest.raises(RateLimited):
            await hypervisor.offers()

    async def test_power_and_console(
        self, hypervisor: SolusVm1, standin: SolusVm1Web, want: VmWant
    ) -> None:
        await through(lambda memo: hypervisor.create(want, memo))
        seen = await through(lambda memo: hypervisor.power(want.ref, VmPower.STOPPED, memo))
        assert (seen.power, standin.calls.count("vserver-shutdown")) == (VmPower.STOPPED, 1)
        assert (await hypervisor.console(want.ref)).url.startswith("vnc://192.0.2.8:59")


def test_a_client_is_named_for_its_service() -> None:
    service = uuid4()
    assert (service_in(username(service)), len(username(service))) == (service, 28)
    assert service_in("sweden") is None
