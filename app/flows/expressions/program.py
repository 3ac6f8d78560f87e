"""Sources made ready: parsed, checked and compiled once, then kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from app.flows.expressions.compile import Compiler, follow, plain_path
from app.flows.expressions.errors import BadExpression, Fault, TooCostly, closest
from app.flows.expressions.language import parse, references_of
from app.flows.expressions.macros import Run
from app.flows.expressions.meter import Frame
from app.flows.expressions.names import NAMES
from app.flows.expressions.tree import Tree
from app.flows.expressions.values import plain, unfit

KEPT = 4_096
"""Programs kept by each process: some 5 KB each."""


@dataclass(frozen=True, slots=True)
class Program:
    """An expression that can be evaluated."""

    source: str
    tree: Tree
    run: Run
    slots: int
    path: tuple[str, ...] | None
    """The keys of a plain reference such as `steps.a.b`, which needs no more than to follow."""
    references: frozenset[str]

    def evaluate(self, scope: Mapping[str, Any]) -> Any:
        """Return the value as JSON has it. Raises `BadExpression`."""
        if self.path is not None:
            try:
                return plain(follow(self.path, scope))
            except (KeyError, TypeError, UnicodeError, Fault):
                pass  # what is wrong is said by the long way
        frame = Frame(scope, self.slots)
        try:
            return plain(self.run(frame))
        except (Fault, TooCostly) as error:
            raise BadExpression(self.source, _reason(error, scope), at=error.at) from error
        except RecursionError as error:
            raise BadExpression(self.source, "its values are nested too deeply") from error
        except UnicodeError as error:
            raise BadExpression(self.source, unfit(error)) from error


@lru_cache(maxsize=KEPT)
def program(source: str, more: frozenset[str] = frozenset()) -> Program:
    """Return the program of a source; `more` are names beyond the usual ones.

    Raises `BadExpression`.
    """
    tree = parse(source, more)
    compiler = Compiler(tree)
    run = compiler.compile(tree.root)
    return Program(source, tree, run, compiler.slots, plain_path(tree.root), references_of(tree))


def program_for(source: str, scope: Mapping[str, Any]) -> Program:
    """Return the program of a source that may use whatever names its scope has."""
    try:
        return program(source)
    except BadExpression:
        more = frozenset(scope).difference(NAMES)
        if not more:
            raise
    return program(source, more)


def evaluate(source: str, scope: Mapping[str, Any]) -> Any:
    """Return the plain JSON value of `source`.

    Raises `BadExpression` for what cannot be parsed, for a missing key or a wrong type, and for
    what takes too long or grows too large. A reference takes about 0.5 µs, a usual condition 2.
    """
    return program_for(source, scope).evaluate(scope)


def check(source: str, more: frozenset[str] = frozenset()) -> None:
    """Raise `BadExpression` when `source` cannot be parsed or can never be typed.

    `more` are names that are offered beyond the usual ones.
    """
    if source.startswith("${"):
        reason = "`${` is never closed; end it with `}`, or write `$${` for the characters"
        raise BadExpression(source, reason, at=0)
    program(source, more)


def _reason(error: Fault | TooCostly, scope: Mapping[str, Any]) -> str:
    """Say also what was meant where a name of the scope itself is not here."""
    reason = error.reason
    found = reason.removeprefix("there is no ").removesuffix(" here")
    if found in NAMES and len(found) < len(reason):
        near = closest(found, scope)
        reason += f" ({NAMES[found].doc.rstrip('.')})" + (f"; did you mean {near}?" if near else "")
    return reason
