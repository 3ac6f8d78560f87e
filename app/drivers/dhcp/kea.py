"""Kea's configuration of what we tell it. Pure.

Reservations by subnet, for Kea 2.0 and later: commands for single hosts came free of charge only
with 3.0, so whole subnets are put in place. They are known again by their `user-context`.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.drivers.dhcp.contract import DhcpPlan, DhcpSubnet

OURS = "slipway"
IPXE, HTTP = "slipway-ipxe", "slipway-http"
HTTP_CLIENT = "HTTPClient"
"""How UEFI firmware that boots by HTTP begins its vendor class, and wants the answer to have it."""
X64_BY_HTTP = "0x0010"
"""Its architecture (IANA, processor architecture types); what is booted here is x86-64 alone."""
LARGEST_ID = 4_294_967_294
Config = dict[str, Any]


def subnets_of(plan: DhcpPlan) -> list[Config]:
    """Return `subnet4`: for `"subnet4": <?include "FILE"?>` of a server that is ours alone."""
    return [_subnet(subnet) for subnet in plan.subnets]


def classes_of(plan: DhcpPlan) -> list[Config]:
    """Return the client classes: iPXE (option 175) is sent to its script, firmware to iPXE.

    Of firmware only that which boots by HTTP; others may tell what other cards boot.
    """
    ipxe = {
        "name": IPXE,
        "test": "option[175].exists",
        "boot-file-name": plan.boot_url,
        "user-context": {OURS: "ipxe"},
    }
    return [ipxe, _http_class(plan.boot_file_url)] if plan.boot_file_url else [ipxe]


def _http_class(url: str) -> Config:
    """Return the class of firmware that boots by HTTP (UEFI specification, section 24.7.2).

    It takes no offer for its own that does not say HTTPClient, and does not ask for that option;
    some firmware reads the address in option 67 alone, some in the header, too.
    """
    return {
        "name": HTTP,
        "test": f"substring(option[60].hex,0,{len(HTTP_CLIENT)}) == '{HTTP_CLIENT}' "
        f"and option[93].hex == {X64_BY_HTTP} and not option[175].exists",
        "boot-file-name": url,
        "option-data": [
            {"name": "boot-file-name", "data": url, "always-send": True},
            {"name": "vendor-class-identifier", "data": HTTP_CLIENT, "always-send": True},
        ],
        "user-context": {OURS: "http"},
    }


def put_in_place(config: Mapping[str, Any], plan: DhcpPlan) -> Config:
    """Return a server's `Dhcp4` with what is ours as planned, and all else as it is."""
    subnets = [one for one in config.get("subnet4", []) if not is_ours(one)]
    classes = [one for one in config.get("client-classes", []) if one["name"] not in {IPXE, HTTP}]
    return {
        **config,
        "subnet4": [*subnets, *subnets_of(plan)],
        "client-classes": [*classes, *classes_of(plan)],
    }


def facts_of(config: Mapping[str, Any]) -> object:
    """Return what we tell a server, as it tells it: to be compared, without its defaults."""
    classes = [
        (one["name"], one["test"], one.get("boot-file-name"))
        for one in config.get("client-classes", [])
        if is_ours(one)
    ]
    subnets = sorted(
        (
            one["id"],
            one["subnet"],
            one["user-context"][OURS],
            sorted((option["name"], option["data"]) for option in one.get("option-data", [])),
            sorted(
                (host["hw-address"], host["ip-address"], host.get("hostname", ""))
                for host in one.get("reservations", [])
            ),
        )
        for one in config.get("subnet4", [])
        if is_ours(one)
    )
    return classes, subnets


def is_ours(one: Mapping[str, Any]) -> bool:
    return OURS in (one.get("user-context") or {})


def id_of(prefix: UUID) -> int:
    """Return a prefix's number at Kea: the same for ever; leases are kept by it."""
    return prefix.int % LARGEST_ID + 1


def _subnet(subnet: DhcpSubnet) -> Config:
    options = [("routers", str(subnet.router))] if subnet.router else []
    if subnet.nameservers:
        options.append(("domain-name-servers", ", ".join(subnet.nameservers)))
    return {
        "id": id_of(subnet.prefix),
        "subnet": str(subnet.network),
        "user-context": {OURS: str(subnet.prefix)},
        "option-data": [{"name": name, "data": data} for name, data in options],
        "reservations-in-subnet": True,
        "reservations-out-of-pool": True,
        "reservations": [
            {
                "hw-address": host.mac,
                "ip-address": str(host.address),
                **({"hostname": host.hostname} if host.hostname else {}),
            }
            for host in subnet.hosts
        ],
    }
