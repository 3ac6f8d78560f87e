"""Where in a node's parameters a field of the form stands, and how it is wired to its gestures."""

from typing import Any, TypeAlias
from uuid import UUID

import htpy as h
import msgspec

from app.flows.drafts.parts import Path, dotted

Attributes: TypeAlias = dict[str, h.Attribute]


class Focus(msgspec.Struct, frozen=True):
    """What is to be focused once it is drawn: `first`, `name`, `kind`, `add`, `up` or `down`."""

    path: Path
    what: str


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """A place in a parameter. `key` is its element's id, `at` what problems call it."""

    draft: UUID
    node: str
    param: str
    path: Path = ()
    key: str
    at: str
    focus: Focus | None = None
    renamed: tuple[Path, str] | None = None
    """An entry that was named anew, and its name before: it keeps its place until all is drawn
    again, since its designer types on in it."""

    def inside(self, step: str | int, number: int | None = None) -> "Slot":
        """Return the slot a step further in; rows and entries are counted by `number`."""
        return msgspec.structs.replace(
            self,
            path=(*self.path, step),
            key=f"{self.key}-{step if number is None else number}",
            at=dotted(self.at, step),
        )

    def focused(self, what: str) -> bool:
        return self.focus == Focus(self.path, what)

    def filling(self, mode: str) -> Attributes:
        """Return what saves that which is typed here in that mode."""
        where = {"node": self.node, "param": self.param, "path": self.path}
        return saved_by("set_param", "value", mode=mode, **where)

    def shaping(self, act: str) -> str:
        """Return the payload of a change of form here."""
        return as_json({"node": self.node, "param": self.param, "path": self.path, "act": act})


def saved_by(gesture: str, key: str, **payload: Any) -> Attributes:
    """Return by which gesture a field is saved; what is typed is the payload's `key`."""
    return {"data-set": gesture, "data-key": key, "data-with": as_json(payload)}


def slot_of(draft: UUID, node: str, param: str) -> Slot:
    return Slot(draft=draft, node=node, param=param, key=f"p-{param}", at=f"with.{param}")


def as_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
