"""What a peer is asked to do, and what it says of it."""

import msgspec

from benchmarks.usage import Sample, cores, cpu_s


class Setting(msgspec.Struct, frozen=True):
    """One way to run many flows: how they are started, and how many at once (0: no bound)."""

    how: str
    at_once: int

    def __str__(self) -> str:
        return f"{self.how}, {self.at_once or 'any number'} at once"


class Reached(msgspec.Struct, frozen=True):
    """Steps per second, and what they took of the machine by part.

    The CPU time of a step says the same on a machine that others keep busy.
    """

    steps_per_s: float
    cores: dict[str, float] = {}
    cpu_us_per_step: dict[str, float] = {}


def reached(steps: int, wall_s: float, before: Sample, after: Sample) -> Reached:
    """Return what so many steps in `wall_s` come to; the samples lie around them."""
    if steps < 1 or wall_s <= 0:
        raise ValueError(f"{steps} steps in {wall_s} s are no measurement")
    return Reached(
        steps / wall_s,
        cores(before, after),
        {name: used / steps * 1e6 for name, used in cpu_s(before, after).items()},
    )
