"""Billing cycles in words."""

from app.domain.catalog.cycle import Cycle

CYCLE_NAMES: dict[Cycle, str] = {
    Cycle.monthly: "Monthly",
    Cycle.quarterly: "Quarterly",
    Cycle.yearly: "Yearly",
}
PER: dict[Cycle, str] = {
    Cycle.monthly: "month",
    Cycle.quarterly: "quarter",
    Cycle.yearly: "year",
}
