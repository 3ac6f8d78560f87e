"""The OR-Library's one-dimensional bin packing files: the number of instances, then each one.

An instance is its name, then capacity, items and best known bins, then a size a line.
Source: Beasley, OR-Library: distributing test problems by electronic mail, 1990.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from app.core.errors import Refusal
from app.solver.placing import Machine, RackSpace


class Instance(NamedTuple):
    name: str
    capacity: int
    sizes: tuple[int, ...]
    best_known: int

    def racks(self) -> list[RackSpace]:
        """Return as many racks as the best known answer has bins."""
        return [
            RackSpace(name=f"bin {place}", u_height=self.capacity)
            for place in range(self.best_known)
        ]

    def machines(self) -> list[Machine]:
        return [
            Machine(id=UUID(int=place + 1), u_height=size) for place, size in enumerate(self.sizes)
        ]


class NotBinPacking(Refusal):
    code = "bench.not_bin_packing"

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(f"{source} is not a bin packing file of the OR-Library: {reason}.")


def load(path: Path) -> list[Instance]:
    """Return the instances of a file. Raises NotBinPacking."""
    try:
        return [*parse(path.read_text())]
    except (OSError, ValueError, IndexError) as error:
        raise NotBinPacking(path.name, str(error) or "it ends too early") from None


def parse(text: str) -> Iterator[Instance]:
    """Read instances one after the other. Sizes must be whole numbers. Raises ValueError."""
    words = text.split()
    number, at = int(words[0]), 1
    for _ in range(number):
        name, capacity, items, best_known = words[at : at + 4]
        sizes = words[at + 4 : at + 4 + int(items)]
        if len(sizes) < int(items):
            raise ValueError(f"{name} has {len(sizes)} items instead of {items}")
        at += 4 + int(items)
        yield Instance(name, int(capacity), tuple(map(int, sizes)), int(best_known))
