"""A parameter whose form was changed, drawn anew with the focus where one goes on."""

from typing import Any
from uuid import UUID

import htpy as h

from app.components.designer.fields import param_field
from app.components.designer.patch import partial
from app.components.designer.slot import Focus
from app.flows.drafts.form import ParamField, field_of
from app.flows.drafts.kinds.shape_param import Payload
from app.flows.drafts.parts import find
from app.flows.drafts.ports import type_of
from app.flows.drafts.sheet import Sheet


def shaped_field(draft: UUID, sheet: Sheet, payload: Payload) -> h.Node:
    """Return the partial that draws the parameter; nothing when node or parameter are gone."""
    kind = type_of(sheet, payload.node) if payload.node in sheet.nodes else None
    field = field_of(kind, payload.param) if kind else None
    if field is None:
        return None
    value = sheet.nodes[payload.node].params.get(payload.param)
    focus, renamed = _focus(payload, field, value), _name(payload)
    drawn = param_field(draft, payload.node, field, value, focus=focus, renamed=renamed)
    # Who names an entry may be typing its value already: the elements are kept.
    swap = "outerMorph" if payload.act == "key" else "outerHTML"
    return partial(f'#panel[data-panel="{payload.node}"] #field-{payload.param}', drawn, swap=swap)


def _name(payload: Payload) -> tuple[tuple[str | int, ...], str] | None:
    if payload.act != "key" or not payload.path:
        return None
    return (*payload.path[:-1], payload.value), str(payload.path[-1])


def _focus(payload: Payload, field: ParamField, value: Any) -> Focus | None:
    path = payload.path
    match payload.act:
        case "add":
            _, held = find(field, value, path)
            if isinstance(held, list):
                return Focus((*path, len(held) - 1), "first")
            is_named = isinstance(held, dict) and "" in held
            return Focus((*path, ""), "name") if is_named else Focus(path, "first")
        case "remove":
            return Focus(path[:-1], "add")
        case "up" | "down":
            return _moved(payload, field, value)
        case "kind":
            return Focus(path, "kind")
    return None


def _moved(payload: Payload, field: ParamField, value: Any) -> Focus:
    """Return the button that moves the row on, or back when it is at an end."""
    around, step = payload.path[:-1], payload.path[-1]
    _, rows = find(field, value, around)
    last = len(rows) - 1 if isinstance(rows, list) else 0
    at = min(last, max(0, int(step) + (-1 if payload.act == "up" else 1)))
    return Focus((*around, at), {0: "down", last: "up"}.get(at, payload.act))
