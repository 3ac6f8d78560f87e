"""The form of a node, made from its type's parameters: what is asked for, and how it is typed."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import inspect

from app.domain.connections.views import ConnectionRow
from app.flows.drafts.typed import Mode
from app.flows.node import NodeType

Shape: TypeAlias = Literal["text", "number", "yes", "choice", "lines", "json", "expression"]
"""How a parameter is typed: `lines` is a list of texts, a line each."""


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

    @property
    def mode(self) -> Mode:
        return "text" if self.shape == "choice" else self.shape


def fields_of(kind: NodeType) -> tuple[ParamField, ...]:
    """Return the fields of a node type's form, in the order of its parameters."""
    return _fields_of(kind.params)


@lru_cache(maxsize=512)
def _fields_of(params: type[msgspec.Struct]) -> tuple[ParamField, ...]:
    return tuple(_field(field) for field in msgspec.structs.fields(params))


def with_connections(field: ParamField, connections: Sequence[ConnectionRow]) -> ParamField:
    """Return the field; one that names a connection is a choice of those of its kind."""
    if not field.connection:
        return field
    names = tuple(row.name for row in connections if row.kind == field.connection)
    return msgspec.structs.replace(field, shape="choice", choices=names)


def _field(field: msgspec.structs.FieldInfo) -> ParamField:
    type_, words = _bare(inspect.type_info(field.type))
    name = field.encode_name
    examples = words.get("examples") or ()
    is_code = isinstance(type_, inspect.StrType) and (type_.pattern or "").startswith("^=")
    return ParamField(
        name=name,
        label=words.get("title") or name.replace("_", " ").capitalize(),
        help=words.get("description", ""),
        shape="expression" if is_code else _shape(type_),
        is_required=field.required,
        default=_default(field),
        example=written(examples[0]) if examples else "",
        choices=_choices(type_),
        connection=str(words.get("x-connection", "")),
        is_code=is_code,
    )


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
    return written(msgspec.to_builtins(value, str_keys=True))


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
