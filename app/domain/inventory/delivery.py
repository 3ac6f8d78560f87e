"""A delivery: machines that stand nowhere yet, racked by the solver and accepted as a whole."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import asyncpg
import msgspec

from app.core.apart import apart
from app.core.database import Tx
from app.core.errors import Invalid
from app.core.ids import new_id
from app.core.secrets import Vault
from app.core.sheets import SheetLine, Unreadable, read_raw
from app.domain.audit.record import record
from app.domain.inventory.arrive import LISTS
from app.domain.inventory.errors import NoRoom
from app.domain.inventory.register import register_server
from app.domain.inventory.relocate import Place, obstacles_to_new
from app.domain.inventory.seed import ServerSeed
from app.domain.inventory.server_sheet import read_row
from app.domain.inventory.spaces import racks_in, read_spaces
from app.solver.placing import Machine, RackSpace
from app.solver.racking import RackPlan, rack_up

MOST_MACHINES = 500
SEED = 1
LIMIT = 10.0
"""Deterministic seconds that the solver may take."""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """Machines of a file in its order; `faults` are the rows that are none."""

    machines: tuple[ServerSeed, ...]
    faults: tuple[SheetLine, ...]


class Racked(msgspec.Struct, frozen=True, kw_only=True):
    """A machine of a delivery at the place that was found for it."""

    serial: str
    rack: UUID
    u_position: int


async def read_delivery(tx: Tx, raw: bytes, datacentre: str) -> Delivery:
    """Return the machines of a file like that of an import, without places.

    Raises Unreadable.
    """
    sheet = read_raw(raw, lists=LISTS)
    if len(sheet.rows) > MOST_MACHINES:
        raise Unreadable(f"it has {len(sheet.rows):,} machines; at most {MOST_MACHINES} at a time")
    if not sheet.rows:
        raise Unreadable("it has a head and no machine")
    known = {
        row["serial"]
        for row in await tx.fetch(
            "SELECT serial FROM server WHERE serial = ANY($1)",
            [row.get("serial", "") for row in sheet.rows],
        )
    }
    machines, faults = [], []
    for number, row in zip(sheet.numbers, sheet.rows, strict=True):
        line = SheetLine(number=number, text=row.get("name", "") or row.get("serial", ""))
        try:
            seed = _machine(row, datacentre)
        except Invalid as invalid:
            words = " ".join(f"{name}: {text}" for name, text in invalid.fields.items())
            faults.append(msgspec.structs.replace(line, fault=words))
            continue
        if seed.serial in known:
            words = "It is written down already. Move it on its page instead."
            faults.append(msgspec.structs.replace(line, fault=words))
        known.add(seed.serial)
        machines.append(seed)
    return Delivery(machines=tuple(machines), faults=tuple(faults))


def _machine(row: Mapping[str, str], datacentre: str) -> ServerSeed:
    # Where it goes is found below; a server without a place cannot be.
    return read_row(row, datacentre=datacentre, rack="", u_position=1)


async def spaces_for(tx: Tx, datacentre: str, racks: Sequence[UUID] = ()) -> list[RackSpace]:
    """Return the racks that may take a delivery: these, or all of the datacentre."""
    return await read_spaces(tx, racks or await racks_in(tx, datacentre))


async def plan_delivery(
    spaces: Sequence[RackSpace], machines: Sequence[ServerSeed]
) -> tuple[RackPlan, tuple[Racked, ...]]:
    """Return where each machine goes, found in a process of its own; see `rack_up`."""
    wanted = [_as_machine(machine) for machine in machines]
    plan = await apart(rack_up, spaces, wanted, seed=SEED, deterministic_limit=LIMIT)
    serials = {one.id: machine.serial for one, machine in zip(wanted, machines, strict=True)}
    return plan, tuple(
        Racked(serial=serials[one.machine], rack=UUID(one.rack), u_position=one.u_position)
        for one in plan.placed
    )


def _as_machine(seed: ServerSeed) -> Machine:
    return Machine(
        id=new_id(),
        u_height=seed.u_height,
        watts=seed.power_draw_watts,
        feeds=seed.feeds,
        weight_kg=seed.weight_kg,
    )


async def accept_delivery(
    tx: Tx,
    vault: Vault,
    machines: Sequence[ServerSeed],
    racked: Sequence[Racked],
    *,
    actor: UUID | None,
    actor_label: str,
) -> list[UUID]:
    """Write the machines down at their places, all or none; those without a place are left out.

    Every place is checked again. Raises NoRoom, Invalid.
    """
    seeds = {machine.serial: machine for machine in machines}
    for rack in sorted({one.rack for one in racked}):
        await tx.execute("SELECT FROM rack WHERE id = $1 FOR NO KEY UPDATE", rack)
    made = []
    for one in racked:
        seed = seeds[one.serial]
        place = Place(one.rack, one.u_position, seed.side)
        if found := await obstacles_to_new(tx, _as_machine(seed), place):
            raise NoRoom(seed.name, found)
        there: asyncpg.Record | None = await tx.fetchrow(
            "SELECT d.code, r.name FROM rack r JOIN datacentre d ON d.id = r.datacentre "
            "WHERE r.id = $1",
            one.rack,
        )
        assert there is not None  # noqa: S101 - its obstacles were looked at
        placed = msgspec.structs.replace(
            seed, datacentre=there["code"], rack=there["name"], u_position=one.u_position
        )
        server = await register_server(tx, vault, placed)
        await record(
            tx,
            actor=actor,
            actor_label=actor_label,
            action="inventory.deliver",
            subject_kind="server",
            subject=server,
            before={},
            after={"rack": there["name"], "unit": one.u_position},
        )
        made.append(server)
    return made
