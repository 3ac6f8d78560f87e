"""Proxmox VE: machines that are installed from an ISO, at fakepve; all else is as with templates."""

from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from msgspec.structs import replace

from app.drivers.errors import Refused, Unanswered
from app.drivers.http.client import HttpClient
from app.drivers.hypervisor.contract import HypervisorPeer, Nic, Ref, Size, VmWant
from app.drivers.hypervisor.iso import InstallsFromIso
from app.drivers.hypervisor.proxmox import marks
from app.drivers.hypervisor.proxmox.adapter import Proxmox
from app.drivers.hypervisor.solusvm1.adapter import SolusVm1
from app.drivers.hypervisor.solusvm2.adapter import SolusVm2
from app.drivers.hypervisor.virtualizor.adapter import Virtualizor
from app.suites.hypervisor import HypervisorContract, through
from tests.drivers.hypervisor.pve import ISO, WINDOWS, put_iso
from tests.drivers.hypervisor.turns import LocalTurns


@pytest.fixture
def hypervisor(pve: HypervisorPeer, http: HttpClient) -> Proxmox:
    return Proxmox(http, pve, LocalTurns())


@pytest.fixture
def want() -> VmWant:
    return VmWant(
        ref=Ref(uuid4(), "iso1.example.org"),
        template=ISO,
        size=Size(cores=1, memory_mb=512, disk_gb=3),
        nic=Nic(vlan=120, address4="192.0.2.10/24", gateway4="192.0.2.1"),
    )


async def config_of(hypervisor: Proxmox, want: VmWant) -> dict[str, Any]:
    vm = await hypervisor.find(want.ref)
    assert vm is not None
    config: dict[str, Any] = await hypervisor._api.get(f"nodes/{vm.node}/qemu/{vm.id}/config")
    return config


class TestProxmoxFromIso(HypervisorContract):
    """The whole contract, with an ISO for the template."""

    async def test_what_can_be_sold_is_named(self, hypervisor: Any, want: VmWant) -> None:
        assert {(offer.code, offer.node) for offer in await hypervisor.isos()} == {
            (iso, node) for iso in (ISO, WINDOWS) for node in ("pve1", "pve2")
        }
        assert "debian-13.1.0-amd64-netinst.iso (local)" in {
            offer.label for offer in await hypervisor.isos(ISO)
        }
        assert await hypervisor.isos("nfs:iso/a.iso") == ()

    async def test_it_starts_from_an_empty_disk_and_then_the_iso(
        self, hypervisor: Proxmox, want: VmWant
    ) -> None:
        made = await through(lambda memo: hypervisor.create(want, memo))
        config = await config_of(hypervisor, want)
        assert config["boot"] == "order=scsi0;ide2"
        assert config["ide2"].startswith(f"{ISO},media=cdrom")
        assert config["scsi0"].startswith(f"local-lvm:vm-{made.id}-disk-0,")
        assert "size=3G" in config["scsi0"].split(",")
        assert config["net0"] == f"virtio={marks.mac(want.ref.service)},bridge=vmbr0,tag=120"
        assert (config["ostype"], config["name"]) == ("l26", want.ref.hostname)
        assert marks.tag(want.ref.service) in config["tags"]
        assert {"ciuser", "cipassword", "sshkeys", "ipconfig0"}.isdisjoint(config)
        await through(lambda memo: hypervisor.delete(want.ref, memo))

    async def test_windows_finds_drivers_for_its_disk_and_card(
        self, hypervisor: Proxmox, want: VmWant
    ) -> None:
        windows = replace(want, template=WINDOWS)
        await through(lambda memo: hypervisor.create(windows, memo))
        config = await config_of(hypervisor, want)
        assert (config["ostype"], config["boot"]) == ("win11", "order=sata0;ide2")
        assert config["net0"].startswith("e1000e=")
        await through(lambda memo: hypervisor.delete(want.ref, memo))

    async def test_the_iso_is_taken_out_of_a_machine_that_runs(
        self, hypervisor: Proxmox, want: VmWant
    ) -> None:
        await through(lambda memo: hypervisor.create(want, memo))
        for _ in range(2):
            await through(lambda memo: hypervisor.eject(want.ref, memo))
            config = await config_of(hypervisor, want)
            assert (config["ide2"], config["boot"]) == ("none,media=cdrom", "order=scsi0;ide2")
        await through(lambda memo: hypervisor.delete(want.ref, memo))

    async def test_it_is_made_anew_from_a_template_and_from_an_iso(
        self, hypervisor: Proxmox, want: VmWant
    ) -> None:
        """Id, node and MAC stay; of the one, nothing is left in the other."""
        nic = replace(want.nic, mac="02:AA:BB:CC:DD:EE")
        made = await through(lambda memo: hypervisor.create(replace(want, nic=nic), memo))
        for template in ("debian-12", ISO, WINDOWS):
            other = replace(want, template=template)
            anew = await through(partial(hypervisor.reinstall, other))
            assert (anew.id, anew.node) == (made.id, made.node)
            config = await config_of(hypervisor, want)
            assert "02:AA:BB:CC:DD:EE" in config["net0"]
            assert (":iso/" in config["ide2"]) is (template != "debian-12")
            assert ("ipconfig0" in config) is (template == "debian-12")
        await through(lambda memo: hypervisor.delete(want.ref, memo))

    async def test_an_iso_that_vanished_is_refused_by_name(
        self, hypervisor: Proxmox, pve: HypervisorPeer, want: VmWant
    ) -> None:
        """Nothing is made of it, and nothing removed for it."""
        gone = replace(want, template="local:iso/rocky-10.iso")
        put_iso(pve, "rocky-10.iso")
        assert gone.template in {offer.code for offer in await hypervisor.isos(gone.template)}
        await hypervisor._api.delete(f"nodes/pve1/storage/local/content/{gone.template}")
        told = f"there is no ISO local:iso/rocky-10.iso; its storage has {WINDOWS}, {ISO}"
        with pytest.raises(Refused, match=told):
            await hypervisor.create(gone, {})
        made = await through(lambda memo: hypervisor.create(want, memo))
        with pytest.raises(Refused, match=told):
            await through(lambda memo: hypervisor.reinstall(gone, memo))
        assert await hypervisor.find(want.ref) == made
        await through(lambda memo: hypervisor.delete(want.ref, memo))

    async def test_a_creation_whose_answer_is_lost_is_found(
        self, hypervisor: Proxmox, want: VmWant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post = hypervisor._api.post

        async def lost(path: str, **form: Any) -> Any:
            await post(path, **form)
            raise Unanswered("fra-pve", "the answer got lost")

        monkeypatch.setattr(hypervisor._api, "post", lost)
        with pytest.raises(Unanswered):
            await hypervisor.create(want, {})
        monkeypatch.setattr(hypervisor._api, "post", post)
        made = await through(lambda memo: hypervisor.create(want, memo), forgetful=True)
        assert made.id == str(next(marks.ids(want.ref.service)))
        names = [vm.name for vm in await hypervisor.machines()]
        assert names.count(want.ref.hostname) == 1
        await through(lambda memo: hypervisor.delete(want.ref, memo))


@pytest.mark.parametrize("other", [Virtualizor, SolusVm1, SolusVm2])
def test_panels_install_from_no_iso(other: type) -> None:
    assert issubclass(Proxmox, InstallsFromIso)
    assert not issubclass(other, InstallsFromIso)
