"""The first page: what is on sale, what it costs, how many are there."""

import re

import pytest

from app.core.database import Database
from app.domain.accounts.views import AccountView
from tests.portal.world import ordered
from tests.security.browser import Browser


def card_of(page: str, slug: str) -> str:
    found = re.search(rf'<article[^>]*id="product-{slug}".*?</article>', page, re.DOTALL)
    assert found is not None
    return found[0]


async def test_a_visitor_sees_products_with_price_and_stock_by_city(visitor: Browser) -> None:
    answer = await visitor.get("/")
    assert answer.status_code == 200
    small = card_of(answer.text, "metal-s")
    assert "€59.00" in small
    assert "5 available" in small
    assert "3 in Amsterdam, 2 in Frankfurt" in small
    assert "Xeon E-2386G, 6 cores" in small
    assert "2 in Amsterdam" not in card_of(answer.text, "metal-m")
    assert "1 in Amsterdam, 1 in Frankfurt" in card_of(answer.text, "metal-m")


async def test_what_nobody_has_is_sold_out(visitor: Browser) -> None:
    large = card_of((await visitor.get("/")).text, "metal-l")
    assert "Sold out" in large
    assert "Amsterdam" not in large
    assert "Configure" not in large


@pytest.mark.parametrize(
    ("query", "price"),
    [
        ("currency=EUR&cycle=yearly", "€601.80"),
        ("currency=USD&cycle=monthly", "$64.90"),
        ("currency=USD&cycle=quarterly", "$184.96"),
        ("currency=XXX&cycle=hourly", "€59.00"),
        ("currency=&cycle=", "€59.00"),
    ],
)
async def test_the_view_chooses_the_prices_and_nonsense_is_the_default(
    visitor: Browser, query: str, price: str
) -> None:
    page = (await visitor.get(f"/?{query}")).text
    assert price in card_of(page, "metal-s")


async def test_the_live_region_and_the_links_keep_the_view(visitor: Browser) -> None:
    page = (await visitor.get("/?currency=USD&cycle=yearly")).text
    region = "/catalogue?currency=USD&amp;cycle=yearly"
    assert f'data-live-url="{region}"' in page
    assert "/products/metal-s?currency=USD&amp;cycle=yearly" in page
    fragment = (await visitor.get(region.replace("&amp;", "&"))).text
    assert fragment.startswith('<div id="catalogue"')
    assert fragment in page


async def test_a_sold_server_leaves_the_stock_of_every_product_it_served(
    visitor: Browser, database: Database, ada: AccountView
) -> None:
    async with database.transaction() as tx:
        await ordered(tx, ada, slug="metal-m", datacentre="ams1")
    page = (await visitor.get("/catalogue")).text
    assert "4 available" in card_of(page, "metal-s")
    assert "Only 1 left" in card_of(page, "metal-m")
    assert "1 in Frankfurt" in card_of(page, "metal-m")
