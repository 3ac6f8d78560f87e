"""Forms within a form: objects, kinds of a union, rows of a list and entries of a map."""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import htpy as h
import msgspec

from app.components.designer.slot import Slot
from app.components.icon import IconName, icon
from app.flows.drafts.form import ParamField
from app.flows.drafts.parts import children, fields_in, item_of, kind_of, rank, standing

Draw: TypeAlias = Callable[..., h.Element]
"""Draws a field within: `(slot, field, value, is_bare=…)`; a bare one has no head of its own."""
NESTED = ("object", "union", "rows", "entries")


def nested(slot: Slot, field: ParamField, value: Any, draw: Draw) -> h.Node:
    """Return the form of what stands in a field now."""
    match standing(field, value):
        case "rows":
            return _rows(slot, field, value, draw)
        case "entries":
            return _entries(slot, field, value, draw)
    if value is None and not field.is_required:
        return _add(slot, f"Set {field.label.lower()}")
    kinds = _kinds(slot, field, value) if field.shape == "union" else None
    held = value if isinstance(value, dict) else {}
    first = slot.focused("first")
    return h.div(".fl-within")[
        kinds,
        [
            draw(
                _first(slot.inside(each.name)) if first and number == 0 else slot.inside(each.name),
                each,
                held.get(each.name),
            )
            for number, each in enumerate(fields_in(field, value))
        ],
    ]


def _first(slot: Slot) -> Slot:
    """Return the slot with the focus passed on to it."""
    focus = msgspec.structs.replace(slot.focus, path=slot.path) if slot.focus else None
    return msgspec.structs.replace(slot, focus=focus)


def _rows(slot: Slot, field: ParamField, value: Any, draw: Draw) -> h.Element:
    item, last = item_of(field), len(value or ()) - 1
    return h.div(".fl-within")[
        h.ol(".fl-rows")[
            [
                _row(slot.inside(number), _labelled(item, field, number), part, draw, last=last)
                for number, part in enumerate(value or ())
            ]
        ],
        _default(field, value),
        _add(slot, "Add a row"),
    ]


def _labelled(item: ParamField, field: ParamField, number: int) -> ParamField:
    return msgspec.structs.replace(item, label=f"{field.label} {number + 1}")


def _row(slot: Slot, item: ParamField, value: Any, draw: Draw, *, last: int) -> h.Element:
    number, label = int(slot.path[-1]), item.label
    return h.li(".fl-row", aria_label=label)[
        draw(slot, item, value, is_bare=True),
        h.div(".fl-row-acts")[
            _act(slot, "up", "arrow-up", f"{label}: up", off=number == 0),
            _act(slot, "down", "arrow-down", f"{label}: down", off=number == last),
            _act(slot, "remove", "x", f"{label}: take away"),
        ],
    ]


def _entries(slot: Slot, field: ParamField, value: Any, draw: Draw) -> h.Element:
    return h.div(".fl-within")[
        h.ul(".fl-rows")[
            [
                _entry(slot.inside(str(key), number), item, part, draw, field.label)
                for number, (key, item, part) in enumerate(_in_order(slot, field, value))
            ]
        ],
        _default(field, value),
        _add(slot, "Add an entry"),
    ]


def _in_order(slot: Slot, field: ParamField, value: Any) -> Iterator[tuple[Any, ParamField, Any]]:
    """Yield the entries by name; the one that was named anew where it was."""

    def place(entry: tuple[Any, ParamField, Any]) -> str:
        is_new = slot.renamed is not None and slot.renamed[0] == (*slot.path, entry[0])
        return rank(slot.renamed[1] if slot.renamed and is_new else entry[0])

    yield from sorted(children(field, value), key=place)


def _default(field: ParamField, value: Any) -> h.Node:
    """Return what holds while a list or a map is not given."""
    if value is not None or field.default in ("", "[]", "{}"):
        return None
    return h.p(".sw-quiet")[f"Default: {', '.join(field.default.splitlines())}"]


def _entry(slot: Slot, item: ParamField, value: Any, draw: Draw, label: str) -> h.Element:
    name = str(slot.path[-1])
    words = f"{label}: {name}" if name else f"{label}: new entry"
    return h.li(".fl-row.is-entry", aria_label=words)[
        h.input(
            id=f"{slot.key}-name",
            class_="form-control sw-mono",
            value=name,
            placeholder="Name",
            aria_label=f"{words}, name",
            autocomplete="off",
            spellcheck="false",
            autofocus=slot.focused("name"),
            data_set="shape_param",
            data_key="value",
            data_with=slot.shaping("key"),
            data_late=True,
        ),
        draw(slot, msgspec.structs.replace(item, label=words), value, is_bare=True),
        h.div(".fl-row-acts")[_act(slot, "remove", "x", f"{words}: take away")],
    ]


def _kinds(slot: Slot, field: ParamField, value: Any) -> h.Element:
    return _choice(
        slot,
        f"Kind of {field.label.lower()}",
        [(kind, kind.replace("_", " ").capitalize()) for kind in field.kinds],
        kind_of(field, value),
    )


def open_kinds(slot: Slot, field: ParamField, value: Any) -> h.Node:
    """Return the choice between a plain value, a list and an object, where there is one."""
    if not field.takes:
        return None
    now = "list" if isinstance(value, list) else "object" if isinstance(value, dict) else ""
    return _choice(
        slot,
        f"Kind of {field.label}",
        [("", "Value"), *((kind, kind.capitalize()) for kind in field.takes)],
        now,
    )


def _choice(slot: Slot, label: str, options: list[tuple[str, str]], value: str) -> h.Element:
    return h.select(
        id=f"{slot.key}-kind",
        class_="form-select fl-kind",
        aria_label=label,
        autofocus=slot.focused("kind"),
        data_set="shape_param",
        data_key="value",
        data_with=slot.shaping("kind"),
    )[[h.option(value=name, selected=name == value)[words] for name, words in options]]


def _add(slot: Slot, words: str) -> h.Element:
    return h.button(
        type="button",
        class_="btn btn-quiet btn-sm fl-add",
        autofocus=slot.focused("add"),
        data_give="shape_param",
        data_with=slot.shaping("add"),
    )[icon("plus"), words]


def _act(slot: Slot, act: str, symbol: IconName, label: str, *, off: bool = False) -> h.Element:
    return h.button(
        type="button",
        class_="btn btn-quiet fl-row-act",
        aria_label=label,
        title=label,
        disabled=off,
        autofocus=slot.focused(act),
        data_give="shape_param",
        data_with=slot.shaping(act),
    )[icon(symbol)]


def remove(slot: Slot, label: str) -> h.Element:
    return _act(slot, "remove", "x", f"{label}: take away")
