"""Virtualizor: our adapter against a stand-in that refuses what published modules never send."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
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
from app.drivers.hypervisor.virtualizor import life
from app.drivers.hypervisor.virtualizor.adapter import Virtualizor
from app.drivers.hypervisor.virtualizor.api import Failed
from app.drivers.hypervisor.virtualizor.machine import find_machine
from app.drivers.secret import Secret
from app.suites.hypervisor import HypervisorContract, through
from lab.standin import Fault
from lab.virtualizor.deeds import make
from lab.virtualizor.panel import User, Vps
from lab.virtualizor.web import VirtualizorWeb
from tests.drivers.hypervisor.panels import KEY, TOKEN, virtualizor
from tests.drivers.hypervisor.turns import LocalTurns

PASSWORD = "Fit for a client, 1!"


@pytest.fixture
async def both() -> AsyncIterator[tuple[VirtualizorWeb, HypervisorPeer]]:
    async with virtualizor() as both:
        yield both


@pytest.fixture
def standin(both: tuple[VirtualizorWeb, HypervisorPeer]) -> VirtualizorWeb:
    return both[0]


@pytest.fixture
def hypervisor(http: HttpClient, peer: HypervisorPeer) -> Virtualizor:
    return Virtualizor(http, peer, LocalTurns())


@pytest.fixture
def want() -> VmWant:
    return VmWant(
        ref=Ref(uuid4(), "web1.example.org"),
        template="debian-12-x86_64 [kvm]",
        size=Size(cores=1, memory_mb=512, disk_gb=5),
        nic=Nic(),
        password=Secret(PASSWORD),
    )


async def emptied(standin: VirtualizorWeb) -> None:
    """Wait until the panel's task has removed its machine."""
    async with asyncio.timeout(30):
        while standin.panel.machines:
            await asyncio.sleep(0.01)
            standin.panel.settle()


def only(standin: VirtualizorWeb) -> Vps:
    (vps,) = standin.panel.machines.values()
    return vps


class TestVirtualizor(HypervisorContract):
    async def test_the_machine_is_ordered_as_asked(
        self, hypervisor: Virtualizor, standin: VirtualizorWeb, want: VmWant
    ) -> None:
        want = msgspec.structs.replace(
            want,
            nic=Nic(vlan=120, address4="100.64.7.9/24", gateway4="100.64.7.1"),
            nodes=("master",),
            plan="Large",
            size=Size(cores=3, memory_mb=2048, disk_gb=30),
        )
        made = await through(lambda memo: hypervisor.create(want, memo))
        vps = only(standin)
        assert (made.node, vps.ip, vps.plid, vps.password) == ("master", "100.64.7.9", 2, PASSWORD)
        assert (vps.cores, vps.ram, vps.space, vps.osid) == (3, 2048, 30, 100)
        assert await hypervisor.addresses(want.ref) == ("100.64.7.9",)
        at = {offer.node for offer in (await hypervisor.offers()).templates if "kvm" in offer.code}
        assert at == {"master", "slave1"}, "not where containers are"
        unknown = msgspec.structs.replace(want, ref=Ref(uuid4(), "b"), plan="Huge")
        with pytest.raises(Refused, match="no plan is called Huge; there are Small, Large"):
            await hypervisor.create(unknown, {})

    async def test_its_user_goes_with_it(
        self, hypervisor: Virtualizor, standin: VirtualizorWeb, want: VmWant
    ) -> None:
        standin.panel.users[7] = User(7, "ada@example.org")
        await through(lambda memo: hypervisor.create(want, memo))
        emails = [user.email for user in standin.panel.users.values()]
        assert f"slipway-{want.ref.service.hex}@slipway.invalid" in emails
        await through(lambda memo: hypervisor.delete(want.ref, memo))
        assert [user.email for user in standin.panel.users.values()] == ["ada@example.org"]

    async def test_a_creation_whose_answer_is_lost_is_found(
        self, hypervisor: Virtualizor, standin: VirtualizorWeb, want: VmWant
    ) -> None:
        standin.ills.waiting.append(Fault("POST addvs", "lost"))
        with pytest.raises(Unanswered):
            await hypervisor.create(want, {})
        made = await through(lambda memo: hypervisor.create(want, memo))
        assert made.id == str(only(standin).id)
        assert standin.calls.count("POST addvs") == 1

    async def test_a_get_that_changes_something_is_sent_once(
        self, hypervisor: Virtualizor, standin: VirtualizorWeb, want: VmWant
    ) -> None:
        """Also where its answer is lost: the state is looked at before anything is sent again."""
        ref = want.ref
        await through(lambda memo: hypervisor.create(want, memo))
        for lost, deed in (
            ("GET vs suspend", lambda memo: hypervisor.suspend(ref, memo)),
            ("GET vs unsuspend", lambda memo: hypervisor.unsuspend(ref, memo)),
            ("GET vs stop", lambda memo: hypervisor.power(ref, VmPower.STOPPED, memo)),
            ("GET vs delete", lambda memo: hypervisor.delete(ref, memo)),
        ):
            standin.ills.waiting.append(Fault(lost, "lost"))
            with pytest.raises(Unanswered):
                await through(deed)
            assert standin.calls.count(lost) == 1
            if lost == "GET vs delete":
                await emptied(standin)
            await through(deed)
            assert standin.calls.count(lost) == 1, lost

    async def test_a_machine_that_goes_while_it_is_looked_for_is_deleted(
        self,
        hypervisor: Virtualizor,
        standin: VirtualizorWeb,
        want: VmWant,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """An order whose answer was lost is carried out between the look and the next order."""
        await through(lambda memo: hypervisor.create(want, memo))
        looked = 0

        async def look(api: Any, ref: Ref) -> Any:
            nonlocal looked
            found, looked = await find_machine(api, ref), looked + 1
            standin.panel.machines.clear()
            return found

        monkeypatch.setattr(life, "find_machine", look)
        await through(lambda memo: hypervisor.delete(want.ref, memo))
        assert looked == 2
        assert all(str(want.ref.service) not in one.email for one in standin.panel.users.values())

    async def test_a_deletion_that_is_refused_says_why(
        self,
        hypervisor: Virtualizor,
        standin: VirtualizorWeb,
        want: VmWant,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        await through(lambda memo: hypervisor.create(want, memo))
        machine = only(standin)

        async def refuses(*_: Any, **__: Any) -> Any:
            raise Failed("virt", field="vpsid", reason="it is protected")

        monkeypatch.setattr(life, "ask", refuses)
        with pytest.raises(Failed, match="it is protected"):
            await through(lambda memo: hypervisor.delete(want.ref, memo))
        assert only(standin) is machine

    async def test_a_guest_that_does_not_listen_is_switched_off(
        self, hypervisor: Virtualizor, standin: VirtualizorWeb, want: VmWant
    ) -> None:
        await through(lambda memo: hypervisor.create(want, memo))
        standin.panel.deaf.add(only(standin).id)
        seen = await through(lambda memo: hypervisor.power(want.ref, VmPower.STOPPED, memo))
        assert seen.power is VmPower.STOPPED
        assert (standin.calls.count("GET vs stop"), standin.calls.count("GET vs poweroff")) == (
            1,
            1,
        )

    async def test_a_package_is_changed_and_takes_effect(
        self, hypervisor: Virtualizor, standin: VirtualizorWeb, want: VmWant
    ) -> None:
        await through(lambda memo: hypervisor.create(want, memo))
        size = Size(cores=4, memory_mb=4096, disk_gb=40)
        seen = await through(lambda memo: hypervisor.resize(want.ref, size, memo, plan="Large"))
        vps = only(standin)
        assert (seen.size, vps.plid, vps.running_cores) == (size, 2, 4)
        with pytest.raises(Refused, match="cannot be made smaller"):
            await hypervisor.resize(want.ref, want.size, {})
        larger = Size(cores=4, memory_mb=4096, disk_gb=50)
        with pytest.raises(Refused, match="choose a plan in between"):
            await hypervisor.resize(want.ref, larger, {}, plan="Small")

    async def test_a_reinstalled_machine_has_the_password_that_its_client_has(
        self, hypervisor: Virtualizor, standin: VirtualizorWeb, want: VmWant
    ) -> None:
        await through(lambda memo: hypervisor.create(want, memo))
        vps = only(standin)
        await hypervisor.set_password(want.ref, "root", Secret("another one 2"))
        assert vps.password == "another one 2"
        other = msgspec.structs.replace(want, template="ubuntu-24.04-x86_64")
        await through(lambda memo: hypervisor.reinstall(other, memo))
        assert (vps.installs, vps.osid, vps.password) == (2, 101, PASSWORD)
        standin.ills.waiting.append(Fault("POST rebuild", "failed", "no such image"))
        with pytest.raises(Retriable, match="rebuildvs failed: no such image"):
            await through(lambda memo: hypervisor.reinstall(other, memo))

    async def test_a_failed_creation_is_told_in_its_words_cleared_away_and_made_again(
        self, hypervisor: Virtualizor, standin: VirtualizorWeb, want: VmWant
    ) -> None:
        standin.ills.waiting.append(Fault("POST addvs", "failed", "Failed to create the disk"))
        with pytest.raises(Retriable, match="addvs failed: Failed to create the disk"):
            await through(lambda memo: hypervisor.create(want, memo))
        made = await through(lambda memo: hypervisor.create(want, memo))
        assert (made.id, only(standin).installs) == (str(only(standin).id), 1)

    async def test_more_than_a_page_of_machines_is_listed(
        self, hypervisor: Virtualizor, standin: VirtualizorWeb
    ) -> None:
        form = {
            "virt": "kvm", "osid": "100", "hostname": "o", "rootpass": "x", "plid": "1",
            "node_select": "1", "user_email": "ada@example.org", "user_pass": "x",
        }  # fmt: skip
        for _ in range(60):
            make(standin.panel, form, "")
        assert len(await hypervisor.machines()) == 60

    async def test_room_is_what_servers_have_not_given_away(
        self, hypervisor: Virtualizor, standin: VirtualizorWeb, want: VmWant
    ) -> None:
        standin.panel.servers[1].is_up = False
        found = {one.node: one for one in await hypervisor.capacity()}
        assert (found["master"].free_memory_mb, found["slave1"].is_up) == (65_536, False)
        large = msgspec.structs.replace(want, size=Size(cores=1, memory_mb=70_000, disk_gb=5))
        with pytest.raises(NoRoom, match="70,000 MB"):
            await hypervisor.create(large, {})

    async def test_a_rate_limit_is_waited_out(
        self, hypervisor: Virtualizor, standin: VirtualizorWeb, want: VmWant
    ) -> None:
        standin.rate.calls, standin.rate.per_s = 1, 7
        waiting = await hypervisor.create(want, {"kept": 1})
        assert isinstance(waiting, Working)
        assert (waiting.memo, 1 <= waiting.again_s <= 7) == ({"kept": 1}, True)
        with pytest.raises(RateLimited):
            await hypervisor.offers()

    async def test_the_console_and_what_is_measured(
        self, hypervisor: Virtualizor, want: VmWant
    ) -> None:
        await through(lambda memo: hypervisor.create(want, memo))
        console = await hypervisor.console(want.ref)
        assert console.url.startswith("vnc://192.0.2.9:59")
        (sample,) = await hypervisor.usage(want.ref)
        assert (sample.cpu, sample.memory_bytes) == (0.25, 256 * 1024**2)

    async def test_what_it_will_not_do_is_said_in_its_words(
        self, hypervisor: Virtualizor, standin: VirtualizorWeb, want: VmWant
    ) -> None:
        nowhere = msgspec.structs.replace(want, nic=Nic(address4="192.0.2.1/24"))
        with pytest.raises(Refused, match="is not in the IP pool") as refused:
            await hypervisor.create(nowhere, {})
        assert refused.value.field == "ips"
        with pytest.raises(Refused, match="takes no SSH keys"):
            await hypervisor.create(msgspec.structs.replace(want, password=None), {})
        good = {"addvps": 1, "virt": "kvm", "osid": 100, "hostname": "a", "rootpass": "x"}
        for form, words in (
            ({"colour": "red"}, "colour: There is no field colour"),
            ({"osid": "x"}, "osid: The field osid must be a whole number"),
            ({"rootpass": ""}, "rootpass: The field rootpass was left blank"),
            ({"ips": "192.0.2.1"}, "ips: The field ips must be a list"),
        ):
            with pytest.raises(Refused, match=words):
                await hypervisor._api.post("addvs", good | form)
        standin.ills.waiting.append(Fault("POST addvs", "error", f"{PASSWORD} {TOKEN} {KEY} broke"))
        with pytest.raises(Refused) as broken:
            await hypervisor.create(want, {})
        assert not any(secret in str(broken.value) for secret in (PASSWORD, TOKEN, KEY))

    async def test_keys_are_in_no_word_of_ours(
        self, hypervisor: Virtualizor, http: HttpClient, peer: HypervisorPeer
    ) -> None:
        wrong = msgspec.structs.replace(peer, secret=Secret("not-the-password"))
        with pytest.raises(Unauthorised, match="is invalid"):
            await Virtualizor(http, wrong, LocalTurns()).check()
        away = msgspec.structs.replace(peer, url="http://127.0.0.1:1")
        with pytest.raises(Retriable) as unreachable:
            await Virtualizor(http, away, LocalTurns()).check()
        elsewhere = msgspec.structs.replace(peer, url=f"{peer.url}/other")
        with pytest.raises(Retriable, match="not that of Virtualizor") as other:
            await Virtualizor(http, elsewhere, LocalTurns()).check()
        for error in (unreachable.value, other.value):
            said = f"{error!r} {error} {error.__cause__!r}"
            assert TOKEN not in said
            assert KEY not in said
