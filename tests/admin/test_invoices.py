"""Invoices: transfers recorded once, errors beside their fields, credit, refund and void."""

import asyncio
import contextvars
import json
from typing import Any
from uuid import UUID

import pytest

from app.core.database import Tx
from app.domain.billing.views import InvoiceView
from app.domain.orders.states import OrderState
from app.domain.orders.views import OrderView
from app.routes.admin import invoice_decisions
from tests.admin.stage import Stage
from tests.security.browser import Browser
from tests.security.test_pages import errors_of

GOOD = {"amount": "", "reference": "NL26-1", "date": "2026-03-01"}


async def _transfer(owner: Browser, order: OrderView, **typed: str) -> Any:
    here = f"/admin/invoices/{order.invoice_id}"
    amount = f"{order.total_minor / 100:.2f}"
    return await owner.send_form(here, f"{here}/transfer", {**GOOD, "amount": amount, **typed})


async def _invoice(stage: Stage, order: OrderView) -> Any:
    async with stage.database.snapshot() as tx:
        return await tx.fetchrow("SELECT * FROM invoice WHERE id = $1", order.invoice_id)


async def test_lists_are_filtered_by_their_address(stage: Stage, owner: Browser) -> None:
    await stage.order(client=1)
    paid = await stage.paid()

    async def rows(query: str) -> int:
        return (await owner.get(f"/admin/invoices{query}")).text.count('id="invoice-')

    assert await rows("") == 2
    assert await rows("?view=open") == await rows("?q=client2") == 1
    assert await rows(f"?view=paid&q={paid.invoice_number}") == 1
    assert await rows("?view=paid&q=client2") == 0
    assert (await owner.get("/admin/invoices/rows?view=void")).status_code == 200


async def test_a_transfer_pays_the_invoice_and_starts_the_order(
    stage: Stage, owner: Browser
) -> None:
    order = await stage.order()
    done = await _transfer(owner, order, date="2026-02-27", reference="  NL26-1  ")
    assert (done.status_code, done.headers["location"]) == (
        303,
        f"/admin/invoices/{order.invoice_id}",
    )
    page = (await owner.get(done.headers["location"])).text
    assert "Recorded; the invoice is paid." in page
    assert "Arrived on 2026-02-27" in page
    assert "Record a bank transfer" not in page
    assert (await stage.read(order.id)).state is OrderState.paid
    async with stage.database.snapshot() as tx:
        kept = await tx.fetchrow("SELECT * FROM audit_entry WHERE action = 'invoice.transfer_recorded'")  # fmt: skip
    assert kept["actor_label"] == "owner@slipway.test"
    assert json.loads(kept["after"])["reference"] == "NL26-1"


async def test_the_same_transfer_twice_is_one(stage: Stage, owner: Browser) -> None:
    order = await stage.order()
    await _transfer(owner, order, amount="20")
    again = await _transfer(owner, order, amount="20.00")
    assert again.status_code == 303
    assert "recorded before" in (await owner.get(again.headers["location"])).text
    assert (await _invoice(stage, order))["paid_minor"] == 2_000


async def test_too_much_becomes_credit(stage: Stage, owner: Browser) -> None:
    order = await stage.order()
    done = await _transfer(owner, order, amount=f"{order.total_minor / 100 + 10:.2f}")
    assert (
        "€10.00 too much became account credit" in (await owner.get(done.headers["location"])).text
    )


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ({"amount": "ten"}, {"amount"}),
        ({"amount": "0"}, {"amount"}),
        ({"amount": "-5"}, {"amount"}),
        ({"amount": "1.234"}, {"amount"}),
        ({"amount": "9" * 20}, {"amount"}),
        ({"reference": " "}, {"reference"}),
        ({"reference": "x" * 141}, {"reference"}),
        ({"date": "yesterday"}, {"date"}),
        ({"date": "2026-02-30"}, {"date"}),
        ({"date": "2030-01-01"}, {"date"}),
        ({"amount": "", "reference": "", "date": ""}, {"amount", "reference", "date"}),
    ],
)
async def test_bad_input_is_told_beside_its_field_and_nothing_is_lost(
    stage: Stage, owner: Browser, typed: dict[str, str], wrong: set[str]
) -> None:
    order = await stage.order()
    refused = await _transfer(owner, order, **typed)
    assert refused.status_code == 422
    assert set(errors_of(refused.text)) == {f"transfer-{name}" for name in wrong}
    sent = {**GOOD, "amount": f"{order.total_minor / 100:.2f}", **typed}
    for value in sent.values():
        assert not value or f'value="{value}"' in refused.text
    assert (await _invoice(stage, order))["paid_minor"] == 0


async def test_a_reference_of_another_invoice_is_refused(stage: Stage, owner: Browser) -> None:
    first, second = await stage.order(), await stage.order()
    await _transfer(owner, first)
    refused = await _transfer(owner, second)
    assert refused.status_code == 422
    assert f"invoice {first.invoice_number}" in errors_of(refused.text)["transfer-reference"]


async def test_credit_is_granted_once(stage: Stage, owner: Browser) -> None:
    order = await stage.order()
    here = f"/admin/invoices/{order.invoice_id}/credit"
    refused = await owner.send_form(here, here, {"key": "k", "amount": "0", "reason": ""})
    assert refused.status_code == 422
    assert set(errors_of(refused.text)) == {"amount", "reason"}
    assert 'name="key" value="k"' in refused.text
    for _ in range(2):
        done = await owner.send_form(
            here, here, {"key": "k", "amount": "12,50", "reason": "sorry for the wait"}
        )
        assert done.status_code == 303
    async with stage.database.snapshot() as tx:
        assert await tx.fetchval("SELECT sum(amount_minor) FROM credit_entry") == 1_250
        assert await tx.fetchval("SELECT count(*) FROM audit_entry WHERE action = 'credit.granted'") == 1  # fmt: skip
    assert "€12.50" in (await owner.get(f"/admin/invoices/{order.invoice_id}")).text


async def test_a_paid_invoice_is_refunded_to_credit(stage: Stage, owner: Browser) -> None:
    order, _ = await stage.without_stock()
    here = f"/admin/invoices/{order.invoice_id}/refund"
    assert here in (await owner.get(f"/admin/invoices/{order.invoice_id}")).text
    assert (await owner.send_form(here, here, {"reason": ""})).status_code == 422
    done = await owner.send_form(here, here, {"reason": "no stock for weeks"})
    assert done.status_code == 303
    assert (await _invoice(stage, order))["state"] == "refunded"
    assert (await stage.read(order.id)).state is OrderState.cancelled
    again = await owner.send_form(here, here, {"reason": "no stock for weeks"})
    assert again.status_code == 409
    assert "no stock for weeks" in again.text


async def test_an_open_invoice_is_voided_with_its_order(stage: Stage, owner: Browser) -> None:
    order = await stage.order()
    here = f"/admin/invoices/{order.invoice_id}/void"
    assert (await owner.send_form(here, here, {})).status_code == 422
    done = await owner.send_form(here, here, {"reason": "ordered twice"})
    assert done.status_code == 303
    assert (await _invoice(stage, order))["state"] == "void"
    assert (await stage.read(order.id)).state is OrderState.cancelled
    page = (await owner.get(f"/admin/invoices/{order.invoice_id}")).text
    assert "Voided" in page
    assert "ordered twice" in page
    assert (await owner.send_form(here, here, {"reason": "again"})).status_code == 409


async def test_an_invoice_that_is_paid_while_it_is_voided_stays_paid(
    stage: Stage, owner: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await stage.order()
    here = f"/admin/invoices/{order.invoice_id}"
    read = invoice_decisions.find_invoice

    async def read_and_lose_the_race(tx: Tx, invoice: UUID) -> InvoiceView:
        found = await read(tx, invoice)
        paying = asyncio.create_task(stage.pay(order), context=contextvars.Context())
        await paying
        return found

    await owner.get(f"{here}/void")
    monkeypatch.setattr(invoice_decisions, "find_invoice", read_and_lose_the_race)
    refused = await owner.send_form(f"{here}/void", f"{here}/void", {"reason": "A mistake"})
    assert refused.status_code == 409
    assert "A mistake" in refused.text
    assert (await _invoice(stage, order))["state"] == "paid"
    assert (await stage.read(order.id)).state is OrderState.paid


async def test_a_paid_invoice_is_not_voided(stage: Stage, owner: Browser) -> None:
    order = await stage.paid()
    here = f"/admin/invoices/{order.invoice_id}/void"
    assert (await owner.send_form(here, here, {"reason": "oops"})).status_code == 409
    assert (await _invoice(stage, order))["state"] == "paid"
