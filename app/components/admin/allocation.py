"""Why an order has its server: each candidate against each rule, and choosing another."""

from urllib.parse import urlencode
from uuid import UUID

import htpy as h

from app.components.admin.decide import decide_page
from app.components.admin.orders import ORDERS
from app.components.badge import badge
from app.components.button import link_button, submit_button
from app.components.card import card, stack
from app.components.empty import empty
from app.components.form import Form, text_field
from app.components.frame import PageFrame
from app.components.icon import icon
from app.components.notice import notice
from app.components.page import admin_page, page_head
from app.components.table import Column, Row, table
from app.domain.orders.account_words import verdict, why_not, why_the_best
from app.domain.orders.explain import OrderAccount
from app.solver.account import Candidate
from app.solver.explain import RuleCount
from app.solver.room import RESOURCES
from app.solver.rules import RuleName

TIERS = {
    "datacentre": "Datacentre",
    "equivalence": "Stand-in",
    "waste": "Size",
    "spread": "Crowding",
    "rack": "Rack",
}
"""Scores in each tier, lower is better, the first that differs decides."""
RULES: dict[RuleName, str] = {
    "excluded": "Set aside",
    "datacentre": "Place",
    "cpu": "CPU",
    "cores": "Cores",
    "ram": "Memory",
    "storage": "Disks",
    "layout": "Layout",
    "raid_controller": "RAID",
    "feed_a": "Feed A",
    "feed_b": "Feed B",
    "cooling": "Cooling",
    "ports": "Ports",
    "vlans": "VLANs",
    "client": "Client",
    "rack_client": "Client's limit",
}
OF_RACKS = frozenset([*(name for name, _ in RESOURCES), "rack_client"])


def allocation_href(order: UUID, deed: str = "", *, server: str = "") -> str:
    path = f"{ORDERS}/{order}/allocation{f'/{deed}' if deed else ''}"
    return f"{path}?{urlencode({'server': server})}" if server else path


def allocation_page(
    told: OrderAccount, *, asked: str = "", fault: str = "", may_choose: bool, frame: PageFrame
) -> h.Element:
    """Return the account; `asked` is the server that was typed, `fault` what is wrong with it."""
    may_choose = may_choose and not told.fixed
    number = f"Order {told.number}"
    return admin_page(
        f"Allocation of order {told.number}",
        page_head(
            "Allocation",
            eyebrow=h.a(href=f"{ORDERS}/{told.order}")[number],
            lede=[verdict(told), " ", why_the_best(told)],
        ),
        stack(
            notice("info", "No other server can be chosen now", told.fixed) if told.fixed else None,
            None if told.fixed or told.account.explanation.eligible else _nothing(told),
            _ask(told, asked, fault, may_choose=may_choose),
            _grid(told, may_choose=may_choose),
            _rules(told),
        ),
        frame=frame,
        active="orders",
    )


def choose_page(
    told: OrderAccount, server: str, form: Form, *, fails: tuple[str, ...], frame: PageFrame
) -> h.Element:
    """Return the decision to give the order a certain server."""
    has = f" instead of {told.names[told.has]}" if told.has else ""
    consequences: list[h.Node] = [
        h.li[f"The order gets {server}{has}, with addresses where it stands."]
    ]
    if fails:
        consequences.append(
            h.li[h.strong["It does not fit"], ": ", "; ".join(fails), ". You overrule this."]
        )
    return decide_page(
        f"Give order {told.number} server {server}",
        about=h.ul[consequences],
        form=form,
        action=allocation_href(told.order, "choose", server=server),
        confirm="Give it this server",
        weight="danger" if fails else "primary",
        back=("Allocation", allocation_href(told.order)),
        frame=frame,
        active="orders",
        reason_help="Kept in the audit trail, with the rules that it fails.",
    )


def _nothing(told: OrderAccount) -> h.Element:
    ways = [step.text for step in told.account.explanation.relaxations]
    ways += [pair.text for pair in told.account.pairs]
    return notice(
        "warning",
        "No free server serves this order",
        h.ul[[h.li[way] for way in ways[:5]]] if ways else "Add servers, or put some into stock.",
    )


def _ask(told: OrderAccount, asked: str, fault: str, *, may_choose: bool) -> h.Element:
    form = Form(values={"server": asked}, errors={"server": fault} if fault else {})
    answer = why_not(told) if asked and not fault else None
    about = told.account.asked
    is_free = about is not None and about.is_free and about.server != told.has
    words = answer or (f"{asked} is the best one." if asked and not fault else None)
    return card(
        stack(
            h.form(".sw-filter-form", method="get", action=allocation_href(told.order))[
                text_field(
                    form,
                    "server",
                    "Why not this server?",
                    kind="search",
                    placeholder="Name or id",
                    optional=True,
                    autocomplete="off",
                ),
                h.div(".sw-actions")[
                    submit_button("Ask", busy="Looking…", weight="plain", symbol="circle-help")
                ],
            ],
            notice(
                "info",
                words,
                link_button("Give it this one", allocation_href(told.order, "choose", server=asked))
                if is_free and may_choose
                else None,
            )
            if words
            else None,
        ),
    )


def _grid(told: OrderAccount, *, may_choose: bool) -> h.Element:
    """Return the matrix; it scrolls within its card, and the servers stay in view."""
    account = told.account
    heads = [
        *(h.th(scope="col", title=rule.label)[RULES[rule.rule]] for rule in _columns(told)),
        *(h.th(".is-figures", scope="col")[words] for words in TIERS.values()),
    ]
    left_off = f" {account.left_off:,} more are not shown." if account.left_off else ""
    return card(
        h.div(".sw-matrix", tabindex="0", role="region", aria_label="Candidates against rules")[
            h.table[
                h.caption(".visually-hidden")["Candidates against rules"],
                h.thead[h.tr[h.th(scope="col")["Server"], heads]],
                h.tbody[[_row(told, one, may_choose=may_choose) for one in account.candidates]],
            ]
        ]
        if account.candidates
        else empty("server", "Nothing is in stock", "Servers appear here when they are free."),
        title="Candidates",
        lede="The best first, then those that fail least. Of the scores lower is better; the "
        f"first one that differs decides.{left_off}",
        symbol="list",
        flush=True,
    )


def _columns(told: OrderAccount) -> list[RuleCount]:
    """Return the rules of the product, and those of the racks that keep anything out."""
    return [
        rule
        for rule in told.account.explanation.rules
        if rule.eliminated or rule.rule not in OF_RACKS
    ]


def _row(told: OrderAccount, one: Candidate, *, may_choose: bool) -> h.Element:
    name, is_best = told.names[one.server], one.server == told.account.chosen
    has_it = one.server == told.has
    mark = "It has this one" if has_it else "The best" if is_best else None
    href = allocation_href(told.order, "choose", server=name)
    return h.tr(id=f"candidate-{one.server}", class_={"is-best": is_best})[
        h.th(scope="row")[
            h.a(href=f"/admin/servers/{one.server}")[name],
            badge(mark, "accent") if mark else None,
            h.span(".sw-under")[
                told.places[one.server],
                [" · ", h.a(href=href)["choose it"]] if may_choose and not has_it else None,
            ],
        ],
        [_verdict(is_failed=rule.rule in one.failed) for rule in _columns(told)],
        [
            h.td(".is-figures")["" if one.scores is None else f"{one.scores[tier]:,}"]
            for tier in TIERS
        ],
    ]


def _verdict(*, is_failed: bool) -> h.Element:
    return h.td(class_=["sw-verdict", "tone-danger" if is_failed else "tone-success"])[
        icon("x", label="fails") if is_failed else icon("check", label="passes")
    ]


def _rules(told: OrderAccount) -> h.Element:
    explanation = told.account.explanation
    rows = [
        Row(
            cells=(
                rule.label,
                f"{rule.eliminated:,}",
                f"{rule.eliminated_alone:,}",
                h.ul(".sw-ways")[
                    [h.li[s.text] for s in explanation.relaxations if s.rule == rule.rule]
                ],
            ),
            id_=f"rule-{rule.rule}",
        )
        for rule in _columns(told)
    ]
    pairs = h.ul(".sw-ways")[[h.li[pair.text] for pair in told.account.pairs]]
    return card(
        table(
            (
                Column("Rule"),
                Column("Fail it", figures=True, narrow=True),
                Column("Only this", figures=True, narrow=True),
                Column("What would admit more"),
            ),
            rows,
            caption="Rules and what would admit more",
            empty=empty("check", "No rules", "Any free server serves this order."),
        ),
        h.div(".sw-card-part")[h.p(".sw-strong")["Two rules together"], pairs]
        if told.account.pairs
        else None,
        title="Rules",
        lede="How many free servers each rule keeps out, and the smallest step that lets more in.",
        symbol="sliders-horizontal",
        flush=True,
    )
