"""The questions of the order form, priced in the chosen currency and cycle."""

from collections.abc import Iterable

import htpy as h

from app.components.card import card
from app.components.choice import Option, number_stepper, radio_cards, select_field
from app.components.form import Form, hidden_field
from app.components.icon import IconName
from app.components.money import price_change
from app.components.portal.cycle import CYCLE_NAMES, PER
from app.components.portal.stock import Stock
from app.core.money import Money
from app.domain.catalog.cycle import Cycle
from app.domain.catalog.selection import DATACENTRE, EXTRA_IPV4, OS, PANEL
from app.domain.catalog.views import (
    OptionGroupView,
    OptionKind,
    OptionView,
    PriceView,
    ProductView,
)

SYSTEM = (OS, PANEL)
PLACE = (DATACENTRE, EXTRA_IPV4)
BY_HAND = "You install it yourself on its screen, from an ISO; SSH keys are not put into it."


def question_cards(
    product: ProductView, stock: Stock, form: Form, *, currency: str, cycle: Cycle
) -> list[h.Element]:
    """Return the cards of billing, system, place and whatever else the operator asks."""
    sheet = _Sheet(product, stock, form, currency, cycle)
    other = [
        group.code
        for group in product.groups
        if group.code not in SYSTEM + PLACE and group.kind is not OptionKind.ssh_keys
    ]
    cards = [
        sheet.billing(),
        sheet.card("System", "monitor", SYSTEM),
        sheet.card("Place and network", "map-pin", PLACE),
        sheet.card("More options", "sliders-horizontal", other),
    ]
    return [one for one in cards if one is not None]


class _Sheet:
    """One form in one currency and cycle."""

    def __init__(
        self, product: ProductView, stock: Stock, form: Form, currency: str, cycle: Cycle
    ) -> None:
        self.product = product
        self.stock = stock
        self.form = form
        self.currency = currency
        self.cycle = cycle

    def card(self, title: str, symbol: IconName, codes: Iterable[str]) -> h.Element | None:
        groups = [group for code in codes if (group := self.product.group(code))]
        fields = [self.question(group) for group in groups if group.options]
        if not fields:
            return None
        return card(h.div(".sw-form")[fields], title=title, symbol=symbol)

    def billing(self) -> h.Element:
        product, form = self.product, self.form
        currencies = product.currencies
        several = len(currencies) > 1 or "currency" in form.errors
        cycles = radio_cards(
            form,
            "cycle",
            "Billing cycle",
            [self.cycle_card(cycle) for cycle in product.cycles(self.currency)],
            value=self.cycle.value,
            columns=3,
        )
        money = (
            select_field(
                form,
                "currency",
                "Currency",
                [Option(value=one, label=one) for one in currencies],
                value=self.currency,
            )
            if several
            else hidden_field("currency", self.currency)
        )
        return card(h.div(".sw-form")[cycles, money], title="Billing", symbol="calendar")

    def cycle_card(self, cycle: Cycle) -> Option:
        found = self.product.price(self.currency, cycle)
        monthly = self.product.price(self.currency, Cycle.monthly)
        if found is None:
            return Option(value=cycle.value, label=CYCLE_NAMES[cycle], off="not sold so")
        words = Money(found.recurring_minor, self.currency).text()
        return Option(
            value=cycle.value,
            label=CYCLE_NAMES[cycle],
            detail=[
                f"{words} a {PER[cycle]}",
                h.span(".sw-saving")[f"{saved} % less"]
                if (saved := _saved_percent(found, monthly))
                else None,
            ],
        )

    def question(self, group: OptionGroupView) -> h.Element:
        if group.kind is OptionKind.quantity:
            return self.stepper(group)
        options = [self.option(group, option) for option in group.options]
        if not group.is_required:
            blank = "Any" if group.code == DATACENTRE else "None"
            free = self.stock.total
            trailing = _free(free) if group.code == DATACENTRE else None
            options.insert(0, Option(value="", label=blank, trailing=trailing))
        return radio_cards(
            self.form,
            group.code,
            group.name,
            options,
            help_=group.help or None,
            columns=3 if len(options) == 3 else 2,
        )

    def option(self, group: OptionGroupView, option: OptionView) -> Option:
        unit = option.price(self.currency, self.cycle)
        if group.code == DATACENTRE:
            trailing: h.Node = _free(self.stock.at(option.code))
        else:
            trailing = self.change(unit) if unit and option.prices else None
        return Option(
            value=option.code,
            label=option.name,
            detail=self.detail(self.help(group, option), unit),
            trailing=trailing,
            off=None if unit else f"not sold {self.cycle} in {self.currency}",
        )

    def help(self, group: OptionGroupView, option: OptionView) -> str:
        """Return an option's help; of a system that comes as an ISO, that too."""
        is_by_hand = group.code == OS and self.product.is_by_hand(option.code)
        return " ".join(filter(None, (option.help, BY_HAND if is_by_hand else "")))

    def stepper(self, group: OptionGroupView) -> h.Element:
        option = group.options[0]
        unit = option.price(self.currency, self.cycle)
        low = max(group.minimum, 1) if group.is_required else group.minimum
        each: list[h.Node] = [self.change(unit), " each. "] if unit and unit.recurring_minor else []
        words = self.detail(group.help or option.help, unit)
        return number_stepper(
            self.form,
            group.code,
            group.name,
            low=low,
            high=group.maximum,
            value=low,
            help_=[*each, words] if each or words else None,
        )

    def change(self, unit: PriceView) -> h.Element:
        return price_change(Money(unit.recurring_minor, self.currency), per=PER[self.cycle])

    def detail(self, help_: str, unit: PriceView | None) -> str | None:
        """Return an option's help, and its set-up fee where it has one."""
        parts = [help_] if help_ else []
        if unit and unit.setup_minor:
            parts.append(f"{Money(unit.setup_minor, self.currency).text()} set-up, once.")
        return " ".join(parts) or None


def _free(count: int) -> h.Element:
    return h.span(class_=["sw-free", {"is-none": count == 0}])[
        f"{count:,} free" if count else "sold out"
    ]


def _saved_percent(found: PriceView, monthly: PriceView | None) -> int:
    """Return how much less a month costs than when paid monthly, in whole percent."""
    if monthly is None or not monthly.recurring_minor:
        return 0
    full = monthly.recurring_minor * found.cycle.months
    return max(0, (full - found.recurring_minor) * 100 // full)
