"""What is kept for a client is taken by its orders alone, until the time is over."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.core.clock import SetClock
from app.core.database import Database, Tx
from app.core.errors import Invalid, NotFound
from app.core.ids import new_id
from app.domain.addresses.claim import PoolExhausted
from app.domain.addresses.errors import AlreadyKept, InUse
from app.domain.addresses.keep import end_reservations, keep, let_go, reservations_in
from tests.addresses.site import V6, WHOLE, ask, lay_out, prefix, texts, vlans
from tests.inventory.hall import an_order

NET = "10.0.0.0/29"
STAFF: dict[str, Any] = {"actor": None, "actor_label": "staff"}


async def kept(tx: Tx, scope: UUID, what: str = "10.0.0.1-10.0.0.4", **facts: Any) -> UUID:
    defaults = {"client": None, "purpose": "lab", "reason": "by contract", "expires_at": None}
    return await keep(tx, scope, what, **defaults | facts, **STAFF)


async def test_only_orders_of_the_client_take_from_what_is_kept(
    database: Database, clock: SetClock
) -> None:
    async with database.transaction() as tx:
        scope = (await lay_out(tx, prefix(NET)))[NET]
        order = await an_order(tx)
        client = await tx.fetchval("SELECT account FROM client_order WHERE id = $1", order)
        await kept(tx, scope, client=client, expires_at=clock.now() + timedelta(hours=1))
        assert [texts(await ask(tx, new_id())) for _ in range(2)] == [["10.0.0.5"], ["10.0.0.6"]]
        with pytest.raises(PoolExhausted, match="with 0 free"):
            await ask(tx, await an_order(tx))
        assert texts(await ask(tx, order)) == ["10.0.0.1"]
        assert await end_reservations(tx) == 0
    clock.advance(hours=1)
    async with database.transaction() as tx:
        assert await reservations_in(tx, scope) == ()
        # Its time is over, whether or not the sweep has been.
        assert texts(await ask(tx, new_id())) == ["10.0.0.2"]
        assert (await end_reservations(tx), await end_reservations(tx)) == (1, 0)


async def test_whole_prefixes_are_kept_as_one_row_and_let_go(tx: Tx) -> None:
    ids = await lay_out(tx, prefix(), prefix("2001:db8::/32"), groups=[vlans()])
    reservation = await kept(tx, ids["2001:db8::/32"], "2001:db8::/32")
    [view] = await reservations_in(tx, ids["2001:db8::/32"])
    assert (view.first, view.last) == ("2001:db8::/64", "2001:db8:ffff:ffff::/64")
    with pytest.raises(PoolExhausted):
        await ask(tx, new_id(), WHOLE)
    await let_go(tx, reservation, **STAFF)
    assert (await ask(tx, new_id(), WHOLE)).ip6
    with pytest.raises(NotFound):
        await let_go(tx, reservation, **STAFF)
    actions = await tx.fetch("SELECT action FROM audit_entry ORDER BY id")
    assert [row[0] for row in actions] == ["addresses.keep", "addresses.let_go"]


async def test_keeping_ends_what_is_over_and_wakes_who_waits_for_it(
    database: Database, clock: SetClock
) -> None:
    async with database.transaction() as tx:
        scope = (await lay_out(tx, prefix(NET)))[NET]
        over = await kept(tx, scope, expires_at=clock.now() + timedelta(hours=1))
    clock.advance(hours=1)
    async with database.transaction() as tx:
        await kept(tx, scope, "10.0.0.1")
        keys = await tx.fetch("SELECT key FROM outbox WHERE key LIKE '%' || $1::text", str(over))
    assert [row["key"] for row in keys] == [f"stock.appeared:prefix:{scope}:kept:{over}"]


async def test_what_cannot_be_kept_is_refused_with_the_reason(tx: Tx) -> None:
    ids = await lay_out(tx, prefix(NET), prefix(V6))
    scope = ids[NET]
    await ask(tx, new_id())
    with pytest.raises(InUse) as caught:
        await kept(tx, scope)
    assert caught.value.addresses == ("10.0.0.1",)
    await kept(tx, scope, "10.0.0.4")
    with pytest.raises(AlreadyKept):
        await kept(tx, scope, "10.0.0.4/31")
    for facts, field in (
        ({"what": "10.0.0.8"}, "address"),
        ({"purpose": ""}, "client"),
        ({"reason": " "}, "reason"),
        ({"expires_at": tx.now()}, "expires_at"),
    ):
        with pytest.raises(Invalid) as invalid:
            await kept(tx, scope, **facts)
        assert list(invalid.value.fields) == [field]
    with pytest.raises(NotFound):
        await kept(tx, new_id())
