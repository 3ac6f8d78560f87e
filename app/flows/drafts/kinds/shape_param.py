"""Change the form of a parameter: add, take away or move a row, name an entry, pick a kind."""

from typing import Any, Literal, TypeAlias

import msgspec

from app.flows.drafts.errors import BadGesture, NoSuchNode
from app.flows.drafts.form import ParamField, field_of
from app.flows.drafts.kinds.set_param import following
from app.flows.drafts.parts import Path, blank, find, item_of, put, standing
from app.flows.drafts.ports import type_of
from app.flows.drafts.sheet import Cells, Sheet

TITLE = "Change rows of a parameter"
Act: TypeAlias = Literal["add", "remove", "up", "down", "key", "kind"]


class Payload(msgspec.Struct, frozen=True):
    node: str
    param: str
    act: Act
    path: Path = ()
    """To the list or the object for `add` and `kind`; to the row or the entry for all else."""
    value: str = ""
    """The new name for `key`; for `kind` that which is picked."""


def plan(sheet: Sheet, payload: Payload, stamp: Any) -> Cells:  # noqa: ARG001 - a kind's signature
    if payload.node not in sheet.nodes:
        raise NoSuchNode(payload.node)
    kind = type_of(sheet, payload.node)
    field = field_of(kind, payload.param) if kind else None
    if field is None:
        raise BadGesture(f"There is no parameter {payload.param} to change.")
    whole = sheet.nodes[payload.node].params.get(payload.param)
    return following(sheet, payload.node, payload.param, _shaped(field, whole, payload))


def _shaped(field: ParamField, whole: Any, payload: Payload) -> Any:
    path = payload.path
    if payload.act in ("add", "kind"):
        part, value = find(field, whole, path)
        made = _added(part, value) if payload.act == "add" else _picked(part, value, payload.value)
        return put(field, whole, path, made)
    if not path:
        return None
    around, held = find(field, whole, path[:-1])
    find(around, held, path[-1:])
    made = _rowed(held, path[-1], payload)
    return put(field, whole, path[:-1], made)


def _added(field: ParamField, value: Any) -> Any:
    match standing(field, value):
        case "rows":
            return [*(value or ()), blank(item_of(field))]
        case "entries":
            if "" in (value or {}):
                raise BadGesture("Name the new row first.")
            return {**(value or {}), "": blank(item_of(field))}
    return blank(field) if value is None else value


def _picked(field: ParamField, value: Any, kind: str) -> Any:
    """Return a union of another kind, with the fields that both have; or an open place's start."""
    if field.shape == "union":
        known = {each.name for each in field.kinds.get(kind, ())}
        kept = value.items() if isinstance(value, dict) else ()
        return {field.tag: kind} | {name: part for name, part in kept if name in known}
    if kind in field.takes:
        return [] if kind == "list" else {}
    return None


def _rowed(held: Any, step: str | int, payload: Payload) -> Any:
    if isinstance(held, list) and isinstance(step, int):
        rows = list(held)
        row = rows.pop(step)
        if payload.act in ("up", "down"):
            rows.insert(max(0, step + (-1 if payload.act == "up" else 1)), row)
        return rows
    if payload.act != "key":
        return {key: value for key, value in held.items() if key != step}
    if payload.value != step and payload.value in held:
        raise BadGesture(f"There is already a row named {payload.value or 'nothing'}.")
    return {payload.value if key == step else key: value for key, value in held.items()}
