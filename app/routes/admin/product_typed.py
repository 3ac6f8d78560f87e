"""What every new product is typed with: its name, price and category, and why."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from app.core.errors import Invalid
from app.domain.billing.amount import read_amount
from app.domain.catalog.cycle import Cycle
from app.domain.catalog.seed import CategorySeed, PriceSeed, ProductSeed
from app.routes.admin.space_typed import Entries

CODE_WORDS = "Small letters, digits, dots and hyphens, at most 60."
CODE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,59}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProduct:
    """A product as it was typed; its category is made with it, or there already."""

    product: ProductSeed
    category: CategorySeed
    is_new_category: bool
    reason: str


def begin(values: Mapping[str, str]) -> tuple[Entries, ProductSeed, str]:
    """Return what was typed, the product as far as it is of no kind, and the reason.

    Faults are kept in the entries.
    """
    entries = Entries(values)
    reason = entries.reason()
    name = entries.text("name", needed="Give it a name.")
    slug = entries.text("slug", needed="Give it a short name.")
    if slug and not CODE.fullmatch(slug):
        entries.faults["slug"] = CODE_WORDS
    product = ProductSeed(
        slug=slug, name=name, summary=entries.text("summary"), prices=_price(entries)
    )
    return entries, product, reason


def finish(entries: Entries, product: ProductSeed, reason: str) -> NewProduct:
    """Return the product with its category. Raises Invalid, with all faults, by field."""
    category, new = entries.text("category"), entries.text("new_category")
    is_new = not category
    if is_new and not new:
        entries.faults["new_category"] = "Choose a category, or name a new one."
    code = "-".join(re.findall(r"[a-z0-9]+", new.lower())) if is_new else category
    if is_new and new and not code:
        entries.faults["new_category"] = "Name it with letters from a to z, or digits."
    entries.require_all()
    return NewProduct(
        product=product,
        category=CategorySeed(slug=code[:60], name=new or category),
        is_new_category=is_new,
        reason=reason,
    )


def _price(entries: Entries) -> tuple[PriceSeed, ...]:
    currency = entries.text("currency").upper()
    if not re.fullmatch(r"[A-Z]{3}", currency):
        entries.faults["currency"] = "Three letters, as EUR."
        return ()
    try:
        minor = read_amount(entries.text("price"), currency)
    except Invalid as fault:
        entries.faults["price"] = next(iter(fault.fields.values()))
        return ()
    return (PriceSeed(currency=currency, cycle=Cycle.monthly, recurring_minor=minor),)
