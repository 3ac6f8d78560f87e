"""What a peer is asked to do, and what it says of it."""

import msgspec


class Setting(msgspec.Struct, frozen=True):
    """One way to run many flows: how they are started, and how many at once (0: no bound)."""

    how: str
    at_once: int

    def __str__(self) -> str:
        return f"{self.how}, {self.at_once or 'any number'} at once"


class Reached(msgspec.Struct, frozen=True):
    """Steps per second, and the seconds of runs alone."""

    steps_per_s: float
    alone_s: list[float] = []
    cores: dict[str, float] = {}


def steps_per_s(flows: int, steps: int, wall_s: float) -> float:
    return flows * steps / wall_s if wall_s > 0 else 0.0
