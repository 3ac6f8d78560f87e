"""How often a service is paid for."""

from enum import StrEnum


class Cycle(StrEnum):
    """A billing cycle; the price of one is for the whole of it."""

    monthly = "monthly"
    """Paid every month."""

    quarterly = "quarterly"
    """Paid every three months."""

    yearly = "yearly"
    """Paid every twelve months."""

    @property
    def months(self) -> int:
        return MONTHS[self]


MONTHS = {Cycle.monthly: 1, Cycle.quarterly: 3, Cycle.yearly: 12}
