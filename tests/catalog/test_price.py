"""Pricing: whole cents, tax rounded once a charge, the invoice's lines add up to it."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from app.core.errors import Invalid
from app.domain.catalog.cycle import Cycle
from app.domain.catalog.price import PriceLine, price, tax_on
from app.domain.catalog.selection import Selection
from app.domain.catalog.views import (
    OptionGroupView,
    OptionKind,
    OptionView,
    PriceView,
    ProductView,
    lowest_price,
)
from app.ipam.wants import AddressRules
from app.solver.want import ServerWant

ID = UUID(int=7)


def cost(recurring_minor: int, setup_minor: int = 0, cycle: Cycle = Cycle.monthly) -> PriceView:
    return PriceView(
        currency="EUR", cycle=cycle, recurring_minor=recurring_minor, setup_minor=setup_minor
    )


def group(code: str, kind: OptionKind, *options: OptionView, name: str = "") -> OptionGroupView:
    return OptionGroupView(
        id=ID, code=code, name=name or code, kind=kind, maximum=9, options=options
    )


def option(code: str, *prices: PriceView) -> OptionView:
    return OptionView(id=ID, code=code, name=code.title(), prices=prices)


PRODUCT = ProductView(
    id=ID,
    slug="ax",
    name="AX",
    category_id=ID,
    category_slug="d",
    category_name="D",
    server_rules=ServerWant(),
    address_rules=AddressRules(),
    prices=(cost(4_999, 1_001),),
    groups=(
        group("os", OptionKind.choice, option("debian")),
        group("panel", OptionKind.choice, option("cockpit", cost(333, 99))),
        group("extra_ipv4", OptionKind.quantity, option("address", cost(150, 500))),
        group("ssh_keys", OptionKind.ssh_keys),
    ),
)
CHOICE = Selection(hostname="a", currency="EUR", cycle=Cycle.monthly, os="debian")


def test_the_product_alone() -> None:
    told = price(PRODUCT, CHOICE, tax_rate_bp=0)
    assert (told.recurring_minor, told.setup_minor, told.tax_minor) == (4_999, 1_001, 0)
    assert told.total_minor == told.subtotal_minor == 6_000
    assert [(charge.description, charge.amount_minor) for charge in told.charges()] == [
        ("AX", 4_999),
        ("AX: set-up", 1_001),
        ("os: Debian", 0),
    ]


def test_options_and_units_are_added_and_tax_is_rounded_once_a_charge() -> None:
    chosen = replace(CHOICE, panel="cockpit", extra_ipv4=3)
    told = price(PRODUCT, chosen, tax_rate_bp=1_900)
    assert told.lines[2] == PriceLine(
        label="panel: Cockpit",
        quantity=1,
        unit_recurring_minor=333,
        unit_setup_minor=99,
        recurring_minor=333,
        setup_minor=99,
        tax_minor=63 + 19,  # 63.27 and 18.81
    )
    assert told.lines[3].recurring_minor == 450
    assert told.lines[3].setup_minor == 1_500
    assert told.recurring_minor == 4_999 + 333 + 450
    assert told.setup_minor == 1_001 + 99 + 1_500
    # 949.81, 190.19, 63.27, 18.81, 85.50 (half away from zero), 285.00
    assert told.tax_minor == 950 + 190 + 63 + 19 + 86 + 285
    assert told.total_minor == told.subtotal_minor + told.tax_minor


def test_an_option_that_is_its_group_is_named_once() -> None:
    snapshots = group("snap", OptionKind.quantity, option("snapshots", cost(5)), name="Snapshots")
    product = replace(PRODUCT, groups=(snapshots,))
    told = price(product, replace(CHOICE, os="", quantities={"snap": 2}), tax_rate_bp=0)
    assert [line.label for line in told.lines] == ["AX", "Snapshots"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"cycle": Cycle.yearly}, "cycle"),
        ({"os": "plan9"}, "os"),
        ({"panel": "gone"}, "panel"),
    ],
)
def test_what_has_lost_its_price_is_refused(change: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        price(PRODUCT, replace(CHOICE, **change), tax_rate_bp=0)
    assert set(refused.value.fields) == {field}


def test_an_option_that_has_no_price_in_the_cycle_is_refused() -> None:
    product = replace(PRODUCT, prices=(cost(1, cycle=Cycle.yearly),))
    with pytest.raises(Invalid) as refused:
        price(product, replace(CHOICE, cycle=Cycle.yearly, extra_ipv4=1), tax_rate_bp=0)
    assert set(refused.value.fields) == {"extra_ipv4"}
    emptied = replace(PRODUCT, groups=(group("extra_ipv4", OptionKind.quantity),))
    with pytest.raises(Invalid):
        price(emptied, replace(CHOICE, os="", extra_ipv4=1), tax_rate_bp=0)


amounts = st.integers(0, 10**9)


@given(
    base=st.tuples(amounts, amounts),
    panel=st.tuples(amounts, amounts),
    extra=st.tuples(amounts, amounts),
    quantity=st.integers(0, 9),
    rate_bp=st.integers(0, 10_000),
)
def test_lines_charges_and_totals_always_agree(
    base: tuple[int, int],
    panel: tuple[int, int],
    extra: tuple[int, int],
    quantity: int,
    rate_bp: int,
) -> None:
    product = replace(
        PRODUCT,
        prices=(cost(*base),),
        groups=(
            group("panel", OptionKind.choice, option("cockpit", cost(*panel))),
            group("extra_ipv4", OptionKind.quantity, option("address", cost(*extra))),
        ),
    )
    chosen = replace(CHOICE, os="", panel="cockpit", extra_ipv4=quantity)
    told = price(product, chosen, tax_rate_bp=rate_bp)
    charges = told.charges()
    assert told.recurring_minor == base[0] + panel[0] + extra[0] * quantity
    assert told.setup_minor == base[1] + panel[1] + extra[1] * quantity
    assert sum(charge.amount_minor for charge in charges) == told.subtotal_minor
    assert sum(charge.tax_minor for charge in charges) == told.tax_minor
    assert told.total_minor == told.subtotal_minor + told.tax_minor
    assert all(charge.amount_minor == charge.unit_minor * charge.quantity for charge in charges)
    # Each charge is rounded by less than one, so the sum is off by at most half of each.
    assert abs(told.tax_minor * 10_000 - told.subtotal_minor * rate_bp) <= 5_000 * len(charges)


def test_tax_is_rounded_half_away_from_zero() -> None:
    assert [tax_on(amount, 5_000, "EUR") for amount in (1, 3, -1)] == [1, 2, -1]


def test_the_lowest_price_is_by_the_month() -> None:
    monthly, quarterly = cost(100), cost(300, cycle=Cycle.quarterly)
    yearly = cost(1_199, cycle=Cycle.yearly)
    assert lowest_price([quarterly, monthly]) is monthly
    assert lowest_price([monthly, quarterly, yearly]) is yearly
    assert lowest_price([]) is None
    assert quarterly.per_month_minor == 100
    assert yearly.per_month_minor == 100
