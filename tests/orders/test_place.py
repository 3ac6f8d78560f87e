"""Placing an order: everything held, priced and invoiced, or nothing at all."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from msgspec.structs import replace

from app.core.database import Database
from app.core.errors import Invalid, NotFound
from app.core.ids import new_id
from app.core.outbox import claim_due
from app.domain.addresses.find import addresses_of
from app.domain.billing.find import find_invoice
from app.domain.billing.tax import set_tax_rate
from app.domain.catalog.find import find_product
from app.domain.catalog.register import register_product
from app.domain.catalog.stock import stock_of_products
from app.domain.orders.errors import AccountDisabled, KeyReused, OutOfStock
from app.domain.orders.find import find_order
from app.domain.orders.place import OrderRequest, place
from app.domain.orders.states import OrderState
from app.domain.orders.views import OrderView
from tests.catalog.shop import SERVER, eur
from tests.catalog.test_selection import ED25519, public_text
from tests.orders.world import a_client, a_key, a_shop, an_order, machines, request, take_vlans

NOTHING_HELD = "SELECT count(*) FROM server WHERE state <> 'available'"


async def test_options_chosen_by_the_client_are_not_applied(database: Database) -> None:
    """Pitfall: Paymenter#812. All of them are held, priced, invoiced and kept."""
    async with database.transaction() as tx:
        await a_shop(tx)
        await set_tax_rate(tx, "DE", name="MwSt", rate_bp=1_900)
        account = await a_client(tx)
        key = await a_key(tx, account, ED25519)
        order = await an_order(
            tx, account, panel="cockpit", extra_ipv4="2", ssh_keys=[str(key)], backup="daily"
        )
        assert {f"order:{order.id}", "orders", "servers", "invoices"} <= tx.topics
    async with database.snapshot() as tx:
        assert await find_order(tx, order.id, account=account) == order
        addresses = await addresses_of(tx, order.id)
        assert order.invoice_id is not None
        invoice = await find_invoice(tx, order.invoice_id, account=account)
    assert order.state is OrderState.awaiting_payment
    assert order.is_unpaid
    assert (order.product_slug, order.hostname) == ("ax-32", "db1.example.org")
    assert (order.account_email, order.account_name) == ("client@example.org", "A client")
    assert order.hold_expires_at == order.placed_at + timedelta(minutes=15)
    assert order.server_name == "r1-1"
    assert order.selection.os == "debian-12"
    assert order.selection.panel == "cockpit"
    assert order.selection.choices == {"backup": "daily"}
    assert (order.selection.ssh_key_ids, order.selection.ssh_keys) == ((key,), (ED25519,))
    assert len(addresses.ip4) == 3
    assert len(addresses.ip6) == 1
    assert addresses.vlan is not None
    assert order.recurring_minor == 4_900 + 333 + 2 * 150 + 700
    assert [(line.description, line.amount_minor) for line in invoice.lines] == [
        ("AX-32", 4_900),
        ("AX-32: set-up", 1_000),
        ("System: Debian 12", 0),
        ("Panel: Cockpit", 333),
        ("Panel: Cockpit: set-up", 99),
        ("Extra IPv4: Address", 300),
        ("Extra IPv4: Address: set-up", 1_000),
        ("Backup: Daily", 700),
    ]
    assert invoice.subtotal_minor == sum(line.amount_minor for line in invoice.lines)
    assert invoice.tax_minor == 931 + 190 + 63 + 19 + 57 + 190 + 133
    assert invoice.total_minor == order.total_minor == invoice.subtotal_minor + invoice.tax_minor
    assert invoice.due_at == order.placed_at + timedelta(days=7)


async def test_a_form_sent_twice_makes_one_order(database: Database) -> None:
    async with database.transaction() as tx:
        await a_shop(tx, servers=3)
        account = await a_client(tx)
        wish = await request(tx, account, key="form-1")

    async def send() -> OrderView:
        async with database.transaction() as tx:
            return await place(tx, wish)

    orders = await asyncio.gather(*(send() for _ in range(4)))
    assert {order.id for order in (*orders, await send())} == {orders[0].id}
    async with database.snapshot() as tx:
        assert await tx.fetchval("SELECT count(*) FROM client_order") == 1
        assert await tx.fetchval(NOTHING_HELD) == 1


async def test_a_key_is_a_clients_own_and_for_one_wish(database: Database) -> None:
    async with database.transaction() as tx:
        await a_shop(tx, servers=3)
        account = await a_client(tx)
        wish = await request(tx, account, key="form-1")
        order = await place(tx, wish)
        other = replace(wish, account=await a_client(tx, "other@example.org"))
        assert (await place(tx, other)).id != order.id
        changed = replace(wish, selection=replace(wish.selection, hostname="db2.example.org"))
        with pytest.raises(KeyReused) as refused:
            await place(tx, changed)
    assert refused.value.number == order.number


async def test_a_form_sent_again_with_another_pasted_key_is_another_wish(
    database: Database,
) -> None:
    """The client would be told of an order that has the first key in it."""
    async with database.transaction() as tx:
        await a_shop(tx, servers=3)
        account = await a_client(tx)
        chosen = await a_key(tx, account, ED25519)
        other = public_text(ed25519.Ed25519PrivateKey.from_private_bytes(b"o" * 32))
        wish = await request(
            tx, account, key="form-1", ssh_keys=[str(chosen)], ssh_key=f"{other}\n{ED25519}"
        )
        order = await place(tx, wish)
        assert (await place(tx, wish)).id == order.id
        changed = replace(wish, selection=replace(wish.selection, ssh_keys=()))
        with pytest.raises(KeyReused):
            await place(tx, changed)


async def test_two_orders_claim_one_server_while_another_stands_idle(database: Database) -> None:
    """Pitfall: cluster-api-provider-tinkerbell#587."""
    placed = await placed_at_once(database, servers=6, orders=6)
    assert len({order.server_name for order in placed}) == 6


async def test_the_last_unit_is_sold_twice(database: Database) -> None:
    """Pitfall: FOSSBilling#4130. All but one are told before there is anything to pay."""
    (winner,) = await placed_at_once(database, servers=1, orders=6)
    assert winner.server_name == "r1-1"
    async with database.snapshot() as tx:
        assert await tx.fetchval("SELECT count(*) FROM client_order") == 1
        assert await tx.fetchval("SELECT count(*) FROM invoice") == 1
        assert await tx.fetchval("SELECT count(DISTINCT holder) FROM address_claim") == 1


async def placed_at_once(database: Database, *, servers: int, orders: int) -> list[OrderView]:
    async with database.transaction() as tx:
        await a_shop(tx, servers=servers)
        clients = [await a_client(tx, f"client{number}@example.org") for number in range(orders)]
        wishes = [await request(tx, client) for client in clients]

    async def send(wish: OrderRequest) -> OrderView | OutOfStock:
        try:
            async with database.transaction() as tx:
                return await place(tx, wish)
        except OutOfStock as refusal:
            return refusal

    answers = await asyncio.gather(*(send(wish) for wish in wishes))
    placed = [answer for answer in answers if isinstance(answer, OrderView)]
    assert len(placed) == min(servers, orders)
    return placed


async def test_no_server_that_fits_is_said_with_its_reason(database: Database) -> None:
    async with database.transaction() as tx:
        await a_shop(tx, servers=0)
        wish = await request(tx, await a_client(tx))
        with pytest.raises(OutOfStock) as refused:
            await place(tx, wish)
    assert "AX-32" in refused.value.message
    assert "Add servers" in refused.value.explanation


async def test_where_addresses_ran_out_the_next_place_is_taken(database: Database) -> None:
    async with database.transaction() as tx:
        await a_shop(tx, servers=0)
        await machines(tx, 1, rack="full", prefix="192.0.2.0/30")
        await machines(tx, 1, rack="roomy", prefix="198.51.100.0/26")
        account = await a_client(tx)
        order = await an_order(tx, account, extra_ipv4="4")
    assert order.server_name == "roomy-1"
    async with database.snapshot() as tx:
        assert await tx.fetchval(NOTHING_HELD) == 1
        assert len((await addresses_of(tx, order.id)).ip4) == 5


async def test_a_claim_that_fails_leaks_neither_server_nor_address(database: Database) -> None:
    """Pitfall: metal3 ip-address-manager#694."""
    async with database.transaction() as tx:
        await a_shop(tx, servers=0)
        await machines(tx, 2, prefix="192.0.2.0/30")
        wish = await request(tx, await a_client(tx), extra_ipv4="4")
    with pytest.raises(OutOfStock) as refused:
        async with database.transaction() as tx:
            await place(tx, wish)
    assert "IPv4" in refused.value.explanation
    async with database.snapshot() as tx:
        assert await tx.fetchval(NOTHING_HELD) == 0
        assert await tx.fetchval("SELECT count(*) FROM address_claim WHERE holder IS NOT NULL") == 0
        assert await tx.fetchval("SELECT count(*) FROM client_order") == 0


async def test_more_servers_without_addresses_than_are_tried(database: Database) -> None:
    async with database.transaction() as tx:
        await a_shop(tx, servers=0)
        await machines(tx, 6, prefix="192.0.2.0/30")
        wish = await request(tx, await a_client(tx), extra_ipv4="4")
    with pytest.raises(OutOfStock):
        async with database.transaction() as tx:
            await place(tx, wish)


async def test_a_server_is_sold_only_where_its_rack_has_a_vlan_left(database: Database) -> None:
    async with database.transaction() as tx:
        await a_shop(tx, servers=0)
        for number in range(6):
            rack = await machines(tx, 1, rack=f"r{number}", prefix=f"192.0.2.{number * 32}/27")
            await take_vlans(tx, rack, but=number == 4)
        first = await an_order(tx, await a_client(tx))
        assert first.server_name == "r4-1", "of more full racks than are tried one by one"
        assert await stock_of_products(tx) == {first.product_id: 0}
        wish = await request(tx, await a_client(tx, "second@example.org"))
        with pytest.raises(OutOfStock) as refused:
            await place(tx, wish)
    assert "A VLAN left in its rack" in refused.value.explanation


async def test_vlans_that_all_racks_share_are_no_racks_limit(database: Database) -> None:
    async with database.transaction() as tx:
        await a_shop(tx, servers=0)
        await take_vlans(tx, await machines(tx, 1))
        await tx.execute(
            "INSERT INTO vlan_group (id, name, datacentre) SELECT $1, 'all', id FROM datacentre",
            new_id(),
        )
        order = await an_order(tx, await a_client(tx))
        assert (await addresses_of(tx, order.id)).vlan is not None


async def test_another_clients_key_is_not_installed(database: Database) -> None:
    async with database.transaction() as tx:
        await a_shop(tx)
        account, other = await a_client(tx), await a_client(tx, "other@example.org")
        key = await a_key(tx, other, ED25519)
        with pytest.raises(Invalid) as refused:
            await an_order(tx, account, ssh_keys=[str(key)])
    assert set(refused.value.fields) == {"ssh_keys"}


async def test_a_key_pasted_and_chosen_is_installed_once(database: Database) -> None:
    async with database.transaction() as tx:
        await a_shop(tx)
        account = await a_client(tx)
        key = await a_key(tx, account, ED25519)
        order = await an_order(tx, account, ssh_keys=[str(key)], ssh_key=f"{ED25519} me")
    assert order.selection.ssh_keys == (ED25519,)


async def test_who_cannot_order_and_what_cannot_be_ordered(database: Database) -> None:
    async with database.transaction() as tx:
        await a_shop(tx)
        account = await a_client(tx)
        wish = await request(tx, account)
        for bad in (replace(wish, account=uuid4()), replace(wish, product="nothing")):
            with pytest.raises(NotFound):
                await place(tx, bad)
        stale = replace(wish, selection=replace(wish.selection, os="plan9"))
        with pytest.raises(Invalid) as refused:
            await place(tx, stale)
        assert set(refused.value.fields) == {"os"}
        await tx.execute("UPDATE account SET disabled_at = $2 WHERE id = $1", account, tx.now())
        with pytest.raises(AccountDisabled):
            await place(tx, wish)


async def test_an_order_that_costs_nothing_is_paid_at_once(database: Database) -> None:
    async with database.transaction() as tx:
        await a_shop(tx)
        home = (await find_product(tx, "ax-32")).category_id
        await register_product(tx, home, replace(SERVER, prices=(eur(0),)))
        order = await an_order(tx, await a_client(tx))
        assert (order.state, order.total_minor) == (OrderState.paid, 0)
        assert order.invoice_id is not None
        assert (await find_invoice(tx, order.invoice_id)).state == "paid"
        assert "order.paid" in [parcel.topic for parcel in await claim_due(tx)]


async def test_a_client_is_spread_over_racks(database: Database) -> None:
    async with database.transaction() as tx:
        await a_shop(tx, servers=0)
        await machines(tx, 3, rack="a", prefix="192.0.2.0/26")
        await machines(tx, 3, rack="b", prefix="198.51.100.0/26")
        home = (await find_product(tx, "ax-32")).category_id
        rules = replace(SERVER.server_rules, spread_racks=True)
        await register_product(tx, home, replace(SERVER, server_rules=rules))
        account = await a_client(tx)
        names = [(await an_order(tx, account)).server_name for _ in range(4)]
    assert sorted(name[0] for name in names if name) == ["a", "a", "b", "b"]
    assert names[0] is not None
    assert names[1] is not None
    assert names[0][0] != names[1][0]


async def test_an_order_is_its_clients_alone(database: Database) -> None:
    async with database.transaction() as tx:
        await a_shop(tx)
        order = await an_order(tx, await a_client(tx))
        with pytest.raises(NotFound):
            await find_order(tx, order.id, account=UUID(int=1))
