"""Parameters: known, there, and of the right type where they are written out."""

import difflib
import re
import types
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Annotated, Any, TypeGuard, Union, get_args, get_origin

import msgspec

from app.core.choices import said
from app.flows.document import NodeSpec
from app.flows.expressions import resolve
from app.flows.node import NodeType
from app.flows.validate.names import is_computed
from app.flows.validate.problem import Problem
from app.flows.validate.reading import Reading

GONE_THROUGH = "items"
"""The one parameter of a container that is computed: the list it goes through."""
_PLACE = re.compile(r"^(.*) - at `\$(.*)`$", re.DOTALL)

_TYPE = re.compile(r"`([a-z |]+)`")
_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
    "datetime": "a time such as 2026-01-31T12:00:00Z",
}


def parameter_problems(reading: Reading) -> Iterator[Problem]:
    for name, kind in reading.kinds.items():
        yield from _node_problems(name, reading.document.nodes[name], kind)


def must_be_written(kind: NodeType, parameter: str) -> str:
    """Return why a parameter cannot be computed; "" when it can."""
    if kind.trigger is not None:
        return "a trigger's parameters are fixed, there is no run yet to take values from"
    if kind.container and parameter != GONE_THROUGH and parameter not in kind.lazy:
        return "it is read before the body is run; write the value itself"
    if kind.join:
        return "it is read before anything has come here; write the value itself"
    return ""


@lru_cache(maxsize=2_048)
def fields_of(params: type[msgspec.Struct]) -> Mapping[str, msgspec.structs.FieldInfo]:
    """Return the fields of a parameter struct by the names that documents use."""
    return {field.encode_name: field for field in msgspec.structs.fields(params)}


def _node_problems(name: str, spec: NodeSpec, kind: NodeType) -> Iterator[Problem]:
    fields = fields_of(kind.params)
    found: list[Problem] = []
    is_written = True
    for given, value in spec.params.items():
        field = f"with.{given}"
        if given not in fields:
            found.append(Problem(name, field, f"{kind.title} {_not_known(given, fields)}"))
            continue
        is_open = given not in kind.lazy and is_computed(value)
        if is_open and (reason := must_be_written(kind, given)):
            found.append(Problem(name, field, reason))
            is_written = False
        elif is_open:
            is_written = False
            found += (
                Problem(name, field + path, text)
                for path, text in _mixed(value, fields[given].type)
            )
        else:
            plain = value if given in kind.lazy else resolve(value, {})
            found += (
                Problem(name, field + path, text)
                for path, text in _wrong(plain, fields[given].type)
            )
    for required, about in fields.items():
        if about.required and required not in spec.params:
            found.append(Problem(name, f"with.{required}", "is missing: give it a value"))
    yield from found
    if is_written and not found:
        yield from _together(name, spec, kind)


def _together(name: str, spec: NodeSpec, kind: NodeType) -> Iterator[Problem]:
    """Find what is wrong with parameters that are each right by themselves."""
    plain = {
        given: value if given in kind.lazy else resolve(value, {})
        for given, value in spec.params.items()
    }
    for path, text in _wrong(plain, kind.params):
        yield Problem(name, f"with{path}", text)


def _not_known(given: str, fields: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(given, fields, n=1)
    if near:
        return f"has no such parameter; did you mean {near[0]}?"
    there = f"its parameters are {', '.join(fields)}" if fields else "it takes none"
    return f"has no such parameter; {there}"


def _wrong(value: Any, hint: Any) -> Iterator[tuple[str, str]]:
    """Yield (path, what is wrong) of a value without expressions; the first that is wrong."""
    text = _refused(value, hint)
    if text:
        # Of several faults the one that is first by name, however the value was written.
        text = _refused(_sorted(value), hint) or text
        placed = _PLACE.match(text)
        yield (placed[2], _said(placed[1])) if placed else ("", _said(text))


def _refused(value: Any, hint: Any) -> str:
    try:
        msgspec.convert(value, hint)
    except msgspec.ValidationError as error:
        return said(error, hint)
    except RecursionError:
        return "it is nested too deeply"
    return ""


def _sorted(value: Any) -> Any:
    try:
        return msgspec.json.decode(msgspec.json.encode(value, order="deterministic"))
    except (TypeError, ValueError):  # half a character, which no file has
        return value


def _said(text: str) -> str:
    """Return msgspec's words as ours: what it must be."""
    if not text.startswith("Expected "):
        return text[:1].lower() + text[1:]
    said = _TYPE.sub(
        lambda found: " or ".join(_WORDS.get(one, one) for one in found[1].split(" | ")), text
    )
    return said.replace("Expected", "must be", 1).replace(", got", ", not", 1)


def _mixed(value: Any, hint: Any) -> Iterator[tuple[str, str]]:
    """Yield the same for a value in which some leaves are expressions, which fit anything here."""
    if not is_computed(value):
        yield from _wrong(resolve(value, {}), hint)
    elif isinstance(value, dict):
        yield from _mixed_map(value, hint)
    elif isinstance(value, list):
        items = [_item_of(kind) for kind in _kinds(hint) if _item_of(kind) is not None]
        if len(items) == 1:
            for place, part in enumerate(value):
                for path, text in _mixed(part, items[0]):
                    yield f"[{place}]{path}", text
        elif not items and not _is_open(hint):
            yield "", f"must be {_name(hint)}, not a list"


def _mixed_map(value: Mapping[str, Any], hint: Any) -> Iterator[tuple[str, str]]:
    structs = [kind for kind in _kinds(hint) if _is_struct(kind)]
    maps = [get_args(kind)[1] for kind in _kinds(hint) if get_origin(kind) is dict]
    if len(structs) == 1 and not maps:
        yield from _mixed_struct(value, structs[0])
    elif len(maps) == 1 and not structs:
        for given, part in value.items():
            for path, text in _mixed(part, maps[0]):
                yield f".{given}{path}", text
    elif not structs and not maps and not _is_open(hint):
        yield "", f"must be {_name(hint)}, not an object"


def _mixed_struct(
    value: Mapping[str, Any], kind: type[msgspec.Struct]
) -> Iterator[tuple[str, str]]:
    fields = fields_of(kind)
    for given, part in value.items():
        if given in fields:
            for path, text in _mixed(part, fields[given].type):
                yield f".{given}{path}", text
        elif given != kind.__struct_config__.tag_field:
            yield f".{given}", _not_known(given, fields)
    for required, about in fields.items():
        if about.required and required not in value:
            yield f".{required}", "is missing: give it a value"


def _kinds(hint: Any) -> Iterator[Any]:
    """Yield the alternatives of a type, without what is said about them."""
    origin = get_origin(hint)
    if origin is Annotated:
        yield from _kinds(get_args(hint)[0])
    elif origin in (Union, types.UnionType):
        for one in get_args(hint):
            yield from _kinds(one)
    else:
        yield hint


def _item_of(kind: Any) -> Any:
    origin, args = get_origin(kind), get_args(kind)
    if origin in (list, set, frozenset) and args:
        return args[0]
    if origin is tuple and len(args) == 2 and args[1] is Ellipsis:
        return args[0]
    return Any if kind in (list, tuple, set, frozenset) or origin is tuple else None


def _is_struct(kind: Any) -> TypeGuard[type[msgspec.Struct]]:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _is_open(hint: Any) -> bool:
    """Return whether values of the type cannot be told from their type: anything, or a stranger."""
    return any(kind is Any or kind in (dict, object) for kind in _kinds(hint))


def _name(hint: Any) -> str:
    names = (getattr(kind, "__name__", str(kind)) for kind in _kinds(hint))
    return " or ".join(_WORDS.get(name, name) for name in names if name != "NoneType")
