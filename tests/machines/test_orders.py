"""Orders of virtual machines hold addresses and no server, and the catalogue keeps them apart."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from msgspec.structs import replace

from app.cli.import_ import ProviderFile, register_provider
from app.core.clock import SetClock
from app.core.database import Database, Tx
from app.core.errors import Invalid
from app.core.secrets import Vault
from app.domain.billing.refund import refund_order
from app.domain.catalog.find import find_product
from app.domain.catalog.register import register_catalog
from app.domain.catalog.seed import CatalogSeed, CategorySeed, OptionGroupSeed, OptionSeed
from app.domain.catalog.stock import stock_at, stock_of_products
from app.domain.connections.errors import ConnectionHasMachines
from app.domain.connections.find import id_of
from app.domain.connections.remove import remove_connection
from app.domain.machines.choose import Chosen
from app.domain.machines.plan import forget_plan, planned_machine, promised, write_plan
from app.domain.orders.errors import MachineIsVirtual, OrderAtWork, OutOfStock
from app.domain.orders.expire import expire_order_holds
from app.domain.orders.explain import explain_order
from app.domain.orders.find import find_order
from app.domain.orders.hold import renew_hold
from app.domain.orders.mark_provisioning import mark_provisioning
from app.domain.orders.outlook import outlooks
from app.domain.orders.states import OrderState
from app.domain.orders.wait_for_stock import wait_for_stock
from app.domain.orders.waiting import waiting_orders
from app.domain.orders.what_if import sell
from app.domain.services.open import open_service
from app.flows.shipped import serve_categories
from tests.catalog.shop import DEBIAN, SERVER
from tests.machines.world import (
    MACHINE,
    PLACE,
    RULES,
    a_cluster,
    a_machine_order,
    a_machine_shop,
    a_site,
    pay,
)
from tests.orders.world import a_client, machines

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "virtual-servers.json"
REASON = {"actor": None, "actor_label": "test", "reason": "test"}


async def held(tx: Tx, order: UUID) -> list[str]:
    """Return what the order has: `server`, and the states of its addresses."""
    rows = await tx.fetch("SELECT state FROM address_claim WHERE holder = $1", order)
    servers = await tx.fetch("SELECT 'server' AS state FROM server WHERE holder = $1", order)
    return [row["state"] for row in (*servers, *rows) if row["state"] != "quarantined"]


async def test_an_order_holds_addresses_alone(database: Database, vault: Vault) -> None:
    async with database.transaction() as tx:
        await machines(tx, 2)  # servers that fit any rules
        await a_machine_shop(tx, vault)
        client = await a_client(tx)
        order = await a_machine_order(tx, client, extra_ipv4="2")
        assert await held(tx, order.id) == ["held"] * 3
        assert order.server_name is None
        await pay(tx, order)
        assert await held(tx, order.id) == ["assigned"] * 3
        paid = await find_order(tx, order.id)
        assert (paid.state, paid.state_reason) == (OrderState.paid, "")
        with pytest.raises(MachineIsVirtual):
            await explain_order(tx, order.id)


async def test_an_expired_hold_is_renewed_or_paid_late(
    database: Database, vault: Vault, clock: SetClock
) -> None:
    async with database.transaction() as tx:
        await a_machine_shop(tx, vault)
        client = await a_client(tx)
        one, other = [await a_machine_order(tx, client) for _ in range(2)]
    clock.advance(minutes=16)
    async with database.transaction() as tx:
        assert set(await expire_order_holds(tx)) == {one.id, other.id}
        assert await held(tx, one.id) == []
        assert await renew_hold(tx, one.id, hold_for=timedelta(minutes=15)) is not None
        assert await held(tx, one.id) == ["held"]
        await pay(tx, other)
        late = await find_order(tx, other.id)
        assert (late.state, "expired" in late.state_reason) == (OrderState.paid, True)


async def test_the_client_chooses_the_place_and_another_serves_when_it_has_no_addresses(
    database: Database, vault: Vault
) -> None:
    there = replace(PLACE, datacentre="ams1", rack="")
    asked = OptionGroupSeed(
        code="datacentre",
        name="Place",
        options=(OptionSeed(code="fra1", name="F"), OptionSeed(code="par1", name="P")),
    )
    async with database.transaction() as tx:
        await a_cluster(tx, vault)
        await a_site(tx, "fra1", "198.51.100.0/30")
        await a_site(tx, "ams1", "203.0.113.0/30")
        await a_site(tx, "par1", "203.0.113.64/30")
        product = replace(
            MACHINE,
            machine_rules=replace(RULES, places=(PLACE, there)),
            groups=(*MACHINE.groups, asked),
        )
        virtual = CategorySeed(slug="v", name="V", products=(product,))
        await register_catalog(tx, CatalogSeed(categories=(virtual,)))
        client = await a_client(tx)
        found = await find_product(tx, "vm-1")
        sites = await stock_at(tx, [found], ["fra1", "ams1", "par1"])
        assert {site: number for (_, site), number in sites.items()} == {
            "": 2, "fra1": 1, "ams1": 1,
        }  # fmt: skip
        for network in ("198.51.100", "203.0.113"):
            order = await a_machine_order(tx, client)
            address = await tx.fetchval(
                "SELECT host(x.network) FROM address_claim c JOIN prefix x ON x.id = c.scope "
                "WHERE c.holder = $1",
                order.id,
            )
            assert address.startswith(network)
    for choice in ("fra1", "par1", ""):  # full, not a place of the product's, all full
        with pytest.raises(OutOfStock):
            async with database.transaction() as tx:
                await a_machine_order(tx, client, datacentre=choice)


async def test_stock_is_counted_in_addresses(database: Database, vault: Vault) -> None:
    async with database.transaction() as tx:
        await machines(tx, 2)
        await a_machine_shop(tx, vault)
        product = await find_product(tx, "vm-1")
        assert await stock_of_products(tx) == {product.id: 253}
        (told,) = await outlooks(tx)
        assert (told.servers, told.ip4) == (253, 253)
        assert (await sell(tx, "vm-1", 253)).is_possible
        short = await sell(tx, "vm-1", 254)
        assert (short.possible, short.binds) == (253, ("addresses",))


async def test_one_that_waits_for_room_keeps_no_server_from_others(
    database: Database, vault: Vault
) -> None:
    async with database.transaction() as tx:
        await machines(tx, 1)
        await a_machine_shop(tx, vault)
        order = await a_machine_order(tx, await a_client(tx))
        await pay(tx, order)
        await wait_for_stock(tx, order.id, explanation="no room")
        assert await waiting_orders(tx) == ()


async def test_a_plan_is_kept_promised_and_in_the_way_of_a_refund(
    database: Database, vault: Vault
) -> None:
    async with database.transaction() as tx:
        await a_machine_shop(tx, vault)
        order = await a_machine_order(tx, await a_client(tx))
        await pay(tx, order)
        await mark_provisioning(tx, order.id)
        service = await open_service(tx, order.id)
        first = await write_plan(tx, service, Chosen(PLACE, "pve1"), RULES.size, "debian-12")
        again = await write_plan(tx, service, Chosen(PLACE, "pve2"), RULES.size, "debian-12")
        assert first == again == await planned_machine(tx, service)
        assert (await promised(tx, ["pve"]))["pve", "pve1"].memory_mb == 512
        assert await promised(tx, ["other"]) == {}
        with pytest.raises(OrderAtWork):
            await refund_order(tx, order.id, **REASON)
        with pytest.raises(ConnectionHasMachines, match="machines of services"):
            await remove_connection(tx, await id_of(tx, "pve"), actor=None, actor_label="test")
        await forget_plan(tx, service)
        with pytest.raises(ConnectionHasMachines, match="VM-1"):
            await remove_connection(tx, await id_of(tx, "pve"), actor=None, actor_label="test")
        await refund_order(tx, order.id, **REASON)
        assert await held(tx, order.id) == []


async def test_the_catalogue_keeps_servers_and_machines_apart(
    database: Database, vault: Vault
) -> None:
    async def refused(*products: object, slug: str = "virtual") -> dict[str, str]:
        category = CategorySeed(slug=slug, name="V", products=products)  # type: ignore[arg-type]
        with pytest.raises(Invalid) as raised:
            async with database.transaction() as tx:
                await register_catalog(tx, CatalogSeed(categories=(category,)))
        return raised.value.fields

    nowhere = replace(RULES, places=(replace(PLACE, rack="r9"), replace(PLACE, datacentre="x")))
    assert await refused(replace(MACHINE, machine_rules=nowhere)) == {
        "places.0.connection": "There is no connection pve; add it under Connections.",
        "places.0.datacentre": "There is no datacentre fra1.",
        "places.1.connection": "There is no connection pve; add it under Connections.",
        "places.1.datacentre": "There is no datacentre x.",
    }
    with_panel = replace(
        MACHINE,
        groups=(
            *MACHINE.groups,
            OptionGroupSeed(
                code="panel", name="P", options=(OptionSeed(code="c", name="C", post_install="x"),)
            ),
        ),
    )
    assert "post_install" in (await refused(with_panel))["groups.panel"]
    few = replace(MACHINE, machine_rules=replace(RULES, templates={"debian-12": "d"}))
    assert "ubuntu-24.04" in (await refused(few))["machine_rules.templates"]
    async with database.transaction() as tx:
        await a_machine_shop(tx, vault)
        await a_machine_order(tx, await a_client(tx))
    assert "new name" in (await refused(replace(SERVER, slug="vm-1")))["machine_rules"]
    assert "of their own" in (await refused(SERVER))["category"]


async def test_the_example_of_the_docs_is_imported(database: Database, vault: Vault) -> None:
    provider = msgspec.json.decode(EXAMPLE.read_bytes(), type=ProviderFile)
    async with database.transaction() as tx:
        await a_cluster(tx, vault, name="ams-pve")
        await a_site(tx, "ams1")
        await register_provider(tx, vault, provider)
        product = await find_product(tx, "cloud-s")
        assert await stock_of_products(tx) == {product.id: 253}
        flow = await tx.fetchval(
            "SELECT f.slug FROM flow_binding b JOIN flow f ON f.id = b.flow "
            "WHERE b.category = $1 AND b.trigger = 'order.paid'",
            product.category_id,
        )
    assert flow == "vps-proxmox"


async def test_shipped_flows_serve_each_kind_of_category(database: Database, vault: Vault) -> None:
    async with database.transaction() as tx:
        await a_machine_shop(tx, vault)
        servers = CategorySeed(slug="dedicated", name="D", products=(SERVER,))
        await register_catalog(tx, CatalogSeed(categories=(servers,), os_images=(DEBIAN,)))
        await serve_categories(tx)
        await serve_categories(tx)
        rows = await tx.fetch(
            "SELECT c.slug, f.slug AS flow FROM flow_binding b JOIN category c ON c.id = b.category "
            "JOIN flow f ON f.id = b.flow WHERE b.trigger IN ('order.paid', 'service.terminated') "
            "ORDER BY 1, 2"
        )
    assert [tuple(row) for row in rows] == [
        ("dedicated", "dedicated-server"),
        ("dedicated", "server-terminated"),
        ("virtual", "vps-proxmox"),
        ("virtual", "vps-terminated"),
    ]
