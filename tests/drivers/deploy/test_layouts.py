"""Disk layouts: every one that is accepted is understood by the installers and adds up."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as some
from pykickstart.parser import KickstartParser
from pykickstart.version import makeVersion

from app.drivers.deploy.layout import (
    LEAST_MEMBERS,
    DiskGroup,
    DiskLayout,
    LayoutDoesNotFit,
    lay_out,
    layout_faults,
    needed_gb,
)
from app.drivers.deploy.netboot import render_kickstart, render_preseed, render_user_data
from app.drivers.deploy.netboot.disk_finder import render_disk_script
from app.drivers.deploy.netboot.kickstart import storage_lines
from app.drivers.deploy.spec import DiskKind, Disks, Family, Firmware, Volume, data_members
from tests.drivers.deploy.specs import spec
from tests.drivers.deploy.test_answers import DEBCONF, answers, autoinstall

CURTIN_FIELDS = {
    "disk": {"path", "ptable", "wipe", "preserve", "grub_device"},
    "partition": {"device", "size", "wipe", "preserve", "flag", "grub_device"},
    "raid": {"name", "raidlevel", "devices", "preserve"},
    "lvm_volgroup": {"name", "devices", "preserve"},
    "lvm_partition": {"name", "volgroup", "size", "preserve"},
    "format": {"volume", "fstype", "preserve"},
    "mount": {"device", "path"},
}
"""By curtin's documentation of its storage configuration: anything else it refuses. No registry has
curtin or subiquity; a size of -1 and a partition's `grub_device` are subiquity's."""
CURTIN_VALUES = {
    "ptable": {"gpt", "dos", "msdos"},
    "wipe": {"random", "superblock", "superblock-recursive", "zero"},
    "flag": {"bios_grub", "boot"},
    "fstype": {"ext4", "xfs", "swap", "fat32"},
    "raidlevel": {0, 1, 4, 5, 6, 10},
}
MIB = 1024 * 1024
PER_GB = 10**9
FULL = DiskLayout(
    code="fast",
    name="Fast",
    kind=DiskKind.NVME,
    capacity_gb=400,
    count=2,
    raid=1,
    lvm=True,
    swap_gb=8,
    volumes=(Volume("/home", 20), Volume("/var/lib/data", 40)),
)


@some.composite
def layouts(draw: some.DrawFn) -> DiskLayout:
    raid = draw(some.sampled_from(list(LEAST_MEMBERS)))
    mounts = draw(some.sets(some.sampled_from(["/home", "/var", "/srv/data-1", "/opt"])))
    drawn = DiskLayout(
        code="drawn",
        name="Drawn",
        kind=draw(some.sampled_from([None, *DiskKind])),
        count=LEAST_MEMBERS[raid] + (0 if raid is None else 2 * draw(some.integers(0, 4))),
        raid=raid,
        lvm=draw(some.booleans()),
        filesystem=draw(some.sampled_from([None, "ext4", "xfs"])),
        swap_gb=draw(some.sampled_from([0, 1, 7])),
        volumes=tuple(Volume(mount, draw(some.integers(1, 333))) for mount in sorted(mounts)),
        capacity_gb=draw(some.sampled_from([1, 240, 960, 1_920])),
    )
    assume(not list(layout_faults(drawn)))
    return drawn


def borne(layout: DiskLayout) -> Disks:
    """Lay it out on just enough disks that are just large enough."""
    group = DiskGroup(layout.kind or DiskKind.HDD, layout.least_gb, layout.count)
    return lay_out(layout, "server-1", [group])


class TestEveryLayout:
    @given(layout=layouts(), firmware=some.sampled_from(Firmware))
    @settings(max_examples=40, deadline=None)
    def test_curtin_can_make_it(self, layout: DiskLayout, firmware: Firmware) -> None:
        wanted = spec(Family.UBUNTU, disks=borne(layout), firmware=firmware)
        config = autoinstall(wanted)["storage"]["config"]
        known: dict[str, dict[str, Any]] = {}
        for action in config:
            needs = [action[key] for key in ("device", "volume", "volgroup") if key in action]
            assert {*needs, *action.get("devices", [])} <= set(known), action
            assert set(action) <= CURTIN_FIELDS[action["type"]] | {"id", "type"}, action
            assert all(action[key] in CURTIN_VALUES[key] for key in CURTIN_VALUES.keys() & action)
            known[action["id"]] = action
        self._adds_up(config, layout)
        arrays = [action for action in config if action["type"] == "raid"]
        assert bool(arrays) is (layout.raid is not None)
        for array in arrays:
            assert len(array["devices"]) == layout.count >= LEAST_MEMBERS[array["raidlevel"]]
            disks = {known[member]["device"] for member in array["devices"]}
            assert len(disks) == layout.count
        mounted = {action["path"] for action in config if action["type"] == "mount"}
        assert mounted == {
            *("/", "/boot", *(volume.mount for volume in layout.volumes)),
            *(["none"] if layout.swap_gb else []),
            *(["/boot/efi"] if firmware is Firmware.UEFI else []),
        }

    def _adds_up(self, config: list[dict[str, Any]], layout: DiskLayout) -> None:
        """Each disk holds its parts with at least 8 GB beside; each volume is as large as asked."""
        for disk in (action["id"] for action in config if action["type"] == "disk"):
            parts = [
                part["size"]
                for part in config
                if part["type"] == "partition" and part["device"] == disk
            ]
            assert parts.count(-1) == 1
            assert parts[-1] == -1, "what takes the rest comes last"
            fixed = sum(size for size in parts if size > 0)
            assert fixed + 8 * PER_GB <= layout.least_gb * PER_GB
        data = data_members(layout.raid, layout.count)
        for volume in layout.volumes:
            name = volume.mount[1:].replace("/", "_")
            (size,) = (
                action["size"] * (1 if action["type"] == "lvm_partition" else data)
                for action in config
                if action["id"] in (f"lv-{name}", f"{name}0")
            )
            assert volume.size_gb * 1024 * MIB <= size < (volume.size_gb * 1024 + data) * MIB
        if layout.lvm:
            held = sum(a["size"] for a in config if a["type"] == "lvm_partition" and a["size"] > 0)
            assert held <= data * layout.least_gb * PER_GB

    @pytest.mark.filterwarnings("ignore:A partition with the mountpoint biosboot")
    @given(layout=layouts(), firmware=some.sampled_from(Firmware))
    @settings(max_examples=40, deadline=None)
    def test_pykickstart_reads_it(self, layout: DiskLayout, firmware: Firmware) -> None:
        wanted = spec(Family.ALMALINUX, disks=borne(layout), firmware=firmware)
        handler = makeVersion("RHEL9")
        text = render_kickstart(wanted).replace(
            "%include /tmp/slipway-disks.ks", "\n".join(storage_lines(wanted))
        )
        KickstartParser(handler).readKickstartFromString(text)
        parts = handler.partition.partitions
        assert {part.disk for part in parts} == set(handler.ignoredisk.onlyuse)
        named = [part.mountpoint for part in parts if part.mountpoint != "biosboot"]
        assert len(set(named)) == len(named)
        for array in handler.raid.raidList:
            assert {*array.members} <= set(named)
            assert len(set(array.members)) == layout.count
            assert array.level == (
                "RAID1" if array.mountpoint in self.BOOT else f"RAID{layout.raid}"
            )
        volumes = {volume.mountpoint: volume.size for volume in handler.logvol.lvList}
        assert bool(volumes) is layout.lvm
        if layout.lvm:
            assert {v.mount: v.size_gb * 1024 for v in layout.volumes}.items() <= volumes.items()
            (group,) = handler.volgroup.vgList
            assert group.physvols == ["pv.0"]

    BOOT = ("/boot", "/boot/efi")

    @given(layout=layouts(), firmware=some.sampled_from(Firmware))
    @settings(max_examples=40, deadline=None)
    def test_partman_is_told_it(self, layout: DiskLayout, firmware: Firmware) -> None:
        read = answers(spec(Family.DEBIAN, disks=borne(layout), firmware=firmware))
        method = "lvm" if layout.lvm else "regular"
        assert read["partman-auto/method"] == (method if layout.raid is None else "raid")
        parts = read["partman-auto/expert_recipe"].removeprefix("slipway :: ").split(" . ")
        on_disk = [part for part in parts if "$lvmok{ }" not in part]
        # partman cuts the partitions in the order of the recipe: the arrays name them by number.
        recipe = read.get("partman-auto-raid/recipe", "")
        arrays = [array.split() for array in recipe.split(" .") if array]
        for number, (level, count, spares, _kind, mount, devices) in enumerate(arrays, 2):
            assert level == ("1" if mount == "/boot" else str(layout.raid))
            assert (int(count), spares) == (layout.count, "0")
            assert {*re.findall(r"part(\d+)", devices)} == {str(number)}
            assert len(set(devices.split("#"))) == layout.count
            assert "method{ raid }" in on_disk[number - 1]
        assert len(arrays) == (0 if layout.raid is None else len(on_disk) - 1)
        if layout.lvm:
            logical = [re.findall(r"lv_name\{ (\S+) \}", part) for part in parts]
            assert [name for names in logical for name in names][-1] == "root"
        first = [int(part.split()[0]) for part in on_disk]
        assert sum(first) <= layout.least_gb * 1_000

    @given(layout=layouts())
    @settings(max_examples=40, deadline=None)
    def test_it_is_refused_on_less(self, layout: DiskLayout) -> None:
        kind = layout.kind or DiskKind.SSD
        for group in (
            DiskGroup(kind, layout.least_gb - 1, layout.count),
            DiskGroup(kind, layout.least_gb, layout.count - 1),
        ):
            with pytest.raises(LayoutDoesNotFit) as refusal:
                lay_out(layout, "server-1", [group])
            assert f"of {group.capacity_gb} GB" in refusal.value.message


def test_debconf_reads_raid_with_lvm(tmp_path: Path) -> None:
    (tmp_path / "preseed.cfg").write_text(render_preseed(spec(Family.DEBIAN, disks=borne(FULL))))
    (tmp_path / "debconf.conf").write_text(DEBCONF.format(folder=tmp_path))
    done = subprocess.run(
        ["debconf-set-selections", "--checkonly", str(tmp_path / "preseed.cfg")],
        env=os.environ | {"DEBCONF_SYSTEMRC": str(tmp_path / "debconf.conf")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"raid": 5, "count": 2}, "RAID 5 takes at least 3 disks"),
        ({"raid": 6, "count": 3}, "RAID 6 takes at least 4 disks"),
        ({"raid": 10, "count": 5}, "an even number"),
        ({"raid": None, "count": 2}, "without RAID the system is on one disk"),
        ({"volumes": (Volume("/boot/x", 1),)}, "cannot be a volume"),
        ({"volumes": (Volume("/srv", 1), Volume("/srv", 2))}, "named twice"),
        ({"volumes": (Volume("/srv", 500),)}, "at least so much instead of 400 GB"),
        ({"code": "Ab"}, "is no code"),
    ],
)
def test_what_no_machine_could_bear_is_a_fault(changes: dict[str, Any], fault: str) -> None:
    facts = {name: getattr(FULL, name) for name in FULL.__struct_fields__}
    assert any(fault in said for said in layout_faults(DiskLayout(**(facts | changes))))
    assert list(layout_faults(FULL)) == []


def test_the_smallest_disks_that_are_enough_are_taken_else_several_sizes() -> None:
    groups = [
        DiskGroup(DiskKind.NVME, 1_920, 2),
        DiskGroup(DiskKind.NVME, 480, 2),
        DiskGroup(DiskKind.NVME, 240, 4),
    ]
    assert lay_out(FULL, "s", groups).sizes_gb == (480, 480)
    mixed = [DiskGroup(DiskKind.NVME, 480, 1), DiskGroup(DiskKind.NVME, 512, 1)]
    assert lay_out(FULL, "s", mixed).sizes_gb == (480, 512)


def test_without_a_kind_the_fastest_that_are_enough_are_taken() -> None:
    layout = DiskLayout(code="x", name="X", count=2, raid=1)
    groups = [DiskGroup(DiskKind.HDD, 8_000, 4), DiskGroup(DiskKind.NVME, 480, 1)]
    assert lay_out(layout, "s", groups).kind is DiskKind.HDD
    assert needed_gb(layout) == 12


class TestFinding:
    """`disks.sh`, run by the shell that the installer has, over a machine's /sys and /dev."""

    DISKS: ClassVar = {
        "sda": (8_001_563_222_016, True, "ata-ST8000_A"),
        "sdb": (480_103_981_056, False, "usb-Virtual_Disk"),
        "sdc": (480_103_981_056, False, "ata-INTEL_B"),
        "sdd": (480_103_981_056, False, "ata-INTEL_A"),
        "sde": (960_197_124_096, False, "ata-INTEL_C"),
        "nvme0n1": (480_103_981_056, False, "nvme-SAMSUNG_1"),
        "nvme0c0n1": (480_103_981_056, False, ""),
        "md127": (480_103_981_056, False, ""),
    }

    def machine(self, folder: Path) -> Path:
        for name, (size_bytes, turns, known) in self.DISKS.items():
            bus = "usb1" if known.startswith("usb") else "pci0"
            device = folder / "sys/devices" / bus / name
            (device / "queue").mkdir(parents=True)
            (device / "size").write_text(f"{size_bytes // 512}\n")
            (device / "queue/rotational").write_text(f"{int(turns)}\n")
            (folder / "sys/block").mkdir(exist_ok=True)
            (folder / "sys/block" / name).symlink_to(device)
            (folder / "dev/disk/by-id").mkdir(parents=True, exist_ok=True)
            (folder / "dev" / name).touch()
            if known:
                (folder / "dev/disk/by-id" / known).symlink_to(folder / "dev" / name)
        (folder / "dev/disk/by-id/lvm-pv-uuid-0").symlink_to(folder / "dev/sdd")
        (folder / "dev/disk/by-id/aaa-lvm").symlink_to(folder / "dev/md127")
        return folder

    def run(self, folder: Path, family: Family, layout: DiskLayout) -> tuple[int, Path, str]:
        """Return the exit status, the machine's root, and what was called, one on each line."""
        root = self.machine(folder)
        programs = folder / "bin"
        programs.mkdir()
        for name in ("curl", "wget", "debconf-set"):
            (programs / name).write_text(f'#!/bin/sh\necho "{name} $*" >> {folder}/calls\n')
            (programs / name).chmod(0o755)
        (folder / "calls").touch()
        quantity = 2 if layout.count < 3 else layout.count
        disks = lay_out(layout, "s", [DiskGroup(layout.kind or DiskKind.SSD, 480, quantity)])
        wanted = spec(family, disks=disks)
        script = render_disk_script(wanted, root=str(root), list_path=f"{folder}/list")
        (folder / "autoinstall.yaml").write_text(render_user_data(wanted))
        script = script.replace("/autoinstall.yaml", f"{folder}/autoinstall.yaml")
        script = script.replace("/tmp/slipway-", f"{folder}/slipway-")
        done = subprocess.run(
            ["sh"],
            input=script,
            env={"PATH": f"{programs}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == ""
        return done.returncode, root, (folder / "calls").read_text()

    SSDS = DiskLayout(code="ssd", name="SSD", kind=DiskKind.SSD, count=2, raid=1, swap_gb=4,
                      capacity_gb=400)  # fmt: skip

    def test_debian_gets_the_kernels_names_of_this_boot(self, tmp_path: Path) -> None:
        status, _root, calls = self.run(tmp_path, Family.DEBIAN, self.SSDS)
        assert status == 0
        recipe = (
            "1 2 0 ext4 /boot /dev/sdd2#/dev/sdc2 . 1 2 0 swap - /dev/sdd3#/dev/sdc3 . "
            "1 2 0 ext4 / /dev/sdd4#/dev/sdc4 ."
        )
        assert calls.splitlines() == [
            "debconf-set partman-auto/disk /dev/sdd /dev/sdc",
            "debconf-set grub-installer/bootdev /dev/sdd /dev/sdc",
            f"debconf-set partman-auto-raid/recipe {recipe}",
        ]

    def test_debian_names_the_parts_of_an_nvme_disk(self, tmp_path: Path) -> None:
        layout = DiskLayout(code="n", name="N", kind=DiskKind.NVME)
        _status, _root, calls = self.run(tmp_path, Family.DEBIAN, layout)
        assert calls.splitlines()[0] == "debconf-set partman-auto/disk /dev/nvme0n1"

    def test_subiquity_gets_the_names_that_it_compares_with(self, tmp_path: Path) -> None:
        """It takes a disk whose DEVNAME is the path, to the letter; no link of udev's is one."""
        status, _root, _calls = self.run(tmp_path, Family.UBUNTU, self.SSDS)
        assert status == 0
        read = yaml.safe_load((tmp_path / "autoinstall.yaml").read_text())["autoinstall"]
        paths = [a["path"] for a in read["storage"]["config"] if a["type"] == "disk"]
        assert paths == ["/dev/sdd", "/dev/sdc"]

    def test_anaconda_reads_what_is_included(self, tmp_path: Path) -> None:
        status, root, _calls = self.run(tmp_path, Family.ALMALINUX, self.SSDS)
        assert status == 0
        handler = makeVersion("RHEL9")
        included = (tmp_path / "slipway-disks.ks").read_text()
        KickstartParser(handler).readKickstartFromString(included)
        drives = [f"{root}/dev/disk/by-id/ata-INTEL_{which}" for which in "AB"]
        assert handler.ignoredisk.onlyuse == handler.clearpart.drives == drives
        assert handler.bootloader.bootDrive == drives[0]
        assert {part.disk for part in handler.partition.partitions} == set(drives)

    @pytest.mark.parametrize("family", Family)
    def test_too_few_are_told_and_nothing_is_named(self, family: Family, tmp_path: Path) -> None:
        layout = DiskLayout(code="x", name="X", kind=DiskKind.SSD, count=4, raid=6)
        status, _root, calls = self.run(tmp_path, family, layout)
        assert status == 1
        (told,) = calls.splitlines()
        assert "the layout takes 4 SSDs of 480 GB, and the machine has 2 of them" in told
        assert "/failed" in told
        assert "slipway-disk1" in (tmp_path / "autoinstall.yaml").read_text()
        assert not (tmp_path / "slipway-disks.ks").exists()
