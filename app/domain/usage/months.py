"""Billing months: from the day on which a service began to the same of the next month. Pure."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from dateutil.relativedelta import relativedelta


def month_begin(anchor: datetime, number: int) -> datetime:
    """Return when the month `number` (from 0) of what began at `anchor` begins.

    In months that are too short it is their last day; the ones after are not moved by that.
    """
    return anchor + relativedelta(months=number)


def number_of(anchor: datetime, at: datetime) -> int:
    """Return the number of the billing month that `at` is in; below 0 before the anchor."""
    number = (at.year - anchor.year) * 12 + at.month - anchor.month
    return number if month_begin(anchor, number) <= at else number - 1


class Month(NamedTuple):
    """A billing month: from `began_at` until just before `ended_at`."""

    number: int
    began_at: datetime
    ended_at: datetime


def months_between(anchor: datetime, begin: datetime, end: datetime) -> Iterator[Month]:
    """Yield each billing month that shares time with what lies from `begin` to `end`."""
    number = max(0, number_of(anchor, begin))
    while (began := month_begin(anchor, number)) < end:
        yield Month(number, began, month_begin(anchor, number + 1))
        number += 1
