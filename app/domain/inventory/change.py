"""Change what is written down of servers: of one, or the same of many at once."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import asyncpg
import msgspec
from msgspec import UNSET, Meta, UnsetType

from app.core.database import Tx
from app.core.errors import Invalid, NotFound
from app.domain.audit.record import record
from app.domain.inventory.disks import read_disks, write_disks
from app.domain.inventory.errors import NoRoom
from app.domain.inventory.maintain import begin_maintenance
from app.domain.inventory.relocate import Place, relocate
from app.domain.inventory.seed import Amount, Count, DiskSeed, Feeds, Name, Note, Text
from app.domain.inventory.server_sheet import disk_text
from app.domain.inventory.spaces import read_machine, read_spaces
from app.domain.inventory.states import offer_anew, tell
from app.domain.inventory.units import fault_of
from app.solver.obstacles import Obstacle
from app.solver.placing import first_fit


class ServerChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of a server is to change; what is left out stays."""

    name: Name | UnsetType = UNSET
    model: Text | UnsetType = UNSET
    cpu_model: Annotated[str, Meta(description="Name of a CPU model.")] | UnsetType = UNSET
    cpu_count: Count | UnsetType = UNSET
    ram_gb: Count | UnsetType = UNSET
    disks: tuple[DiskSeed, ...] | UnsetType = UNSET
    raid_controller: bool | UnsetType = UNSET
    raid_model: Text | UnsetType = UNSET
    power_draw_watts: Amount | UnsetType = UNSET
    feeds: Feeds | UnsetType = UNSET
    weight_kg: Amount | UnsetType = UNSET
    mac: Annotated[str, Meta(pattern="^[0-9a-f]{2}(:[0-9a-f]{2}){5}$")] | UnsetType = UNSET
    warranty_ends_on: date | UnsetType | None = UNSET
    note: Note | UnsetType = UNSET


class Maintenance(msgspec.Struct, frozen=True):
    """Why servers are taken out of stock, and until when; None is until somebody says so."""

    reason: str
    ends_at: datetime | None = None


async def change_servers(
    tx: Tx,
    servers: Sequence[UUID],
    change: ServerChange,
    *,
    actor: UUID | None,
    actor_label: str,
    rack: UUID | None = None,
    maintenance: Maintenance | None = None,
) -> None:
    """Change all of the servers or none, each audited.

    With `rack` they are put there too, where they fit best. Raises Invalid by field, NoRoom for
    a rack that does not take all of them, ServerNotAllowed, NotFound.
    """
    for server in servers:
        await _change(tx, server, change, actor=actor, actor_label=actor_label)
    if rack is not None:
        await _put_into(tx, servers, rack, actor=actor, actor_label=actor_label)
    if maintenance is not None:
        for server in servers:
            await begin_maintenance(
                tx,
                server,
                actor=actor,
                actor_label=actor_label,
                reason=maintenance.reason,
                ends_at=maintenance.ends_at,
            )


async def _change(
    tx: Tx, server: UUID, change: ServerChange, *, actor: UUID | None, actor_label: str
) -> None:
    wanted = {
        name: value for name, value in msgspec.structs.asdict(change).items() if value is not UNSET
    }
    row = await tx.fetchrow(
        "SELECT s.*, c.name AS cpu_name FROM server s JOIN cpu_model c ON c.id = s.cpu_model "
        "WHERE s.id = $1 FOR NO KEY UPDATE OF s",
        server,
    )
    if row is None:
        raise NotFound("server", server)
    before = {**dict(row), "cpu_model": row["cpu_name"], "disks": await read_disks(tx, server)}
    changed = {name: value for name, value in wanted.items() if before[name] != value}
    if not changed:
        return
    await _write(tx, server, changed)
    await offer_anew(tx, server)
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="inventory.change",
        subject_kind="server",
        subject=server,
        before={name: _shown(before[name]) for name in changed},
        after={name: _shown(value) for name, value in changed.items()},
    )
    tell(tx, server, row["holder"])


def _shown(value: object) -> object:
    return disk_text(value) if isinstance(value, tuple) else value


async def _write(tx: Tx, server: UUID, changed: dict[str, object]) -> None:
    columns = {name: value for name, value in changed.items() if name != "disks"}
    if "cpu_model" in columns:
        cpu = await tx.fetchval("SELECT id FROM cpu_model WHERE name = $1", columns["cpu_model"])
        if cpu is None:
            raise Invalid({"cpu_model": "There is no such CPU model. Write it down first."})
        columns["cpu_model"] = cpu
    if columns:
        sets = ", ".join(f"{name} = ${place}" for place, name in enumerate(columns, 2))
        try:
            async with tx.savepoint():
                await tx.execute(
                    f"UPDATE server SET {sets} WHERE id = $1", server, *columns.values()
                )
        except asyncpg.IntegrityConstraintViolationError as error:
            raise fault_of(error) from error
    if "disks" in changed:
        await write_disks(tx, server, changed["disks"])  # type: ignore[arg-type]  # by its struct


async def _put_into(
    tx: Tx, servers: Sequence[UUID], rack: UUID, *, actor: UUID | None, actor_label: str
) -> None:
    """Put the servers that stand elsewhere into a rack, the tallest first."""
    coming = [
        server
        for server in servers
        if await tx.fetchval("SELECT rack FROM server WHERE id = $1", server) != rack
    ]
    await tx.execute("SELECT FROM rack WHERE id = $1 FOR NO KEY UPDATE", rack)
    spaces = await read_spaces(tx, [rack])
    if not spaces:
        raise NotFound("rack", rack)
    machines = [await read_machine(tx, server) for server in coming]
    places = first_fit(spaces, machines)
    for machine in machines:
        if machine.id not in places:
            name = await tx.fetchval("SELECT name FROM server WHERE id = $1", machine.id)
            raise NoRoom(name, [Obstacle("units", "The rack does not take all of them.")])
        place = Place(rack, places[machine.id][1].u_position)
        await relocate(tx, machine.id, place, actor=actor, actor_label=actor_label)
