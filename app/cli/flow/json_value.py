"""JSON on the command line: as it is, from a file (`@FILE`) or from standard input (`@-`)."""

import sys
from pathlib import Path
from typing import Any, TypeAlias

import click
import msgspec

Place: TypeAlias = tuple[str, str]
"""(scope, node)."""


class JsonValue(click.ParamType[Any]):
    """A value; with `kind`, one that must be an object."""

    name = "json"

    def __init__(self, *, is_object: bool = False) -> None:
        self._is_object = is_object

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            text = read_text(value)
            found = msgspec.json.decode(text)
        except (OSError, msgspec.DecodeError) as error:
            self.fail(f"{value[:60]!r} is not JSON: {error}", param, ctx)
        if self._is_object and not isinstance(found, dict):
            self.fail(f"{value[:60]!r} is not a JSON object", param, ctx)
        return found


def read_text(value: str) -> str:
    """Return what `value` stands for. Raises OSError."""
    if value == "@-":
        return sys.stdin.read()
    return Path(value[1:]).read_text() if value.startswith("@") else value


class NodeEdit(click.ParamType[tuple[Place, dict[str, Any]]]):
    """`NODE=JSON`, or `SCOPE:NODE=JSON` inside a loop: ((scope, node), parameters)."""

    name = "node=json"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[Place, dict[str, Any]]:
        place, found, text = value.partition("=")
        if not found:
            self.fail(f"{value[:60]!r} is not NODE=JSON", param, ctx)
        params: dict[str, Any] = JsonValue(is_object=True).convert(text, param, ctx)
        return place_of(place), params


def place_of(text: str) -> Place:
    """Return (scope, node) of `install` or of `/attempts:2:install`."""
    scope, _, node = text.rpartition(":")
    return scope or "/", node
