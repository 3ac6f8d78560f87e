"""One parameter's field: typed as its schema says, as an expression, or as JSON."""

from typing import Any, Literal, TypeAlias
from urllib.parse import urlencode
from uuid import UUID

import htpy as h
import msgspec

from app.components.designer.markdown import inline
from app.components.designer.nested import NESTED, nested, open_kinds, remove
from app.components.designer.slot import Attributes, Focus, Slot, as_json, slot_of
from app.flows.drafts.form import ParamField, json_text, written
from app.flows.drafts.parts import Path, children, find, standing
from app.flows.expressions import is_expression

View: TypeAlias = Literal["value", "expression", "json"]


def param_field(
    draft: UUID,
    node: str,
    field: ParamField,
    value: Any,
    *,
    view: View | None = None,
    focus: Focus | None = None,
    renamed: tuple[Path, str] | None = None,
) -> h.Element:
    """Return the field of a whole parameter; `view` overrides how its value is given now."""
    slot = msgspec.structs.replace(slot_of(draft, node, field.name), focus=focus, renamed=renamed)
    return part_field(slot, field, value, view=view)


def inner_field(slot: Slot, field: ParamField, value: Any, path: Path, *, view: View) -> h.Element:
    """Return a field within that of `slot`, as its form has drawn it. Raises `BadGesture`."""
    for step in path:
        is_row = standing(field, value) in ("rows", "entries")
        steps = [key for key, _, _ in children(field, value)]
        part, value = find(field, value, (step,))
        slot = slot.inside(step, steps.index(step) if is_row else None)
        field = msgspec.structs.replace(part, label=f"{field.label}: {step}") if is_row else part
    return part_field(slot, field, value, is_bare=bool(path) and not field.name, view=view)


def part_field(
    slot: Slot, field: ParamField, value: Any, *, is_bare: bool = False, view: View | None = None
) -> h.Element:
    """Return a field, its head, its help and the place for what is wrong with it.

    A bare one is a row of a list: its label is for those who hear it.
    """
    shape = standing(field, value)
    if view == "value" and is_expression(value):
        value, shape = None, standing(field, None)
    elif view is not None and view != "value":
        shape = view
    is_code = shape == "expression"
    is_group = shape in NESTED
    label: Attributes = {} if is_group else {"for": slot.key}
    is_titled = not is_bare or (is_group and isinstance(slot.path[-1], int))
    words = [field.label, None if field.is_required else h.span(".sw-optional")["optional"]]
    tools = _tools(slot, field, value, shape)
    return h.div(
        id=f"field-{slot.key.removeprefix('p-')}",
        class_=["fl-field", {"is-bare": is_bare, "is-group": is_group}],
        data_view=f"{slot.param}:{view}" if view and not slot.path else None,
        role="group" if is_group else None,
        aria_label=field.label if is_group else None,
    )[
        h.div(".fl-field-head")[
            h.span(class_=["sw-label", {"visually-hidden": not is_titled}])[words]
            if is_group
            else h.label(label, class_=["sw-label", {"visually-hidden": is_bare}])[words],
            h.span(".fl-field-tools")[tools] if tools else None,
        ],
        nested(slot, field, value, part_field)
        if is_group
        else _control(slot, field, value, shape, is_code=is_code),
        h.p(".sw-help", id=f"{slot.key}-help")[inline(field.help)]
        if _is_helped(slot, field)
        else None,
        h.p(".fl-wrong", id=f"{slot.key}-wrong", data_wrong=slot.at),
    ]


def _is_helped(slot: Slot, field: ParamField) -> bool:
    """Say whether help is shown: in the first row of a list only, and not for the row itself."""
    is_first = all(step == 0 for step in slot.path if isinstance(step, int))
    return bool(field.help and field.name and is_first)


def _tools(slot: Slot, field: ParamField, value: Any, shape: str) -> list[h.Node]:
    """Return what changes how a field is given: its kind, as JSON, as an expression, not at all."""
    if field.is_code:
        return []
    is_set = shape in NESTED and field.name and value is not None and not field.is_required
    has_form = field.shape in NESTED or shape in NESTED
    return [
        open_kinds(slot, field, value) if shape not in ("expression", "json") else None,
        _switch(slot, "json", "{ }", "JSON", field.label, is_on=shape == "json")
        if has_form and not slot.path
        else None,
        _switch(slot, "expression", "ƒx", "expression", field.label, is_on=shape == "expression"),
        remove(slot, field.label) if is_set else None,
    ]


def _switch(slot: Slot, view: View, sign: str, words: str, label: str, *, is_on: bool) -> h.Element:
    """Return the button that turns a value into an expression or JSON, and back."""
    query = urlencode({"mode": "value" if is_on else view, "path": as_json(slot.path)})
    return h.button(
        type="button",
        data_field=f"/nodes/{slot.node}/fields/{slot.param}?{query}",
        class_="fl-fx",
        aria_pressed="true" if is_on else "false",
        aria_label=f"{sign}: {words} for {label}",
        title="Give a value" if is_on else f"Give {'an' if words[0] == 'e' else ''} {words}",
    )[sign]


def _wiring(slot: Slot, field: ParamField, mode: str) -> Attributes:
    described = [f"{slot.key}-help"] if _is_helped(slot, field) else []
    return {
        "id": slot.key,
        **slot.filling(mode),
        "data-mode": mode,
        "aria-describedby": " ".join([*described, f"{slot.key}-wrong"]),
        "aria-required": "true" if field.is_required else None,
        "autocomplete": "off",
        "spellcheck": "false",
        "autofocus": slot.focused("first"),
    }


def _control(
    slot: Slot, field: ParamField, value: Any, shape: str, *, is_code: bool
) -> h.Renderable:
    if is_code:
        shown = written(value)
        return _code(slot, field, shown.removeprefix("=") if is_expression(value) else shown)
    if shape == "json":
        return h.fragment[
            h.textarea(_wiring(slot, field, "json"), class_="form-control fl-grow sw-mono", rows=3)[
                json_text(value)
            ],
            h.p(".fl-wrong", data_wrong=f"in:{slot.at}"),
        ]
    if shape == "open":
        return h.textarea(
            _wiring(slot, field, "json"),
            class_="form-control fl-grow sw-mono",
            rows=1,
            placeholder=field.default or field.example.removeprefix("="),
        )[json_text(value, is_open=True)]
    return _literal(slot, field, "" if is_expression(value) else written(value))


def _code(slot: Slot, field: ParamField, text: str) -> h.Element:
    """Return the field of an expression: ink under transparent letters, and what may follow."""
    key = slot.key
    attrs: Attributes = {
        **_wiring(slot, field, "expression"),
        "role": "combobox",
        "aria-expanded": "false",
        "aria-controls": f"{key}-list",
        "aria-autocomplete": "list",
    }
    return h.div(".fl-code-field")[
        h.div(".fl-code-frame")[
            h.span(".fl-code-sign", aria_hidden="true")["="],
            h.div(".fl-code-paper")[
                h.pre(".fl-ink", aria_hidden="true"),
                h.textarea(attrs, class_="fl-code-text", rows=1, placeholder=_hint(field))[text],
            ],
        ],
        h.div(id=f"{key}-aid", class_="fl-aid")[
            h.ul(id=f"{key}-list", role="listbox", hidden=True)
        ],
    ]


def _hint(field: ParamField) -> str:
    return field.example.removeprefix("=") if field.is_code else "input.order"


def _literal(slot: Slot, field: ParamField, text: str) -> h.Renderable:
    attrs = _wiring(slot, field, field.mode)
    match field.shape:
        case "yes":
            options = [("", f"Default ({field.default or 'no'})"), ("true", "Yes"), ("false", "No")]
            return _select(attrs, options, text)
        case "choice":
            blank = "Choose…" if field.is_required else f"Default ({field.default or 'none'})"
            chosen = [("", blank), *((choice, choice) for choice in field.choices)]
            if text and text not in field.choices:
                chosen.append((text, f"{text} (unknown)"))
            return _select(attrs, chosen, text)
        case "number":
            return h.input(
                attrs,
                class_="form-control",
                inputmode="decimal",
                value=text,
                placeholder=field.default or field.example,
            )
    mono = field.shape in ("json", "lines")
    return h.textarea(
        attrs,
        class_=["form-control fl-grow", {"sw-mono": mono}],
        rows=1,
        placeholder=field.default or field.example,
    )[text]


def _select(attrs: Attributes, options: list[tuple[str, str]], value: str) -> h.Element:
    return h.select(attrs, class_="form-select")[
        [h.option(value=key, selected=key == value)[words] for key, words in options]
    ]
