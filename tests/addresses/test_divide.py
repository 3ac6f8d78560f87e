"""Splitting and merging lose no claim, and the history stays with the address."""

from ipaddress import ip_address

import pytest

from app.core.database import Database, Tx
from app.core.errors import Invalid, NotFound
from app.core.ids import new_id
from app.domain.addresses.assign import assign
from app.domain.addresses.divide import merge_prefixes, split_prefix
from app.domain.addresses.errors import CannotDivide, InUse
from app.domain.addresses.history import history_of
from app.domain.addresses.release import release
from app.domain.addresses.remove import remove_prefix
from app.ipam.wants import AddressKind, AddressWant
from tests.addresses.site import V4, V6, ask, ip4, lay_out, prefix, texts
from tests.inventory.hall import an_order

STAFF = {"actor": None, "actor_label": "staff"}


async def kept(tx: Tx) -> dict[str, str]:
    rows = await tx.fetch(
        "SELECT host(p.network::inet + c.position) AS text, c.purpose FROM address_claim c "
        "JOIN prefix p ON p.id = c.scope WHERE c.state = 'reserved'"
    )
    return {row["text"]: row["purpose"] for row in rows}


async def test_split_and_merged_again_everything_is_where_it_was(tx: Tx) -> None:
    space = prefix(gateway="10.0.0.1", reserved=("10.0.0.13",))
    ids = await lay_out(tx, space)
    before = await kept(tx)
    account = new_id()
    await tx.execute(
        "INSERT INTO address_reservation (id, prefix, first, last, purpose, reason, created_at) "
        "VALUES ($1, $2, 6, 9, 'lab', 'test', $3)",
        account,
        ids[V4],
        tx.now(),
    )
    orders = [new_id() for _ in range(4)]
    had = [texts(await ask(tx, order)) for order in orders]
    parts = await split_prefix(tx, ids[V4], 29, **STAFF)
    assert [texts(await ask(tx, order)) for order in orders] == had
    between = {"10.0.0.7": "broadcast", "10.0.0.8": "network"}
    assert await kept(tx) == before | between
    rows = await tx.fetch("SELECT prefix, first, last FROM address_reservation ORDER BY first DESC")
    assert [tuple(row) for row in rows] == [(parts[0], 6, 7), (parts[1], 0, 1)]
    whole = await merge_prefixes(tx, parts[::-1], **STAFF)
    assert [texts(await ask(tx, order)) for order in orders] == had
    assert await kept(tx) == before
    assert await tx.fetchval("SELECT array_agg(id) FROM prefix") == [whole]
    assert (
        await tx.fetchval("SELECT count(*) FROM address_reservation WHERE prefix = $1", whole) == 2
    )
    actions = await tx.fetch("SELECT action FROM audit_entry ORDER BY id")
    assert [row[0] for row in actions] == ["addresses.split", "addresses.merge"]
    await tx.execute("DELETE FROM address_reservation")
    # The two in the middle are handed out again.
    rest = {texts(await ask(tx, new_id()))[0] for _ in range(8)}
    assert {"10.0.0.7", "10.0.0.8"} <= rest


async def test_what_would_break_a_claim_is_refused_and_nothing_moves(database: Database) -> None:
    block = AddressWant(item="ip6net:primary", kind=AddressKind.ip6net, prefix_length=60)
    async with database.transaction() as tx:
        ids = await lay_out(tx, prefix("10.0.0.0/29"), prefix(V6), prefix("10.0.0.16/28"))
        for _ in range(4):
            await ask(tx, new_id())
        await ask(tx, new_id(), [block])
    rows = "SELECT scope, position, state, holder FROM address_claim ORDER BY id"
    async with database.snapshot() as tx:
        before = await tx.fetch(rows)
    for network, length, refusal in (
        ("10.0.0.0/29", 30, InUse),
        ("10.0.0.0/29", 29, Invalid),
        ("10.0.0.0/29", 33, Invalid),
    ):
        with pytest.raises(refusal):
            async with database.transaction() as tx:
                await split_prefix(tx, ids[network], length, **STAFF)
    async with database.transaction() as tx:
        halves = await split_prefix(tx, ids[V6], 56, **STAFF)
    with pytest.raises(CannotDivide, match="block larger"):
        async with database.transaction() as tx:
            await split_prefix(tx, halves[0], 62, **STAFF)
    with pytest.raises(CannotDivide, match="do not fill"):
        async with database.transaction() as tx:
            await merge_prefixes(tx, [ids["10.0.0.0/29"], ids["10.0.0.16/28"]], **STAFF)
    with pytest.raises(CannotDivide, match="container"):
        async with database.transaction() as tx:
            await split_prefix(tx, ids[V6], 57, **STAFF)
    async with database.snapshot() as tx:
        v4 = [row for row in await tx.fetch(rows) if row["scope"] in ids.values()]
    assert v4 == [row for row in before if row["scope"] != ids[V6]]


async def test_the_history_tells_who_had_an_address_when(database: Database) -> None:
    address = ip_address("10.0.0.1")
    async with database.transaction() as tx:
        ids = await lay_out(tx, prefix("10.0.0.0/29"))
        order = await an_order(tx)
        client = await tx.fetchval("SELECT account FROM client_order WHERE id = $1", order)
        assert texts(await ask(tx, order, [ip4()])) == [str(address)]
    async with database.transaction() as tx:
        await assign(tx, order)
        held_until = await tx.fetchval("SELECT clock_timestamp()")
    async with database.transaction() as tx:
        await split_prefix(tx, ids["10.0.0.0/29"], 30, **STAFF)
    async with database.transaction() as tx:
        await release(tx, order)
    async with database.snapshot() as tx:
        now = await tx.fetchval("SELECT clock_timestamp()")
        [then] = await history_of(tx, address, since=held_until, until=held_until)
        whole = await history_of(tx, address, since=held_until.replace(year=2000), until=now)
    assert (then.state, then.holder, then.client) == ("assigned", order, client)
    assert [tenure.state for tenure in whole] == ["held", "assigned", "quarantined"]
    assert [tenure.until for tenure in whole] == [whole[1].since, whole[2].since, None]
    assert whole[2].holder is None
    with pytest.raises(Exception, match="only ever added to"):
        async with database.transaction() as tx:
            await tx.execute("DELETE FROM address_event")


async def test_only_what_is_empty_is_removed(tx: Tx) -> None:
    ids = await lay_out(tx, prefix("10.0.0.0/29"))
    parts = await split_prefix(tx, ids["10.0.0.0/29"], 30, **STAFF)
    order = new_id()
    await ask(tx, order)
    for scope, standing in ((ids["10.0.0.0/29"], "2 parts"), (parts[0], "1 claims")):
        with pytest.raises(CannotDivide, match=standing):
            await remove_prefix(tx, scope, **STAFF)
    await release(tx, order)
    for scope in (*parts, ids["10.0.0.0/29"]):
        await remove_prefix(tx, scope, **STAFF)
    assert await tx.fetchval("SELECT count(*) FROM prefix") == 0
    assert await tx.fetchval("SELECT count(*) FROM address_claim") == 0
    with pytest.raises(NotFound):
        await remove_prefix(tx, parts[0], **STAFF)
