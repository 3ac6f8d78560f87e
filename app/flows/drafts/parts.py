"""Parameters with a form within: what stands where in a value, and the value with a part changed.

A path leads into a value: names of fields and keys, numbers of rows. Pure; nothing is changed in
place. What does not fit the form any more is never lost: it is shown as JSON.
"""

from collections.abc import Iterator
from typing import Any, TypeAlias

from app.flows.drafts.errors import BadGesture
from app.flows.drafts.form import ParamField, Shape
from app.flows.expressions import is_expression

Path: TypeAlias = tuple[str | int, ...]
ANYTHING = ParamField(
    name="", label="Value", help="", shape="open", is_required=True, default="", example="",
    takes=("list", "object"),
)  # fmt: skip
_PLAIN = ParamField(
    name="", label="Value", help="", shape="open", is_required=True, default="", example=""
)
_FITS: dict[Shape, type] = {"object": dict, "union": dict, "entries": dict, "rows": list}
_OPEN: dict[type, Shape] = {dict: "entries", list: "rows"}
_BLANK: dict[Shape, type] = {
    "object": dict, "entries": dict, "rows": list, "lines": list, "yes": bool, "text": str
}  # fmt: skip
GONE = "That row is not there any more: someone took it away."


def standing(field: ParamField, value: Any) -> Shape:
    """Return how a field is shown while it holds `value`: as its type says, or as it must be."""
    if field.is_code or is_expression(value):
        return "expression"
    if field.shape == "open":
        return _OPEN.get(type(value), "open")
    fits = _FITS.get(field.shape)
    return field.shape if fits is None or value is None or isinstance(value, fits) else "json"


def fields_in(field: ParamField, value: Any) -> tuple[ParamField, ...]:
    """Return the fields of an object, or of the kind that a union is now."""
    if field.shape == "object":
        return field.fields
    return field.kinds.get(kind_of(field, value), ())


def kind_of(field: ParamField, value: Any) -> str:
    """Return which of its kinds a union is, the first before one was picked."""
    picked = value.get(field.tag) if isinstance(value, dict) else None
    return picked if isinstance(picked, str) else next(iter(field.kinds), "")


def item_of(field: ParamField) -> ParamField:
    """Return what each row or entry is."""
    if field.item is not None:
        return field.item
    return ANYTHING if "object" in field.takes else _PLAIN


def children(field: ParamField, value: Any) -> Iterator[tuple[str | int, ParamField, Any]]:
    """Yield what stands one step within: step, field and value. Entries are in order of name."""
    match standing(field, value):
        case "object" | "union":
            for each in fields_in(field, value):
                yield each.name, each, (value or {}).get(each.name)
        case "rows":
            for number, part in enumerate(value or ()):
                yield number, item_of(field), part
        case "entries":
            for key in sorted(value or {}, key=rank):
                yield key, item_of(field), value[key]


def rank(name: str) -> str:
    """Return what entries are sorted by: what has no name yet stands at the end."""
    return name or "\U0010ffff"


def find(field: ParamField, value: Any, path: Path) -> tuple[ParamField, Any]:
    """Return the field and the value at a path. Raises `BadGesture` when nothing is there."""
    for step in path:
        for key, part, inner in children(field, value):
            if key == step:
                field, value = part, inner
                break
        else:
            raise BadGesture(GONE)
    return field, value


def put(field: ParamField, value: Any, path: Path, new: Any) -> Any:
    """Return `value` with `new` at a path; None takes a field out, and leaves a row empty."""
    if not path:
        return new
    part, inner = find(field, value, path[:1])
    made = put(part, inner, path[1:], new)
    step = path[0]
    if isinstance(value, list):
        return [made if number == step else each for number, each in enumerate(value)]
    held = dict(value or {})
    if made is None and standing(field, value) in ("object", "union"):
        held.pop(step, None)
        return held
    if field.shape == "union":
        held = {field.tag: kind_of(field, value)} | held
    return held | {step: made}


def blank(field: ParamField) -> Any:
    """Return what a new row holds, or an object that is asked for from now on."""
    if field.shape == "union":
        return {field.tag: next(iter(field.kinds), "")}
    if field.shape == "choice":
        return next(iter(field.choices), "")
    start = _BLANK.get(field.shape)
    return start() if start is not None else None


def places(field: ParamField, value: Any, at: str) -> Iterator[str]:
    """Yield the places of a value as problems name them: `with.cases[0].name`."""
    yield at
    for step, part, inner in children(field, value):
        yield from places(part, inner, dotted(at, step))


def dotted(at: str, step: str | int) -> str:
    return f"{at}[{step}]" if isinstance(step, int) else f"{at}.{step}"
