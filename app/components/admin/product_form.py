"""The form of every new product, and what all of them ask: its name, category and price."""

from collections.abc import Mapping, Sequence

import htpy as h

from app.components.admin.outlook import STOCK
from app.components.button import link_button, submit_button
from app.components.card import card
from app.components.choice import Option, select_field
from app.components.form import Form, form_element, text_field
from app.components.frame import PageFrame
from app.components.page import admin_page, page_head

LABELS = {
    "name": "Name",
    "slug": "Short name",
    "summary": "Summary",
    "category": "Category",
    "new_category": "New category",
    "price": "Price a month",
    "currency": "Currency",
    "reason": "Reason",
}


def product_page(
    form: Form,
    *fields: h.Node,
    title: str,
    lede: str,
    action: str,
    notices: h.Node,
    labels: Mapping[str, str],
    frame: PageFrame,
) -> h.Element:
    """Return the page of the form with these fields, and the reason.

    `labels` are what those are called that `product_fields` does not have.
    """
    return admin_page(
        title,
        page_head(title, eyebrow=h.a(href=STOCK)["Stock"], lede=lede),
        h.div(".sw-decide.sw-decide-wide.sw-stack")[
            notices,
            card(
                form_element(
                    form,
                    action,
                    *fields,
                    text_field(form, "reason", "Reason", help_="Kept in the audit trail."),
                    h.div(".sw-actions")[
                        submit_button("Sell it", weight="primary"),
                        link_button("Leave it", STOCK, weight="quiet"),
                    ],
                    labels={**LABELS, **labels},
                )
            ),
        ],
        frame=frame,
        active="stock",
    )


def product_fields(
    form: Form, categories: Sequence[tuple[str, str]], *, name: str, shelf: str
) -> list[h.Element]:
    """Return the fields; `categories` are slug and name of those it may be in.

    `name` and `shelf` are examples: of a product, and of a new category, whose flows are shipped.
    """
    return [
        h.div(".sw-pair")[
            text_field(form, "name", "Name", placeholder=name),
            text_field(
                form, "slug", "Short name", placeholder="-".join(name.lower().split()),
                help_="Part of its page's address; it stays.",
            ),
        ],
        text_field(form, "summary", "Summary", optional=True, help_="One line on its card."),
        h.div(".sw-pair")[
            select_field(
                form,
                "category",
                "Category",
                [Option(value=slug, label=label) for slug, label in categories],
                blank="A new one",
                optional=True,
                help_="Its flows deliver the product.",
            ),
            text_field(
                form, "new_category", "New category", optional=True,
                placeholder=shelf,
                help_=f"Served by the shipped flows for {shelf.lower()}.",
            ),
        ],
        h.div(".sw-pair")[
            text_field(form, "price", "Price a month", inputmode="decimal", placeholder="6.90"),
            text_field(form, "currency", "Currency"),
        ],
    ]  # fmt: skip
