"""The decision to give an order up."""

import htpy as h

from app.components.admin.decide import decide_page
from app.components.admin.orders import ORDERS
from app.components.form import Form
from app.components.frame import PageFrame
from app.components.money import money
from app.core.money import Money
from app.domain.billing.views import InvoiceView
from app.domain.orders.views import OrderView
from app.flows.views import RunRow


def cancel_page(
    order: OrderView,
    invoice: InvoiceView | None,
    run: RunRow | None,
    form: Form,
    *,
    frame: PageFrame,
) -> h.Element:
    """Return the page that says what cancelling does, and asks for the reason."""
    title = f"Cancel order {order.number}"
    if not order.is_unpaid:
        title += " and refund it"
    return decide_page(
        title,
        about=h.ul[[h.li[words] for words in _consequences(order, invoice, run)]],
        form=form,
        action=f"{ORDERS}/{order.id}/cancel",
        confirm="Cancel the order" if order.is_unpaid else "Cancel and refund to credit",
        weight="danger",
        back=(f"Order {order.number}", f"{ORDERS}/{order.id}"),
        frame=frame,
        active="orders",
        reason_help="Kept in the audit trail and shown on the order.",
    )


def _consequences(
    order: OrderView, invoice: InvoiceView | None, run: RunRow | None
) -> list[h.Node]:
    found: list[h.Node] = []
    if run is not None and run.is_live:
        found.append(
            "Its flow is stopped, and what it did is undone: a machine that is being installed "
            "is switched off."
            if order.server_id
            else "Its flow is stopped."
        )
    if order.server_name:
        found.append(f"Server {order.server_name} and the addresses are given back.")
    if invoice is not None and invoice.paid_minor:
        found.append(
            [
                money(Money(invoice.paid_minor, invoice.currency)),
                f" becomes account credit of {order.account_email}.",
            ]
        )
    if order.is_unpaid:
        found.append("The invoice is voided; nothing has to be paid.")
    elif run is not None and run.is_live and order.server_id:
        found.append("The refund follows by itself when the flow has been undone.")
    return found
