"""The tree with its gaps, and a prefix as a map, at every size."""

from datetime import timedelta

import pytest

from app.core.clock import SetClock
from app.core.database import Database, Tx
from app.domain.addresses.by_hand import HandClaim, claim_address
from app.domain.addresses.find import find_prefix, leaf_of
from app.domain.addresses.keep import keep, list_reservations
from app.domain.addresses.leaves import free_texts
from app.domain.addresses.map import address_map
from app.domain.addresses.register import register_vrf
from app.domain.addresses.search import search_claims
from app.domain.addresses.seed import VrfSeed
from app.domain.addresses.states import ClaimState, PrefixStatus
from app.domain.addresses.tree import Gap, TreeLine, free_in, parts_of, prefix_tree
from tests.addresses.site import ask, lay_out, prefix, texts
from tests.addresses.test_by_hand import MONITORING, STAFF
from tests.inventory.hall import an_order, furnish

CONTAINER = PrefixStatus.container


def said(line: TreeLine) -> str:
    what = line.what
    text = f"{what.first}-{what.last}" if isinstance(what, Gap) else str(what.network)
    return "  " * line.depth + text


async def test_the_tree_shows_each_prefix_below_its_container_and_the_gaps(tx: Tx) -> None:
    await furnish(tx)
    await register_vrf(tx, VrfSeed(name="mgmt"))
    ids = await lay_out(
        tx,
        prefix("10.0.0.0/16", status=CONTAINER),
        prefix("10.0.4.0/22", status=CONTAINER),
        prefix("10.0.4.0/24"),
        prefix("10.0.6.0/23", purpose="extra"),
        prefix("2001:db8::/32", status=CONTAINER),
        prefix("2001:db8::/48"),
        prefix("10.0.0.0/24", vrf="mgmt"),
    )
    page = await prefix_tree(tx)
    assert [said(line) for line in page.items] == [
        "10.0.0.0/16",
        "  10.0.0.0-10.0.3.255",
        "  10.0.4.0/22",
        "    10.0.4.0/24",
        "    10.0.5.0-10.0.5.255",
        "    10.0.6.0/23",
        "  10.0.8.0-10.0.255.255",
        "2001:db8::/32",
        "  2001:db8::/48",
        "  2001:db8:1::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
        "10.0.0.0/24",
    ]
    assert (page.total, page.items[0].covered, page.items[2].covered) == (7, 3 / 256, 0.75)
    gap = page.items[6].what
    assert isinstance(gap, Gap)
    assert gap.largest == "10.0.128.0/17"
    found = await prefix_tree(tx, search="extra")
    assert [said(line) for line in found.items] == ["10.0.6.0/23"]
    assert [said(line) for line in (await prefix_tree(tx, vrf="mgmt")).items] == ["10.0.0.0/24"]
    direct = await parts_of(tx, await find_prefix(tx, ids["10.0.0.0/16"]))
    assert [said(line).strip() for line in direct] == [
        "10.0.0.0-10.0.3.255", "10.0.4.0/22", "10.0.8.0-10.0.255.255",
    ]  # fmt: skip
    assert list(map(str, await free_in(tx, ids["10.0.4.0/22"]))) == ["10.0.5.0/24"]
    assert await leaf_of(tx, "10.0.4.9") == ids["10.0.4.0/24"]
    assert await leaf_of(tx, "10.0.0.9", vrf="mgmt") == ids["10.0.0.0/24"]


@pytest.mark.parametrize(
    ("network", "grids", "cells", "opened"),
    [
        ("10.0.0.0/29", [], 8, "10.0.0.5"),
        ("10.0.0.0/24", [], 256, "10.0.0.5"),
        ("10.0.0.0/22", [4], 256, "10.0.2.5"),
        ("10.0.0.0/16", [256], 256, "10.0.200.5"),
        ("10.0.0.0/15", [2, 256], 256, "10.1.200.5"),
        ("10.0.0.0/8", [256, 256], 256, "10.9.200.5"),
        ("2001:db8::/64", [], 1, "2001:db8::/64"),
        ("2001:db8::/48", [256], 256, "2001:db8:0:a700::/64"),
        ("2001:db8::/32", [256, 256, 256], 256, "2001:db8:9:a7ff::/64"),
    ],
    ids=lambda value: value if isinstance(value, str) else str(value),
)
async def test_a_map_opens_down_to_the_address(
    tx: Tx, network: str, grids: list[int], cells: int, opened: str
) -> None:
    scope = (await lay_out(tx, prefix(network)))[network]
    view = await find_prefix(tx, scope)
    await claim_address(tx, scope, opened, MONITORING, **STAFF)
    position = await tx.fetchval("SELECT position FROM address_claim WHERE reason <> ''")
    shown = await address_map(tx, view, at=position)
    assert [len(grid) for grid in shown.grids] == grids
    assert len(shown.cells) == cells
    [cell] = [cell for cell in shown.cells if cell.position == position]
    assert cell.text == opened
    assert cell.claim is not None
    assert (cell.claim.reason, cell.claim.is_by_hand) == ("monitoring", True)
    for grid in shown.grids:
        [block] = [block for block in grid if block.is_open]
        assert block.at <= position < block.at + block.size
        assert block.taken[ClaimState.reserved] >= 1
    assert (await address_map(tx, view, at=-7)).at == 0
    # Not asked for a place, it shows what there is first.
    assert cell in (await address_map(tx, view)).cells
    await tx.execute("DELETE FROM address_claim WHERE reason <> ''")
    assert (await address_map(tx, view)).at == 0


async def test_what_is_kept_is_not_free_wherever_it_is_counted(
    database: Database, clock: SetClock
) -> None:
    """A claim inside of what is kept counts once, as taken; what is over counts no more."""
    async with database.transaction() as tx:
        ids = await lay_out(tx, prefix("10.0.0.0/22"), prefix("2001:db8::/48"))
        order = await an_order(tx)
        client = await tx.fetchval("SELECT account FROM client_order WHERE id = $1", order)
        terms = {"reason": "by contract", "expires_at": clock.now() + timedelta(hours=1)}
        scope, six = ids["10.0.0.0/22"], ids["2001:db8::/48"]
        await keep(tx, scope, "10.0.0.8-10.0.2.7", client=client, **terms, **STAFF)
        await keep(tx, six, "2001:db8::/50", client=None, purpose="lab", **terms, **STAFF)
        assert texts(await ask(tx, order)) == ["10.0.0.8"]
    async with database.snapshot() as tx:
        view = await find_prefix(tx, scope)
        assert (view.kept, view.held, view.reserved, view.free) == (511, 1, 2, 510)
        assert (view.usable, view.utilisation) == (1022, 512 / 1022)
        [in_tree, _] = [line.what for line in (await prefix_tree(tx)).items]
        assert in_tree == view
        [blocks] = (await address_map(tx, view)).grids
        assert [(block.kept, block.taken.total()) for block in blocks] == [
            (247, 2), (256, 0), (8, 0), (0, 1),
        ]  # fmt: skip
        assert (await find_prefix(tx, six)).kept == 1 << 14
        [coarse] = (await address_map(tx, await find_prefix(tx, six))).grids
        assert sum(block.kept for block in coarse) == 1 << 14
        _, free = await free_texts(tx, scope, 1_000)
        assert len(free) == view.free
    clock.advance(hours=1)
    async with database.snapshot() as tx:
        view = await find_prefix(tx, scope)
        assert (view.kept, view.free) == (0, 1021)


async def test_what_is_kept_shows_on_the_map_and_is_found_by_words(tx: Tx) -> None:
    scope = (await lay_out(tx, prefix("10.0.0.0/29")))["10.0.0.0/29"]
    terms = {"client": None, "purpose": "lab", "reason": "by contract", "expires_at": None}
    await keep(tx, scope, "10.0.0.2-10.0.0.3", **terms, **STAFF)
    shown = await address_map(tx, await find_prefix(tx, scope))
    assert [cell.label for cell in shown.cells if cell.kept == "lab"] == ["2", "3"]
    (found,) = (await list_reservations(tx, search="contract")).items
    assert (found.what, found.network) == ("10.0.0.2/31", "10.0.0.0/29")
    assert (await list_reservations(tx, search="other")).total == 0
    await claim_address(tx, scope, "10.0.0.5", HandClaim(reason="the router's twin"), **STAFF)
    (claim,) = (await search_claims(tx, "twin")).items
    assert claim.text == "10.0.0.5"
    assert claim.scope == scope
