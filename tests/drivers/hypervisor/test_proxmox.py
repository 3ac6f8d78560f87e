"""Proxmox VE: our adapter against fakepve, with proxmoxer as a second opinion."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from aiohttp import web

from app.core.clock import SystemClock
from app.drivers.egress import Egress
from app.drivers.errors import DriverError, Refused, Retriable, Unauthorised
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
from app.drivers.hypervisor.mark import description
from app.drivers.hypervisor.proxmox import marks
from app.drivers.hypervisor.proxmox.adapter import Proxmox
from app.drivers.secret import Secret
from app.drivers.tls import TrustSystem
from app.suites.hypervisor import HypervisorContract, through
from tests.drivers.environment import environment
from tests.drivers.hypervisor.pve import FAKEPVE, PASSWORD
from tests.drivers.hypervisor.turns import LocalTurns

KEYS = ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA+/= ops@example.org", "ssh-ed25519 AAAAB3N b c")


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    client = HttpClient(Egress(["127.0.0.0/8"]), SystemClock())
    yield client
    await client.close()


@pytest.fixture
def turns() -> LocalTurns:
    return LocalTurns()


@pytest.fixture
def hypervisor(pve: HypervisorPeer, http: HttpClient, turns: LocalTurns) -> Proxmox:
    return Proxmox(http, pve, turns)


@pytest.fixture
def want() -> VmWant:
    return VmWant(
        ref=Ref(uuid4(), "web1.example.org"),
        template="debian-12",
        size=Size(cores=1, memory_mb=512, disk_gb=3),
        nic=Nic(
            vlan=120,
            address4="192.0.2.10/24",
            gateway4="192.0.2.1",
            address6="2001:db8::a/64",
            gateway6="2001:db8::1",
        ),
        password=Secret("Fit for a client, 1!"),
        ssh_keys=KEYS,
        nameservers=("192.0.2.53", "2001:db8::53"),
    )


async def config_of(hypervisor: Proxmox, want: VmWant) -> dict[str, Any]:
    vm = await hypervisor.find(want.ref)
    assert vm is not None
    return await hypervisor._api.get(f"nodes/{vm.node}/qemu/{vm.id}/config")


class TestProxmox(HypervisorContract):
    async def test_the_machine_is_configured_as_asked(
        self, hypervisor: Proxmox, want: VmWant
    ) -> None:
        await through(lambda memo: hypervisor.create(want, memo))
        config = await config_of(hypervisor, want)
        assert config["ciuser"] == "root"
        assert config["ipconfig0"] == (
            "ip=192.0.2.10/24,gw=192.0.2.1,ip6=2001:db8::a/64,gw6=2001:db8::1"
        )
        assert config["nameserver"] == "192.0.2.53 2001:db8::53"
        # As PVE keeps it: percent-encoded, with nothing left safe.
        assert config["sshkeys"].startswith("ssh-ed25519%20AAAAC3NzaC1lZDI1NTE5AAAA%2B%2F%3D%20ops")
        assert config["net0"] == (
            f"virtio={marks.mac(want.ref.service)},bridge=vmbr0,firewall=1,tag=120"
        )
        assert config["onboot"] in (1, "1")
        await through(lambda memo: hypervisor.delete(want.ref, memo))

    async def test_a_reinstalled_machine_keeps_its_mac(
        self, hypervisor: Proxmox, want: VmWant
    ) -> None:
        nic = msgspec.structs.replace(want.nic, mac="02:AA:BB:CC:DD:EE")
        adopted = msgspec.structs.replace(want, nic=nic)
        await through(lambda memo: hypervisor.create(adopted, memo))
        await through(lambda memo: hypervisor.reinstall(want, memo))
        assert (await config_of(hypervisor, want))["net0"].startswith("virtio=02:AA:BB:CC:DD:EE,")
        await through(lambda memo: hypervisor.delete(want.ref, memo))

    async def test_copies_take_turns_and_give_them_back(
        self, hypervisor: Proxmox, want: VmWant, turns: LocalTurns
    ) -> None:
        for node in ("pve1", "pve2"):
            turns.taken[f"proxmox:fra-pve:{node}"] = "another order"
        waiting = await hypervisor.create(want, {})
        assert "turn" in waiting.says  # type: ignore[union-attr]
        assert await hypervisor.find(want.ref) is None
        turns.taken.clear()
        await through(lambda memo: hypervisor.create(want, memo))
        assert turns.taken == {}
        await through(lambda memo: hypervisor.delete(want.ref, memo))

    async def test_an_id_that_someone_else_has_is_passed_by(
        self, hypervisor: Proxmox, want: VmWant
    ) -> None:
        candidates = marks.ids(want.ref.service)
        first, second = next(candidates), next(candidates)
        await hypervisor._api.post(
            "nodes/pve1/qemu", vmid=first, name="a-person-made-it", memory=512
        )
        made = await through(lambda memo: hypervisor.create(want, memo))
        assert made.id == str(second)
        await through(lambda memo: hypervisor.delete(want.ref, memo))
        left = {vm.id for vm in await hypervisor.machines()}
        assert str(first) in left
        await hypervisor._api.delete(f"nodes/pve1/qemu/{first}")

    async def test_a_machine_too_large_for_every_node_waits_for_room(
        self, hypervisor: Proxmox, want: VmWant
    ) -> None:
        large = msgspec.structs.replace(want, size=Size(cores=2, memory_mb=10**6, disk_gb=10))
        with pytest.raises(NoRoom, match="1,000,000 MB"):
            await hypervisor.create(large, {})

    async def test_a_smaller_disk_is_refused(self, hypervisor: Proxmox, want: VmWant) -> None:
        await through(lambda memo: hypervisor.create(want, memo))
        smaller = Size(cores=1, memory_mb=512, disk_gb=1)
        with pytest.raises(Refused, match="smaller"):
            await through(lambda memo: hypervisor.resize(want.ref, smaller, memo))
        await through(lambda memo: hypervisor.delete(want.ref, memo))

    async def test_without_an_agent_nothing_is_known_of_the_guest(
        self, hypervisor: Proxmox, want: VmWant
    ) -> None:
        await through(lambda memo: hypervisor.create(want, memo))
        assert await hypervisor.addresses(want.ref) == ()
        with pytest.raises(DriverError, match="agent is not running"):
            await hypervisor.set_password(want.ref, "root", Secret("Fit for a client, 1!"))
        with pytest.raises(Refused, match="5 to 1024"):
            await hypervisor.set_password(want.ref, "root", Secret("four"))
        assert await hypervisor.usage(want.ref) == ()
        await through(lambda memo: hypervisor.delete(want.ref, memo))

    async def test_a_console_is_opened_with_a_ticket(
        self, hypervisor: Proxmox, want: VmWant
    ) -> None:
        await through(lambda memo: hypervisor.create(want, memo))
        console = await hypervisor.console(want.ref)
        assert console.url.startswith("wss://127.0.0.1:")
        assert "/vncwebsocket?port=5900&vncticket=PVEVNC%3A" in console.url
        assert "Cookie" in console.headers
        await through(lambda memo: hypervisor.delete(want.ref, memo))

    async def test_an_ordinary_client_sees_the_same(
        self, hypervisor: Proxmox, pve: HypervisorPeer, want: VmWant
    ) -> None:
        made = await through(lambda memo: hypervisor.create(want, memo))
        host = pve.url.split("/")[2]
        script = (
            "import json, sys; from proxmoxer import ProxmoxAPI; host, port = sys.argv[1].split(':');"
            "api = ProxmoxAPI(host, port=int(port), user='root@pam', password=sys.argv[2],"
            " verify_ssl=False); print(json.dumps(api.cluster.resources.get(type='vm')))"
        )
        python = environment("fakepve", *FAKEPVE) / "python"
        said = await asyncio.to_thread(
            subprocess.run,
            [python, "-W", "ignore", "-c", script, host, PASSWORD],
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        row = next(row for row in json.loads(said.stdout) if str(row["vmid"]) == made.id)
        assert (row["name"], row["status"], row["node"]) == (made.name, "running", made.node)
        assert marks.tag(want.ref.service) in row["tags"]
        await through(lambda memo: hypervisor.delete(want.ref, memo))

    async def test_a_wrong_password_is_not_tried_again(
        self, pve: HypervisorPeer, http: HttpClient, turns: LocalTurns
    ) -> None:
        wrong = msgspec.structs.replace(pve, secret=Secret("not the password"))
        with pytest.raises(Unauthorised) as refused:
            await Proxmox(http, wrong, turns).check()
        assert "not the password" not in str(refused.value)
        no_token = msgspec.structs.replace(pve, username="a@pve!b", secret=Secret("00000000-0000"))
        with pytest.raises(Unauthorised):
            await Proxmox(http, no_token, turns).check()


class Scripted:
    """A PVE whose answers are written down: what fakepve cannot be asked for from outside."""

    def __init__(self) -> None:
        self.answers: dict[str, list[web.Response]] = {}
        self.asked: list[str] = []

    async def answer(self, request: web.Request) -> web.Response:
        key = f"{request.method} {request.path.removeprefix('/api2/json/')}"
        self.asked.append(key)
        return self.answers[key].pop(0)


def data(value: Any, status: int = 200) -> web.Response:
    return web.json_response({"data": value}, status=status)


@pytest.fixture
async def scripted(http: HttpClient, turns: LocalTurns) -> AsyncIterator[tuple[Scripted, Proxmox]]:
    script = Scripted()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", script.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    peer = HypervisorPeer(
        name="fra-pve", provider="proxmox", url=f"http://127.0.0.1:{port}/",
        username="slipway@pve!flows", secret=Secret("aaaa-bbbb"), tls=TrustSystem(),
    )  # fmt: skip
    yield script, Proxmox(http, peer, turns)
    await runner.cleanup()


SERVICE = uuid4()
UPID = "UPID:pve1:0003A1B2:01C9A4D5:6740C1E0:qmstart:100:slipway@pve:"
ROW = {"type": "qemu", "vmid": 100, "node": "pve1", "name": "a", "tags": marks.tag(SERVICE)}


@pytest.mark.parametrize(
    ("response", "error", "words"),
    [
        pytest.param(
            web.json_response(
                {"data": None, "errors": {"newid": "value must be at least 100\n"}}, status=400
            ),
            Refused, "newid: value must be at least 100", id="a field",
        ),
        pytest.param(
            web.Response(status=403, reason="Permission check failed (/vms/100, VM.Allocate)"),
            Refused, "VM.Allocate", id="a permission",
        ),
        pytest.param(web.Response(status=401, reason="no ticket"), Unauthorised, "no ticket",
                     id="a login"),
        pytest.param(
            web.Response(status=500, text="can't lock file '/var/lock/x' - got timeout"),
            Retriable, "got timeout", id="a lock",
        ),
        pytest.param(
            web.Response(status=500, text="storage 'x' does not exist"),
            Refused, "does not exist", id="for good",
        ),
        pytest.param(web.Response(status=596, reason="connection timed out"), Retriable,
                     "timed out", id="a node that is away"),
        pytest.param(web.Response(text="<html>welcome"), Retriable, "not that of a PVE",
                     id="something else answers"),
    ],
)  # fmt: skip
async def test_refusals_are_told_in_the_providers_words(
    scripted: tuple[Scripted, Proxmox],
    response: web.Response,
    error: type[DriverError],
    words: str,
) -> None:
    script, proxmox = scripted
    script.answers = {"GET cluster/resources": [response]}
    with pytest.raises(error, match=words):
        await proxmox.capacity()


async def test_warnings_are_success_and_an_ok_of_ha_is_not_believed(
    scripted: tuple[Scripted, Proxmox],
) -> None:
    script, proxmox = scripted
    off, on = ROW | {"status": "stopped"}, ROW | {"status": "running"}
    script.answers = {
        "GET cluster/resources": [data([row]) for row in (off, off, off, on)],
        "POST nodes/pve1/qemu/100/status/start": [data(UPID)],
        f"GET nodes/pve1/tasks/{UPID}/status": [
            data({"status": "running"}),
            data({"status": "stopped", "exitstatus": "WARNINGS: 1"}),
        ],
    }
    vm = await through(lambda memo: proxmox.power(Ref(SERVICE, "a"), VmPower.RUNNING, memo))
    assert vm.power is VmPower.RUNNING
    assert script.asked.count("POST nodes/pve1/qemu/100/status/start") == 1


async def test_a_failed_task_is_told_by_the_end_of_its_log(
    scripted: tuple[Scripted, Proxmox],
) -> None:
    script, proxmox = scripted
    script.answers = {
        "GET cluster/resources": [data([ROW | {"status": "stopped"}])],
        f"GET nodes/pve1/tasks/{UPID}/status": [
            data({"status": "stopped", "exitstatus": "start failed: QEMU exited with code 1"})
        ],
        f"GET nodes/pve1/tasks/{UPID}/log": [
            data([{"n": 1, "t": "starting"}, {"n": 2, "t": "TASK ERROR: no KVM on this node"}])
        ],
    }
    with pytest.raises(Retriable, match="no KVM on this node"):
        await proxmox.power(Ref(SERVICE, "a"), VmPower.RUNNING, {"task": UPID, "asked": True})


async def test_a_disk_is_grown_before_the_machine_is_started(
    scripted: tuple[Scripted, Proxmox], want: VmWant
) -> None:
    """Not by fakepve, whose disks stay as they are."""
    script, proxmox = scripted
    ref = Ref(SERVICE, "a")
    row = {**ROW, "status": "stopped", "tags": "", "vmid": next(marks.ids(SERVICE))}
    machine = f"nodes/pve1/qemu/{row['vmid']}"
    small = {
        "boot": "order=ide2;scsi0",
        "description": description(SERVICE),
        "ide2": "local-lvm:vm-100-cloudinit,media=cdrom,size=4M",
        "scsi0": "local-lvm:vm-100-disk-0,size=3072M",
    }
    large = small | {"scsi0": "local-lvm:vm-100-disk-0,size=10G"}
    script.answers = {
        "GET cluster/resources": [
            data([found]) for found in (row, row, row | {"status": "running"})
        ],
        f"GET {machine}/config": [data(one) for one in (small, small, large, large, large, large)],
        f"PUT {machine}/resize": [data(UPID)],
        f"PUT {machine}/config": [data(None)],
        f"POST {machine}/status/start": [data(UPID)],
        f"GET nodes/pve1/tasks/{UPID}/status": [
            data({"status": "stopped", "exitstatus": "OK"}) for _ in range(2)
        ],
    }
    larger = msgspec.structs.replace(want, ref=ref, size=Size(cores=1, memory_mb=512, disk_gb=10))
    await through(lambda memo: proxmox.create(larger, memo))
    changes = [call for call in script.asked if not call.startswith("GET")]
    assert changes == [
        f"PUT {machine}/resize", f"PUT {machine}/config", f"POST {machine}/status/start",
    ]  # fmt: skip


async def test_what_the_guest_says_of_itself(scripted: tuple[Scripted, Proxmox]) -> None:
    script, proxmox = scripted
    cards = [
        {"name": "lo", "ip-addresses": [{"ip-address": "127.0.0.1"}]},
        {"name": "eth0", "ip-addresses": [
            {"ip-address": "192.0.2.10"}, {"ip-address": "fe80::1"}, {"ip-address": "2001:db8::a"},
        ]},
        {"name": "eth1"},
    ]  # fmt: skip
    samples = [
        {"time": 120, "cpu": 0.5, "mem": 7, "netin": 1.5},
        {"time": 60, "cpu": 0.1},
        {"time": 180},
    ]
    script.answers = {
        "GET cluster/resources": [data([ROW | {"status": "running"}]) for _ in range(2)],
        "GET nodes/pve1/qemu/100/agent/network-get-interfaces": [data({"result": cards})],
        "GET nodes/pve1/qemu/100/rrddata": [data(samples)],
    }
    ref = Ref(SERVICE, "a")
    assert await proxmox.addresses(ref) == ("192.0.2.10", "2001:db8::a")
    first, second = await proxmox.usage(ref)
    assert (first.at_s, second.at_s, second.net_in_bytes_s) == (60, 120, 1.5)


async def test_what_is_being_made_and_does_not_say_whose_it_is_is_waited_for(
    scripted: tuple[Scripted, Proxmox], want: VmWant
) -> None:
    """PVE writes marks once disks are there: until then another try must not make a second one."""
    script, proxmox = scripted
    ref = Ref(SERVICE, "a")
    row = {"type": "qemu", "vmid": next(marks.ids(SERVICE)), "node": "pve1", "lock": "create"}
    script.answers = {
        "GET cluster/resources": [data([row])],
        f"GET nodes/pve1/qemu/{row['vmid']}/config": [data({"lock": "create"})],
    }
    waits = await proxmox.create(msgspec.structs.replace(want, ref=ref), {})
    assert isinstance(waits, Working)
    assert waits.says == "The provider works on the machine"
    assert not [call for call in script.asked if call.startswith("POST")]
