"""The answer files, read by the installers' own parsers where a package ships one."""

import base64
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from pykickstart.parser import KickstartParser
from pykickstart.version import makeVersion

from app.drivers.deploy.netboot import (
    render_kickstart,
    render_meta_data,
    render_post_install,
    render_preseed,
    render_user_data,
)
from app.drivers.deploy.spec import Family, InstallSpec
from tests.drivers.deploy.specs import CALLBACK, HASH, KEY, VARIANTS, spec
from tests.drivers.environment import FOLDER

ALL = [
    pytest.param(family, changes, id=f"{family}-{name}")
    for family in Family
    for name, changes in VARIANTS.items()
]
EACH = [pytest.param(changes, id=name) for name, changes in VARIANTS.items()]
SCHEMA = (
    FOLDER / "cloud-init/usr/lib/python3/dist-packages/cloudinit/config/schemas"
    "/schema-cloud-config-v1.json"
)
# A database of its own: the system's is locked while anybody installs a package.
DEBCONF = """
Config: config
Templates: templates

Name: config
Driver: File
Filename: {folder}/config.dat

Name: templates
Driver: File
Filename: {folder}/templates.dat
"""


def kickstart(text: str) -> Any:
    handler = makeVersion("RHEL9")
    KickstartParser(handler).readKickstartFromString(text)
    return handler


@pytest.mark.filterwarnings("ignore:A partition with the mountpoint biosboot")
class TestKickstart:
    @pytest.mark.parametrize("changes", EACH)
    def test_pykickstart_reads_it(self, changes: dict[str, object]) -> None:
        wanted = spec(Family.ALMALINUX, **changes)
        read = kickstart(render_kickstart(wanted))
        (network,) = read.network.network
        assert (network.ip, network.netmask, network.gateway) == (
            "198.51.100.7",
            "255.255.255.0",
            "198.51.100.1",
        )
        assert network.hostname == "web-1.customer.example.com"
        assert (network.vlanid or None) == (str(wanted.vlan) if wanted.vlan else None)
        assert read.rootpw.password == (wanted.root_password_hash or "")
        assert read.rootpw.lock is (wanted.root_password_hash is None)
        assert read.timezone.timezone == "Etc/UTC"

    def test_raid_10_over_four_disks(self) -> None:
        read = kickstart(render_kickstart(spec(Family.ALMALINUX, **VARIANTS["raid10-bios"])))
        levels = {
            array.mountpoint: (array.level, len(array.members)) for array in read.raid.raidList
        }
        assert levels == {"/boot": ("RAID1", 4), "/": ("RAID10", 4)}
        assert read.ignoredisk.onlyuse == ["sda", "sdb", "sdc", "sdd"]
        assert [
            p.disk for p in read.partition.partitions if p.mountpoint == "biosboot"
        ] == read.ignoredisk.onlyuse

    def test_efi_partition_is_on_both_disks(self) -> None:
        read = kickstart(render_kickstart(spec(Family.ALMALINUX, **VARIANTS["everything"])))
        assert {array.mountpoint: array.level for array in read.raid.raidList} == {
            "/boot/efi": "RAID1",
            "/boot": "RAID1",
            "/": "RAID1",
        }

    def test_it_tells_of_errors_and_of_the_end_last(self) -> None:
        text = render_kickstart(spec(Family.ALMALINUX))
        sections = dict(
            re.findall(r"^%(\w[\w-]*)[^\n]*\n(.*?)^%end", text, re.DOTALL | re.MULTILINE)
        )
        assert f"{CALLBACK}/failed" in sections["onerror"]
        assert f"{CALLBACK}/done" in sections["post"]  # the last %post is what the dict kept


class TestPreseed:
    @pytest.mark.parametrize("changes", EACH)
    @pytest.mark.skipif(
        shutil.which("debconf-set-selections") is None, reason="ships with Debian only"
    )
    def test_debconf_reads_it(self, changes: dict[str, object], tmp_path: Path) -> None:
        answers = tmp_path / "preseed.cfg"
        answers.write_text(render_preseed(spec(Family.DEBIAN, **changes)))
        own = tmp_path / "debconf.conf"
        own.write_text(DEBCONF.format(folder=tmp_path))
        done = subprocess.run(
            ["debconf-set-selections", "--checkonly", str(answers)],
            env=os.environ | {"DEBCONF_SYSTEMRC": str(own)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")

    @pytest.mark.parametrize("changes", EACH)
    @pytest.mark.parametrize(
        "question", ["preseed/early_command", "partman/early_command", "preseed/late_command"]
    )
    def test_its_commands_are_shell(self, changes: dict[str, object], question: str) -> None:
        command = answers(spec(Family.DEBIAN, **changes))[question]
        done = subprocess.run(
            ["sh", "-n", "-c", command], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")

    def test_raid_by_product(self) -> None:
        read = answers(spec(Family.DEBIAN, **VARIANTS["everything"]))
        assert read["partman-auto/method"] == "raid"
        assert read["partman-auto/disk"] == "/dev/nvme0n1 /dev/nvme1n1"
        assert read["partman-auto-raid/recipe"] == (
            "1 2 0 ext4 /boot /dev/nvme0n1p2#/dev/nvme1n1p2 . 1 2 0 ext4 / /dev/nvme0n1p3#/dev/nvme1n1p3 ."
        )
        assert answers(spec(Family.DEBIAN))["partman-auto/method"] == "regular"

    def test_named_disks_have_the_partitions_that_udev_names(self) -> None:
        read = answers(spec(Family.DEBIAN, **VARIANTS["raid0-named"]))
        assert read["partman-auto-raid/recipe"].endswith(
            "0 2 0 ext4 / /dev/sdc3#/dev/disk/by-id/ata-X_1-part3 ."
        )

    def test_without_a_password_root_has_none(self) -> None:
        assert answers(spec(Family.DEBIAN))["passwd/root-password-crypted"] == HASH
        keys_only = spec(Family.DEBIAN, **VARIANTS["keys-only"])
        assert answers(keys_only)["passwd/root-password-crypted"] == "*"

    def test_the_mirror_is_taken_apart(self) -> None:
        read = answers(spec(Family.DEBIAN, mirror_url="https://mirror.example.net:8443/debian/"))
        assert read["mirror/protocol"] == "https"
        assert read["mirror/https/hostname"] == "mirror.example.net:8443"
        assert read["mirror/https/directory"] == "/debian"

    @pytest.mark.parametrize("works", [True, False])
    def test_the_late_command_ends_with_done_or_failed(self, works: bool, tmp_path: Path) -> None:
        calls = tmp_path / "calls"
        for name, body in {
            "wget": f'echo "wget $*" >> {calls}',
            "in-target": f'echo "in-target $*" >> {calls}; exit {0 if works else 1}',
            "rm": f'echo "rm $*" >> {calls}',
        }.items():
            (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
            (tmp_path / name).chmod(0o755)
        command = answers(spec(Family.DEBIAN))["preseed/late_command"]
        subprocess.run(["/bin/sh", "-c", command], env={"PATH": str(tmp_path)}, check=True)
        said = calls.read_text().splitlines()
        assert said[-1].endswith(f"{CALLBACK}/{'done' if works else 'failed'}")
        assert "in-target bash /root/slipway-post-install.sh" in said
        assert sum(line.endswith(("/done", "/failed")) for line in said) == 1


class TestAutoinstall:
    @pytest.mark.parametrize("changes", EACH)
    def test_storage_refers_only_to_what_it_defined(self, changes: dict[str, object]) -> None:
        known: set[str] = set()
        for action in autoinstall(spec(Family.UBUNTU, **changes))["storage"]["config"]:
            needs = [action[k] for k in ("device", "volume") if k in action] + action.get(
                "devices", []
            )
            assert set(needs) <= known, action
            known.add(action["id"])
        assert {"mount-root", "mount-boot"} <= known

    def test_the_whole_network_is_static(self) -> None:
        network = autoinstall(spec(Family.UBUNTU, **VARIANTS["everything"]))["network"]
        assert network["ethernets"]["uplink"]["match"] == {"macaddress": "52:54:00:aa:00:01"}
        vlan = network["vlans"]["vlan120"]
        assert (vlan["id"], vlan["link"], vlan["dhcp4"]) == (120, "uplink", False)
        assert vlan["addresses"] == [
            "198.51.100.7/24",
            "198.51.100.8/32",
            "203.0.113.9/32",
            "2001:db8:1::2/64",
        ]
        assert [route["via"] for route in vlan["routes"]] == ["198.51.100.1", "2001:db8:1::1"]

    def test_raid_levels(self) -> None:
        config = autoinstall(spec(Family.UBUNTU, **VARIANTS["raid10-bios"]))["storage"]["config"]
        raids = {
            a["id"]: (a["raidlevel"], len(a["devices"])) for a in config if a["type"] == "raid"
        }
        assert raids == {"md-boot": (1, 4), "md-root": (10, 4)}

    @pytest.mark.skipif(not SCHEMA.exists(), reason="scripts/ensure-cloud-init fetches it")
    def test_cloud_init_reads_its_user_data(self) -> None:
        reader = jsonschema.Draft4Validator(json.loads(SCHEMA.read_text()))
        for changes in VARIANTS.values():
            told = autoinstall(spec(Family.UBUNTU, **changes))["user-data"]
            assert [error.message for error in reader.iter_errors(told)] == []
        assert [*reader.iter_errors({**told, "users": [{"name": 7}]})]

    def test_password_login_is_off_with_keys_only(self) -> None:
        read = autoinstall(spec(Family.UBUNTU, **VARIANTS["keys-only"]))
        (root,) = read["user-data"]["users"]
        assert (read["ssh"]["allow-pw"], root["lock_passwd"]) == (False, True)
        assert root["ssh_authorized_keys"] == [KEY]
        assert "hashed_passwd" not in root

    def test_done_is_the_last_command_and_errors_are_told(self) -> None:
        read = autoinstall(spec(Family.UBUNTU))
        assert f"{CALLBACK}/done" in read["late-commands"][-1]
        assert not read["late-commands"][-1].endswith("|| true")
        assert all(f"{CALLBACK}/failed" in command for command in read["error-commands"])

    def test_meta_data(self) -> None:
        assert yaml.safe_load(render_meta_data(spec(Family.UBUNTU)))["local-hostname"] == "web-1"


class TestPostInstall:
    @pytest.mark.parametrize(("family", "changes"), ALL)
    def test_it_is_bash(self, family: Family, changes: dict[str, object]) -> None:
        script = render_post_install(spec(family, **changes))
        done = subprocess.run(
            ["bash", "-n"], input=script, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")

    def test_access_by_keys_only(self) -> None:
        files = written(spec(Family.DEBIAN, **VARIANTS["keys-only"]))
        assert files["/root/.ssh/authorized_keys"] == f"{KEY}\n"
        assert files["/etc/ssh/sshd_config.d/00-slipway.conf"].splitlines() == [
            "Port 2222",
            "PermitRootLogin prohibit-password",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "PubkeyAuthentication yes",
        ]

    def test_sshd_accepts_its_settings(self) -> None:
        files = written(spec(Family.DEBIAN))
        assert "PasswordAuthentication yes\n" in files["/etc/ssh/sshd_config.d/00-slipway.conf"]
        assert files["/etc/hostname"] == "web-1\n"
        assert "198.51.100.7 web-1.customer.example.com web-1\n" in files["/etc/hosts"]

    def test_debian_gets_every_address(self) -> None:
        files = written(spec(Family.DEBIAN, **VARIANTS["everything"]))
        vlan = files["/etc/systemd/network/20-vlan120.network"]
        assert re.findall(r"^(?:Address|Gateway)=(.*)$", vlan, re.MULTILINE) == [
            "198.51.100.7/24",
            "198.51.100.8/32",
            "203.0.113.9/32",
            "2001:db8:1::2/64",
            "198.51.100.1",
            "2001:db8:1::1",
        ]
        assert (
            "PermanentMACAddress=52:54:00:aa:00:01"
            in files["/etc/systemd/network/10-uplink.network"]
        )
        assert files["/etc/resolv.conf"] == (
            "search customer.example.com\nnameserver 192.0.2.53\nnameserver 2001:db8::53\n"
        )

    def test_almalinux_gets_every_address(self) -> None:
        files = written(spec(Family.ALMALINUX, **VARIANTS["everything"]))
        folder = "/etc/NetworkManager/system-connections"
        vlan = files[f"{folder}/vlan120.nmconnection"]
        assert re.findall(r"^address\d=(.*)$", vlan, re.MULTILINE) == [
            "198.51.100.7/24,198.51.100.1",
            "198.51.100.8/32",
            "203.0.113.9/32",
            "2001:db8:1::2/64,2001:db8:1::1",
        ]
        parent = re.search(r"^uuid=(.*)$", files[f"{folder}/uplink.nmconnection"], re.MULTILINE)
        assert parent is not None
        assert f"parent={parent[1]}\n" in vlan

    @pytest.mark.parametrize("family", Family)
    def test_the_operators_scripts_arrive_unchanged_one_after_the_other(
        self, family: Family
    ) -> None:
        wanted = spec(family, **VARIANTS["everything"])
        script = render_post_install(wanted)
        put = re.findall(r"^put 700 /root/\.slipway-post-install (\S+)$", script, re.MULTILINE)
        assert [base64.b64decode(text).decode() for text in put] == [
            wanted.post_install,
            wanted.product_script,
        ]
        assert ".slipway-post-install" not in render_post_install(spec(family))
        assert ".slipway-post-install" not in render_post_install(
            spec(family, product_script=" \n")
        )

    @pytest.mark.parametrize("breaks", ["", "the chosen options", "the product"])
    def test_a_script_that_fails_is_told_by_whose_it_is_and_nothing_is_left(
        self, breaks: str, tmp_path: Path
    ) -> None:
        """Run by bash in a folder of its own, with the variables that both see."""
        (tmp_path / "curl").write_text(f'#!/bin/sh\necho "$*" >> {tmp_path}/calls\n')
        (tmp_path / "curl").chmod(0o755)
        say = f'echo "$SLIPWAY_IPV4 $SLIPWAY_OS" >> {tmp_path}/said\necho hunter2\n'
        parts = {
            whose: say + ("exit 3\n" if whose == breaks else "")
            for whose in ("the chosen options", "the product")
        }
        text = render_post_install(
            spec(
                Family.DEBIAN,
                post_install=parts["the chosen options"],
                product_script=parts["the product"],
            )
        ).replace("/root/", f"{tmp_path}/")
        head = text[: text.index("report access")]
        done = subprocess.run(
            ["bash", "-c", head + text[text.index("# run SCRIPT WHOSE") :]],
            env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )
        calls = (tmp_path / "calls").read_text()
        said = (tmp_path / "said").read_text().splitlines()
        assert said == ["198.51.100.7 debian-x"] * (1 if breaks == "the chosen options" else 2)
        assert done.returncode == (1 if breaks else 0)
        assert (f"message=the post-install script of {breaks} ended with status 3" in calls) is (
            bool(breaks)
        )
        assert calls.count("/failed") == (1 if breaks else 0)
        stages = re.findall(r"stage=(\S+) --data percent", calls)
        assert stages == (["post-install"] if breaks else ["post-install", "hardware", "installed"])
        if not breaks:
            assert calls.index("stage=hardware") < calls.index("disks="), "it may hang in that"
        assert ("hunter2" in calls) is bool(breaks), "its last lines are told when it fails"
        assert "hunter2" not in done.stdout + done.stderr
        assert not list(tmp_path.glob(".slipway*"))

    def test_it_tells_what_it_sees_and_a_lost_report_fails_nothing(self, tmp_path: Path) -> None:
        """Over a /sys and /proc of two sockets, one disk that fails and a BMC's USB stick."""
        files = {
            "proc/meminfo": "MemTotal:       65500000 kB\nMemFree: 1 kB\n",
            "proc/cpuinfo": "model name\t: AMD EPYC 7443P\n" * 2,
            "sys/devices/system/memory/block_size_bytes": "80000000\n",
            **{f"sys/devices/system/memory/memory{n}/online": f"{int(n < 3)}\n" for n in range(4)},
            **{
                f"sys/devices/system/cpu/cpu{n}/topology/{fact}": f"{value}\n"
                for n in range(4)
                for fact, value in {
                    "physical_package_id": n // 2,
                    "thread_siblings_list": f"{n // 2},{n // 2 + 2}",
                }.items()
            },
            "sys/devices/pci0/sda/size": "937703088\n",
            "sys/devices/pci0/sda/queue/rotational": "0\n",
            "sys/devices/usb1/sdb/size": "1000\n",
            "sys/devices/pci0/md0/size": "1000\n",
        }
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        (tmp_path / "sys/block").mkdir()
        for disk in ("pci0/sda", "usb1/sdb", "pci0/md0"):
            (tmp_path / "sys/block" / disk[5:]).symlink_to(tmp_path / "sys/devices" / disk)
        for name, body in {
            "curl": f'for a in "$@"; do echo "$a"; done >> {tmp_path}/calls; exit 22',
            "smartctl": "echo 'SMART overall-health self-assessment test result: FAILED!'; exit 8",
            "lsblk": "echo S-7",
            "timeout": f'echo "$3 $2 s" >> {tmp_path}/calls; shift 2; exec "$@"',
        }.items():
            (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
            (tmp_path / name).chmod(0o755)
        script = render_post_install(spec(Family.DEBIAN))
        lines = script[: script.index("report access")] + script[script.index("# each FILE") :]
        for folder in ("sys", "proc"):
            lines = lines.replace(f" /{folder}/", f" {tmp_path}/{folder}/")
            lines = lines.replace(f'"/{folder}/', f'"{tmp_path}/{folder}/')
        done = subprocess.run(
            ["bash", "-c", lines],
            env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )
        calls = (tmp_path / "calls").read_text()
        assert (done.returncode, done.stderr) == (0, "")
        assert f"{CALLBACK}/failed" not in calls
        assert f"{CALLBACK}/hardware\n" in calls
        assert {
            "memory_kib=65500000", "blocks=3", "block_bytes=80000000", "sockets=2", "cores=2",
            "cpu_model=AMD EPYC 7443P", "disks=sda|937703088|0|FAILED!|S-7;",
            "smartctl 20 s", "lsblk 20 s",  # a bad controller may not answer at all
        } <= set(calls.splitlines())  # fmt: skip

    def test_every_further_disk_can_boot(self) -> None:
        script = render_post_install(spec(Family.DEBIAN, **VARIANTS["everything"]))
        assert "for esp in /dev/nvme1n1p1; do" in script

    def test_a_failure_is_told_with_its_line(self, tmp_path: Path) -> None:
        calls = tmp_path / "calls"
        for name, body in {"curl": f'echo "$*" >> {calls}', "put": "exit 1"}.items():
            (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
            (tmp_path / name).chmod(0o755)
        script = render_post_install(spec(Family.DEBIAN))
        head = script[: script.index("report access")]
        done = subprocess.run(
            ["/bin/bash", "-c", head + "false\necho unreachable"],
            env={"PATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert "unreachable" not in done.stdout
        assert re.search(r"message=line \d+ of .* --?.*|message=line \d+", calls.read_text())
        assert f"{CALLBACK}/failed" in calls.read_text()


def answers(wanted: InstallSpec) -> dict[str, str]:
    """Read a preseed as debconf does: continued lines joined; owner, question, type, value."""
    text = render_preseed(wanted).replace("\\\n", "")
    found = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            _owner, question, _kind, *value = line.split(maxsplit=3)
            found[question] = value[0] if value else ""
    return found


def autoinstall(wanted: InstallSpec) -> dict[str, Any]:
    text = render_user_data(wanted)
    assert text.startswith("#cloud-config\n")
    return yaml.safe_load(text)["autoinstall"]  # type: ignore[no-any-return]


def written(wanted: InstallSpec) -> dict[str, str]:
    """Return what the script's `put` lines would write."""
    lines = re.findall(r"^put \d{3} (\S+) (\S+)$", render_post_install(wanted), re.MULTILINE)
    return {path: base64.b64decode(content).decode() for path, content in lines}
