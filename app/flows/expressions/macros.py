"""Macros as loops: `all`, `exists`, `exists_one`, `map`, `filter` and `cel.bind`.

CEL's parser writes each as a fold; each form is known again here and done by a loop of its own.
CEL's own way of folding copies the list in every round of `map`: 3.6 s for 9,000 items.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from app.flows.expressions.errors import Fault, Missing
from app.flows.expressions.meter import FORGIVEN, Frame
from app.flows.expressions.tree import Call, Const, Fold, Ident, ListOf, Node
from app.flows.expressions.values import a, name_of

Run: TypeAlias = Callable[[Frame], Any]
Compile: TypeAlias = Callable[[Node], Run]


def is_binding(fold: Fold) -> bool:
    """Return whether it is `cel.bind(x, value, result)`, which goes round no loop."""
    return isinstance(fold.range, ListOf) and not fold.range.items and fold.variable == "#unused"


_UNREAD: Any = object()


def bind(slot: int, result: Run) -> Run:
    """Return `cel.bind`: the value is not looked at before its name is read, and then once."""

    def run(frame: Frame) -> Any:
        frame.slots[slot] = _UNREAD
        return result(frame)

    return run


def bound(slot: int, value: Run) -> Run:
    """Return what reads a name that `cel.bind` has bound to `value`."""

    def run(frame: Frame) -> Any:
        found = frame.slots[slot]
        if found is _UNREAD:
            found = frame.slots[slot] = value(frame)
        return found

    return run


def variable(slot: int) -> Run:
    """Return what reads the variable of a macro's round."""
    return lambda frame: frame.slots[slot]


def loop(fold: Fold, slot: int, items: Run, compile_: Compile, cost: int) -> Run | None:
    """Return the loop that a fold stands for; None when it is no macro that is known.

    `cost` is what one round costs at least. The variable of the round is kept in `slot`.
    """
    step = fold.step
    match step:
        case Call(function="_&&_", args=(Ident(), body)):
            return _all(slot, items, compile_(body), cost)
        case Call(function="_||_", args=(Ident(), body)):
            return _exists(slot, items, compile_(body), cost)
        case Call(function="_?_:_", args=(body, Call(function="_+_", args=(_, added)), Ident())):
            if isinstance(added, Const):
                return _exists_one(slot, items, compile_(body), cost)
            if isinstance(added, ListOf):
                return _map(slot, items, compile_(body), compile_(added.items[0]), cost)
        case Call(function="_+_", args=(Ident(), ListOf(items=(body,)))):
            return _map(slot, items, None, compile_(body), cost)
    return None


def _rounds(frame: Frame, items: Run) -> Any:
    """Return what a macro goes over: the items of a list or the keys of a map."""
    found = items(frame)
    if type(found) is list or type(found) is dict:
        return found
    if found is None:
        raise Missing("there is no list to go over: it is null")
    raise Fault(f"a macro goes over a list or a map, not over {a(name_of(found))}")


def _truth(value: Any) -> bool:
    if value is True or value is False:
        return value
    raise Fault(f"the condition of a macro is true or false, not {a(name_of(value))}")


def _all(slot: int, items: Run, body: Run, cost: int) -> Run:
    """Make a loop that is false as soon as one is, even after an error."""

    def run(frame: Frame) -> bool:
        fault: Fault | None = None
        slots = frame.slots
        for slots[slot] in _rounds(frame, items):
            frame.spend(cost)
            try:
                if not _truth(body(frame)):
                    return False
            except Fault as error:
                frame.spend(FORGIVEN)
                fault = fault or error
        if fault is not None:
            raise fault
        return True

    return run


def _exists(slot: int, items: Run, body: Run, cost: int) -> Run:
    """Make a loop that is true as soon as one is, even after an error."""

    def run(frame: Frame) -> bool:
        fault: Fault | None = None
        slots = frame.slots
        for slots[slot] in _rounds(frame, items):
            frame.spend(cost)
            try:
                if _truth(body(frame)):
                    return True
            except Fault as error:
                frame.spend(FORGIVEN)
                fault = fault or error
        if fault is not None:
            raise fault
        return False

    return run


def _exists_one(slot: int, items: Run, body: Run, cost: int) -> Run:
    def run(frame: Frame) -> bool:
        count = 0
        slots = frame.slots
        for slots[slot] in _rounds(frame, items):
            frame.spend(cost)
            count += _truth(body(frame))
        return count == 1

    return run


def _map(slot: int, items: Run, keep: Run | None, body: Run, cost: int) -> Run:
    """`map` with and without a condition; `filter` is a map of the variable itself."""

    def run(frame: Frame) -> list[Any]:
        made: list[Any] = []
        slots = frame.slots
        for slots[slot] in _rounds(frame, items):
            frame.spend(cost)
            if keep is None or _truth(keep(frame)):
                made.append(body(frame))
        return made

    return run
