"""What the form of every new product asks: its name, category and price."""

from collections.abc import Sequence

import htpy as h

from app.components.choice import Option, select_field
from app.components.form import Form, text_field

PRODUCT_LABELS = {
    "name": "Name",
    "slug": "Short name",
    "summary": "Summary",
    "category": "Category",
    "new_category": "New category",
    "price": "Price a month",
    "currency": "Currency",
}


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
