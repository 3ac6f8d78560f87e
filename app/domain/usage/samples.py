"""Samples as they are kept: means over slots of five minutes, twelve in an hour. Pure.

Five minutes is what bandwidth is billed by. A slot knows how many of its seconds were measured, so
that a reading that covers more of it takes the place of one that covered less, and the same
samples read again change nothing.
"""

import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from app.drivers.hypervisor.contract import Usage

SLOT_S = 300
SLOTS = 12
HOUR_S = SLOT_S * SLOTS
RATES = ("cpu", "memory", "disk_read", "disk_write", "net_in", "net_out", "disk_used")
_ROW = struct.Struct("<H7f")
_EARLIER = struct.Struct("<H6f")
"""As hours were stored before the disk that is used was kept."""


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """Means over the measured seconds of five minutes."""

    seconds: int = 0
    """Of 300, how many were measured."""
    cpu: float = 0.0
    """Of the machine's cores, 0 to 1."""
    memory: float = 0.0
    """In bytes."""
    disk_read: float = 0.0
    """In bytes a second, as the three that follow."""
    disk_write: float = 0.0
    net_in: float = 0.0
    net_out: float = 0.0
    disk_used: float = 0.0
    """In bytes; 0 where it is not told."""


NOTHING = Slot()
Hour = tuple[Slot, ...]
"""Twelve slots."""
EMPTY: Hour = (NOTHING,) * SLOTS


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """What hours and days come to."""

    seconds: int
    cpu: float
    cpu_most: float
    """The highest mean of five minutes."""
    memory_bytes: int
    disk_read_bytes: int
    disk_write_bytes: int
    net_in_bytes: int
    net_out_bytes: int
    disk_used_bytes: int


def slots_of(samples: Iterable[Usage]) -> dict[int, Slot]:
    """Return the slots that samples cover, by the Unix time of their beginning.

    A sample that reaches into several slots counts in each for as long as it does. Of two that
    begin at the same time the later one counts, and what overlaps counts for no more than the slot
    has. Time: linear in the seconds covered / 300.
    """
    weights: dict[int, int] = {}
    sums: dict[int, list[float]] = {}
    for sample in {sample.at_s: sample for sample in samples}.values():
        rates = _rates(sample)
        begin, end = sample.at_s, sample.at_s + sample.period_s
        for slot in range(begin - begin % SLOT_S, end, SLOT_S):
            seconds = min(end, slot + SLOT_S) - max(begin, slot)
            weights[slot] = weights.get(slot, 0) + seconds
            into = sums.setdefault(slot, [0.0] * len(rates))
            for number, rate in enumerate(rates):
                into[number] += rate * seconds
    return {
        slot: _slot(min(seconds, SLOT_S), [each / seconds for each in sums[slot]])
        for slot, seconds in weights.items()
    }


def hours_of(slots: Mapping[int, Slot]) -> dict[datetime, Hour]:
    """Return slots by the hour that they are in, the others of it empty."""
    hours: dict[datetime, list[Slot]] = {}
    for at_s, slot in slots.items():
        hour = datetime.fromtimestamp(at_s - at_s % HOUR_S, UTC)
        hours.setdefault(hour, list(EMPTY))[at_s % HOUR_S // SLOT_S] = slot
    return {hour: tuple(some) for hour, some in sorted(hours.items())}


def merge(kept: Hour, read: Hour) -> Hour:
    """Return, of each slot, what covers more of it; of equals what was read later."""
    return tuple(
        new if new.seconds and new.seconds >= old.seconds else old
        for old, new in zip(kept, read, strict=True)
    )


def join(kept: Hour, read: Hour) -> Hour:
    """Return each slot as the mean over both: of parts of it that follow each other."""
    return tuple(_joined(old, new) for old, new in zip(kept, read, strict=True))


def _joined(old: Slot, new: Slot) -> Slot:
    seconds = old.seconds + new.seconds
    if not new.seconds or not old.seconds:
        return new if new.seconds else old
    means = [
        (getattr(old, name) * old.seconds + getattr(new, name) * new.seconds) / seconds
        for name in RATES
    ]
    return _slot(min(seconds, SLOT_S), means)


def totals_of(slots: Sequence[Slot]) -> Totals:
    """Return what slots come to: means over what was measured, and sums of what flowed."""
    measured = sum(slot.seconds for slot in slots)

    def sum_of(name: str) -> float:
        return math.fsum(getattr(slot, name) * slot.seconds for slot in slots)

    return Totals(
        seconds=measured,
        cpu=sum_of("cpu") / measured if measured else 0.0,
        cpu_most=max((slot.cpu for slot in slots if slot.seconds), default=0.0),
        memory_bytes=round(sum_of("memory") / measured) if measured else 0,
        disk_read_bytes=round(sum_of("disk_read")),
        disk_write_bytes=round(sum_of("disk_write")),
        net_in_bytes=round(sum_of("net_in")),
        net_out_bytes=round(sum_of("net_out")),
        disk_used_bytes=round(sum_of("disk_used") / measured) if measured else 0,
    )


def pack(hour: Hour) -> bytes:
    """Return an hour as it is stored: 360 bytes."""
    return b"".join(
        _ROW.pack(slot.seconds, *(getattr(slot, name) for name in RATES)) for slot in hour
    )


def unpack(stored: bytes) -> Hour:
    if len(stored) == _EARLIER.size * SLOTS:
        return tuple(
            _slot(seconds, [*rates, 0.0]) for seconds, *rates in _EARLIER.iter_unpack(stored)
        )
    return tuple(_slot(seconds, rates) for seconds, *rates in _ROW.iter_unpack(stored))


def times_of(hour: datetime) -> list[datetime]:
    """Return when the slots of an hour begin."""
    return [hour + timedelta(seconds=SLOT_S * number) for number in range(SLOTS)]


def _rates(sample: Usage) -> tuple[float, ...]:
    return (
        sample.cpu,
        float(sample.memory_bytes),
        sample.disk_read_bytes_s,
        sample.disk_write_bytes_s,
        sample.net_in_bytes_s,
        sample.net_out_bytes_s,
        float(sample.disk_used_bytes),
    )


def _slot(seconds: int, rates: Sequence[float]) -> Slot:
    return Slot(seconds=seconds, **dict(zip(RATES, rates, strict=True)))
