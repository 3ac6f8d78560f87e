"""Compare what a server's BMC, or a cloud, says of its hardware with what is written down."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

import asyncpg
import msgspec

from app.core.database import Tx
from app.core.errors import Invalid, NotFound
from app.core.ids import new_id
from app.core.outbox import emit
from app.domain.audit.record import record
from app.domain.inventory.disks import is_same_size, read_disks, write_disks
from app.domain.inventory.errors import NoBmc
from app.domain.inventory.seed import DiskSeed
from app.domain.inventory.server_sheet import disk_text, disks_of
from app.domain.inventory.states import offer_anew, tell
from app.domain.inventory.units import fault_of
from app.drivers.bmc.contract import Drive, Inventory
from app.solver.want import DiskKind

Fact: TypeAlias = Literal["serial", "model", "ram_gb", "cpu_count", "cpu_model", "mac", "disks"]


ASKED = "server.discover"
"""Topic of the outbox: a BMC is to be asked."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A fact of which record and BMC say different things.

    `fact` is a `Fact`, or `nic:MAC` for a network card that is not written down.
    """

    fact: str
    label: str
    written: str
    found: str
    note: str = ""
    """Why it cannot be accepted as it stands, and what to do; "" when it can."""

    @property
    def is_new_card(self) -> bool:
        """Say whether it is a network card that is not written down: nobody is sold less by it."""
        return self.fact.startswith("nic:")


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What a BMC or a cloud said, and how it differs from the record."""

    told_by: str
    """The cloud that inspected the machine; "" for its BMC."""
    asked_at: datetime
    read_at: datetime | None
    """None when it never answered."""
    error: str
    """Why it did not answer when it was asked last, in its own words."""
    is_waiting: bool
    """It was asked, and has not answered yet."""
    found: Inventory | None
    differences: tuple[Difference, ...]


async def ask_hardware(tx: Tx, server: UUID) -> None:
    """Have the server's BMC asked what hardware there is; the answer comes by `keep_report`.

    Raises NoBmc.
    """
    if not await tx.fetchval("SELECT EXISTS (SELECT FROM bmc WHERE server = $1)", server):
        raise NoBmc(server)
    await tx.execute(
        "INSERT INTO hardware_report (id, server, asked_at) VALUES ($1, $2, $3) "
        "ON CONFLICT (server) DO UPDATE SET asked_at = excluded.asked_at, error = ''",
        new_id(),
        server,
        tx.now(),
    )
    key = f"{ASKED}:{server}:{tx.now().isoformat()}"
    await emit(tx, ASKED, key, {"server": str(server)})
    tx.publish(f"server:{server}")


async def keep_report(tx: Tx, server: UUID, found: Inventory, *, told_by: str = "") -> None:
    """Keep what the BMC says, or the cloud `told_by`, in place of what was said before."""
    await tx.execute(
        "INSERT INTO hardware_report (id, server, asked_at, read_at, facts, told_by) "
        "VALUES ($1, $2, $3, $3, $4, $5) ON CONFLICT (server) DO UPDATE "
        "SET read_at = excluded.read_at, error = '', facts = excluded.facts, "
        "told_by = excluded.told_by",
        new_id(),
        server,
        tx.now(),
        msgspec.json.encode(found).decode(),
        told_by,
    )
    tx.publish(f"server:{server}")


async def keep_failure(tx: Tx, server: UUID, error: str) -> None:
    """Keep why the BMC said nothing; what it said before stays."""
    await tx.execute("UPDATE hardware_report SET error = $2 WHERE server = $1", server, error)
    tx.publish(f"server:{server}")


async def compare(tx: Tx, server: UUID) -> Comparison | None:
    """Return the last report against the record as it is now; None when none was asked for."""
    report = await tx.fetchrow(
        "SELECT told_by, asked_at, read_at, error, facts FROM hardware_report WHERE server = $1",
        server,
    )
    if report is None:
        return None
    read_at = report["read_at"]
    found = None if read_at is None else msgspec.json.decode(report["facts"], type=Inventory)
    return Comparison(
        told_by=report["told_by"],
        asked_at=report["asked_at"],
        read_at=read_at,
        error=report["error"],
        is_waiting=not report["error"] and (read_at is None or read_at < report["asked_at"]),
        found=found,
        differences=() if found is None else await _differences(tx, server, found),
    )


async def accept_difference(
    tx: Tx, server: UUID, fact: str, *, actor: UUID | None, actor_label: str
) -> None:
    """Bring one fact of the record to what the BMC says, and audit it.

    Raises NotFound when there is no such difference any more, Invalid on `fact` when it cannot
    be accepted as it stands.
    """
    comparison = await compare(tx, server)
    wanted = comparison.differences if comparison else ()
    says = comparison.told_by if comparison else ""
    difference = next((one for one in wanted if one.fact == fact), None)
    if difference is None:
        raise NotFound("difference", fact)
    if difference.note:
        raise Invalid({"fact": difference.note})
    try:
        async with tx.savepoint():
            await _write(tx, server, difference)
            await offer_anew(tx, server)
    except asyncpg.IntegrityConstraintViolationError as error:
        raise fault_of(error) from error
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="inventory.accept_difference",
        subject_kind="server",
        subject=server,
        before={difference.label: difference.written},
        after={difference.label: difference.found},
        reason=f"As {says} found." if says else "As its BMC reports.",
    )
    tell(tx, server, await tx.fetchval("SELECT holder FROM server WHERE id = $1", server))


async def _write(tx: Tx, server: UUID, difference: Difference) -> None:
    fact, found = difference.fact, difference.found
    if difference.is_new_card:
        await tx.execute(
            "INSERT INTO port (id, server, name, kind, mac) VALUES ($1, $2, $3, 'network', $4) "
            "ON CONFLICT (server, device, name) DO UPDATE SET mac = excluded.mac",
            new_id(),
            server,
            found,
            fact.removeprefix("nic:"),
        )
    elif fact == "disks":
        await write_disks(tx, server, disks_of(found))
    elif fact == "cpu_model":
        await tx.execute(
            "UPDATE server SET cpu_model = (SELECT id FROM cpu_model WHERE name = $2) "
            "WHERE id = $1",
            server,
            found,
        )
    else:
        convert = _COLUMNS[fact]
        await tx.execute(f"UPDATE server SET {fact} = $2 WHERE id = $1", server, convert(found))


_COLUMNS: dict[str, Callable[[str], str | int]] = {
    "serial": str,
    "model": str,
    "mac": str,
    "ram_gb": int,
    "cpu_count": int,
}


async def _differences(tx: Tx, server: UUID, found: Inventory) -> tuple[Difference, ...]:
    row = await tx.fetchrow(
        "SELECT s.serial, s.model, s.ram_gb, s.cpu_count, s.mac, c.name AS cpu_model, "
        "(SELECT coalesce(array_agg(p.mac), '{}') FROM port p WHERE p.server = s.id "
        "AND p.mac IS NOT NULL) AS macs FROM server s JOIN cpu_model c ON c.id = s.cpu_model "
        "WHERE s.id = $1",
        server,
    )
    if row is None:
        raise NotFound("server", server)
    told = [
        ("serial", "Serial number", found.serial),
        ("model", "Model", " ".join(filter(None, (found.manufacturer, found.model))) or None),
        ("ram_gb", "Memory, GB", found.memory_gib),
        ("cpu_count", "CPU sockets", found.cpu_count),
    ]
    differences = [
        Difference(fact=fact, label=label, written=str(row[fact]), found=str(value))
        for fact, label, value in told
        if value is not None and str(value) != str(row[fact])
    ]
    if found.cpu_model and _plain(found.cpu_model) != _plain(row["cpu_model"]):
        differences.append(await _cpu(tx, row["cpu_model"], found.cpu_model))
    if found.drives is not None:
        differences += await _disks(tx, server, found.drives)
    nics = {nic.mac: nic.name for nic in found.nics}
    if nics and row["mac"] not in nics:
        differences.append(
            Difference(
                fact="mac",
                label="MAC of the network card that it boots from",
                written=row["mac"],
                found=next(iter(nics)),
            )
        )
    differences += [
        Difference(fact=f"nic:{mac}", label=f"Network card {mac}", written="none", found=name)
        for mac, name in nics.items()
        # A card without a name, which is that of the server, tells nothing new.
        if mac not in row["macs"] and not mac == name == row["mac"]
    ]
    return tuple(differences)


async def _disks(tx: Tx, server: UUID, drives: Sequence[Drive]) -> list[Difference]:
    written = await read_disks(tx, server)
    ours = sorted((one.kind.value, one.capacity_gb) for one in written for _ in range(one.quantity))
    theirs = sorted((one.kind, one.capacity_gb) for one in drives)
    if len(ours) == len(theirs) and all(
        a == b and is_same_size(x, of_gb=y) for (a, x), (b, y) in zip(ours, theirs, strict=True)
    ):
        return []
    found = [
        DiskSeed(kind=DiskKind(kind), capacity_gb=size, quantity=number)
        for (kind, size), number in sorted(Counter(theirs).items())
    ]
    return [
        Difference(
            fact="disks",
            label="Disks, GB",
            written=disk_text(written) or "none",
            found=disk_text(found),
        )
    ]


async def _cpu(tx: Tx, written: str, found: str) -> Difference:
    """BMCs decorate the names of CPUs; ours is the one that says the same without that."""
    models = await tx.fetch("SELECT name FROM cpu_model")
    ours = next((row["name"] for row in models if _plain(row["name"]) == _plain(found)), None)
    return Difference(
        fact="cpu_model",
        label="CPU",
        written=written,
        found=ours or found,
        note="" if ours else "This CPU model is not written down. Add it first.",
    )


def _plain(name: str) -> str:
    """Return a CPU's name without what makes it look different: marks, clock, `CPU`."""
    words = name.lower().replace("(r)", "").replace("(tm)", "").replace("processor", "")
    kept = [word for word in words.partition("@")[0].split() if word not in {"cpu", "intel", "amd"}]
    return " ".join(kept)
