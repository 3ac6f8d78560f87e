"""What is wrong with an expression, and where."""

from collections.abc import Collection, Iterable, Sequence
from heapq import nsmallest
from typing import Any

from app.core.errors import Refusal

SHOWN_CHARS = 80
NAMED = 12
"""How many names are listed where one is missing."""


class BadExpression(Refusal):
    """The expression cannot be parsed, or its evaluation is an error.

    `line` and `column` count from 1 and are 0 where no place is to blame; `cel` are CEL's own
    words, if it said any; `where` is the place in the parameters, such as `body.name`.
    """

    code = "flow.bad_expression"

    def __init__(
        self, source: str, reason: str, *, at: int | None = None, cel: str = "", where: str = ""
    ) -> None:
        self.source = source
        self.reason = reason
        self.at = at
        self.cel = cel
        self.where = where
        self.line, self.column = (0, 0) if at is None else position(source, at)
        super().__init__(self._words())

    def within(self, where: str) -> "BadExpression":
        """Return the same error, said of the parameter `where`."""
        return BadExpression(self.source, self.reason, at=self.at, cel=self.cel, where=where)

    def _words(self) -> str:
        shown = self.source
        if len(shown) > SHOWN_CHARS:
            shown = shown[: SHOWN_CHARS - 1] + "…"
        place = ""
        if self.line:
            line = f"line {self.line}, " if "\n" in self.source else ""
            place = f" at {line}column {self.column}"
        inside = f"In {self.where}: the" if self.where else "The"
        said = f" CEL says: {self.cel}" if self.cel else ""
        stop = "" if not said or self.reason[-1:] in ".?" else "."
        return f"{inside} expression {shown!r} is wrong{place}: {self.reason}{stop}{said}"


class Fault(Exception):
    """An error while an expression is evaluated; `at` is the offset in the source."""

    def __init__(self, reason: str, at: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.at = at


class Missing(Fault):
    """What was asked for is not there: `default` and `has` forgive this and nothing else."""


class MissingKey(Missing):
    """A map has no such key. What to say of it is made up only when it is said."""

    def __init__(self, field: str, keys: Collection[Any], path: str) -> None:
        Exception.__init__(self, field)
        self.field = field
        self.keys = keys
        self.path = path
        self.at = None

    @property
    def reason(self) -> str:  # type: ignore[override]
        """Return which key is missing, which one was meant, and what there is."""
        names = [str(key) for key in self.keys]
        field = self.field[:64]
        text = f"{self.path or 'the map'} has no {field}"
        if self.path == "steps":
            text = f"the step {field} has no output here: it has not run, or not on this path"
        near = closest(self.field, names)
        if near is not None:
            text += f"; did you mean {self.path}{dotted(near)}?"
        if not names:
            return text if self.path == "steps" else f"{text}; it is empty"
        first = nsmallest(NAMED, names)
        there = listed(first, len(names))
        return f"{text} There is {there}." if near is not None else f"{text}; there is {there}"


class TooCostly(Exception):
    """The evaluation does more than one expression may; nothing in the language catches it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.at: int | None = None


def position(source: str, at: int) -> tuple[int, int]:
    """Return line and column, from 1, of an offset in characters."""
    before = source[:at]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def closest(wanted: str, names: Iterable[str]) -> str | None:
    """Return the name that `wanted` is most likely a slip of; None when none is near.

    Looks at 500 names of at most 64 characters. One letter may differ in names of up to four, two
    in names of up to eight, else three.
    """
    allowed = 1 if len(wanted) <= 4 else 2 if len(wanted) <= 8 else 3
    best: tuple[int, str] | None = None
    for name in list(names)[:500]:
        if len(name) > 64 or name == wanted or abs(len(name) - len(wanted)) > allowed:
            continue
        apart = distance(wanted.lower(), name.lower())
        if apart <= allowed and apart < len(name) and (best is None or apart < best[0]):
            best = apart, name
    return best[1] if best else None


def distance(one: str, other: str) -> int:
    """Return how many letters must be added, taken away, changed or swapped with the next.

    Optimal string alignment; time and space O(len(one) * len(other)).
    """
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        above, before, row = before, row, [i]
        for j, with_letter in enumerate(other, 1):
            cost = min(before[j] + 1, row[-1] + 1, before[j - 1] + (letter != with_letter))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == with_letter:
                cost = min(cost, above[j - 2] + 1)
            row.append(cost)
    return row[-1]


def listed(names: Sequence[str], count: int | None = None) -> str:
    """Return names as they stand in a sentence, twelve at most; `count` is how many there are."""
    more = (len(names) if count is None else count) - NAMED
    if more > 0:
        return f"{', '.join(names[:NAMED])} and {more} more"
    *most, last = names or ["nothing"]
    return f"{', '.join(most)} and {last}" if most else last


def dotted(key: str) -> str:
    """Return how a key is written after a map: `.name` or `['create-vm']`."""
    return f".{key}" if key.isidentifier() and key.isascii() else f"[{key!r}]"
