"""Give back: held at once, assigned after the cool-down, and who waits is woken."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from app.core.clock import SetClock
from app.core.database import Database, Tx
from app.core.ids import new_id
from app.domain.addresses.assign import assign
from app.domain.addresses.claim import Claimed
from app.domain.addresses.expire import expire
from app.domain.addresses.find import addresses_of
from app.domain.addresses.pools import VLAN_COOLDOWN_S
from app.domain.addresses.release import release
from tests.addresses.site import V4, V6, WHOLE, ask, ip4, lay_out, prefix, texts, vlans

QUARTER = timedelta(minutes=15)


async def outbox(tx: Tx) -> list[dict[str, Any]]:
    rows = await tx.fetch("DELETE FROM outbox WHERE topic = 'stock.appeared' RETURNING payload, id")
    return [msgspec.json.decode(row["payload"]) for row in sorted(rows, key=lambda row: row["id"])]


async def states(tx: Tx) -> dict[str, int]:
    rows = await tx.fetch(
        "SELECT state, count(*) FROM address_claim WHERE state <> 'reserved' GROUP BY state"
    )
    return {row["state"]: row["count"] for row in rows}


async def test_what_was_only_held_is_free_at_once(tx: Tx) -> None:
    ids = await lay_out(tx, prefix(), prefix(V6), groups=[vlans()])
    await outbox(tx)
    order = new_id()
    first = await ask(tx, order, WHOLE, expires_at=tx.now() + QUARTER)
    await release(tx, order)
    await release(tx, order)
    assert await states(tx) == {}
    assert await addresses_of(tx, order) == Claimed()
    woken = await outbox(tx)
    assert sorted(woken, key=str) == sorted(
        [{"prefix": str(ids[V4])}, {"prefix": str(ids[V6])}, {"vlan_group": str(ids["ams1"])}],
        key=str,
    )
    assert await ask(tx, new_id(), WHOLE) == first


async def test_what_was_assigned_is_nobodys_until_the_cooldown_ends(
    database: Database, clock: SetClock
) -> None:
    order = new_id()
    async with database.transaction() as tx:
        ids = await lay_out(
            tx, prefix("10.0.0.0/32", cooldown_s=100), groups=[vlans(first_vid=7, last_vid=7)]
        )
        wants = (ip4(purpose="primary"), WHOLE[-1])
        claimed = await ask(tx, order, wants, expires_at=tx.now() + QUARTER)
        assert await assign(tx, order) == 2
        assert await assign(tx, order) == 0
        assert await addresses_of(tx, order) == claimed
    clock.advance(days=30)
    async with database.transaction() as tx:
        assert await expire(tx) == 0
        await outbox(tx)
        await release(tx, order)
        await release(tx, order)
        assert await states(tx) == {"quarantined": 2}
        assert await outbox(tx) == []
        rows = await tx.fetch("SELECT * FROM address_claim ORDER BY kind")
        for row, cooldown_s in zip(rows, (100, VLAN_COOLDOWN_S), strict=True):
            assert (row["holder"], row["purpose"]) == (None, "primary")
            assert row["expires_at"] == tx.now() + timedelta(seconds=cooldown_s)
    clock.advance(seconds=99)
    async with database.transaction() as tx:
        assert await expire(tx) == 0
    clock.advance(seconds=1)
    async with database.transaction() as tx:
        assert await expire(tx) == 1
        assert await outbox(tx) == [{"prefix": str(ids["10.0.0.0/32"])}]
        assert texts(await ask(tx, new_id())) == ["10.0.0.0"]
    clock.advance(seconds=VLAN_COOLDOWN_S)
    async with database.transaction() as tx:
        assert await expire(tx) == 1
        assert await outbox(tx) == [{"vlan_group": str(ids["ams1"])}]


async def test_there_is_a_timed_reservation_of_an_address(
    database: Database, clock: SetClock
) -> None:
    """pitfalls.md: no timed reservation of a server or an address."""
    order = new_id()
    async with database.transaction() as tx:
        await lay_out(tx, prefix("10.0.0.0/32"))
        await ask(tx, order, expires_at=tx.now() + QUARTER)
    clock.advance(minutes=15)
    async with database.transaction() as tx:
        assert await expire(tx) == 1
        assert f"order:{order}" in tx.topics
        assert await expire(tx) == 0
        assert await addresses_of(tx, order) == Claimed()
        assert texts(await ask(tx, new_id())) == ["10.0.0.0"]


async def test_a_late_release_does_not_take_back_what_another_order_has(tx: Tx) -> None:
    """ABA: the address went round to another order in between."""
    await lay_out(tx, prefix("10.0.0.0/32"))
    first, second = new_id(), new_id()
    await ask(tx, first)
    await release(tx, first)
    claimed = await ask(tx, second)
    await release(tx, first)
    assert await addresses_of(tx, second) == claimed


async def test_every_change_of_a_claim_is_counted(tx: Tx) -> None:
    await lay_out(tx, prefix())
    order = new_id()
    seen = []
    for step in (ask, assign, release):
        await step(tx, order)
        seen.append(
            await tx.fetchval("SELECT max(seq) FROM address_claim WHERE state <> 'reserved'")
        )
    assert seen == [1, 2, 3]


async def test_a_sweep_leaves_what_another_transaction_is_changing(
    database: Database, clock: SetClock
) -> None:
    orders: list[UUID] = [new_id(), new_id()]
    async with database.transaction() as tx:
        await lay_out(tx, prefix())
        for order in orders:
            await ask(tx, order, expires_at=tx.now() + QUARTER)
    clock.advance(minutes=20)
    async with database.transaction() as paying:
        await assign(paying, orders[0])
        async with database.snapshot() as sweep:
            assert await expire(sweep) == 1
    async with database.transaction() as tx:
        assert await expire(tx) == 0
        assert texts(await addresses_of(tx, orders[0])) == ["10.0.0.1"]
        assert await addresses_of(tx, orders[1]) == Claimed()


@pytest.mark.parametrize("times", [1, 3])
async def test_releasing_nothing_does_nothing(tx: Tx, times: int) -> None:
    await lay_out(tx, prefix())
    await outbox(tx)
    for _ in range(times):
        await release(tx, new_id())
        assert await assign(tx, new_id()) == 0
    assert await outbox(tx) == []
