"""Operators on what is not evaluated yet: `&&`, `||`, `? :` and `default` choose what is."""

from collections.abc import Callable
from typing import Any

from app.flows.expressions import operators
from app.flows.expressions.errors import Fault, Missing
from app.flows.expressions.macros import Run
from app.flows.expressions.meter import FORGIVEN, Frame
from app.flows.expressions.values import a, name_of


def _binary(do: operators.Binary) -> Callable[[Run, Run], Run]:
    def make(one: Run, other: Run) -> Run:
        return lambda frame: do(frame, one(frame), other(frame))

    return make


def _different(one: Run, other: Run) -> Run:
    return lambda frame: not operators.equal(frame, one(frame), other(frame))


def _not(one: Run) -> Run:
    return lambda frame: not truth("`!`", one(frame))


def _minus(one: Run) -> Run:
    return lambda frame: operators.negate(one(frame))


def _and(one: Run, other: Run) -> Run:
    """Make a choice that is false when either side is, even if the other is an error.

    It is CEL's way, and both ways round.
    """

    def run(frame: Frame) -> bool:
        try:
            if not truth("`&&`", one(frame)):
                return False
        except Fault as fault:
            frame.spend(FORGIVEN)
            if truth("`&&`", other(frame)):
                raise fault from None
            return False
        return truth("`&&`", other(frame))

    return run


def _or(one: Run, other: Run) -> Run:
    """Make a choice that is true when either side is, even if the other is an error."""

    def run(frame: Frame) -> bool:
        try:
            if truth("`||`", one(frame)):
                return True
        except Fault as fault:
            frame.spend(FORGIVEN)
            if not truth("`||`", other(frame)):
                raise fault from None
            return True
        return truth("`||`", other(frame))

    return run


def _choice(condition: Run, one: Run, other: Run) -> Run:
    return lambda frame: one(frame) if truth("`?`", condition(frame)) else other(frame)


def _default(one: Run, other: Run) -> Run:
    """Make the only call that sees its argument fail: what is missing or null is replaced."""

    def run(frame: Frame) -> Any:
        try:
            value = one(frame)
        except Missing:
            frame.spend(FORGIVEN)
            value = None
        return other(frame) if value is None else value

    return run


def truth(what: str, value: Any) -> bool:
    """Return a bool as it is. Raises `Fault` for anything else: nothing counts as true."""
    if value is True or value is False:
        return value
    raise Fault(f"{what} takes true or false, not {a(name_of(value))}")


OPERATORS: dict[str, Callable[..., Run]] = {
    "_&&_": _and,
    "_||_": _or,
    "_?_:_": _choice,
    "!_": _not,
    "-_": _minus,
    "_==_": _binary(operators.equal),
    "_!=_": _different,
    "@in": _binary(operators.contains),
    "default": _default,
    **{name: _binary(operators.arithmetic(name)) for name in operators.ARITHMETIC},
    **{name: _binary(operators.order(name)) for name in ("_<_", "_<=_", "_>_", "_>=_")},
}
"""By CEL's names; each makes what evaluates it of what evaluates its operands."""
