"""The form of a node, made from its type's parameters: what is asked for, and how it is typed."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import inspect

from app.domain.connections.views import ConnectionRow
from app.flows.drafts.typed import Mode
from app.flows.node import NodeType

Shape: TypeAlias = Literal[
    "text", "number", "yes", "choice", "lines", "json", "expression",
    "object", "union", "rows", "entries", "open",
]  # fmt: skip
"""How a parameter is typed: `lines` is a list of texts, a line each. Forms of their own have
`object` (a struct), `union` (one of several structs), `rows` (a list), `entries` (a map) and `open`
(anything, or several types: what it is now decides)."""
DEEPEST = 5
"""Structs within structs are asked for as JSON from here on."""


class ParamField(msgspec.Struct, frozen=True, kw_only=True):
    """One parameter as a form shows it."""

    name: str
    label: str
    help: str
    shape: Shape
    is_required: bool
    default: str
    example: str
    choices: tuple[str, ...] = ()
    connection: str = ""
    """The kind of connection that it names, if it names one."""
    is_code: bool = False
    """It is an expression by its type: there is no other way to give it."""
    fields: tuple["ParamField", ...] = ()
    """What an object holds."""
    kinds: Mapping[str, tuple["ParamField", ...]] = {}
    """What a union holds, by the value of its `tag`."""
    tag: str = ""
    item: "ParamField | None" = None
    """Each of the rows or entries; None where they may be anything."""
    takes: tuple[str, ...] = ()
    """What may stand in an open place beside a plain value: `list`, `object`."""

    @property
    def mode(self) -> Mode:
        match self.shape:
            case "choice":
                return "text"
            case "object" | "union" | "rows" | "entries" | "open":
                return "json"
            case plain:
                return plain


def fields_of(kind: NodeType) -> tuple[ParamField, ...]:
    """Return the fields of a node type's form, in the order of its parameters."""
    return _fields_of(kind.params)


def field_of(kind: NodeType, name: str) -> ParamField | None:
    """Return one field of a node type's form, if it has it."""
    return next((field for field in fields_of(kind) if field.name == name), None)


@lru_cache(maxsize=512)
def _fields_of(params: type[msgspec.Struct]) -> tuple[ParamField, ...]:
    return tuple(_field(field) for field in msgspec.structs.fields(params))


def with_connections(field: ParamField, connections: Sequence[ConnectionRow]) -> ParamField:
    """Return the field; one that names a connection is a choice of those of its kind."""
    if not field.connection:
        return field
    names = tuple(row.name for row in connections if row.kind == field.connection)
    return msgspec.structs.replace(field, shape="choice", choices=names)


def _field(field: msgspec.structs.FieldInfo, depth: int = 0) -> ParamField:
    return _made(
        field.encode_name,
        inspect.type_info(field.type),
        depth,
        is_required=field.required,
        default=_default(field),
    )


def _made(
    name: str, whole: inspect.Type, depth: int, *, is_required: bool = True, default: str = ""
) -> ParamField:
    type_, words = _bare(whole)
    examples = words.get("examples") or ()
    is_code = isinstance(type_, inspect.StrType) and (type_.pattern or "").startswith("^=")
    made = ParamField(
        name=name,
        label=words.get("title") or name.replace("_", " ").capitalize(),
        help=words.get("description", ""),
        shape="expression" if is_code else _shape(type_),
        is_required=is_required,
        default=default,
        example=written(examples[0]) if examples else "",
        choices=_choices(type_),
        connection=str(words.get("x-connection", "")),
        is_code=is_code,
    )
    return msgspec.structs.replace(made, **_inner(type_, depth)) if depth < DEEPEST else made


def _inner(type_: inspect.Type, depth: int) -> dict[str, Any]:
    """Return the shape and the fields of a type that has a form within; else nothing."""
    if isinstance(type_, inspect.UnionType):
        return _union(type_, depth)
    match type_:
        case inspect.StructType() if type_.tag is None:
            return {"shape": "object", "fields": _struct(type_, depth)}
        case inspect.ListType() | inspect.VarTupleType() if _shape(type_) != "lines":
            return {"shape": "rows", "item": _made("", type_.item_type, depth + 1)}
        case inspect.DictType():
            return {"shape": "entries", "item": _made("", type_.value_type, depth + 1)}
        case inspect.AnyType():
            return {"shape": "open", "takes": ("list", "object")}
    return {}


def _union(type_: inspect.UnionType, depth: int) -> dict[str, Any]:
    types = [part for part in type_.types if not isinstance(part, inspect.NoneType)]
    parts = [part for part in types if isinstance(part, inspect.StructType)]
    if len(parts) == len(types) and all(part.tag is not None for part in parts):
        kinds = {str(part.tag): _struct(part, depth) for part in parts}
        return {"shape": "union", "kinds": kinds, "tag": parts[0].tag_field or "type"}
    is_listed = any(
        isinstance(part, inspect.ListType | inspect.VarTupleType) for part in type_.types
    )
    return {"shape": "open", "takes": ("list",) if is_listed else ()}


def _struct(type_: inspect.StructType, depth: int) -> tuple[ParamField, ...]:
    return tuple(_field(field, depth + 1) for field in msgspec.structs.fields(type_.cls))


def _bare(type_: inspect.Type) -> tuple[inspect.Type, Mapping[str, Any]]:
    """Return a type without metadata and without None, and what its metadata says."""
    words: dict[str, Any] = {}
    while True:
        if isinstance(type_, inspect.Metadata):
            words = {**(type_.extra_json_schema or {}), **words}
            type_ = type_.type
        elif isinstance(type_, inspect.UnionType):
            parts = [part for part in type_.types if not isinstance(part, inspect.NoneType)]
            if len(parts) != 1:
                return type_, words
            type_ = parts[0]
        else:
            return type_, words


def _shape(type_: inspect.Type) -> Shape:
    match type_:
        case inspect.BoolType():
            return "yes"
        case inspect.IntType() | inspect.FloatType():
            return "number"
        case inspect.EnumType() | inspect.LiteralType():
            return "choice"
        case inspect.ListType() | inspect.VarTupleType() if isinstance(
            _bare(type_.item_type)[0], inspect.StrType | inspect.UUIDType
        ):
            return "lines"
        case (
            inspect.DictType() | inspect.StructType() | inspect.ListType() | inspect.VarTupleType()
            | inspect.TupleType() | inspect.AnyType() | inspect.UnionType()
        ):  # fmt: skip
            return "json"
    return "text"


def _choices(type_: inspect.Type) -> tuple[str, ...]:
    if isinstance(type_, inspect.EnumType):
        return tuple(str(member.value) for member in type_.cls)
    if isinstance(type_, inspect.LiteralType):
        return tuple(str(value) for value in type_.values)
    return ()


def _default(field: msgspec.structs.FieldInfo) -> str:
    value = field.default
    if value is msgspec.NODEFAULT or value is msgspec.UNSET or value is None:
        return ""
    return written(msgspec.json.decode(msgspec.json.encode(value)))


def written(value: Any) -> str:
    """Return a value as it is typed into a field: text as it is, lists of text a line each."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value[1:] if value.startswith("==") else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list) and value and all(isinstance(part, str) for part in value):
        return "\n".join(value)
    if isinstance(value, int | float):
        return str(value)
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def json_text(value: Any, *, is_open: bool = False) -> str:
    """Return a value as JSON is typed; if `is_open`, a text without quotes where it is plain."""
    if value is None:
        return ""
    if is_open and isinstance(value, str) and value and value == value.strip():
        try:
            msgspec.json.decode(value)
        except msgspec.DecodeError:
            return value
    if isinstance(value, str) and value.startswith("=") and not value.startswith("=="):
        return value
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
