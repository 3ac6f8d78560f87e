"""Servers as rows of a sheet: columns by the names of a seed's fields, disks in one cell. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, get_args

import msgspec

from app.core.errors import Invalid
from app.core.sheets import csv_text
from app.domain.inventory.bmc_faults import faults_of
from app.domain.inventory.read_struct import read_struct
from app.domain.inventory.seed import BmcSeed, BootMethod, DiskSeed, ServerSeed
from app.drivers.bmc.contract import BmcProtocol
from app.solver.want import DiskKind

BMC_COLUMNS = ("bmc_url", "bmc_username", "bmc_password", "bmc_boot_method")
COLUMNS = (
    *(name for name in ServerSeed.__struct_fields__ if name not in {"ports", "bmc", "in_stock"}),
    "in_stock",
    *BMC_COLUMNS,
)
_DISKS = re.compile(r"(?:(\d+)\s*[x×]\s*)?(\d+(?:\.\d+)?)\s*(tb|gb)?\s*(nvme|ssd|hdd)")
_YES = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False, "": False}


def read_row(
    row: Mapping[str, str], known: ServerSeed | None = None, **given: object
) -> ServerSeed:
    """Return the server that a row tells of. Raises Invalid with all its faults, by column.

    An empty cell leaves what is `known`; a `-` empties one that is filled at present. What is
    `given` goes before what the row says.
    """
    facts, faults = facts_of(row)
    base = {} if known is None else msgspec.structs.asdict(known)
    try:
        seed = read_struct({**base, **facts, **given}, ServerSeed)
    except Invalid as invalid:
        raise Invalid({**invalid.fields, **faults}) from invalid
    if faults:
        raise Invalid(faults)
    return seed


def facts_of(row: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the fields of a `ServerSeed` that a row fills in, and its cells that mean nothing."""
    facts: dict[str, Any] = {}
    faults: dict[str, str] = {}
    for name in COLUMNS:
        cell = row.get(name, "")
        if cell == "" or name in BMC_COLUMNS:
            continue
        try:
            facts[name] = _read(name, "" if cell == "-" else cell)
        except Invalid as invalid:
            faults |= invalid.fields
    try:
        if bmc := _bmc_of(row):
            facts["bmc"] = bmc
    except Invalid as invalid:
        faults |= invalid.fields
    return facts, faults


def _read(name: str, text: str) -> object:
    """Return what a cell means. Raises Invalid."""
    match name:
        case "disks":
            return disks_of(text)
        case "raid_controller" | "in_stock":
            return _yes(name, text)
        case "warranty_ends_on":
            return text or None
        case "mac":
            return text.lower().replace("-", ":")
    return text


def differences(old: ServerSeed, new: ServerSeed) -> tuple[str, ...]:
    """Return the names of the fields that say something else; of a BMC, that it is given."""
    return tuple(
        name
        for name in ServerSeed.__struct_fields__
        if name not in {"in_stock", "ports"} and getattr(old, name) != getattr(new, name)
    )


def csv_of(servers: Sequence[ServerSeed]) -> str:
    """Return servers as a CSV that can be taken in again; no password is in it."""
    return csv_text(
        COLUMNS,
        (
            {
                **msgspec.structs.asdict(one),
                "disks": disk_text(one.disks),
                **dict.fromkeys(("in_stock", *BMC_COLUMNS), ""),
            }
            for one in servers
        ),
    )


def disk_text(disks: Sequence[DiskSeed]) -> str:
    """Say `2 x 960 nvme; 4 x 8000 hdd`, sizes in GB, as `disks_of` reads it."""
    return "; ".join(f"{disk.quantity} x {disk.capacity_gb} {disk.kind}" for disk in disks)


def disks_of(text: str) -> tuple[DiskSeed, ...]:
    """Read `2 x 960 nvme; 4 x 8 TB hdd`; a size without a unit is in GB. Raises Invalid."""
    parts = [part.strip() for part in re.split(r"[;,]", text.lower()) if part.strip()]
    found = []
    for part in parts:
        match = _DISKS.fullmatch(part)
        if match is None:
            raise Invalid(
                {"disks": f"{part} is no disk. Write them as 2 x 960 nvme; 4 x 8 TB hdd."}
            )
        size_gb = float(match[2]) * (1000 if match[3] == "tb" else 1)
        found.append(
            DiskSeed(
                kind=DiskKind(match[4]),
                capacity_gb=max(1, round(size_gb)),
                quantity=int(match[1] or 1),
            )
        )
    return tuple(sorted(found, key=lambda disk: (disk.kind, disk.capacity_gb)))


def _bmc_of(row: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the BMC of a row; None where no cell tells of one. Raises Invalid for half of one."""
    url, username, password, method = (row.get(name, "") for name in BMC_COLUMNS)
    if not (url or username or password or method):
        return None
    needed = {"bmc_url": url, "bmc_password": password}
    if missing := [name for name, cell in needed.items() if not cell]:
        why = "Missing: give a BMC by its address and password, or leave all its cells empty."
        raise Invalid(dict.fromkeys(missing, why))
    said: dict[str, Any] = {
        "url": url.rstrip("/"),
        "username": username,
        "password": password,
        "protocol": _protocol(url),
        "boot_method": method or "network",
    }
    faults = faults_of(BmcSeed(**said))
    if said["boot_method"] not in get_args(BootMethod):
        faults["boot_method"] = f"{method} is none of {', '.join(get_args(BootMethod))}."
    if faults:
        raise Invalid({f"bmc_{name}": words for name, words in faults.items()})
    return said


def _protocol(url: str) -> BmcProtocol:
    return BmcProtocol.IPMI if url.startswith("ipmi://") else BmcProtocol.REDFISH


def _yes(name: str, text: str) -> bool:
    if text.lower() not in _YES:
        raise Invalid({name: f"{text} is neither yes nor no."})
    return _YES[text.lower()]
