"""SolusVM 2: our adapter against a stand-in that refuses what its maker's own clients never send."""

import json
from collections.abc import AsyncIterator
from uuid import uuid4

import msgspec
import pytest

from app.drivers.errors import (
    DriverError,
    RateLimited,
    Refused,
    Retriable,
    Unanswered,
    Unauthorised,
)
from app.drivers.http.client import HttpClient
from app.drivers.hypervisor.contract import (
    UNLIMITED,
    HypervisorPeer,
    Nic,
    NoRoom,
    Ref,
    Size,
    VmPower,
    VmWant,
    Working,
)
from app.drivers.hypervisor.solusvm2.adapter import SolusVm2
from app.drivers.secret import Secret
from app.suites.hypervisor import HypervisorContract, through
from lab.solusvm2.deeds import make
from lab.solusvm2.panel import Resource
from lab.solusvm2.web import SolusVm2Web
from lab.standin import Fault
from tests.drivers.hypervisor.panels import TOKEN, solusvm2
from tests.drivers.hypervisor.turns import LocalTurns

PASSWORD = "Fit for a client, 1!"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA+/= ops@example.org"


@pytest.fixture
async def both() -> AsyncIterator[tuple[SolusVm2Web, HypervisorPeer]]:
    async with solusvm2() as both:
        yield both


@pytest.fixture
def standin(both: tuple[SolusVm2Web, HypervisorPeer]) -> SolusVm2Web:
    return both[0]


@pytest.fixture
def hypervisor(http: HttpClient, peer: HypervisorPeer) -> SolusVm2:
    return SolusVm2(http, peer, LocalTurns())


@pytest.fixture
def want() -> VmWant:
    return VmWant(
        ref=Ref(uuid4(), "web1.example.org"),
        template="Debian 12",
        size=Size(cores=1, memory_mb=512, disk_gb=5),
        nic=Nic(),
        password=Secret(PASSWORD),
        ssh_keys=(KEY,),
    )


class TestSolusVm2(HypervisorContract):
    async def test_the_machine_is_ordered_as_asked(
        self, hypervisor: SolusVm2, standin: SolusVm2Web, want: VmWant
    ) -> None:
        want = msgspec.structs.replace(
            want,
            nic=Nic(vlan=120, address4="100.64.7.9/24", gateway4="100.64.7.1"),
            nodes=("Amsterdam",),
            size=Size(cores=3, memory_mb=2048, disk_gb=30),
        )
        made = await through(lambda memo: hypervisor.create(want, memo))
        (server,) = standin.panel.servers.values()
        body = server.body
        assert (made.node, server.ip, body["primary_ip"]) == ("Amsterdam", "100.64.7.9", server.ip)
        assert body["custom_plan"] == {"params": {"vcpu": 3, "ram": 2 * 1024**3, "disk": 30}}
        assert (body["password"], body["fqdns"]) == (PASSWORD, ["web1.example.org"])
        config = json.loads(body["user_data"].removeprefix("#cloud-config\n"))
        assert config["users"][1]["ssh_authorized_keys"] == [KEY]
        assert config["chpasswd"]["users"][0]["password"].startswith("$6$")
        assert PASSWORD not in body["user_data"]
        assert await hypervisor.addresses(want.ref) == ("100.64.7.9",)

    async def test_a_plan_is_named_or_found_by_its_size(
        self, hypervisor: SolusVm2, standin: SolusVm2Web, want: VmWant
    ) -> None:
        large = msgspec.structs.replace(want, size=Size(cores=4, memory_mb=8192, disk_gb=80))
        await through(lambda memo: hypervisor.create(large, memo))
        (server,) = standin.panel.servers.values()
        assert (server.body["plan"], "custom_plan" in server.body) == (2, False)
        unknown = msgspec.structs.replace(want, ref=Ref(uuid4(), "b"), plan="Huge")
        with pytest.raises(Refused, match="no plan is called Huge; there are Small, Large"):
            await hypervisor.create(unknown, {})
        grown = Size(cores=4, memory_mb=8192, disk_gb=160)
        seen = await through(lambda memo: hypervisor.resize(large.ref, grown, memo, plan="Small"))
        assert (seen.size, server.plan) == (grown, 1)
        with pytest.raises(Refused, match="cannot be made smaller"):
            await hypervisor.resize(large.ref, large.size, {})

    async def test_a_reinstalled_machine_has_the_password_that_its_client_has(
        self, hypervisor: SolusVm2, standin: SolusVm2Web, want: VmWant
    ) -> None:
        await through(lambda memo: hypervisor.create(want, memo))
        (server,) = standin.panel.servers.values()
        address, server.body["user_data"] = server.ip, ""
        other = msgspec.structs.replace(want, template="Ubuntu 24.04")
        await through(lambda memo: hypervisor.reinstall(other, memo))
        assert (server.installs, server.body["os"], server.ip) == (2, 21, address)
        assert "$6$" in server.body["user_data"]

    async def test_a_creation_whose_answer_is_lost_is_found(
        self, hypervisor: SolusVm2, standin: SolusVm2Web, want: VmWant
    ) -> None:
        standin.ills.waiting.append(Fault("POST /servers", "lost"))
        with pytest.raises(Unanswered):
            await hypervisor.create(want, {})
        made = await through(lambda memo: hypervisor.create(want, memo))
        assert [str(server.id) for server in standin.panel.servers.values()] == [made.id]
        assert standin.calls.count("POST /servers") == 1

    async def test_one_that_its_client_renamed_is_found(
        self, hypervisor: SolusVm2, standin: SolusVm2Web, want: VmWant
    ) -> None:
        """Out of more than a page of others."""
        made = await through(lambda memo: hypervisor.create(want, memo))
        (server,) = standin.panel.servers.values()
        for _ in range(120):
            make(standin.panel, server.body | {"description": "", "primary_ip": None}, "")
        standin.panel.servers[server.id] = standin.panel.servers.pop(server.id)  # on the last page
        server.body["name"] = "my-own-name"
        found = await hypervisor.find(want.ref)
        assert found is not None
        assert (found.id, found.name) == (made.id, "my-own-name")
        assert len(await hypervisor.machines()) == 121

    async def test_a_failed_creation_is_told_in_its_words_cleared_away_and_made_again(
        self, hypervisor: SolusVm2, standin: SolusVm2Web, want: VmWant
    ) -> None:
        standin.ills.waiting.append(Fault("POST /servers", "failed", "no space left on device"))
        with pytest.raises(Retriable, match="no space left on device"):
            await through(lambda memo: hypervisor.create(want, memo))
        made = await through(lambda memo: hypervisor.create(want, memo))
        assert [str(server.id) for server in standin.panel.servers.values()] == [made.id]

    async def test_a_failed_task_is_told_in_its_words(
        self, hypervisor: SolusVm2, standin: SolusVm2Web, want: VmWant
    ) -> None:
        await through(lambda memo: hypervisor.create(want, memo))
        standin.ills.waiting.append(Fault("POST /servers/", "failed", "libvirt is away"))
        with pytest.raises(Retriable, match="vm-stop failed: libvirt is away"):
            await through(lambda memo: hypervisor.power(want.ref, VmPower.STOPPED, memo))

    async def test_room_is_what_compute_resources_may_still_give(
        self, hypervisor: SolusVm2, standin: SolusVm2Web, want: VmWant
    ) -> None:
        standin.panel.resources[3].status = "unavailable"
        found = {one.node: one for one in await hypervisor.capacity()}
        assert (found["Frankfurt"].free_memory_mb, found["Frankfurt"].is_up) == (96 * 1024, True)
        assert (found["Frankfurt"].free_disk_gb, found["Amsterdam"].is_up) == (UNLIMITED, False)
        large = msgspec.structs.replace(want, size=Size(cores=1, memory_mb=200 * 1024, disk_gb=5))
        with pytest.raises(NoRoom, match="204,800 MB"):
            await hypervisor.create(large, {})
        standin.panel.resources[9] = Resource(9, "fra-9", 1)  # without a limit
        await through(lambda memo: hypervisor.create(large, memo))

    async def test_a_rate_limit_is_waited_out(
        self, hypervisor: SolusVm2, standin: SolusVm2Web, want: VmWant
    ) -> None:
        standin.rate.calls, standin.rate.per_s = 1, 7
        waiting = await hypervisor.create(want, {"kept": 1})
        assert isinstance(waiting, Working)
        assert waiting.memo == {"kept": 1}
        assert 1 <= waiting.again_s <= 7
        with pytest.raises(RateLimited, match="Too Many Attempts"):
            await hypervisor.offers()

    async def test_the_console_and_what_was_measured(
        self, hypervisor: SolusVm2, standin: SolusVm2Web, want: VmWant
    ) -> None:
        await through(lambda memo: hypervisor.create(want, memo))
        (server,) = standin.panel.servers.values()
        console = await hypervisor.console(want.ref)
        assert "/vnc?url=node-" in console.url
        assert console.password.reveal() == server.uuid[:8]
        (sample,) = await hypervisor.usage(want.ref)
        assert (sample.cpu, sample.memory_bytes, sample.net_out_bytes_s) == (0.5, 2**28, 20_480)
        with pytest.raises(Refused, match="it makes one"):
            await hypervisor.set_password(want.ref, "root", Secret("x" * 8))

    async def test_refusals_name_the_field_and_no_secret(
        self, hypervisor: SolusVm2, http: HttpClient, peer: HypervisorPeer, want: VmWant
    ) -> None:
        nowhere = msgspec.structs.replace(want, nic=Nic(address4="192.0.2.1/24"))
        with pytest.raises(Refused, match="in no IP block") as refused:
            await hypervisor.create(nowhere, {})
        assert refused.value.field == "primary_ip"
        six = msgspec.structs.replace(want, nic=Nic(address6="2001:db8::1/64"))
        with pytest.raises(Refused, match="without IPv6"):
            await hypervisor.create(six, {})
        wrong = msgspec.structs.replace(peer, secret=Secret("not the token"))
        with pytest.raises(Unauthorised, match="Unauthenticated"):
            await SolusVm2(http, wrong, LocalTurns()).check()
        elsewhere = msgspec.structs.replace(peer, owner="Nobody")
        with pytest.raises(Refused, match="no project is called Nobody; there are Slipway, Others"):
            await SolusVm2(http, elsewhere, LocalTurns()).check()

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"name": "a"}, "boot_mode"),
            ({"colour": "red"}, "colour"),
            ({"ssh_keys": ["a"]}, "ssh_keys"),
            ({"ip_types": ["IPv5"]}, "ip_types"),
        ],
    )
    async def test_the_stand_in_refuses_what_the_table_does_not_know(
        self, hypervisor: SolusVm2, body: dict[str, object], field: str
    ) -> None:
        with pytest.raises(DriverError) as refused:
            await hypervisor._api.post("servers", body)
        assert isinstance(refused.value, Refused)
        good = {"name": "a", "boot_mode": "disk", "ssh_keys": [], "project": 1, "location": 1}
        with pytest.raises(Refused) as refused:
            await hypervisor._api.post("servers", good | body)
        if field != "boot_mode":
            assert refused.value.field == field

    async def test_no_secret_is_in_what_is_said(
        self, hypervisor: SolusVm2, standin: SolusVm2Web, want: VmWant
    ) -> None:
        standin.ills.waiting.append(Fault("POST /servers", "error", f"{PASSWORD} {TOKEN} broke"))
        with pytest.raises(Retriable) as broken:
            await hypervisor.create(want, {})
        assert PASSWORD not in str(broken.value)
        assert TOKEN not in str(broken.value)
