"""What a client is told of an order, and that it is told once."""

import asyncio

import pytest
from msgspec.structs import replace

from app.core.clock import SetClock
from app.core.outbox import Parcel
from app.domain.billing.credit import add_credit
from app.domain.billing.refund import refund_order
from app.domain.billing.tax import set_tax_rate
from app.domain.catalog.find import find_product
from app.domain.catalog.register import register_product
from app.domain.notices.queue import queue_mail
from app.domain.orders.cancel import cancel
from app.domain.orders.expire import expire_order_holds
from app.domain.orders.views import OrderView
from app.domain.orders.wait_for_stock import wait_for_stock
from app.domain.services.ask import note_reinstalled
from app.domain.services.credentials import keep_access
from app.domain.services.letter import delivery_letter
from app.domain.services.open import open_service
from app.settings import Settings
from tests.catalog.shop import SERVER, eur
from tests.jobs.desk import BANK, BASE, SETTINGS, Desk
from tests.orders.world import a_client, an_order


async def refund(desk: Desk, order: OrderView, reason: str) -> None:
    async with desk.database.transaction() as tx:
        await refund_order(tx, order.id, actor=None, actor_label="test", reason=reason)


async def paid_too_late(desk: Desk) -> OrderView:
    """An order whose server someone else holds by the time that its money comes."""
    await desk.bind_flow()
    order = await desk.order()
    desk.clock.advance(minutes=16)
    async with desk.database.transaction() as tx:
        await expire_order_holds(tx)
    await desk.order("faster@example.org")
    await desk.pay(order)
    await desk.work()
    await desk.drive()
    return order


async def test_an_order_is_confirmed_with_all_that_paying_takes(desk: Desk) -> None:
    desk.settings = Settings(_env_file=None, **SETTINGS, **BANK)
    async with desk.database.transaction() as tx:
        await set_tax_rate(tx, "DE", name="USt", rate_bp=1_900)
    order = await desk.order(extra_ipv4="2")
    await desk.work()
    mail = await desk.mail("order-received")
    assert mail.recipient == "client@example.org"
    assert (mail.order, mail.account) == (order.id, order.account_id)
    assert mail.key == f"order-received:{order.id}"
    assert mail.subject == f"Order {order.number} received: invoice {order.invoice_number}"
    # 49.00 and 10.00; twice 1.50 and twice 5.00; 19 % of 72.00.
    assert order.total_minor == 8_568
    start = mail.lines.index(f"ORDER {order.number}")
    assert mail.lines[start + 1 : start + 10] == [
        "AX-32: €49.00",
        "AX-32: set-up: €10.00",
        "System: Debian 12: €0.00",
        "2 × Extra IPv4: Address: €3.00",
        "2 × Extra IPv4: Address: set-up: €10.00",
        "Tax: €13.68",
        "To pay: €85.68",
        "Pay now:",
        f"{BASE}/invoices/{order.invoice_id}/pay",
    ]
    assert "are held for you until 1 March 2026, 02:15 UTC" in mail.text
    bank = mail.lines.index("OR BY BANK TRANSFER")
    assert mail.lines[bank + 1 : bank + 5] == [
        "To: Harbour Hosting",
        "IBAN: DE02 1203 0000 0000 2020 51",
        "BIC: BYLADEM1001",
        f"Reference: {order.invoice_number}",
    ]
    assert f"Your order: {BASE}/orders/{order.id}" in mail.text
    assert mail.lines[-1] == "Harbour Hosting"
    for said in ("€85.68", f"{BASE}/invoices/{order.invoice_id}/pay", "1 March 2026, 02:15 UTC"):
        assert said in mail.html
    assert [message.to for message in desk.mailer.messages] == ["client@example.org"]


async def test_no_bank_where_transfers_are_not_taken(desk: Desk) -> None:
    await desk.order()
    await desk.work()
    mail = await desk.mail("order-received")
    assert "IBAN" not in mail.text + mail.html
    assert "BANK" not in mail.text


async def test_a_hold_that_is_over_is_not_promised(desk: Desk, clock: SetClock) -> None:
    await desk.order()
    clock.advance(minutes=15)
    await desk.work()
    assert "held for you" not in (await desk.mail("order-received")).text


async def test_an_order_that_comes_to_nothing_tells_nobody(desk: Desk) -> None:
    with pytest.raises(RuntimeError):
        async with desk.database.transaction() as tx:
            await an_order(tx, await a_client(tx))
            raise RuntimeError
    await desk.work()
    assert await desk.queued() == []


async def test_a_payment_is_confirmed(desk: Desk, clock: SetClock) -> None:
    await desk.bind_flow()
    order = await desk.order()
    await desk.work()
    clock.advance(minutes=4)
    await desk.pay(order)
    await desk.work()
    mail = await desk.mail("payment-received")
    assert mail.subject == f"Payment received for order {order.number}"
    start = mail.lines.index(f"ORDER {order.number}")
    assert mail.lines[start + 1 : start + 5] == [
        "Paid: €59.00",
        "By: card",
        "On: 1 March 2026, 02:04 UTC",
        f"Invoice: {order.invoice_number}",
    ]
    assert f"{BASE}/invoices/{order.invoice_id}\n" in mail.text
    assert f"{BASE}/orders/{order.id}\n" in mail.text
    assert await desk.queued() == ["order-received", "payment-received"]


async def test_a_paid_order_is_not_asked_to_be_paid(desk: Desk) -> None:
    """The relay was away when the order was placed, and the client was quick."""
    await desk.bind_flow()
    order = await desk.order()
    await desk.pay(order)
    await desk.work()
    assert await desk.queued() == ["payment-received"]


async def test_a_payment_in_parts_is_confirmed_when_it_is_whole(desk: Desk) -> None:
    await desk.bind_flow()
    order = await desk.order()
    await desk.transfer(order, 5_000)
    await desk.work()
    mail = await desk.mail("order-received")
    assert "Paid already: -€50.00\nTo pay: €9.00\n" in mail.text
    await desk.pay(order, 900)
    await desk.work()
    mail = await desk.mail("payment-received")
    assert "Paid: €59.00" in mail.lines
    assert "By: bank transfer and card" in mail.lines


async def test_a_gateway_that_was_removed_is_named_by_its_key(desk: Desk) -> None:
    await desk.bind_flow()
    order = await desk.order()
    await desk.pay(order)
    async with desk.database.transaction() as tx:
        await tx.execute("UPDATE payment SET gateway = 'pay_by_pigeon'")
    await desk.work()
    assert "By: pay by pigeon" in (await desk.mail("payment-received")).lines


async def test_a_flow_that_cannot_start_keeps_no_mail_back(desk: Desk, clock: SetClock) -> None:
    order = await desk.order()
    await desk.pay(order)
    await desk.work()
    await desk.mail("payment-received")
    (row,) = await desk.rows("SELECT * FROM outbox WHERE done_at IS NULL")
    assert row["topic"] == "order.paid"
    assert row["error"].startswith("NoFlow: No enabled flow serves order.paid")
    await desk.bind_flow()
    clock.advance(seconds=2)
    await desk.work()
    assert await desk.value("SELECT count(*) FROM run WHERE subject = $1", order.id) == 1
    assert await desk.queued() == ["payment-received"]
    assert len(desk.mailer.messages) == 1


async def test_what_costs_nothing_is_not_asked_for_nor_confirmed(desk: Desk) -> None:
    await desk.bind_flow()
    async with desk.database.transaction() as tx:
        home = (await find_product(tx, "ax-32")).category_id
        await register_product(tx, home, replace(SERVER, prices=(eur(0),)))
    order = await desk.order()
    await desk.work()
    await refund(desk, order, "Ordered by mistake.")
    await desk.work()
    assert await desk.queued() == []
    assert await desk.value("SELECT count(*) FROM outbox WHERE done_at IS NULL") == 0


async def test_an_order_that_waits_says_so_once(desk: Desk, clock: SetClock) -> None:
    order = await paid_too_late(desk)
    for _ in range(2):
        await desk.work()
        clock.advance(minutes=5)
        await desk.drive()
    await desk.work()
    mail = await desk.mail("order-waiting-for-stock")
    assert mail.recipient == "client@example.org"
    assert mail.subject == f"Order {order.number} has to wait for a server"
    assert "Paid: €59.00" in mail.lines
    assert "AX-32 (db1.example.org)." in mail.lines
    assert mail.text.count(f"{BASE}/orders/{order.id}\n") == 1
    staff = await desk.mail("staff-notice")
    assert staff.recipient == "staff@harbour.example"
    assert f"Order {order.number} (db1.example.org) is paid and waits for a server" in staff.text
    assert staff.lines[-1] == "Harbour Hosting"


async def test_an_order_that_went_on_meanwhile_does_not_say_that_it_waits(desk: Desk) -> None:
    order = await paid_too_late(desk)
    async with desk.database.transaction() as tx:
        await tx.execute("UPDATE client_order SET state_reason = '' WHERE id = $1", order.id)
    await desk.work()
    assert "order-waiting-for-stock" not in await desk.queued()


async def test_a_refund_tells_amount_balance_and_reason(desk: Desk) -> None:
    await desk.bind_flow()
    order = await desk.order()
    await desk.pay(order)
    await desk.work()
    async with desk.database.transaction() as tx:
        await add_credit(
            tx, order.account_id, amount_minor=1_000, currency="EUR", reason="A gift", key="gift"
        )
    await refund(desk, order, "No server became free.")
    await refund(desk, order, "Asked twice.")
    await desk.work()
    mail = await desk.mail("order-refunded")
    assert mail.subject == f"Order {order.number} is cancelled and refunded"
    assert "Refunded to credit: €59.00" in mail.lines
    assert "Credit now: €69.00" in mail.lines
    assert "The reason: No server became free." in mail.lines
    assert f"{BASE}/orders/{order.id}\n" in mail.text


async def test_a_refund_with_a_long_reason_is_told(desk: Desk) -> None:
    order = await desk.order()
    await desk.pay(order)
    await refund(desk, order, "so " * 1_000)
    await desk.work()
    assert "so so so" in (await desk.mail("order-refunded")).text


async def test_an_unpaid_order_that_is_cancelled_is_not_refunded(desk: Desk) -> None:
    order = await desk.order()
    async with desk.database.transaction() as tx:
        await cancel(tx, order.id, actor=None, actor_label="test", reason="no")
    await desk.work()
    assert await desk.queued() == []


async def test_called_again_and_at_once_each_is_one_mail(desk: Desk) -> None:
    order = await desk.order()
    payload = {"order": str(order.id)}

    async def call(topic: str) -> None:
        parcels = [Parcel(1, topic, topic, payload, attempt) for attempt in (1, 2, 3)]
        await asyncio.gather(*(desk.consumers[topic](parcel) for parcel in parcels))
        await desk.consumers[topic](parcels[0])

    await call("order.placed")
    await desk.pay(order)
    await call("payment.received")
    async with desk.database.transaction() as tx:
        await wait_for_stock(tx, order.id, explanation="none")
    await call("order.waits_for_stock")
    await refund(desk, order, "no")
    await call("order.refunded")
    made = ["order-received", "payment-received", "order-waiting-for-stock", "order-refunded"]
    assert await desk.queued() == made
    assert await desk.value("SELECT count(*) FROM outbox WHERE topic = 'mail.send'") == len(made)


async def test_who_asked_for_another_system_is_told_once_that_it_is_there(desk: Desk) -> None:
    order = await desk.order()
    await desk.pay(order)
    async with desk.database.transaction() as tx:
        service = await open_service(tx, order.id)
        await keep_access(tx, desk.vault, service, keys_only=False)
        await tx.execute("UPDATE service SET state = 'active', asked_at = $1", tx.now())
    letter = None
    for _ in range(2):  # a step that is entered again
        async with desk.database.transaction() as tx:
            await note_reinstalled(tx, service, "debian-12")
            letter = await delivery_letter(
                tx, desk.vault, order.id, company="", base_url=BASE, ssh_port=22
            )
        await desk.work()
    assert letter is not None
    mail = await desk.mail("service-reinstalled")
    assert mail.recipient == "client@example.org"
    assert (mail.order, mail.account) == (order.id, order.account_id)
    assert mail.subject == f"Your server {order.hostname} is installed anew"
    address = letter.values["ipv4"]
    start = mail.lines.index("HOW TO GET IN")
    assert f"IPv4 address: {address}" in mail.lines[start:]
    assert f"ssh root@{address}" in mail.lines[start:]
    assert f"ssh-keygen -R {address}" in mail.lines[start:], "its host key is another one"
    assert "The password is again the one of the first delivery." in mail.lines
    assert f"{BASE}/services/{service}" in mail.lines
    for body in (mail.text, mail.html):
        assert letter.values["os"] in body
        assert letter.values["password"] not in body


async def test_a_service_that_has_ended_meanwhile_is_not_written_of(desk: Desk) -> None:
    order = await desk.order()
    await desk.pay(order)
    async with desk.database.transaction() as tx:
        service = await open_service(tx, order.id)
        await tx.execute("UPDATE service SET state = 'active', asked_at = $1", tx.now())
        await note_reinstalled(tx, service, "debian-12")
        await tx.execute("UPDATE service SET state = 'terminated'")
    await desk.work()
    assert await desk.value("SELECT count(*) FROM mail WHERE code LIKE 'service-%'") == 0


async def test_delivery_links_to_a_terminal_and_to_the_portal(desk: Desk) -> None:
    order = await desk.order(panel="cockpit")
    await desk.pay(order)
    async with desk.database.transaction() as tx:
        await tx.execute(
            "UPDATE option SET access_url = 'https://{address}:9090/' WHERE code = 'cockpit'"
        )
        service = await open_service(tx, order.id)
        await keep_access(tx, desk.vault, service, keys_only=False)
        letter = await delivery_letter(
            tx, desk.vault, order.id, company="Harbour Hosting", base_url=BASE, ssh_port=2222
        )
        await queue_mail(
            tx,
            desk.vault,
            code="service-delivered",
            mail_key="delivery",
            account=letter.account,
            order=order.id,
            recipient=letter.recipient,
            values=letter.values,
        )
    mail = await desk.mail("service-delivered")
    address = letter.values["ipv4"]
    start = mail.lines.index("LINKS")
    assert mail.lines[start + 1 : start + 3] == [
        f"Control panel Cockpit: https://{address}:9090/",
        f"Open a terminal on it: ssh://root@{address}:2222",
    ]
    page = f"{BASE}/services/{service}"
    assert [line for line in mail.lines if page in line] == [page]
    assert f'href="ssh://root@{address}:2222"' in mail.html
    assert mail.html.count(f'href="https://{address}:9090/"') == 1
