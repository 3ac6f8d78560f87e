"""What a selection costs. Pure: a product, the answers and a tax rate give the breakdown.

Integer minor units throughout. Tax is rounded half away from zero, once for every charge:
recurring and set-up are charges of their own, as they are lines of their own on the
invoice, so the breakdown and the invoice never differ by a cent.
"""

from collections.abc import Iterator

import msgspec

from app.core.errors import Invalid
from app.core.money import Money
from app.domain.catalog.selection import Selection
from app.domain.catalog.views import OptionKind, PriceView, ProductView


class PriceLine(msgspec.Struct, frozen=True, kw_only=True):
    """The product, or one chosen option; amounts are for all `quantity` units."""

    label: str
    quantity: int
    unit_recurring_minor: int
    unit_setup_minor: int
    recurring_minor: int
    setup_minor: int
    tax_minor: int


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the first invoice: `amount_minor` is `unit_minor` times `quantity`."""

    description: str
    quantity: int
    unit_minor: int
    amount_minor: int
    tax_minor: int


class PriceBreakdown(msgspec.Struct, frozen=True, kw_only=True):
    """What is due now: one cycle and the set-up; `recurring_minor` is due each cycle, untaxed."""

    currency: str
    lines: tuple[PriceLine, ...]
    recurring_minor: int
    setup_minor: int
    subtotal_minor: int
    tax_rate_bp: int
    tax_minor: int
    total_minor: int

    def charges(self) -> tuple[Charge, ...]:
        """Return the lines of the invoice; set-up fees follow what they are for."""
        return tuple(
            charge
            for line in self.lines
            for charge in (
                self._charge(line.label, line.quantity, line.unit_recurring_minor),
                self._charge(f"{line.label}: set-up", line.quantity, line.unit_setup_minor),
            )
            # What is included is named, what is not charged for at all is not.
            if charge.amount_minor or charge.description == line.label
        )

    def _charge(self, description: str, quantity: int, unit_minor: int) -> Charge:
        amount_minor = unit_minor * quantity
        return Charge(
            description=description,
            quantity=quantity,
            unit_minor=unit_minor,
            amount_minor=amount_minor,
            tax_minor=tax_on(amount_minor, self.tax_rate_bp, self.currency),
        )


def tax_on(amount_minor: int, rate_bp: int, currency: str) -> int:
    """Return the tax on one charge, in minor units; 2000 bp are 20 %."""
    return Money(amount_minor, currency).share(rate_bp).amount_minor


def price(product: ProductView, selection: Selection, *, tax_rate_bp: int) -> PriceBreakdown:
    """Return the breakdown of a selection that `read_selection` accepted for `product`.

    Every answer is a line, also what is included at no cost. Raises Invalid when the
    catalogue has changed since, so that something has no price any more.
    """
    lines = tuple(
        _line(label, quantity, unit, tax_rate_bp)
        for label, quantity, unit in _units(product, selection)
    )
    recurring_minor = sum(line.recurring_minor for line in lines)
    setup_minor = sum(line.setup_minor for line in lines)
    tax_minor = sum(line.tax_minor for line in lines)
    return PriceBreakdown(
        currency=selection.currency,
        lines=lines,
        recurring_minor=recurring_minor,
        setup_minor=setup_minor,
        subtotal_minor=recurring_minor + setup_minor,
        tax_rate_bp=tax_rate_bp,
        tax_minor=tax_minor,
        total_minor=recurring_minor + setup_minor + tax_minor,
    )


def _line(label: str, quantity: int, unit: PriceView, tax_rate_bp: int) -> PriceLine:
    recurring_minor = unit.recurring_minor * quantity
    setup_minor = unit.setup_minor * quantity
    return PriceLine(
        label=label,
        quantity=quantity,
        unit_recurring_minor=unit.recurring_minor,
        unit_setup_minor=unit.setup_minor,
        recurring_minor=recurring_minor,
        setup_minor=setup_minor,
        tax_minor=tax_on(recurring_minor, tax_rate_bp, unit.currency)
        + tax_on(setup_minor, tax_rate_bp, unit.currency),
    )


def _units(product: ProductView, selection: Selection) -> Iterator[tuple[str, int, PriceView]]:
    """Yield what is bought: its label, how many, and the price of one."""
    currency, cycle = selection.currency, selection.cycle
    unit = product.price(currency, cycle)
    if unit is None:
        raise Invalid({"cycle": f"{product.name} is not sold {cycle} in {currency}."})
    yield product.name, 1, unit
    for group in product.groups:
        if group.kind is OptionKind.ssh_keys:
            continue
        if group.kind is OptionKind.quantity:
            quantity, option = selection.quantity(group.code), next(iter(group.options), None)
        else:
            code = selection.choice(group.code)
            quantity, option = (1, group.option(code)) if code else (0, None)
        if quantity == 0:
            continue
        unit = option.price(currency, cycle) if option else None
        if option is None or unit is None:
            raise Invalid({group.code: f"{group.name}: this is not offered any more."})
        yield (
            f"{group.name}: {option.name}" if option.name != group.name else group.name,
            quantity,
            unit,
        )
