"""Ubuntu's server installer (subiquity) with an autoinstall document from NoCloud.

Source: the autoinstall reference of canonical-subiquity.
"""

import shlex
from typing import Any

import yaml

from lab.installers.plan import (
    Hook,
    InstallError,
    InstallPlan,
    Step,
    check_gateway,
    check_hash,
    check_hostname,
    parse_ipv4,
)
from lab.store import Account

HEADER = "#cloud-config"


def config_url(arguments: dict[str, str]) -> str | None:
    """Return the NoCloud seed URL (ends with /) of the kernel arguments, or None."""
    source = arguments.get("ds", "")
    name, _, rest = source.partition(";")
    if name not in ("nocloud", "nocloud-net"):
        return None
    fields = dict(each.partition("=")[::2] for each in rest.split(";"))
    return fields.get("s") or fields.get("seedfrom")


def plan(text: str, arguments: dict[str, str], mac: str) -> InstallPlan:
    """Return what subiquity would do with this user-data; raise InstallError as it would stop."""
    if "autoinstall" not in arguments:
        raise InstallError("subiquity: waits for 'yes' (no autoinstall on the kernel command line)")
    document = _document(text)
    if document.get("version") != 1:
        raise InstallError("autoinstall: version must be 1")
    addresses, gateway, on_link = _network(document.get("network"), mac)
    ipv4 = next((each for each in addresses if ":" not in each), None)
    ipv6 = next((each for each in addresses if ":" in each), None)
    interface = parse_ipv4(ipv4, None)
    extra = [parse_ipv4(each, None) for each in addresses if ":" not in each and each != ipv4]
    identity = _mapping(document, "identity")
    cloud = _mapping(document, "user-data")
    if not identity and not cloud:
        raise InstallError("autoinstall: neither identity nor user-data is given")
    late = _commands(document, "late-commands")
    accounts = _accounts(document, identity, cloud)
    if not accounts and not late:
        raise InstallError("autoinstall: nobody could log in (no password and no key)")
    return InstallPlan(
        family="ubuntu",
        hostname=check_hostname(identity.get("hostname") or cloud.get("hostname")),
        ipv4=interface,
        gateway=check_gateway(interface, gateway, on_link=on_link),
        ipv6=ipv6,
        accounts=accounts,
        steps=(
            Step("Starting subiquity", 20, _commands(document, "early-commands")),
            Step("Configuring storage", 20, erases=True),
            Step("Extracting the base system", 110),
            Step("Installing the kernel", 60),
            Step("Installing packages", 60),
            Step("Configuring the boot loader", 20),
            Step("Running late commands", 5, late, reports=True),
        ),
        extra_ipv4=tuple(extra),
        on_error=_commands(document, "error-commands"),
        reboots=document.get("shutdown", "reboot") == "reboot",
    )


def _document(text: str) -> dict[str, Any]:
    if text.splitlines()[:1] != [HEADER]:
        raise InstallError(f"cloud-init: user-data does not begin with {HEADER}")
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as problem:
        raise InstallError(f"cloud-init: user-data is not YAML: {problem}") from None
    if not isinstance(document, dict) or not isinstance(document.get("autoinstall"), dict):
        raise InstallError("cloud-init: user-data has no autoinstall section")
    autoinstall: dict[str, Any] = document["autoinstall"]
    return autoinstall


def _mapping(document: dict[str, Any], key: str) -> dict[str, Any]:
    value = document.get(key) or {}
    if not isinstance(value, dict):
        raise InstallError(f"autoinstall: {key} must be a mapping")
    return value


def _network(value: Any, mac: str) -> tuple[list[str], str | None, bool]:
    """Return addresses, IPv4 gateway, and whether it is on-link, of this machine's card."""
    network = value.get("network", value) if isinstance(value, dict) else {}
    ethernets = network.get("ethernets") if isinstance(network, dict) else None
    if not isinstance(ethernets, dict):
        raise InstallError("autoinstall: no network: no DHCP answers here")
    vlans = network.get("vlans") or {}
    for name, settings in ethernets.items():
        if not isinstance(settings, dict):
            raise InstallError("autoinstall: network: an interface must be a mapping")
        wanted = str((settings.get("match") or {}).get("macaddress", mac)).lower()
        if wanted != mac.lower():
            continue
        carrier = next((each for each in vlans.values() if each.get("link") == name), settings)
        addresses = [str(each) for each in carrier.get("addresses") or []]
        gateway, on_link = carrier.get("gateway4"), False
        for route in carrier.get("routes") or []:
            default = route.get("to") in ("default", "0.0.0.0/0")
            if default and ":" not in str(route.get("via")):
                gateway, on_link = route.get("via"), bool(route.get("on-link"))
        return addresses, gateway and str(gateway), on_link
    raise InstallError(f"autoinstall: no interface of the configuration has the address {mac}")


def _accounts(
    document: dict[str, Any], identity: dict[str, Any], cloud: dict[str, Any]
) -> dict[str, Account]:
    accounts: dict[str, Account] = {}
    if identity:
        if not identity.get("username") or not identity.get("password"):
            raise InstallError("autoinstall: identity needs username and password")
        keys = _mapping(document, "ssh").get("authorized-keys") or []
        accounts[str(identity["username"])] = Account(
            check_hash(str(identity["password"])), [str(key) for key in keys]
        )
    for user in cloud.get("users") or []:
        if isinstance(user, dict) and user.get("name"):
            digest = user.get("passwd") or user.get("hashed_passwd")
            keys = user.get("ssh_authorized_keys") or []
            locked = user.get("lock_passwd", True)
            accounts[str(user["name"])] = Account(
                check_hash(str(digest)) if digest and not locked else None,
                [str(key) for key in keys],
            )
    for entry in _mapping(cloud, "chpasswd").get("users") or []:
        account = accounts.setdefault(str(entry.get("name")), Account())
        account.password_hash = check_hash(str(entry.get("password")))
    if cloud.get("ssh_authorized_keys") and cloud.get("disable_root") is False:
        root = accounts.setdefault("root", Account())
        root.authorized_keys = [*root.authorized_keys, *map(str, cloud["ssh_authorized_keys"])]
    return accounts


def _commands(document: dict[str, Any], key: str) -> tuple[Hook, ...]:
    """Return the commands of a section; each is a shell line or a list of words."""
    value = document.get(key) or []
    if not isinstance(value, list):
        raise InstallError(f"autoinstall: {key} must be a list")
    hooks = []
    for command in value:
        if isinstance(command, list):
            hooks.append(Hook(shlex.join(str(word) for word in command)))
        elif isinstance(command, str):
            hooks.append(Hook(command))
        else:
            raise InstallError(f"autoinstall: {key}: {command!r} is neither text nor a list")
    return tuple(hooks)
