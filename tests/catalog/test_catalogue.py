"""The catalogue: written once or again, read whole."""

from uuid import UUID

import pytest
from msgspec.structs import replace

from app.core.database import Tx
from app.core.errors import Invalid, NotFound
from app.domain.catalog.cycle import Cycle
from app.domain.catalog.find import (
    find_os_image,
    find_product,
    list_categories,
    list_currencies,
    list_os_images,
    list_products,
    product_by_id,
)
from app.domain.catalog.register import (
    product_faults,
    register_catalog,
    register_os_image,
    register_product,
)
from app.domain.catalog.seed import CategorySeed, OptionGroupSeed, OptionSeed
from app.domain.catalog.stock import stock_of_products
from app.domain.catalog.views import OptionKind
from app.solver.want import ServerWant
from tests.catalog.shop import DEBIAN, SERVER, SHOP, eur, viewed, without_ids
from tests.orders.world import machines


async def test_a_product_comes_back_whole(tx: Tx) -> None:
    ids = await register_catalog(tx, SHOP)
    product = await find_product(tx, "ax-32")
    assert product == await product_by_id(tx, ids["ax-32"])
    assert without_ids(product) == viewed(SERVER)
    assert len({product.id, product.category_id, *(group.id for group in product.groups)}) == 8
    assert product.currencies == ("EUR", "USD")
    assert product.cycles("EUR") == (Cycle.monthly, Cycle.yearly)
    extra = product.group("extra_ipv4")
    assert extra is not None
    price = extra.options[0].price("EUR", Cycle.yearly)
    assert price is not None
    assert (price.recurring_minor, price.setup_minor) == (1_600, 500)
    assert extra.options[0].price("USD", Cycle.monthly) is None


async def test_registering_again_changes_nothing(tx: Tx) -> None:
    ids = await register_catalog(tx, SHOP)
    assert await register_catalog(tx, SHOP) == ids
    assert len(await list_products(tx)) == 1
    assert len(await list_os_images(tx)) == 1
    assert await tx.fetchval("SELECT count(*) FROM product_price") == len(SERVER.prices)


async def test_a_product_named_again_is_brought_to_what_is_said(tx: Tx) -> None:
    await register_catalog(tx, SHOP)
    lean = replace(SERVER, name="AX-32 v2", groups=SERVER.groups[:1], prices=(eur(3_900),))
    home = (await find_product(tx, "ax-32")).category_id
    await register_product(tx, home, lean)
    product = await find_product(tx, "ax-32")
    assert product.name == "AX-32 v2"
    assert [group.code for group in product.groups] == ["os"]
    assert [price.recurring_minor for price in product.prices] == [3_900]
    assert await tx.fetchval("SELECT count(*) FROM option_price") == 0


async def test_the_list_shows_the_lowest_price_by_the_month(tx: Tx) -> None:
    await register_catalog(tx, SHOP)
    (category,) = await list_categories(tx, currency="EUR")
    lowest = category.products[0].lowest
    assert lowest is not None
    assert lowest.cycle is Cycle.yearly  # 529.00 a year are less than 12 times 49.00
    assert lowest.per_month_minor == 4_409
    (in_pounds,) = await list_categories(tx, currency="GBP")
    assert in_pounds.products[0].lowest is None
    assert await list_currencies(tx) == ("EUR", "USD")


async def test_what_is_hidden_is_not_sold(tx: Tx) -> None:
    hidden = replace(SERVER, is_visible=False)
    seed = replace(SHOP, categories=(CategorySeed(slug="d", name="D", products=(hidden,)),))
    await register_catalog(tx, seed)
    with pytest.raises(NotFound):
        await find_product(tx, "ax-32")
    assert (await find_product(tx, "ax-32", hidden=True)).slug == "ax-32"
    assert await list_categories(tx, currency="EUR") == ()
    assert await list_products(tx) == ()
    assert len(await list_categories(tx, currency="EUR", hidden=True)) == 1


async def test_a_system_that_is_switched_off_is_not_offered(tx: Tx) -> None:
    await register_catalog(tx, SHOP)
    await register_os_image(tx, replace(DEBIAN, is_enabled=False))
    systems = (await find_product(tx, "ax-32")).group("os")
    assert systems is not None
    assert [option.code for option in systems.options] == ["ubuntu-24.04"]
    assert (await find_os_image(tx, "debian-12")).is_enabled is False
    with pytest.raises(NotFound):
        await find_os_image(tx, "plan9")
    with pytest.raises(Invalid):
        await register_os_image(tx, replace(DEBIAN, family="plan9"))


async def test_unknown_products_are_not_found(tx: Tx) -> None:
    with pytest.raises(NotFound):
        await find_product(tx, "nothing")
    with pytest.raises(NotFound):
        await product_by_id(tx, UUID(int=1))


def _group(**change: object) -> OptionGroupSeed:
    one = OptionGroupSeed(code="x", name="X", options=(OptionSeed(code="a", name="A"),))
    return replace(one, **change)


@pytest.mark.parametrize(
    ("groups", "path"),
    [
        ((_group(), _group()), "groups.x"),
        ((_group(code="hostname"),), "groups.hostname"),
        ((_group(code="os", kind=OptionKind.quantity),), "groups.os.kind"),
        ((_group(minimum=2, maximum=1),), "groups.x.minimum"),
        ((_group(options=()),), "groups.x.options"),
        ((_group(kind=OptionKind.quantity, options=()),), "groups.x.options"),
        ((_group(kind=OptionKind.ssh_keys),), "groups.x.options"),
        ((_group(options=(OptionSeed(code="a", name="A"),) * 2),), "groups.x.options.a"),
        (
            (_group(options=(OptionSeed(code="a", name="A", prices=(eur(1), eur(2))),)),),
            "groups.x.options.a.prices.EUR.monthly",
        ),
    ],
)
def test_a_product_that_cannot_be_asked_for_has_faults(
    groups: tuple[OptionGroupSeed, ...], path: str
) -> None:
    assert set(dict(product_faults(replace(SERVER, groups=groups)))) == {path}


async def test_a_product_with_faults_is_not_written(tx: Tx) -> None:
    faulty = replace(SERVER, groups=(_group(code="hostname"),), prices=(eur(1), eur(2)))
    shop = replace(SHOP, categories=(CategorySeed(slug="d", name="D", products=(faulty,)),))
    with pytest.raises(Invalid) as refused:
        await register_catalog(tx, shop)
    assert set(refused.value.fields) == {"groups.hostname", "prices.EUR.monthly"}
    assert await list_products(tx, hidden=True) == ()


async def test_stock_is_counted_for_what_is_on_sale(tx: Tx) -> None:
    large = replace(SERVER, slug="ax-64", server_rules=ServerWant(ram_gb=64))
    hidden = replace(SERVER, slug="old", is_visible=False)
    products = (SERVER, large, hidden)
    shop = replace(SHOP, categories=(CategorySeed(slug="d", name="D", products=products),))
    ids = await register_catalog(tx, shop)
    await machines(tx, 3)
    assert await stock_of_products(tx) == {ids["ax-32"]: 3, ids["ax-64"]: 0}
    assert (await stock_of_products(tx, hidden=True))[ids["old"]] == 3
