"""Laravel's validation rules, those that the panel's requests use. Pure."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

Fault: TypeAlias = tuple[str, str, str]
"""Field, rule and words."""
Known: TypeAlias = Callable[[str, str, Any], bool]
"""Whether a table has a row whose column (the field's last name, or its id) is that value."""

_MISSING = object()
_MAIL = re.compile(r"[^@\s]+@[^@\s]+")


def _is_number(value: Any, *, whole: bool) -> bool:
    if isinstance(value, bool):
        return False
    return re.fullmatch(r"-?\d+" if whole else r"-?\d+(\.\d+)?", str(value)) is not None


_FITS: dict[str, tuple[Callable[[Any, str], bool], str]] = {
    "string": (lambda value, _: isinstance(value, str), "The {label} must be a string."),
    "array": (lambda value, _: isinstance(value, dict | list), "The {label} must be an array."),
    "boolean": (
        lambda value, _: value in (True, False, 0, 1, "0", "1"),
        "The {label} field must be true or false.",
    ),
    "integer": (
        lambda value, _: _is_number(value, whole=True),
        "The {label} must be an integer.",
    ),
    "numeric": (
        lambda value, _: _is_number(value, whole=False),
        "The {label} must be a number.",
    ),
    "email": (
        lambda value, _: _MAIL.fullmatch(str(value)) is not None,
        "The {label} must be a valid email address.",
    ),
    "in": (
        lambda value, argument: value in argument.split(","),
        "The selected {label} is invalid.",
    ),
    "regex": (
        lambda value, argument: re.search(argument.strip("/"), str(value)) is not None,
        "The {label} format is invalid.",
    ),
}
"""By rule, whether a value fits its argument, and the words for one that does not."""


def faults(rules: Mapping[str, str], body: Mapping[str, Any], known: Known) -> Iterator[Fault]:
    """Yield the first fault of each field, in the order of the rules."""
    for path, text in rules.items():
        for field, value in _values(path, body):
            if fault := _fault(field, value, text.split("|"), body, known):
                yield fault


def _values(path: str, body: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield each field that a path names: one for every item where it has a `*`."""
    before, star, _ = path.partition(".*")
    value: Any = body
    for part in before.split("."):
        value = value.get(part, _MISSING) if isinstance(value, Mapping) else _MISSING
    if not star:
        yield path, value
    elif isinstance(value, list):
        yield from ((f"{before}.{number}", item) for number, item in enumerate(value))


def _fault(
    field: str, value: Any, rules: list[str], body: Mapping[str, Any], known: Known
) -> Fault | None:
    if value is _MISSING and "sometimes" in rules:
        return None
    label = field.replace("_", " ")
    for rule in rules:
        name, _, argument = rule.partition(":")
        is_asked = (
            name == "required"
            or (name == "required_with" and argument in body)
            or (name == "required_without" and argument not in body)
        )
        if is_asked and value in (_MISSING, None, ""):
            return field, name, f"The {label} field is required."
        if name == "present" and value is _MISSING:
            return field, name, f"The {label} field must be present."
    if value is _MISSING or (value is None and "nullable" in rules):
        return None
    for rule in rules:
        if words := _broken(rule, field, value, rules, known):
            return field, rule.partition(":")[0], words.format(label=label)
    return None


def _broken(rule: str, field: str, value: Any, rules: list[str], known: Known) -> str:
    """Return what is wrong, with `{label}` for the field; "" when nothing is."""
    name, _, argument = rule.partition(":")
    if name in _FITS:
        fits, words = _FITS[name]
        return "" if fits(value, argument) else words
    if name in {"min", "max", "between"}:
        return _out_of_bounds(name, argument, value, rules)
    if name == "unique" and known(argument, field, value):
        return "The {label} has already been taken."
    if name in {"exists", "free"} and not known(argument or "free", "id", value):
        return "The selected {label} is invalid."
    return ""


def _out_of_bounds(name: str, argument: str, value: Any, rules: list[str]) -> str:
    low, _, high = argument.partition(",")
    is_number = "numeric" in rules or "integer" in rules
    size = float(value) if is_number else len(value)
    unit = "" if is_number else " characters"
    if name == "between":
        is_out = not float(low) <= size <= float(high)
        return f"The {{label}} must be between {low} and {high}{unit}." if is_out else ""
    if name == "min" and size < float(low):
        return f"The {{label}} must be at least {low}{unit}."
    if name == "max" and size > float(low):
        return f"The {{label}} may not be greater than {low}{unit}."
    return ""
