"""A product's page: what it is, the order form, and the price beside it."""

from collections.abc import Sequence
from dataclasses import dataclass

import htpy as h

from app.components.card import card, split
from app.components.choice import Option, checkbox_cards
from app.components.facts import code
from app.components.form import (
    Form,
    error_summary,
    form_element,
    hidden_field,
    text_field,
    textarea_field,
)
from app.components.frame import PageFrame
from app.components.notice import notice
from app.components.page import page_head, portal_page
from app.components.portal.catalogue import spec_list
from app.components.portal.price import Quote, price_panel
from app.components.portal.questions import question_cards
from app.components.portal.stock import Stock, product_stock
from app.domain.accounts.views import SshKeyView
from app.domain.catalog.cycle import Cycle
from app.domain.catalog.selection import PASTED_KEY, SSH_KEYS
from app.domain.catalog.views import OptionGroupView, OptionKind, ProductView

FORM_ID = "order"


@dataclass(frozen=True, slots=True)
class Alternative:
    """Something else that could be had now: a place, or another product."""

    label: str
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Everything that the order form shows beside what was typed into it."""

    product: ProductView
    stock: Stock
    quote: Quote
    currency: str
    cycle: Cycle
    """The currency and the cycle that prices are shown in; the form's own where they are good."""
    keys: Sequence[SshKeyView]
    """Of the client; empty for visitors."""
    idempotency_key: str
    sold_out: str | None = None
    """The refusal of an order that could not be held."""
    alternatives: tuple[Alternative, ...] = ()


def labels_of(product: ProductView) -> dict[str, str]:
    """Return the label of every field, in the order of the form."""
    groups = {group.code: group.name for group in product.groups}
    keys = {SSH_KEYS: groups.pop(SSH_KEYS)} if SSH_KEYS in groups else {}
    return {
        "cycle": "Billing cycle",
        "currency": "Currency",
        **groups,
        "hostname": "Host name",
        **keys,
        PASTED_KEY: "Public key",
    }


def product_page(desk: Desk, form: Form, *, frame: PageFrame) -> h.Element:
    """Return the page; `form` holds what was chosen so far, or what was wrong with it."""
    product = desk.product
    head = page_head(
        product.name,
        eyebrow=[h.a(href="/")["Servers"], f" / {product.category_name}"],
        lede=product.summary,
        status=product_stock(product.slug, desk.stock),
    )
    if not product.prices:
        body: h.Node = notice(
            "info", "This server has no price yet", "It can be ordered as soon as it has one."
        )
    else:
        body = _order_form(desk, form)
    return portal_page(
        product.name,
        head,
        h.div(".sw-product-about")[
            spec_list(product.specs),
            h.p(".sw-product-text")[product.description] if product.description else None,
        ],
        body,
        frame=frame,
        active="catalogue",
    )


def options_region(desk: Desk, form: Form, *, out_of_band: bool = False) -> h.Element:
    """Return the questions whose prices and stock depend on each other's answers.

    The answer to a change brings them along, out of band: what is typed elsewhere is not touched.
    """
    return h.div("#options.sw-stack", {"hx-swap-oob": "outerMorph"} if out_of_band else {})[
        question_cards(desk.product, desk.stock, form, currency=desk.currency, cycle=desk.cycle)
    ]


def _order_form(desk: Desk, form: Form) -> h.Element:
    product = desk.product
    action = f"/products/{product.slug}/order"
    return form_element(
        # Its summary of errors stands below, where a refusal for lack of stock may stand instead.
        Form(values=form.values, csrf=form.csrf),
        action,
        hidden_field("idempotency_key", desk.idempotency_key),
        _sold_out(desk) if desk.sold_out else error_summary(form, labels_of(product)),
        split(
            [options_region(desk, form), _access(desk, form)],
            price_panel(product.slug, desk.quote, form_id=FORM_ID),
        ),
        attrs={"id": FORM_ID},
    )


def _sold_out(desk: Desk) -> h.Element:
    """Say that nothing could be held, and what could be had instead; it takes the focus."""
    return h.div(".sw-notice.tone-warning", role="alert", tabindex="-1", autofocus=True)[
        h.div[
            h.p(".sw-notice-title")[desk.sold_out],
            h.div(".sw-notice-body")[
                [
                    "Available now:",
                    h.ul(".sw-error-list")[
                        [h.li[h.a(href=one.href)[one.label]] for one in desk.alternatives]
                    ],
                ]
                if desk.alternatives
                else "Nothing else is free just now. The stock on this page follows the datacentre."
            ],
        ]
    ]


def _access(desk: Desk, form: Form) -> h.Element:
    group = next((one for one in desk.product.groups if one.kind is OptionKind.ssh_keys), None)
    return card(
        h.div(".sw-form")[
            text_field(
                form,
                "hostname",
                "Host name",
                help_="What the server calls itself, for example db1.example.org.",
                placeholder="db1.example.org",
                autocomplete="off",
                mono=True,
                attrs={"autocapitalize": "none", "spellcheck": "false"},
            ),
            _keys(desk, group, form) if group else None,
        ],
        title="Name and access",
        symbol="key-round",
    )


def _keys(desk: Desk, group: OptionGroupView, form: Form) -> list[h.Node]:
    chosen = (
        checkbox_cards(
            form,
            SSH_KEYS,
            "Your SSH keys",
            [
                Option(value=str(key.id), label=key.name, detail=code(key.fingerprint))
                for key in desk.keys
            ],
            help_=group.help or None,
            columns=1,
        )
        if desk.keys
        else None
    )
    pasted = textarea_field(
        form,
        PASTED_KEY,
        "Another public key" if desk.keys else "SSH public key",
        help_="The line of a .pub file, such as ~/.ssh/id_ed25519.pub. "
        + ("" if desk.keys else group.help),
        placeholder="ssh-ed25519 AAAA…",
        rows=3,
        optional=not (group.is_required and not desk.keys),
        mono=True,
    )
    return [chosen, pasted]
