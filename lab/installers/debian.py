"""Debian's installer (d-i) with a preseed file.

Source: the installation guide, appendix B. d-i has no hook for failures. It writes them to
/var/log/syslog, where a watcher that an early command left in the background finds them;
without one a failure is silent.
"""

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

TYPES = frozenset({"string", "boolean", "select", "multiselect", "note", "password", "text",
                   "error", "seen"})  # fmt: skip
NOT_IN_INSTALLER = frozenset({"curl"})
"""d-i is BusyBox: it has wget, and no curl."""
CONFIRMATIONS = ("partman/confirm", "partman/confirm_nooverwrite")


def config_url(arguments: dict[str, str]) -> str | None:
    """Return the preseed URL of the kernel arguments, or None."""
    return arguments.get("preseed/url") or (arguments.get("url") if "auto" in arguments else None)


def plan(text: str, arguments: dict[str, str], disks: list[str]) -> InstallPlan:
    """Return what d-i would do with this preseed; raise InstallError as it would stop.

    Answers on the kernel's command line (`netcfg/get_ipaddress=…`, `hostname=…`) count too.
    """
    answers = parse(text) | {key: value for key, value in arguments.items() if "/" in key}

    def answer(key: str, alias: str = "") -> str | None:
        return answers.get(key) or arguments.get(alias) or None

    interface = parse_ipv4(answer("netcfg/get_ipaddress"), answer("netcfg/get_netmask"))
    gateway = check_gateway(interface, answer("netcfg/get_gateway"))
    if (answer("netcfg/disable_autoconfig") or answer("netcfg/disable_dhcp")) != "true":
        raise InstallError("netcfg: DHCP was tried (netcfg/disable_autoconfig is not true)")
    late = answer("preseed/late_command")
    accounts = _accounts(answers, late)
    if not answer("partman-auto/method"):
        raise InstallError("partman: no partitioning method (partman-auto/method)")
    for question in CONFIRMATIONS:
        if answer(question) != "true":
            raise InstallError(f"partman: waits for an answer to {question}")
    check_disks((answer("partman-auto/disk") or "").split(), disks)
    return InstallPlan(
        family="debian",
        hostname=check_hostname(
            answer("netcfg/hostname") or answer("netcfg/get_hostname", "hostname")
        ),
        ipv4=interface,
        gateway=gateway,
        ipv6=None,
        accounts=accounts,
        steps=(
            Step("Loading additional components", 20, _hooks(answer("preseed/early_command"))),
            Step("Detecting disks", 10, _hooks(answer("partman/early_command"))),
            Step("Partitioning disks", 20, erases=True),
            Step("Installing the base system", 120, before="/usr/lib/base-installer.d"),
            Step("Configuring the base system", 10, before="/usr/lib/post-base-installer.d"),
            Step(
                "Selecting and installing software",
                75,
                before="/usr/lib/pre-pkgsel.d",
                logs=_selected("pkgsel"),
            ),
            Step("Installing the GRUB boot loader", 25, logs=_selected("grub-installer")),
            Step("Running late commands", 5, _hooks(late), reports=True),
            Step("Finishing the installation", 15),
        ),
        reboots="finish-install/reboot_in_progress" in answers,
    )


def parse(text: str) -> dict[str, str]:
    """Return question → value of a preseed file; raise InstallError for a broken line."""
    answers: dict[str, str] = {}
    for number, line in enumerate(text.replace("\\\r\n", "\\\n").replace("\\\n", " ").splitlines()):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        parts = line.split(None, 3)
        if len(parts) < 3 or parts[2] not in TYPES or "/" not in parts[1]:
            raise InstallError(f"Failed to process the preconfiguration file: entry {number + 1}: "
                               f"{line.strip()[:80]}")  # fmt: skip
        answers[parts[1]] = parts[3].strip() if len(parts) > 3 else ""
    if not answers:
        raise InstallError("Failed to process the preconfiguration file: it is empty")
    return answers


def _accounts(answers: dict[str, str], late: str | None) -> dict[str, Account]:
    accounts: dict[str, Account] = {}
    if answers.get("passwd/root-login", "true") == "true":
        digest = answers.get("passwd/root-password-crypted")
        if digest:
            accounts["root"] = Account(check_hash(digest))
        else:
            raise InstallError("passwd: waits for a root password (passwd/root-password-crypted)")
    if answers.get("passwd/make-user", "true") == "true":
        name, digest = (
            answers.get("passwd/username"),
            answers.get("passwd/user-password-crypted"),
        )
        if not name or not digest:
            raise InstallError("passwd: waits for the name and password of a user "
                               "(passwd/make-user is not false)")  # fmt: skip
        accounts[name] = Account(check_hash(digest))
    if not any(each.password_hash for each in accounts.values()) and not late:
        raise InstallError("passwd: no account, and no late command that could make one")
    return accounts


def _hooks(command: str | None) -> tuple[Hook, ...]:
    return (Hook(command, missing=NOT_IN_INSTALLER),) if command else ()


def _selected(item: str) -> str:
    """Return what d-i's main menu logs when it comes to an item."""
    return f"main-menu[259]: INFO: Menu item '{item}' selected"
