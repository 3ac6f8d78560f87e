"""One order with everything that belongs to it."""

from dataclasses import dataclass
from datetime import datetime

import htpy as h

from app.components.admin.orders import ORDERS
from app.components.admin.outlook import product_href
from app.components.admin.run_bits import (
    RUNS,
    length_ms,
    retry_form,
    run_badge,
    trouble_notice,
    why_words,
)
from app.components.admin.trail import trail_card
from app.components.badge import state_badge
from app.components.button import link_button
from app.components.card import card, split, stack
from app.components.facts import code, copyable, facts
from app.components.frame import PageFrame
from app.components.live import live_region
from app.components.money import money
from app.components.notice import notice
from app.components.page import admin_page, page_head
from app.components.portal.cycle import PER
from app.components.table import Column, Row, table
from app.components.time import moment
from app.components.timeline import StepState, TimelineStep, timeline, tries_words
from app.core.money import Money
from app.domain.addresses.views import Claimed
from app.domain.audit.views import AuditLine
from app.domain.billing.views import InvoiceView
from app.domain.catalog.kind import ProductKind
from app.domain.catalog.views import ProductView
from app.domain.inventory.views import ServerRow
from app.domain.orders.states import OrderState
from app.domain.orders.views import OrderView
from app.flows.timeline import RunTimeline, StepStatus, TimelineEntry
from app.flows.views import NEEDS_A_PERSON, RunRow, Trouble

STEP_STATES = {
    StepStatus.pending: StepState.PENDING,
    StepStatus.running: StepState.RUNNING,
    StepStatus.done: StepState.DONE,
    StepStatus.halted: StepState.FAILED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFile:
    """All there is about an order; None where there is nothing, or the role may not see it."""

    at: datetime
    order: OrderView
    product: ProductView
    invoice: InvoiceView | None
    server: ServerRow | None
    addresses: Claimed
    run: RunRow | None
    course: RunTimeline | None
    trail: tuple[AuditLine, ...] | None
    may_retry: bool
    may_cancel: bool
    sees_stock: bool
    script_at: str | None
    """Short name of the product whose script stopped the run, as far as it is halted."""

    @property
    def can_cancel(self) -> bool:
        return self.may_cancel and self.order.state not in {
            OrderState.delivered,
            OrderState.cancelled,
        }


def order_page(file: OrderFile, *, frame: PageFrame) -> h.Element:
    return admin_page(
        f"Order {file.order.number}", order_region(file, frame.csrf), frame=frame, active="orders"
    )


def order_region(file: OrderFile, csrf: str) -> h.Element:
    """Return the whole page but its frame: all of it may change while one looks."""
    order = file.order
    topics = [f"order:{order.id}"]
    topics += [f"invoice:{order.invoice_id}"] if order.invoice_id else []
    topics += [f"run:{order.run}"] if order.run else []
    return live_region(
        " ".join(topics), f"{ORDERS}/{order.id}/now", id_="order", at_most_every_ms=500
    )[
        page_head(
            f"Order {order.number}",
            eyebrow=h.a(href=ORDERS)["Orders"],
            status=state_badge(order.state),
            lede=[order.product_name, " for ", order.account_name, ", ", order.hostname],
            actions=_actions(file, csrf),
        ),
        stack(
            _trouble(file),
            split(
                stack(_course(file), _selection(file), _trail(file)),
                stack(_client(order), _invoice(file), _machine(file)),
            ),
        ),
    ]


def _actions(file: OrderFile, csrf: str) -> list[h.Node]:
    order, run = file.order, file.run
    found: list[h.Node] = []
    if run and run.trouble is Trouble.halted and file.may_retry:
        found.append(
            retry_form(run, csrf, back=f"{ORDERS}/{order.id}", label=f"Retry “{run.step}”")
        )
    if file.can_cancel:
        words = "Cancel order" if order.is_unpaid else "Cancel and refund"
        found.append(link_button(words, f"{ORDERS}/{order.id}/cancel", symbol="ban"))
    return found


def _trouble(file: OrderFile) -> h.Element | None:
    """Say at the top why it does not move."""
    run, order = file.run, file.order
    if run and run.cancel_requested and run.is_live and run.trouble is not Trouble.undo_fails:
        return notice(
            "warning",
            "Its flow is being stopped",
            "What it did is being undone. Once that has ended, the order can be refunded.",
        )
    if run and (run.trouble in NEEDS_A_PERSON or run.trouble is Trouble.waits_for_approval):
        mend = product_href(file.script_at) if file.script_at and file.sees_stock else None
        return trouble_notice(run, file.at, mend=mend)
    if order.state is OrderState.failed:
        return notice("danger", "The delivery failed", order.state_reason)
    if run and run.trouble is not Trouble.none:
        return notice("warning", order.state_reason or "Being retried", why_words(run, file.at))
    if order.state_reason and order.state is not OrderState.delivered:
        return notice("info", order.state_reason)
    return None


def timeline_steps(course: RunTimeline, at: datetime) -> list[TimelineStep]:
    """Turn the flow's view of a run into what the component draws."""
    return [_step(entry, at) for entry in course.entries]


def _step(entry: TimelineEntry, at: datetime) -> TimelineStep:
    spent = entry.elapsed(at)
    note = entry.says
    if entry.percent is not None and entry.status is StepStatus.running:
        note = f"{note}, {entry.percent} %"
    if entry.tries > 1:
        tries = tries_words(entry.tries, length_ms(entry.whole))
        note = f"{note} · {tries}" if note else tries
    return TimelineStep(
        label=entry.label,
        state=STEP_STATES[entry.status],
        elapsed_ms=length_ms(spent) if spent is not None else None,
        expected_ms=length_ms(entry.expected) if entry.expected is not None else None,
        note=note or None,
    )


def _course(file: OrderFile) -> h.Element:
    order = file.order
    steps = [
        TimelineStep(label="Ordered", state=StepState.DONE, note=moment(order.placed_at)),
    ]
    if file.course:
        steps += timeline_steps(file.course, file.at)
    else:
        paid = TimelineStep(
            label="Paid",
            state=StepState.DONE if order.paid_at else _unpaid_state(order),
            note=moment(order.paid_at) if order.paid_at else _hold(order),
        )
        steps.append(paid)
    link = (
        [
            link_button("Details", f"{RUNS}/{file.run.id}", size="small", symbol="activity"),
            link_button(
                "Over its flow", f"/designer/runs/{file.run.id}", size="small", symbol="workflow"
            ),
        ]
        if file.run
        else None
    )
    return card(
        timeline(steps, label="Delivery"),
        title="Delivery",
        symbol="activity",
        actions=[run_badge(file.run), link] if file.run else None,
    )


def _unpaid_state(order: OrderView) -> StepState:
    return StepState.SKIPPED if order.state is OrderState.cancelled else StepState.PENDING


def _hold(order: OrderView) -> h.Node:
    if order.state is not OrderState.awaiting_payment:
        return None
    if order.hold_expires_at is None:
        return "Nothing is held for it; paying holds what it needs again."
    return ["What it needs is held; the hold ends ", moment(order.hold_expires_at)]


def _selection(file: OrderFile) -> h.Element:
    order, chosen = file.order, file.order.selection
    pairs: list[tuple[str, h.Node]] = [
        ("Product", order.product_name),
        ("Host name", copyable(order.hostname)),
    ]
    for group in file.product.groups:
        code_ = chosen.choice(group.code)
        option = group.option(code_) if code_ else None
        if option is not None:
            pairs.append((group.name, option.name))
        elif number := chosen.quantity(group.code):
            pairs.append((group.name, f"{number}"))
    keys = len(chosen.ssh_keys)
    pairs.append(
        ("SSH access", f"{keys} key{'' if keys == 1 else 's'}" if keys else "password, made for it")
    )
    pairs.append(
        ("Price", money(Money(order.recurring_minor, order.currency), per=PER[order.cycle]))
    )
    return card(facts(pairs), title="What was ordered", symbol="package")


def _client(order: OrderView) -> h.Element:
    pairs: list[tuple[str, h.Node]] = [
        ("Name", order.account_name),
        ("E-mail", copyable(order.account_email)),
        ("Placed", moment(order.placed_at)),
        ("State since", moment(order.state_since)),
    ]
    if order.paid_at:
        pairs.append(("Paid", moment(order.paid_at)))
    if order.delivered_at:
        pairs.append(("Delivered", moment(order.delivered_at)))
    if order.service_id:
        pairs.append(("Service", h.a(href=f"/admin/services/{order.service_id}")["Open it"]))
    pairs.append(("Mails", h.a(href=f"/admin/mails?order={order.id}")["Those of this order"]))
    return card(facts(pairs), title="Client", symbol="user")


def _invoice(file: OrderFile) -> h.Element | None:
    invoice = file.invoice
    if invoice is None:
        return None
    pairs: list[tuple[str, h.Node]] = [
        ("Total", money(Money(invoice.total_minor, invoice.currency))),
        ("Paid", money(Money(invoice.paid_minor, invoice.currency))),
    ]
    if invoice.due_minor:
        pairs.append(("Due", moment(invoice.due_at)))
    rows = [
        Row(
            cells=(
                payment.gateway.replace("_", " "),
                state_badge(payment.state),
                money(Money(payment.amount_minor, payment.currency)),
            ),
            id_=f"payment-{payment.id}",
        )
        for payment in invoice.payments
    ]
    return card(
        facts(pairs),
        h.div(".sw-inset-table")[
            table(
                (Column("By"), Column("State"), Column("Amount", figures=True)),
                rows,
                caption="Payments",
            )
        ]
        if rows
        else None,
        title=f"Invoice {invoice.number}",
        symbol="receipt",
        actions=[
            state_badge(invoice.state),
            link_button("Open", f"/admin/invoices/{invoice.id}", size="small"),
        ],
    )


def _machine(file: OrderFile) -> h.Element:
    server = file.server
    pairs: list[tuple[str, h.Node]] = []
    if server is not None:
        pairs += [
            ("Server", h.a(href=f"/admin/servers/{server.id}")[server.name]),
            ("State", state_badge(server.state)),
            ("Place", f"{server.datacentre}, rack {server.rack}, U{server.u_position}"),
            ("Power", state_badge(server.power)),
        ]
    pairs += address_facts(file.addresses)
    has_server = file.product.kind is ProductKind.SERVER
    nothing = {
        ProductKind.SERVER: "Neither a server nor addresses are with this order now.",
        ProductKind.MACHINE: "No addresses are with this order now; its machine is told on the "
        "service's page.",
    }.get(file.product.kind, "Nothing is held for it; what was made is told on the service's page.")
    told: h.Node = facts(pairs) if pairs else h.p(".sw-quiet")[nothing]
    why = link_button(
        "Why this one?" if server else "Why none?",
        f"{ORDERS}/{file.order.id}/allocation",
        size="small",
        symbol="circle-help",
    )
    return card(
        told,
        title="Server and addresses" if has_server else "Addresses",
        symbol="server" if has_server else "network",
        actions=why if file.sees_stock and has_server else None,
    )


def address_facts(claimed: Claimed) -> list[tuple[str, h.Node]]:
    """Return addresses and VLAN as facts, the primary first."""
    pairs: list[tuple[str, h.Node]] = [
        ("IPv4" if i == 0 else f"IPv4, extra {i}", copyable(str(ip.address)))
        for i, ip in enumerate(claimed.ip4)
    ]
    pairs += [("IPv6", copyable(str(net.network))) for net in claimed.ip6]
    if claimed.vlan is not None:
        pairs.append(("VLAN", code(str(claimed.vlan))))
    return pairs


def _trail(file: OrderFile) -> h.Element | None:
    return trail_card(file.trail) if file.trail is not None else None
