"""Why an order has its server, on a page; and another that a person chose for it."""

import re

import msgspec
import pytest

from app.domain.accounts.roles import Role
from app.domain.addresses.find import addresses_of
from app.domain.inventory.find import server_of
from app.domain.orders.explain import explain_order
from app.domain.orders.states import OrderState
from tests.admin.conftest import Enter
from tests.admin.stage import Stage
from tests.security.browser import Browser


def cell(page: str, server: object) -> list[str]:
    """Return passes and fails of one candidate, in the order of the rules."""
    row = page[page.index(f'id="candidate-{server}"') :]
    return re.findall(r'aria-label="(passes|fails)"', row[: row.index("</tr>")])


async def test_each_candidate_is_shown_against_each_rule(stage: Stage, owner: Browser) -> None:
    order = await stage.order()
    page = (await owner.get(f"/admin/orders/{order.id}/allocation")).text
    async with stage.database.snapshot() as tx:
        told = await explain_order(tx, order.id)
    rules = [
        rule.rule
        for rule in told.account.explanation.rules
        if rule.eliminated or not rule.rule.startswith("feed")
    ]
    assert {"datacentre", "cpu", "ram", "storage"} <= set(rules)
    for one in told.account.candidates:
        expected = ["fails" if rule in one.failed else "passes" for rule in rules]
        assert cell(page, one.server) == expected
    assert f"The best is {order.server_name}" in page
    for step in told.account.explanation.relaxations:
        assert step.text in page
    shown = (await owner.get(f"/admin/orders/{order.id}")).text
    assert f"/admin/orders/{order.id}/allocation" in shown


async def test_one_server_is_asked_about(stage: Stage, owner: Browser) -> None:
    order = await stage.order()
    here = f"/admin/orders/{order.id}/allocation"
    elsewhere = (await owner.get(f"{here}?server=fra1-b1-01")).text
    assert "fra1-b1-01 fails: In ams1" in elsewhere
    assert f"{here}/choose?server=fra1-b1-01" in elsewhere
    unknown = await owner.get(f"{here}?server=nobody")
    assert (unknown.status_code, "There is no server nobody." in unknown.text) == (422, True)
    assert (await owner.get(f"{here}/choose")).status_code == 404


async def test_another_server_is_chosen_with_a_reason_that_is_kept(
    stage: Stage, owner: Browser
) -> None:
    order = await stage.order()
    here = f"/admin/orders/{order.id}/allocation/choose?server=fra1-b1-01"
    asked = (await owner.get(here)).text
    assert "It does not fit" in asked
    assert "In ams1" in asked
    refused = await owner.send_form(here, here, {"reason": " "})
    assert refused.status_code == 422
    async with stage.database.snapshot() as tx:
        before = await addresses_of(tx, order.id)
    done = await owner.send_form(here, here, {"reason": "the client asked for Frankfurt"})
    assert (done.status_code, done.headers["location"]) == (303, f"/admin/orders/{order.id}")
    async with stage.database.snapshot() as tx:
        server = await server_of(tx, order.id)
        after = await addresses_of(tx, order.id)
        held = await tx.fetchval("SELECT count(*) FROM server WHERE holder = $1", order.id)
        written = await tx.fetchrow(
            "SELECT actor_label, reason, before, after FROM audit_entry "
            "WHERE action = 'order.server_chosen'"
        )
    assert server is not None
    assert (server.name, held) == ("fra1-b1-01", 1)
    assert server.hold_expires_at == order.hold_expires_at
    assert len(after.ip4) == len(before.ip4)
    assert after.ip4[0].address != before.ip4[0].address, "they belong to the place"
    assert written is not None
    assert written["actor_label"] == "owner@slipway.test"
    assert written["reason"] == "the client asked for Frankfurt"
    assert msgspec.json.decode(written["before"]) == {"server": order.server_name}
    chosen = msgspec.json.decode(written["after"])
    assert chosen["server"] == "fra1-b1-01"
    assert chosen["fails"][0] == "In ams1"
    again = await owner.send_form(here, here, {"reason": "once more"})
    assert (again.status_code, "is not in stock" in again.text) == (409, True)


async def test_the_run_of_one_that_waits_finds_what_was_chosen(
    stage: Stage, owner: Browser
) -> None:
    order, _ = await stage.without_stock()
    here = f"/admin/orders/{order.id}/allocation/choose?server=ams1-a1-02"
    done = await owner.send_form(here, here, {"reason": "it has to go out today"})
    assert done.status_code == 303
    async with stage.database.snapshot() as tx:
        server = await server_of(tx, order.id)
        woken = await tx.fetchval(
            "SELECT count(*) FROM outbox WHERE key LIKE 'stock.appeared:chosen:%'"
        )
    assert server is not None
    assert (server.name, woken) == ("ams1-a1-02", 1)


async def test_a_server_that_is_set_up_or_delivered_stays(stage: Stage, owner: Browser) -> None:
    working, _ = await stage.installing()
    delivered = await stage.delivered()
    waiting, _ = await stage.without_stock()
    asked = f"/admin/orders/{waiting.id}/allocation?server=fra1-b1-01"
    assert (await owner.get(asked)).text.count("/choose?") > 1
    for order in (working, delivered):
        told = f"/admin/orders/{order.id}/allocation"
        page = (await owner.get(f"{told}?server=fra1-b1-01")).text
        assert "/choose?" not in page
        assert "another server can be chosen only before its set-up begins" in page
        here = f"{told}/choose?server=fra1-b1-01"
        away = await owner.get(here)
        assert (away.status_code, away.headers["location"]) == (303, told)
        refused = await owner.send_form(told, here, {"reason": "why not"})
        assert refused.status_code == 409
        assert "before its set-up begins" in refused.text
        assert (await stage.read(order.id)).server_id == order.server_id
    assert (await stage.read(delivered.id)).state is OrderState.delivered


@pytest.mark.parametrize("role", [Role.FINANCE, Role.DESIGNER])
async def test_only_who_changes_orders_and_sees_servers_chooses(
    stage: Stage, enter: Enter, role: Role
) -> None:
    order = await stage.order()
    browser = await enter(role)
    here = f"/admin/orders/{order.id}/allocation"
    assert (await browser.get(f"{here}/choose?server=fra1-b1-01")).status_code == 403
    seen = await browser.get(here)
    assert seen.status_code == (200 if role is Role.DESIGNER else 403)
    assert "/choose?" not in seen.text
