"""Keys and items: what is there, and what to say where nothing is."""

from collections.abc import Callable
from typing import Any

from app.flows.expressions.errors import Fault, Missing, MissingKey, dotted
from app.flows.expressions.meter import FORGIVEN, Frame
from app.flows.expressions.values import NAMES, Uint, a, as_value, name_of


def select(value: Any, field: str, path: str) -> Any:
    """Return `value.field`. Raises `Missing` with the keys that there are."""
    if type(value) is dict:
        try:
            found = value[field]
        except KeyError:
            raise MissingKey(field, value, path) from None
        return found if type(found) in NAMES else as_value(found)
    what = path or "this"
    if value is None:
        raise Missing(f"{what} is null, it has no {field}")
    if type(value) is list:
        raise Fault(f"{what} is a list; write {what}[0]{dotted(field)} for its first item")
    raise Fault(f"{what} is {a(name_of(value))}, it has no {field}")


def key_of(value: Any, key: Any, path: str) -> Any:
    """Return `value[key]`: by key of a map, by number of a list. Raises `Missing`."""
    if type(value) is dict:
        if type(key) is not str:
            raise Missing(f"the keys of a map are strings, not {a(name_of(key))}")
        return select(value, key, path)
    what = path or "this"
    if type(value) is list:
        if type(key) is float and key.is_integer():
            key = int(key)
        if type(key) not in (int, Uint):
            raise Fault(f"the index of a list is an int, not {a(name_of(key))}")
        if not 0 <= key < len(value):
            raise Missing(f"{what} has {len(value)} items, counted from 0: there is no [{key}]")
        found = value[key]
        return found if type(found) in NAMES else as_value(found)
    if value is None:
        raise Missing(f"{what} is null, it has no [{key!r}]")
    raise Fault(f"{what} is {a(name_of(value))}; only lists and maps have items")


def present(operand: Callable[[Frame], Any], frame: Frame, field: str) -> bool:
    """Return `has(operand.field)`; false also where something on the way is missing.

    CEL makes an error of the latter; a step that has not run is asked about all the time.
    """
    try:
        value = operand(frame)
    except Missing:
        frame.spend(FORGIVEN)
        return False
    if type(value) is dict:
        return field in value
    if value is None:
        return False
    raise Fault(f"has() asks about the keys of a map, not of {a(name_of(value))}")
