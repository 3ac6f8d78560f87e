"""What could have been chosen, where msgspec says only that it was none of it."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import inspect

_NONE_OF = re.compile(
    r"Invalid enum value (?P<got>'.*'|.*?)(?P<place> - at `\$(?P<path>.*)`)?", re.DOTALL
)
_STEP = re.compile(r"\[(?:\d+|\.\.\.)\]|[^.\[\]]+")


def said(error: msgspec.ValidationError, kind: Any) -> str:
    """Return what msgspec says of a value that is no `kind`, with what may be chosen there."""
    return with_choices(str(error), kind)


def with_choices(words: str, kind: Any, path: str = "") -> str:
    """Return msgspec's words of a value at `path` of `kind`, with what may be chosen there.

    Words that end with a place are of that. Words of anything else come back as they are.
    """
    found = _NONE_OF.fullmatch(words)
    choices = choices_at(kind, found["path"] or path) if found else ()
    if found is None or not choices:
        return words
    return f"{found['got']} is none of these: {', '.join(choices)}{found['place'] or ''}"


def choices_at(kind: Any, path: str) -> tuple[str, ...]:
    """Return the values of the enumerations at a path of `kind`, as msgspec writes it.

    `""` is the whole; `.rows[0].side` and `.sides[...]` lead further. None where none is there.
    """
    types = [inspect.type_info(kind)]
    for step in _STEP.findall(path):
        types = [deeper for one in types for deeper in _deeper(one, step)]
    return tuple(dict.fromkeys(value for one in types for value in _values(one)))


def _deeper(kind: inspect.Type, step: str) -> Iterator[inspect.Type]:
    for one in _plain(kind):
        match one:
            case inspect.StructType():
                yield from (field.type for field in one.fields if field.encode_name == step)
            case inspect.DictType() if step.startswith("["):
                yield one.value_type
            case inspect.TupleType() if step[1:-1].isdigit():
                yield from one.item_types[int(step[1:-1]) :][:1]
            case inspect.CollectionType() if step.startswith("["):
                yield one.item_type


def _values(kind: inspect.Type) -> Iterator[str]:
    for one in _plain(kind):
        match one:
            case inspect.EnumType():
                yield from (str(member.value) for member in one.cls)
            case inspect.LiteralType():
                yield from map(str, one.values)


def _plain(kind: inspect.Type) -> Iterator[inspect.Type]:
    """Yield what a type is without its bounds: of a union each of its own."""
    match kind:
        case inspect.Metadata():
            yield from _plain(kind.type)
        case inspect.UnionType():
            for one in kind.types:
                yield from _plain(one)
        case _:
            yield kind
