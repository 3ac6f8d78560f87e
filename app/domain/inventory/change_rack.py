"""Add a rack or change its limits by hand, audited."""

from uuid import UUID

from msgspec.structs import asdict

from app.core.database import Tx
from app.core.errors import Invalid
from app.domain.audit.record import record
from app.domain.inventory.find_racks import rack_seed
from app.domain.inventory.register_rack import register_rack
from app.domain.inventory.seed import RackSeed


async def add_rack(tx: Tx, rack: RackSeed, *, actor: UUID | None, actor_label: str) -> UUID:
    """Return the new rack's id. Raises Invalid, by field; on `name` for one that is there."""
    known = await tx.fetchval(
        "SELECT r.id FROM rack r JOIN datacentre d ON d.id = r.datacentre "
        "WHERE d.code = $1 AND r.name = $2",
        rack.datacentre,
        rack.name,
    )
    if known is not None:
        raise Invalid({"name": "Another rack of the datacentre has this name."})
    made = await register_rack(tx, rack)
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="inventory.add_rack",
        subject_kind="rack",
        subject=made,
        before={},
        after={"name": rack.name, "datacentre": rack.datacentre, "units": rack.u_height},
    )
    tx.publish("servers")
    return made


async def change_rack(
    tx: Tx, rack_id: UUID, rack: RackSeed, *, actor: UUID | None, actor_label: str
) -> None:
    """Bring a rack to what the seed says; its datacentre and name stay.

    A limit may be set below what stands there: then nothing more is put there. Raises Invalid,
    by field, NotFound.
    """
    before = asdict(await rack_seed(tx, rack_id))
    await register_rack(tx, rack)
    after = asdict(rack)
    changed = [name for name, value in after.items() if before[name] != value]
    if not changed:
        return
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="inventory.change_rack",
        subject_kind="rack",
        subject=rack_id,
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
    )
    tx.publish("servers")
