"""The demo's places are called the same wherever a client sees them."""

from app.cli.demo.catalogue import demo_catalogue
from lab.fleet import DATACENTRES


def test_a_datacentre_that_is_ordered_is_named_as_the_town_that_the_stock_names() -> None:
    towns = {site.code: site.city for site in DATACENTRES}
    (category,) = demo_catalogue("http://127.0.0.1").categories
    groups = [group for product in category.products for group in product.groups]
    offered = [one for group in groups if group.code == "datacentre" for one in group.options]
    assert offered
    assert {one.code: one.name for one in offered} == towns
