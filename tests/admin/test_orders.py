"""Orders: found, shown whole, and given up with the money right."""

from typing import Any
from uuid import UUID

import pytest

from app.domain.accounts.roles import Role
from app.domain.orders.states import OrderState
from app.domain.services.open import open_service
from tests.admin.conftest import Enter
from tests.admin.stage import Stage
from tests.security.browser import Browser
from tests.security.test_pages import errors_of

SCRIPT = "<script>alert(1)</script>"


async def test_an_empty_list_says_so(owner: Browser) -> None:
    page = (await owner.get("/admin/orders")).text
    assert "No orders yet" in page
    assert "Nothing matches" in (await owner.get("/admin/orders?q=nobody")).text


async def test_lists_are_filtered_by_their_address(stage: Stage, owner: Browser) -> None:
    unpaid = await stage.order(host="unpaid.example.org")
    done = await stage.delivered(host="done.example.org", client=1)
    moving, _ = await stage.installing(host="moving.example.org")

    async def hosts(query: str) -> set[str]:
        page = (await owner.get(f"/admin/orders{query}")).text
        return {one.hostname for one in (unpaid, done, moving) if one.hostname in page}

    assert await hosts("") == {unpaid.hostname, done.hostname, moving.hostname}
    assert await hosts("?view=unpaid") == {unpaid.hostname}
    assert await hosts("?view=in-flight") == {moving.hostname}
    assert await hosts("?view=nonsense&page=-3") == await hosts("")
    assert await hosts("?q=DONE") == {done.hostname}
    assert await hosts(f"?q=%23{moving.number}") == {moving.hostname}
    assert await hosts("?q=client2@") == {done.hostname}
    assert await hosts("?q=%25") == set()
    assert await hosts("?view=delivered&q=client1@") == set()


async def test_long_lists_have_pages_that_keep_the_filter(stage: Stage, owner: Browser) -> None:
    order = await stage.order(host="one.example.org")
    async with stage.database.transaction() as tx:
        await tx.execute(
            "INSERT INTO client_order (id, account, product, state, state_since, hostname, "
            "currency, cycle, selection, idempotency_key, placed_at) "
            "SELECT gen_random_uuid(), account, product, state, state_since, 'copy' || n, "
            "currency, cycle, selection, n::text, placed_at FROM client_order, "
            "generate_series(1, 60) n WHERE id = $1",
            order.id,
        )
    first = (await owner.get("/admin/orders?view=unpaid&q=copy")).text
    assert first.count('id="order-') == 50
    assert "/admin/orders?view=unpaid&amp;q=copy&amp;page=2" in first
    second = (await owner.get("/admin/orders?view=unpaid&q=copy&page=2")).text
    assert second.count('id="order-') == 10
    assert "60 in all" in second
    past = (await owner.get("/admin/orders?view=unpaid&q=copy&page=9")).text
    assert "Nothing on this page" in past


async def test_an_order_is_shown_with_everything_of_it(stage: Stage, owner: Browser) -> None:
    order = await stage.delivered(host="whole.example.org")
    page = (await owner.get(f"/admin/orders/{order.id}")).text
    for fact in (
        f"Order {order.number}",
        "client1@example.org",
        "Debian 12",
        str(order.server_name),
        "198.51.100.1",
        "203.0.113.1",
        "2001:db8:16:",
        f"Invoice {order.invoice_number}",
        f"/admin/services/{order.service_id}",
        "Access details mailed",
        "Transfer recorded",
    ):
        assert fact in page
    assert "Cancel" not in page
    region = (await owner.get(f"/admin/orders/{order.id}/now")).text
    assert region.startswith("<div")
    assert f'data-live="order:{order.id} invoice:{order.invoice_id} run:{order.run}"' in region


async def test_what_strangers_typed_is_text(stage: Stage, owner: Browser) -> None:
    order, run = await stage.halted(error=SCRIPT)
    async with stage.database.transaction() as tx:
        await tx.execute("UPDATE account SET name = $1", SCRIPT)
        await tx.execute("UPDATE client_order SET state_reason = $1", SCRIPT)
        await tx.execute("UPDATE server SET state_reason = $1", SCRIPT)
        await tx.execute(
            "INSERT INTO audit_entry (id, at, actor_label, action, subject_kind, subject, reason, "
            "after) VALUES (gen_random_uuid(), now(), $1, 'order.x', 'order', $2, $1, "
            "jsonb_build_object('name', $1::text))",
            SCRIPT,
            order.id,
        )
    for path in (
        "/admin",
        "/admin/orders",
        f"/admin/orders/{order.id}",
        f"/admin/orders/{order.id}/cancel",
        "/admin/runs",
        f"/admin/runs/{run}",
        "/admin/services",
        f"/admin/services/{order.service_id}",
        "/admin/servers",
        f"/admin/servers/{order.server_id}",
        "/admin/invoices",
        f"/admin/invoices/{order.invoice_id}",
        f"/admin/orders?q={SCRIPT}",
        "/admin/orders?view=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
    ):
        page = await owner.get(path)
        assert (path, page.status_code) == (path, 200)
        assert (path, SCRIPT in page.text) == (path, False)


async def test_one_that_is_not_there_is_404(owner: Browser) -> None:
    nobody = UUID(int=7)
    for kind in ("orders", "runs", "services", "servers", "racks", "invoices"):
        assert (await owner.get(f"/admin/{kind}/{nobody}")).status_code == 404
    sent = await owner.send_form("/admin", f"/admin/orders/{nobody}/cancel", {"reason": "why"})
    assert sent.status_code == 404


async def test_an_order_that_a_script_stopped_leads_to_the_product(
    stage: Stage, owner: Browser, enter: Enter
) -> None:
    order, run = await stage.halted(error="Mend the script in the catalogue, then try again.")
    pages = (f"/admin/orders/{order.id}", f"/admin/runs/{run}")
    way = '<a href="/admin/stock/products/metal-s">The product and its script</a>'
    for page in pages:
        assert way not in (await owner.get(page)).text, "something else stopped it"
    async with stage.database.transaction() as tx:
        service = await open_service(tx, order.id)
        await tx.execute(
            "INSERT INTO installation (id, service, server, step_key, token_hash, sealed_spec, "
            "state, created_at, updated_at, log) SELECT $1, id, $2, 'k', 'k', '', 'failed', $3, "
            "$3, '[{\"stopped\": true}]' FROM service WHERE id = $1",
            service,
            order.server_id,
            tx.now(),
        )
    finance = await enter(Role.FINANCE)
    for page in pages:
        assert way in (await owner.get(page)).text
        assert way not in (await finance.get(page)).text, "whose role may not see it"


async def _cancel(owner: Browser, order: UUID, reason: str = "the client asked") -> Any:
    here = f"/admin/orders/{order}/cancel"
    return await owner.send_form(here, here, {"reason": reason})


async def test_cancelling_asks_for_a_reason_and_keeps_what_was_typed(
    stage: Stage, owner: Browser
) -> None:
    order = await stage.order()
    refused = await _cancel(owner, order.id, "   ")
    assert refused.status_code == 422
    assert errors_of(refused.text) == {"reason": "Say why; it is kept."}
    long = await _cancel(owner, order.id, "so long " * 100)
    assert long.status_code == 422
    assert "so long so long" in long.text
    assert (await stage.read(order.id)).state is OrderState.awaiting_payment


async def test_an_unpaid_order_is_cancelled(stage: Stage, owner: Browser) -> None:
    order = await stage.order()
    done = await _cancel(owner, order.id)
    assert (done.status_code, done.headers["location"]) == (303, f"/admin/orders/{order.id}")
    page = (await owner.get(f"/admin/orders/{order.id}")).text
    assert "The order is cancelled." in page
    assert "the client asked" in page
    assert "owner@slipway.test" in page
    async with stage.database.snapshot() as tx:
        invoice = await tx.fetchval('SELECT state FROM invoice WHERE "order" = $1', order.id)
        assert invoice == "void"
        held = await tx.fetchval("SELECT count(*) FROM server WHERE holder = $1", order.id)
        assert held == 0


async def test_a_paid_one_that_waits_for_stock_is_refunded_at_once(
    stage: Stage, owner: Browser
) -> None:
    order, run = await stage.without_stock()
    await _cancel(owner, order.id)
    async with stage.database.snapshot() as tx:
        credit = await tx.fetchval("SELECT sum(amount_minor) FROM credit_entry")
        stopping = await tx.fetchval("SELECT cancel_requested FROM run WHERE id = $1", run)
    assert credit == order.total_minor
    assert stopping
    assert (await stage.read(order.id)).state is OrderState.cancelled


async def test_one_at_work_is_stopped_first_and_refunded_when_undone(
    stage: Stage, owner: Browser
) -> None:
    order, run = await stage.halted()
    stopped = await _cancel(owner, order.id)
    assert stopped.status_code == 303
    page = (await owner.get(f"/admin/orders/{order.id}")).text
    assert "Its flow is being stopped" in page
    assert "Retry" not in page
    assert (await stage.read(order.id)).state is OrderState.provisioning
    async with stage.database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM credit_entry") == 0
        assert await tx.fetchval("SELECT cancel_requested FROM run WHERE id = $1", run)
        # What the worker does: undo, give the server back, end the run.
        await tx.execute("UPDATE server SET state = 'available', holder = NULL WHERE holder = $1", order.id)  # fmt: skip
        await tx.execute("DELETE FROM token WHERE run = $1", run)
        await tx.execute("UPDATE run SET status = 'cancelled', finished_at = $2 WHERE id = $1", run, tx.now())  # fmt: skip
    board = (await owner.get("/admin/dashboard/now")).text
    assert f'id="stuck-{order.id}"' in board
    assert "refunded when its set-up is undone" in board
    await _cancel(owner, order.id)
    async with stage.database.snapshot() as tx:
        credit = await tx.fetchval("SELECT sum(amount_minor) FROM credit_entry")
    assert credit == order.total_minor
    assert (await stage.read(order.id)).state is OrderState.cancelled


async def test_a_delivered_one_is_not_cancelled(stage: Stage, owner: Browser) -> None:
    order = await stage.delivered()
    refused = await _cancel(owner, order.id, "we changed our mind")
    assert refused.status_code == 409
    assert "delivered" in refused.text
    assert "we changed our mind" in refused.text
    assert (await stage.read(order.id)).state is OrderState.delivered


@pytest.mark.parametrize("path", ["/admin/orders/not-a-uuid", "/admin/runs/7/cancel"])
async def test_a_mangled_address_is_404(owner: Browser, path: str) -> None:
    assert (await owner.get(path)).status_code == 404


async def test_the_steps_stand_in_the_order_of_the_flow(stage: Stage, owner: Browser) -> None:
    order, _ = await stage.installing()
    page = (await owner.get(f"/admin/orders/{order.id}")).text
    labels = [
        "Ordered",
        "Payment received",
        "Server allocated",
        "Operating system installed",
        "Access details mailed",
    ]
    places = [page.index(f'sw-step-label">{label}') for label in labels]
    assert places == sorted(places)
