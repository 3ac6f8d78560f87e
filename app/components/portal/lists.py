"""The client's lists: orders, services, invoices."""

import htpy as h

from app.components.badge import badge, state_badge
from app.components.button import link_button
from app.components.card import card
from app.components.empty import empty
from app.components.facts import code
from app.components.frame import PageFrame
from app.components.live import live_region
from app.components.money import money
from app.components.page import page_head, portal_page
from app.components.pagination import pagination
from app.components.portal.cycle import PER
from app.components.portal.order_words import order_badge
from app.components.table import Column, Row, table
from app.components.time import moment
from app.core.money import Money
from app.domain.billing.states import InvoiceState
from app.domain.billing.views import InvoicePage, InvoiceRow
from app.domain.orders.views import OrderPage, OrderView
from app.domain.services.states import ServiceState
from app.domain.services.views import ServicePage, ServiceRow
from app.drivers.power import Power


def orders_page(orders: OrderPage, topic: str, *, frame: PageFrame) -> h.Element:
    return portal_page(
        "Orders",
        page_head(
            "Orders", actions=link_button("Order a server", "/", weight="primary", symbol="plus")
        ),
        orders_region(orders, topic),
        frame=frame,
        active="orders",
    )


def orders_region(orders: OrderPage, topic: str) -> h.Element:
    """Return the list; `topic` is the account's."""
    return live_region(topic, f"/orders/rows?page={orders.page}", id_="orders")[
        card(
            table(
                [
                    Column("Order"),
                    Column("Server"),
                    Column("State"),
                    Column("Ordered"),
                    Column("First payment", figures=True),
                ],
                [_order_row(order) for order in orders.items],
                caption="Your orders",
                empty=empty(
                    "package",
                    "No orders yet",
                    "Choose a server, and follow its delivery here.",
                    link_button("See the servers", "/", weight="primary"),
                ),
            ),
            flush=True,
        ),
        pagination(
            page=orders.page, page_count=orders.page_count, href=lambda n: f"/orders?page={n}"
        ),
    ]


def _order_row(order: OrderView) -> Row:
    return Row(
        cells=(
            f"#{order.number}",
            h.span(".sw-two-lines")[order.product_name, code(order.hostname)],
            order_badge(order),
            moment(order.placed_at),
            money(Money(order.total_minor, order.currency)),
        ),
        href=f"/orders/{order.id}",
        id_=f"order-{order.number}",
    )


def services_page(services: ServicePage, topic: str, *, frame: PageFrame) -> h.Element:
    return portal_page(
        "Services",
        page_head(
            "Services", actions=link_button("Order a server", "/", weight="primary", symbol="plus")
        ),
        services_region(services, topic),
        frame=frame,
        active="services",
    )


def services_region(services: ServicePage, topic: str) -> h.Element:
    """Return the list; `topic` is the account's."""
    return live_region(topic, f"/services/rows?page={services.page}", id_="services")[
        card(
            table(
                [
                    Column("Host name"),
                    Column("Server"),
                    Column("Address"),
                    Column("State"),
                    Column("Next due"),
                    Column("Price", figures=True),
                ],
                [_service_row(service) for service in services.items],
                caption="Your services",
                empty=empty(
                    "boxes",
                    "No servers yet",
                    "A server appears here as soon as its order is paid.",
                    link_button("See the servers", "/", weight="primary"),
                ),
            ),
            flush=True,
        ),
        pagination(
            page=services.page, page_count=services.page_count, href=lambda n: f"/services?page={n}"
        ),
    ]


def service_badge(state: ServiceState, power: Power | None) -> h.Element:
    """Return one badge for state and power: a delivered server is on, or off."""
    if state is ServiceState.provisioning:
        return state_badge(state, "Being set up")
    if state is ServiceState.active and power is Power.OFF:
        return badge("Switched off", "neutral")
    if state is ServiceState.active and power is Power.ON:
        return badge("Running", "success")
    return state_badge(state)


def _service_row(service: ServiceRow) -> Row:
    return Row(
        cells=(
            service.hostname,
            h.span(".sw-two-lines")[service.product_name, h.span(".sw-help")[service.os_name]],
            code(service.address) if service.address else "–",
            service_badge(service.state, service.power),
            moment(service.next_due_at, relative=False) if service.next_due_at else "–",
            money(Money(service.recurring_minor, service.currency), per=PER[service.cycle]),
        ),
        href=f"/services/{service.id}",
        id_=f"service-{service.order_number}",
    )


def invoices_page(invoices: InvoicePage, topic: str, *, frame: PageFrame) -> h.Element:
    return portal_page(
        "Invoices",
        page_head("Invoices"),
        invoices_region(invoices, topic),
        frame=frame,
        active="invoices",
    )


def invoices_region(invoices: InvoicePage, topic: str) -> h.Element:
    """Return the list; `topic` is the account's."""
    return live_region(topic, f"/invoices/rows?page={invoices.page}", id_="invoices")[
        card(
            table(
                [
                    Column("Invoice"),
                    Column("Order"),
                    Column("State"),
                    Column("Issued"),
                    Column("Total", figures=True),
                    Column("To pay", figures=True),
                ],
                [_invoice_row(invoice) for invoice in invoices.items],
                caption="Your invoices",
                empty=empty(
                    "receipt", "No invoices yet", "Every order brings one, and it is kept here."
                ),
            ),
            flush=True,
        ),
        pagination(
            page=invoices.page, page_count=invoices.page_count, href=lambda n: f"/invoices?page={n}"
        ),
    ]


def invoice_badge(state: InvoiceState) -> h.Element:
    """Return the badge of an invoice; to who owes it, paid is as good as it gets."""
    if state is InvoiceState.paid:
        return badge("Paid", "success")
    return state_badge(state, "To pay" if state is InvoiceState.open else None)


def _invoice_row(invoice: InvoiceRow) -> Row:
    return Row(
        cells=(
            f"#{invoice.number}",
            f"Order {invoice.order_number}" if invoice.order_number else "–",
            invoice_badge(invoice.state),
            moment(invoice.issued_at, relative=False),
            money(Money(invoice.total_minor, invoice.currency)),
            money(Money(invoice.due_minor, invoice.currency)) if invoice.due_minor else "–",
        ),
        href=f"/invoices/{invoice.id}",
        id_=f"invoice-{invoice.number}",
    )
