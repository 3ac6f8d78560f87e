"""How a switch or a PDU is reached: read it, change it, open it."""

import re
from collections.abc import Container, Mapping
from typing import Annotated
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import Invalid
from app.core.ids import new_id
from app.core.secrets import Vault
from app.domain.audit.record import record
from app.domain.devices.ask import ask_device
from app.domain.devices.errors import NotReached
from app.domain.inventory.find_racks import find_device
from app.drivers.pdu.contract import PduAddress
from app.drivers.pdu.profiles import PROFILES
from app.drivers.secret import Secret
from app.drivers.ssh.keys import host_key
from app.drivers.switching.contract import SwitchAddress
from app.drivers.switching.dialects import DIALECTS

Port = Annotated[int, msgspec.Meta(ge=1, le=65_535)]
_HOST = re.compile(r"[A-Za-z0-9.:-]+")
_KNOWN: Mapping[str, Container[str]] = {"switch": DIALECTS, "pdu": PROFILES}
_FACTS = ("dialect", "host", "port", "username", "host_key", "parking_vid")


class AccessSeed(msgspec.Struct, frozen=True, kw_only=True):
    """How a device is reached, as typed. Empty secrets keep those that are there."""

    dialect: str
    host: str
    port: Port = 22
    username: str = ""
    secret: str = ""
    more: str = ""
    """A switch's password for more rights, where the account has to ask for them; a PDU's password
    for encryption."""
    host_key: str = ""
    parking_vid: Annotated[int, msgspec.Meta(ge=1, le=4094)] = 1


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """The same without its secrets."""

    device: UUID
    device_name: str
    dialect: str
    host: str
    port: int
    username: str
    host_key: str
    parking_vid: int

    def facts(self) -> dict[str, str]:
        return {name: str(getattr(self, name)) for name in _FACTS}


async def find_access(tx: Tx, device: UUID) -> Access | None:
    """Return how a device is reached; None where nothing is written down."""
    row = await tx.fetchrow(
        f"SELECT a.device, d.name AS device_name, {', '.join(f'a.{name}' for name in _FACTS)} "
        "FROM device_access a JOIN device d ON d.id = a.device WHERE a.device = $1",
        device,
    )
    return None if row is None else Access(**dict(row))


async def save_access(
    tx: Tx, vault: Vault, device: UUID, seed: AccessSeed, *, actor: UUID | None, actor_label: str
) -> None:
    """Write it down, have the device read, audit it.

    A secret is kept only while the device is at the same place: it goes nowhere that it was not
    typed for. Raises Invalid, by field, and NotFound.
    """
    there = await find_device(tx, device)
    before = await find_access(tx, device)
    seed, faults = _checked(seed, there.kind)
    is_same = before is not None and (before.host, before.port) == (seed.host, seed.port)
    if not seed.secret and not is_same:
        faults.setdefault("secret", "Type it for this device.")
    if faults:
        raise Invalid(faults)
    await tx.execute(
        "INSERT INTO device_access AS a (id, device, sealed_secret, sealed_more, "
        f"{', '.join(_FACTS)}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
        "ON CONFLICT (device) DO UPDATE SET "
        f"{', '.join(f'{name} = excluded.{name}' for name in _FACTS)}, error = '', "
        "sealed_secret = CASE WHEN $11 THEN excluded.sealed_secret ELSE a.sealed_secret END, "
        "sealed_more = CASE WHEN $12 THEN excluded.sealed_more ELSE a.sealed_more END",
        new_id(),
        device,
        vault.seal(seed.secret),
        vault.seal(seed.more) if seed.more else None,
        *(getattr(seed, name) for name in _FACTS),
        bool(seed.secret),
        bool(seed.more) or not is_same,
    )
    if there.kind == "switch":
        await ask_device(tx, device)
    old = before.facts() if before else {}
    new = {name: str(getattr(seed, name)) for name in _FACTS}
    changed = [name for name in _FACTS if old.get(name) != new[name]]
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="devices.change_access",
        subject_kind="device",
        subject=device,
        before={name: old[name] for name in changed if name in old},
        after={name: new[name] for name in changed}
        | ({"secret": "changed"} if seed.secret else {}),
    )


async def switch_address(tx: Tx, vault: Vault, device: UUID) -> SwitchAddress:
    """Return how the driver reaches a switch. Raises NotReached."""
    row = await tx.fetchrow(
        "SELECT a.*, d.name FROM device_access a JOIN device d ON d.id = a.device "
        "WHERE a.device = $1 AND d.kind = 'switch'",
        device,
    )
    if row is None:
        raise NotReached(device)
    more = row["sealed_more"]
    return SwitchAddress(
        name=row["name"],
        dialect=row["dialect"],
        host=row["host"],
        port=row["port"],
        username=row["username"],
        password=Secret(vault.open(row["sealed_secret"])),
        enable_password=None if more is None else Secret(vault.open(more)),
        host_key=row["host_key"],
    )


async def pdu_address(tx: Tx, vault: Vault, device: UUID) -> PduAddress:
    """Return how the driver reaches a PDU. Raises NotReached."""
    row = await tx.fetchrow(
        "SELECT a.*, d.name FROM device_access a JOIN device d ON d.id = a.device "
        "WHERE a.device = $1 AND d.kind = 'pdu'",
        device,
    )
    if row is None:
        raise NotReached(device)
    more = row["sealed_more"]
    return PduAddress(
        name=row["name"],
        dialect=row["dialect"],
        host=row["host"],
        port=row["port"],
        username=row["username"],
        secret=Secret(vault.open(row["sealed_secret"])),
        privacy=None if more is None else Secret(vault.open(more)),
    )


def _checked(seed: AccessSeed, kind: str) -> tuple[AccessSeed, dict[str, str]]:
    """Return it in its canonical form, and what cannot work, by field."""
    faults: dict[str, str] = {}
    if seed.dialect not in _KNOWN.get(kind, ()):
        faults["dialect"] = "Choose one of those that are offered."
    if not _HOST.fullmatch(seed.host):
        faults["host"] = "Give a host's name or address."
    if kind == "pdu":
        if seed.username:
            short = [name for name in ("secret", "more") if 0 < len(getattr(seed, name)) < 8]
            faults |= dict.fromkeys(short, "SNMPv3 wants 8 characters at least.")
        elif seed.more:
            faults["username"] = "Encryption is of SNMPv3: name its user."
        return msgspec.structs.replace(seed, host_key=""), faults
    if not seed.username:
        faults["username"] = "Name the account to sign in with."
    try:
        seed = msgspec.structs.replace(seed, host_key=host_key(seed.host_key))
    except ValueError as error:
        faults["host_key"] = f"{error}."
    return seed, faults
