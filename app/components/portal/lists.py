"""The client's lists: orders, services, invoices."""

from collections.abc import Sequence
from typing import Any

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
from app.core.paging import Page
from app.domain.billing.states import InvoiceState
from app.domain.billing.views import InvoicePage, InvoiceRow
from app.domain.orders.views import OrderPage, OrderView
from app.domain.services.states import ServiceState
from app.domain.services.views import ServicePage, ServiceRow
from app.drivers.power import Power


def orders_page(orders: OrderPage, topic: str, *, frame: PageFrame) -> h.Element:
    return _page("Orders", orders_region(orders, topic), frame, order_button=True)


def orders_region(orders: OrderPage, topic: str) -> h.Element:
    """Return the list; `topic` is the account's."""
    return _region(
        orders,
        topic,
        "/orders",
        columns=[
            Column("Order"),
            Column("Server"),
            Column("State"),
            Column("Ordered"),
            Column("First payment", figures=True),
        ],
        rows=[_order_row(order) for order in orders.items],
        nothing=empty(
            "package",
            "No orders yet",
            "Choose a server, and follow its delivery here.",
            link_button("See the servers", "/", weight="primary"),
        ),
    )


def services_page(services: ServicePage, topic: str, *, frame: PageFrame) -> h.Element:
    return _page("Services", services_region(services, topic), frame, order_button=True)


def services_region(services: ServicePage, topic: str) -> h.Element:
    """Return the list; `topic` is the account's."""
    return _region(
        services,
        topic,
        "/services",
        columns=[
            Column("Host name"),
            Column("Server"),
            Column("Address"),
            Column("State"),
            Column("Next due"),
            Column("Price", figures=True),
        ],
        rows=[_service_row(service) for service in services.items],
        nothing=empty(
            "boxes",
            "No servers yet",
            "A server appears here as soon as its order is paid.",
            link_button("See the servers", "/", weight="primary"),
        ),
    )


def invoices_page(invoices: InvoicePage, topic: str, *, frame: PageFrame) -> h.Element:
    return _page("Invoices", invoices_region(invoices, topic), frame)


def invoices_region(invoices: InvoicePage, topic: str) -> h.Element:
    """Return the list; `topic` is the account's."""
    return _region(
        invoices,
        topic,
        "/invoices",
        columns=[
            Column("Invoice"),
            Column("Order"),
            Column("State"),
            Column("Issued"),
            Column("Total", figures=True),
            Column("To pay", figures=True),
        ],
        rows=[_invoice_row(invoice) for invoice in invoices.items],
        nothing=empty("receipt", "No invoices yet", "Every order brings one, and it is kept here."),
    )


def service_badge(state: ServiceState, power: Power | None) -> h.Element:
    """Return one badge for state and power: a delivered server is on, or off."""
    if state is ServiceState.provisioning:
        return state_badge(state, "Being set up")
    if state is ServiceState.active and power is Power.OFF:
        return badge("Switched off", "neutral")
    if state is ServiceState.active and power is Power.ON:
        return badge("Running", "success")
    return state_badge(state)


def invoice_badge(state: InvoiceState) -> h.Element:
    """Return the badge of an invoice; to who owes it, paid is as good as it gets."""
    if state is InvoiceState.paid:
        return badge("Paid", "success")
    return state_badge(state, "To pay" if state is InvoiceState.open else None)


def _page(
    title: str, region: h.Element, frame: PageFrame, *, order_button: bool = False
) -> h.Element:
    button = link_button("Order a server", "/", weight="primary", symbol="plus")
    return portal_page(
        title,
        page_head(title, actions=button if order_button else None),
        region,
        frame=frame,
        active=title.lower(),
    )


def _region(
    found: Page[Any],
    topic: str,
    path: str,
    *,
    columns: Sequence[Column],
    rows: Sequence[Row],
    nothing: h.Element,
) -> h.Element:
    """Return one page of the list at `path`; it follows `topic`."""
    name = path.removeprefix("/")
    return live_region(topic, f"{path}/rows?page={found.page}", id_=name)[
        card(table(columns, rows, caption=f"Your {name}", empty=nothing), flush=True),
        pagination(page=found.page, page_count=found.page_count, href=lambda n: f"{path}?page={n}"),
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
