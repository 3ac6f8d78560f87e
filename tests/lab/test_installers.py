"""What each installer takes from its configuration, and what it refuses."""

import re

import pytest

from lab.faults import Fault
from lab.fleet import machine
from lab.installers import debian, kickstart, run, ubuntu
from lab.installers.plan import InstallError, InstallPlan, device_names
from lab.installers.run import finished_system
from lab.pace import Pace
from tests.lab.test_shell import Wire

HASH = "$6$saltsalt$" + "x" * 86
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0 someone"
DISKS = ["nvme0n1", "nvme1n1"]
MAC = "02:00:00:00:00:01"

PRESEED = f"""# comment
d-i debian-installer/locale string en_US.UTF-8
d-i netcfg/disable_autoconfig boolean true
d-i netcfg/get_ipaddress string 127.16.0.10
d-i netcfg/get_netmask string 255.255.255.0
d-i netcfg/get_gateway string 127.16.0.1
d-i netcfg/get_hostname string web1
d-i passwd/root-password-crypted password {HASH}
d-i passwd/make-user boolean false
d-i partman-auto/method string regular
d-i partman-auto/disk string /dev/nvme0n1
d-i partman/confirm boolean true
d-i partman/confirm_nooverwrite boolean true
d-i preseed/early_command string wget -qO- --post-data='stage=start' http://s/p
d-i preseed/late_command string \\
  wget -qO- --post-data='' http://s/done; \\
  echo '{KEY}' > /target/root/.ssh/authorized_keys
d-i finish-install/reboot_in_progress note
"""
USER_DATA = f"""#cloud-config
autoinstall:
  version: 1
  identity: {{hostname: web1, username: ops, password: "{HASH}"}}
  ssh: {{install-server: true, authorized-keys: ["{KEY}"]}}
  network:
    version: 2
    ethernets:
      primary:
        match: {{macaddress: "{MAC}"}}
        addresses: [127.16.0.10/24, "2001:db8::2/64"]
        routes: [{{to: default, via: 127.16.0.1}}, {{to: "default", via: "2001:db8::1"}}]
  early-commands: ["curl -fsS -d stage=start http://s/p"]
  late-commands:
    - [curtin, in-target, --, sh, -c, "usermod -p '{HASH}' root"]
    - curl -fsS -X POST http://s/done
  error-commands: ["curl -fsS -d message=broken http://s/failed"]
"""
KICKSTART = f"""text
lang en_US.UTF-8
network --bootproto=static --ip=127.16.0.10 --netmask=255.255.255.0 --gateway=127.16.0.1 --ipv6=2001:db8::2/64 --hostname=web1
rootpw --iscrypted {HASH}
sshkey --username=root "{KEY}"
ignoredisk --only-use=nvme0n1
autopart
reboot
%packages
@core
%end
%pre
curl -fsS -d stage=start http://s/p
%end
%post --erroronfail
curl -fsS -X POST http://s/done
%end
%onerror
curl -fsS -d message=broken http://s/failed
%end
"""
AUTO = {"autoinstall": "", "ds": "nocloud-net;s=http://s/"}
PAGES = {"http://s/p": "", "http://s/done": "", "http://s/failed": ""}


def plans() -> list[InstallPlan]:
    return [
        debian.plan(PRESEED, {}, DISKS),
        ubuntu.plan(USER_DATA, AUTO, MAC),
        kickstart.plan(KICKSTART, DISKS),
    ]


async def install(plan: InstallPlan, wire: Wire, fault: str | None = None) -> dict[str, str]:
    chosen = Fault.parse(fault) if fault else None
    return await run(
        plan,
        pace=Pace(100_000),
        requests=wire,
        show=lambda _text: None,
        fault=lambda: chosen,
        erase=lambda: None,
    )


@pytest.mark.parametrize("plan", plans(), ids=lambda plan: plan.family)
async def test_install_reports_and_leaves_a_system(plan: InstallPlan) -> None:
    wire = Wire(dict(PAGES))
    files = await install(plan, wire)
    assert [(method, url) for method, url, _ in wire.sent] == [
        ("POST", "http://s/p"),
        ("POST", "http://s/done"),
    ]
    system = finished_system(plan, files, "http://m/mirror/debian-12/vmlinuz", "key")
    assert (system.hostname, system.ipv4, system.prefix_length) == ("web1", "127.16.0.10", 24)
    assert system.gateway == "127.16.0.1"
    assert system.accounts["root"].password_hash == HASH
    assert any(KEY in account.authorized_keys for account in system.accounts.values())
    assert system.pretty_name.startswith("Debian GNU/Linux 12")
    assert plan.reboots


@pytest.mark.parametrize("plan", plans(), ids=lambda plan: plan.family)
async def test_failure_is_reported_where_the_installer_can(plan: InstallPlan) -> None:
    wire = Wire(dict(PAGES))
    with pytest.raises(InstallError, match="failed"):
        await install(plan, wire, "install-fails:3")
    reports = [url for _, url, _ in wire.sent if url == "http://s/failed"]
    assert len(reports) == (0 if plan.family == "debian" else 1)
    assert "http://s/done" not in [url for _, url, _ in wire.sent]


async def test_failing_late_command_fails_the_install() -> None:
    wire = Wire({"http://s/p": ""})
    with pytest.raises(InstallError, match="status 22"):
        await install(ubuntu.plan(USER_DATA, AUTO, MAC), wire)


@pytest.mark.parametrize(
    ("drop", "message"),
    [
        (r"d-i netcfg/get_ipaddress.*\n", "no static IPv4"),
        (r"d-i netcfg/get_netmask.*\n", "no netmask"),
        (r"d-i netcfg/get_gateway.*\n", "bad gateway"),
        (r"d-i netcfg/disable_autoconfig.*\n", "DHCP"),
        (r"d-i netcfg/get_hostname.*\n", "Invalid host name"),
        (r"d-i passwd/root-password.*\n", "root password"),
        (r"d-i passwd/make-user.*\n", "make-user"),
        (r"d-i partman-auto/method.*\n", "partitioning"),
        (r"d-i partman/confirm boolean.*\n", "waits for an answer"),
        (r"(?s).*", "empty"),
    ],
)
def test_preseed_that_d_i_would_stop_at(drop: str, message: str) -> None:
    with pytest.raises(InstallError, match=message):
        debian.plan(re.sub(drop, "", PRESEED), {}, DISKS)


def test_preseed_details() -> None:
    with pytest.raises(InstallError, match="entry 1"):
        debian.plan("nonsense", {}, DISKS)
    with pytest.raises(InstallError, match="no disk /dev/nvme0n1"):
        debian.plan(PRESEED, {}, ["sda"])
    moved = re.sub(r"d-i netcfg/get_ipaddress.*\n", "", PRESEED)
    plan = debian.plan(moved, {"netcfg/get_ipaddress": "127.16.0.11"}, DISKS)
    assert str(plan.ipv4) == "127.16.0.11/24"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("#cloud-config\n", "", "does not begin"),
        ("autoinstall:", "autoinstall: [", "not YAML"),
        ("autoinstall:", "other:", "no autoinstall section"),
        ("version: 1\n  identity", "version: 3\n  identity", "version must be 1"),
        (MAC, "02:ff:ff:ff:ff:ff", "no interface"),
        ("127.16.0.10/24", "127.16.0.10", "no netmask"),
        ("via: 127.16.0.1}", "via: 127.17.0.1}", "not in"),
        ("password:", "pass:", "username and password"),
        ("  late-commands:", "  late-commands: text\n  x:", "must be a list"),
        (HASH, "plain", "crypt"),
    ],
)
def test_user_data_that_subiquity_would_stop_at(old: str, new: str, message: str) -> None:
    assert old in USER_DATA
    with pytest.raises(InstallError, match=message):
        ubuntu.plan(USER_DATA.replace(old, new), AUTO, MAC)


def test_user_data_needs_autoinstall_on_the_command_line() -> None:
    with pytest.raises(InstallError, match="waits for 'yes'"):
        ubuntu.plan(USER_DATA, {}, MAC)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("lang en", "langage en", "unknown command"),
        ("--ip=127.16.0.10", "", "no static IPv4"),
        ("--bootproto=static", "--bootproto=dhcp", "not static"),
        ("autopart\n", "", "partitioning"),
        ("only-use=nvme0n1", "only-use=sda", "no disk /dev/sda"),
        ("%post --erroronfail\ncurl -fsS -X POST http://s/done\n%end\n%onerror", "%post", None),
        ("message=broken http://s/failed\n%end\n", "message=broken http://s/failed\n", "no %end"),
        ("rootpw --iscrypted", "rootpw", "iscrypted"),
    ],
)
def test_kickstart_that_anaconda_would_stop_at(old: str, new: str, message: str | None) -> None:
    assert old in KICKSTART
    text = KICKSTART.replace(old, new)
    if message is None:
        assert kickstart.plan(text, DISKS).on_error == ()
        return
    with pytest.raises(InstallError, match=message):
        kickstart.plan(text, DISKS)


def test_fleet_is_the_same_for_the_same_seed() -> None:
    assert [machine(index, 1) for index in range(200)] == [
        machine(index, 1) for index in range(200)
    ]
    fleet = [machine(index, 1) for index in range(200)]
    for fact in ("name", "uuid", "mac", "serial"):
        assert len({getattr(each, fact) for each in fleet}) == 200
    assert machine(0, 1).uuid != machine(0, 2).uuid
    first_rack = [each for each in fleet[:24] if each.rack == "A01"]
    units = [
        unit
        for each in first_rack
        for unit in range(each.u_position, each.u_position + each.u_height)
    ]
    assert len(units) == len(set(units))
    assert device_names(fleet[0].disks) == ["nvme0n1", "nvme1n1"]
