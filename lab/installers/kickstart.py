"""Anaconda with a kickstart file (AlmaLinux and its kin).

Source: the kickstart documentation of Anaconda (pykickstart).
"""

import shlex
from dataclasses import dataclass, field

from lab.installers.plan import (
    Hook,
    InstallError,
    InstallPlan,
    Step,
    check_disks,
    check_gateway,
    check_hash,
    check_hostname,
    parse_ipv4,
)
from lab.store import Account

SYSROOT = "/mnt/sysimage"
COMMANDS = frozenset(
    {
        "auth", "authconfig", "authselect", "autopart", "autostep", "bootloader", "btrfs",
        "cdrom", "clearpart", "cmdline", "device", "eula", "fcoe", "firewall", "firstboot",
        "graphical", "group", "halt", "harddrive", "hmc", "ignoredisk", "iscsi", "iscsiname",
        "keyboard", "lang", "liveimg", "logging", "logvol", "mediacheck", "module", "mount",
        "network", "nfs", "nvdimm", "ostreesetup", "part", "partition", "poweroff", "raid",
        "realm", "reboot", "repo", "reqpart", "rescue", "rootpw", "selinux", "services",
        "shutdown", "skipx", "snapshot", "sshkey", "sshpw", "syspurpose", "text",
        "timesource", "timezone", "updates", "url", "user", "vnc", "volgroup", "xconfig",
        "zerombr", "zfcp", "zipl", "rhsm", "install",
    }
)  # fmt: skip
SECTIONS = frozenset({"%packages", "%pre", "%post", "%onerror", "%pre-install", "%addon",
                      "%traceback", "%anaconda", "%certificate"})  # fmt: skip

INCLUDE = "%include"
"""Of a file that %pre writes: it is not looked into."""


@dataclass(slots=True)
class _File:
    commands: dict[str, list[list[str]]] = field(default_factory=dict)
    sections: dict[str, list[tuple[list[str], str]]] = field(default_factory=dict)


def config_url(arguments: dict[str, str]) -> str | None:
    """Return the kickstart URL of the kernel arguments, or None."""
    return arguments.get("inst.ks") or arguments.get("ks")


def plan(text: str, disks: list[str]) -> InstallPlan:
    """Return what Anaconda would do with this file; raise InstallError as it would stop."""
    file = _parse(text)
    options = _merged_network(file)
    interface = parse_ipv4(options.get("ip"), options.get("netmask"))
    if options.get("bootproto") != "static":
        raise InstallError("anaconda: network --bootproto is not static, and no DHCP answers here")
    ways = ("autopart", "part", "partition", "logvol", INCLUDE)
    if not any(each in file.commands for each in ways):
        raise InstallError("anaconda: no partitioning (autopart or part)")
    for words in file.commands.get("ignoredisk", []):
        check_disks(_option(words, "only-use").split(",") if _option(words, "only-use") else [],
                    disks)  # fmt: skip
    for words in file.commands.get("clearpart", []):
        check_disks(_option(words, "drives").split(",") if _option(words, "drives") else [], disks)
    accounts = _accounts(file)
    if not accounts and "%post" not in file.sections:
        raise InstallError("anaconda: no root password, no user and no key")
    ipv6 = options.get("ipv6")
    return InstallPlan(
        family="kickstart",
        hostname=check_hostname(options.get("hostname")),
        ipv4=interface,
        gateway=check_gateway(interface, options.get("gateway")),
        ipv6=ipv6 if ipv6 and ":" in ipv6 else None,
        accounts=accounts,
        steps=(
            Step("Starting the installer", 20, _hooks(file, "%pre")),
            Step("Configuring storage", 20, _hooks(file, "%pre-install"), erases=True),
            Step("Downloading packages", 60),
            Step("Installing packages", 150),
            Step("Installing the boot loader", 25),
            Step("Configuring the installed system", 20),
            Step("Running post-installation scripts", 5, _hooks(file, "%post"), reports=True),
        ),
        on_error=_hooks(file, "%onerror"),
        reboots="reboot" in file.commands,
        target=SYSROOT,
        allows_root_password=any(
            "--allow-ssh" in words for words in file.commands.get("rootpw", [])
        ),
    )


def _parse(text: str) -> _File:  # noqa: C901 - one loop over the lines
    file, section, header, body = _File(), "", [""], [""]
    for number, line in enumerate(text.splitlines(), start=1):
        if section:
            if line.strip() == "%end":
                file.sections.setdefault(section, []).append((header, "\n".join(body)))
                section = ""
            else:
                body.append(line)
            continue
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            words = shlex.split(line, comments=True)
        except ValueError as problem:
            raise InstallError(f"anaconda: kickstart line {number}: {problem}") from None
        if words[0].startswith("%") and words[0] != INCLUDE:
            if words[0] not in SECTIONS:
                raise InstallError(f"anaconda: kickstart line {number}: "
                                   f"unknown section {words[0]}")  # fmt: skip
            section, header, body = words[0], words[1:], []
        elif words[0] not in COMMANDS | {INCLUDE}:
            raise InstallError(f"anaconda: kickstart line {number}: unknown command {words[0]}")
        else:
            file.commands.setdefault(words[0], []).append(words[1:])
    if section:
        raise InstallError(f"anaconda: kickstart section {section} has no %end")
    if not file.commands:
        raise InstallError("anaconda: the kickstart file is empty")
    return file


def _merged_network(file: _File) -> dict[str, str]:
    merged: dict[str, str] = {}
    for words in file.commands.get("network", []):
        for at, word in enumerate(words):
            name, equals, value = word.removeprefix("--").partition("=")
            if word.startswith("--"):
                following = words[at + 1] if at + 1 < len(words) else ""
                merged[name] = value if equals or following.startswith("--") else following
    return merged


def _option(words: list[str], name: str) -> str:
    for at, word in enumerate(words):
        if word.startswith(f"--{name}="):
            return word.partition("=")[2]
        if word == f"--{name}" and at + 1 < len(words):
            return words[at + 1]
    return ""


def _accounts(file: _File) -> dict[str, Account]:
    accounts: dict[str, Account] = {}
    for words in file.commands.get("rootpw", []):
        if "--lock" in words:
            continue
        if "--iscrypted" not in words:
            raise InstallError("anaconda: rootpw must be --iscrypted in the lab")
        accounts["root"] = Account(check_hash(words[-1]))
    for words in file.commands.get("user", []):
        name, digest = _option(words, "name"), _option(words, "password")
        if name and digest and "--iscrypted" in words:
            accounts[name] = Account(check_hash(digest))
    for words in file.commands.get("sshkey", []):
        name = _option(words, "username")
        if not name or len(words) < 2:
            raise InstallError("anaconda: sshkey needs --username and a key")
        accounts.setdefault(name, Account()).authorized_keys.append(words[-1])
    return accounts


def _hooks(file: _File, section: str) -> tuple[Hook, ...]:
    """%post runs inside of the new system unless --nochroot; the others in the installer."""
    return tuple(
        Hook(
            body,
            root=SYSROOT if section == "%post" and "--nochroot" not in header else "",
            fatal="--erroronfail" in header,
        )
        for header, body in file.sections.get(section, [])
    )
