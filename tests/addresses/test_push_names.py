"""Leases of names: whoever comes late touches neither another worker's nor a later owner's."""

from uuid import UUID

from app.core.clock import SetClock
from app.core.database import Database, Tx
from app.core.ids import new_id
from app.domain.addresses.assign import assign
from app.domain.addresses.expire import expire
from app.domain.addresses.name_address import name_address
from app.domain.addresses.names import list_names
from app.domain.addresses.push_names import (
    LEASE,
    DueName,
    intend,
    note_failed,
    note_pushed,
    take_due,
)
from app.domain.addresses.release import release
from tests.addresses.site import ask, lay_out, prefix

BY_TEST = {"actor": None, "actor_label": "test"}


async def named(tx: Tx, order: UUID, hostname: str) -> None:
    """Give an order the only address there is, and a name to that."""
    await ask(tx, order)
    await assign(tx, order)
    await name_address(tx, "10.0.0.9", hostname, holder=order, **BY_TEST)


async def leased(database: Database) -> DueName:
    async with database.transaction() as tx:
        [due] = await take_due(tx, 5)
        return due


async def test_a_late_worker_does_not_end_the_lease_of_another(
    database: Database, clock: SetClock
) -> None:
    async with database.transaction() as tx:
        await lay_out(tx, prefix("10.0.0.9/32", cooldown_s=0))
        await named(tx, new_id(), "a.example.org")
    late = await leased(database)
    clock.advance(seconds=LEASE.total_seconds())
    other = await leased(database)
    async with database.transaction() as tx:
        await note_failed(tx, late, "no answer in time")
        assert await tx.fetchval("SELECT leased_until FROM reverse_name") == other.leased_until
        await note_pushed(tx, other)
        assert await tx.fetchval("SELECT leased_until FROM reverse_name") is None


async def test_a_late_worker_leaves_a_later_owners_name_alone(
    database: Database, clock: SetClock
) -> None:
    """Both names are the first of their owner, so that `seq` does not tell them apart."""
    first, second = new_id(), new_id()
    async with database.transaction() as tx:
        await lay_out(tx, prefix("10.0.0.9/32", cooldown_s=0))
        await named(tx, first, "a.example.org")
    late = await leased(database)
    async with database.transaction() as tx:
        await release(tx, first)
    clock.advance(seconds=LEASE.total_seconds())
    async with database.transaction() as tx:
        await note_pushed(tx, (await take_due(tx, 5))[0])
        assert await expire(tx) == 1
    async with database.transaction() as tx:
        await named(tx, second, "b.example.org")
    theirs = await leased(database)
    assert (late.seq, late.claim) != (theirs.seq, theirs.claim)
    assert late.seq == theirs.seq
    async with database.transaction() as tx:
        assert not await intend(tx, late)
        await note_failed(tx, late, "no answer in time")
        await note_pushed(tx, late)
        [name] = (await list_names(tx)).items
        assert (name.hostname, name.state, name.error) == ("b.example.org", "pending", "")
        assert await tx.fetchval("SELECT leased_until FROM reverse_name") == theirs.leased_until
