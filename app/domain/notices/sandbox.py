"""The sandbox in which mail templates run: a small language with a budget.

Jinja's own sandbox keeps a template away from Python's internals but not from time and
memory (`{{ "x"|center(300000000) }}` is allowed there). So templates are first read as a
syntax tree in which only the elements named here may occur, then every turn of a loop and
every character put out is paid for from one budget. What remains is linear in the budget:
no arithmetic, no method calls, no recursion, no import, no `range`.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context, LoopContext, Macro, markup_join
from jinja2.sandbox import ImmutableSandboxedEnvironment

from app.domain.notices.syntax import JOINED, METERED

FOLDER = Path(__file__).parent / "templates"
BUDGET = 500_000
CALL_COST = 500
LOOP_FACTS = frozenset(
    {"index", "index0", "revindex", "revindex0", "first", "last", "length", "previtem", "nextitem"}
)

_left: ContextVar[list[int]] = ContextVar("budget_left")


class OverBudget(SecurityError):
    """The template makes more than a mail may be."""


class NotThere(StrictUndefined):
    """A name that no value has; using it in any way is an error that names it."""

    @property
    def _undefined_message(self) -> str:
        return f"“{self._undefined_name}” is not known here."


def charge(cost: int) -> None:
    left = _left.get()
    left[0] -= cost
    if left[0] < 0:
        raise OverBudget("The template puts out too much, or its loops turn too often, for a mail.")


@contextmanager
def budget() -> Iterator[None]:
    """Give what is rendered within the block one fresh budget."""
    token = _left.set([BUDGET])
    try:
        yield
    finally:
        _left.reset(token)


def _pay(value: Any) -> Any:
    """Charge for what is put out; nothing but text and numbers is."""
    if isinstance(value, NotThere):
        return value  # raises when it is turned into text
    if value is None or isinstance(value, (list, dict, tuple, bool)):
        what = "a list" if isinstance(value, (list, tuple)) else "no text"
        raise SecurityError(
            f"This expression gives {what}. Loop over a list with {{% for … %}}, "
            "and ask {% if … %} before showing what may be missing."
        )
    charge(len(value if isinstance(value, str) else str(value)))
    return value


def _metered(items: Any, cost: int) -> Iterator[Any]:
    if isinstance(items, NotThere) or not isinstance(items, Iterable):
        raise SecurityError("Only a list can be looped over.")
    for item in items:
        charge(cost)
        yield item


def _joined(parts: list[Any]) -> str:
    charge(sum(len(str(_pay(part))) for part in parts))
    return markup_join(parts)


def _join(items: Any, between: str = "") -> str:
    """Put the texts of a list together, with `between` in the middle."""
    texts = list(items)
    charge(len(str(between)) * len(texts) + sum(len(str(text)) for text in texts))
    return str(between).join(str(text) for text in texts)


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment of one kind of output; `parts` are the macros that a template may call."""

    def __init__(self, *, autoescape: bool) -> None:
        super().__init__(
            loader=FileSystemLoader(FOLDER),
            undefined=NotThere,
            autoescape=autoescape,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_pay,
            optimized=False,
            cache_size=20,
            auto_reload=False,
        )
        kept = ("upper", "lower", "capitalize", "title", "trim", "default", "d", "first", "last")
        more = ("length", "count", "escape", "e")
        self.filters = {name: self.filters[name] for name in (*kept, *more)}
        self.filters |= {"join": _join, METERED: _metered, JOINED: _joined}
        self.tests = {name: self.tests[name] for name in ("defined", "undefined", "none")}
        self.globals.clear()
        if autoescape:
            with budget():
                parts = self.get_template("parts.html").module
            self.globals.update(
                {name: one for name, one in vars(parts).items() if isinstance(one, Macro)}
            )

    @property
    def parts(self) -> frozenset[str]:
        return frozenset(self.globals)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Look into mappings and the loop's own facts, never into Python's attributes."""
        if isinstance(obj, NotThere):
            return obj  # the first name that is missing is the one to tell
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        if isinstance(obj, LoopContext) and attribute in LOOP_FACTS:
            return getattr(obj, attribute)
        return self.undefined(name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, (dict, NotThere)) and isinstance(argument, str):
            return self.getattr(obj, argument)
        if isinstance(obj, (list, tuple)) and isinstance(argument, int):
            try:
                return obj[argument]
            except IndexError:
                pass
        return self.undefined(name=str(argument)[:40])

    def call(self, context: Context, obj: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(obj, Macro):
            raise SecurityError("Nothing can be called here but the parts of the layout.")
        charge(CALL_COST)
        return context.call(obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:  # noqa: ARG002  # Jinja's signature
        raise SecurityError(f"There is no arithmetic in mail templates (“{operator}”).")

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})


HTML = Sandbox(autoescape=True)
TEXT = Sandbox(autoescape=False)
