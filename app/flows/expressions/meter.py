"""How much one evaluation may do.

CEL bounds the number of iterations and nothing else: `x + x` in nested macros makes gigabytes,
and a `map` over 9,000 items takes seconds. So each thing that grows with its input is paid for.
"""

from collections.abc import Mapping
from typing import Any

from app.flows.expressions.errors import TooCostly

BUDGET = 400_000
"""Units of one evaluation: about 0.1 µs each, so some 50 ms at most."""
MAX_TEXT_CHARS = 1_000_000
MAX_ITEMS = 100_000
CHARS_A_UNIT = 64
CALL = 4
"""A call of a function, beside what it reads and makes."""
FORGIVEN = 25
"""An error that is caught: by `||`, `exists`, `has`, `default`."""


class Frame:
    """One evaluation: the names it sees, the variables of its macros, what it may still do."""

    __slots__ = ("left", "names", "slots")

    def __init__(self, names: Mapping[str, Any], slots: int, budget: int = BUDGET) -> None:
        self.names = names
        self.slots: list[Any] = [None] * slots
        self.left = budget

    def spend(self, units: int) -> None:
        """Pay for work. Raises `TooCostly`, which ends the evaluation."""
        self.left -= units
        if self.left < 0:
            raise TooCostly(
                "it takes too long; let it work on less data, or split it over several nodes"
            )

    def read(self, chars: int) -> None:
        """Pay for reading or copying a text."""
        self.spend(1 + chars // CHARS_A_UNIT)

    def write(self, chars: int) -> None:
        """Pay for a text that is about to be made."""
        if chars > MAX_TEXT_CHARS:
            raise TooCostly(f"it makes a text of more than {MAX_TEXT_CHARS:,} characters")
        self.spend(1 + chars // CHARS_A_UNIT)

    def fill(self, items: int) -> None:
        """Pay for a list or map that is about to be made."""
        if items > MAX_ITEMS:
            raise TooCostly(f"it makes a list of more than {MAX_ITEMS:,} items")
        self.spend(1 + items // 8)
