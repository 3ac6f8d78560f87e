"""CPU models, and which may stand in for which: read, and changed by hand."""

from typing import Any
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import Conflict, NotFound
from app.domain.audit.record import record
from app.domain.inventory.register import register_cpu, register_equivalence
from app.domain.inventory.seed import CpuSeed, EquivalenceSeed


class CpuView(msgspec.Struct, frozen=True, kw_only=True):
    """A CPU model; cores and threads are of one socket."""

    id: UUID
    name: str
    cores: int
    threads: int
    base_mhz: int
    servers: int
    available: int


class EquivalenceView(msgspec.Struct, frozen=True, kw_only=True):
    """`stand_in` may be delivered where `wanted` was ordered."""

    id: UUID
    group: str
    wanted: str
    stand_in: str
    cost: int


async def list_cpu_models(tx: Tx) -> tuple[CpuView, ...]:
    """Return all CPU models by name; one statement."""
    rows = await tx.fetch(
        "SELECT c.id, c.name, c.cores, c.threads, c.base_mhz, count(s.id) AS servers, "
        "count(s.id) FILTER (WHERE s.state = 'available') AS available "
        "FROM cpu_model c LEFT JOIN server s ON s.cpu_model = c.id GROUP BY c.id ORDER BY c.name"
    )
    return tuple(CpuView(**dict(row)) for row in rows)


async def list_equivalences(tx: Tx) -> tuple[EquivalenceView, ...]:
    """Return which model may stand in for which, by group."""
    rows = await tx.fetch(
        'SELECT e.id, e."group", w.name AS wanted, i.name AS stand_in, e.cost '
        "FROM cpu_equivalence e JOIN cpu_model w ON w.id = e.wanted "
        'JOIN cpu_model i ON i.id = e.stand_in ORDER BY e."group", e.cost, w.name, i.name'
    )
    return tuple(EquivalenceView(**dict(row)) for row in rows)


async def save_cpu(tx: Tx, cpu: CpuSeed, *, actor: UUID | None, actor_label: str) -> UUID:
    """Add a CPU model, or bring the one of that name to this; audited."""
    written = await register_cpu(tx, cpu)
    after = {"name": cpu.name, "cores": cpu.cores, "threads": cpu.threads}
    await _tell(tx, "inventory.save_cpu", written, after, (actor, actor_label))
    return written


async def remove_cpu(tx: Tx, cpu: UUID, *, actor: UUID | None, actor_label: str) -> None:
    """Take a CPU model off the books. Raises Conflict while something names it, NotFound."""
    row = await tx.fetchrow(
        "SELECT name, (SELECT count(*) FROM server WHERE cpu_model = c.id) AS servers, "
        "(SELECT count(*) FROM cpu_equivalence WHERE c.id IN (wanted, stand_in)) AS links "
        "FROM cpu_model c WHERE id = $1",
        cpu,
    )
    if row is None:
        raise NotFound("CPU model", cpu)
    if row["servers"] or row["links"]:
        raise Conflict(
            f"{row['name']} is in {row['servers']} servers and {row['links']} equivalences. "
            "Change these first."
        )
    await tx.execute("DELETE FROM cpu_model WHERE id = $1", cpu)
    await _tell(tx, "inventory.remove_cpu", cpu, {"name": row["name"]}, (actor, actor_label))


async def save_equivalence(
    tx: Tx, link: EquivalenceSeed, *, actor: UUID | None, actor_label: str
) -> None:
    """Say that one model may stand in for another, or what it costs by now; audited.

    Raises Invalid, by field.
    """
    await register_equivalence(tx, link)
    after = msgspec.structs.asdict(link)
    await _tell(tx, "inventory.save_equivalence", None, after, (actor, actor_label))


async def remove_equivalence(tx: Tx, link: UUID, *, actor: UUID | None, actor_label: str) -> None:
    """Say that one model no longer stands in for another; audited. Raises NotFound."""
    links = {one.id: one for one in await list_equivalences(tx)}
    if link not in links:
        raise NotFound("equivalence", link)
    await tx.execute("DELETE FROM cpu_equivalence WHERE id = $1", link)
    gone = {"wanted": links[link].wanted, "stand_in": links[link].stand_in}
    await _tell(tx, "inventory.remove_equivalence", None, gone, (actor, actor_label))


async def _tell(
    tx: Tx, action: str, subject: UUID | None, after: dict[str, Any], by: tuple[UUID | None, str]
) -> None:
    await record(
        tx,
        actor=by[0],
        actor_label=by[1],
        action=action,
        subject_kind="cpu_model",
        subject=subject,
        before={},
        after=after,
    )
    tx.publish("stock")
