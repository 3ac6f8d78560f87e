"""The fields of a flow's input, made from its schema."""

from collections.abc import Mapping, Sequence

import htpy as h

from app.components.button import button
from app.components.choice import Option, select_field
from app.components.form import (
    Form,
    error_text,
    field_frame,
    help_text,
    hidden_field,
    text_field,
    textarea_field,
)
from app.flows.typed_input import COUNT, MOST_ITEMS, InputField

INPUTS = "inputs"
ADD, REMOVE = "add", "remove"


def inputs_form(form: Form, fields: Sequence[InputField], action: str) -> h.Element:
    """Return all fields; adding and removing items of a list renews them by `action`."""
    return h.div(id=INPUTS, class_="sw-inputs")[[_field(form, one, action) for one in fields]]


def input_labels(fields: Sequence[InputField]) -> dict[str, str]:
    """Return what each field is called, for the summary of what is wrong."""
    labels: dict[str, str] = {}
    for one in fields:
        labels[one.name] = one.label
        labels |= {name: f"{one.label}, {label}" for name, label in input_labels(one.parts).items()}
    return labels


def _field(form: Form, field: InputField, action: str) -> h.Element:
    match field.kind:
        case "group":
            return _frame(form, field, [_field(form, one, action) for one in field.parts])
        case "list":
            return _list(form, field, action)
        case "choice" | "yes":
            return _choice(form, field)
        case "json" | "lines":
            is_json = field.kind == "json"
            return textarea_field(
                form, field.name, field.label,
                value=field.default, help_=field.help or ("As JSON." if is_json else None),
                placeholder=field.example or None, optional=not field.is_required, mono=is_json,
            )  # fmt: skip
        case "moment":
            return _moment(form, field)
    return text_field(
        form, field.name, field.label,
        kind="date" if field.kind == "date" else "text",
        value=field.default, help_=field.help or None, optional=not field.is_required,
        inputmode="decimal" if field.kind == "number" else None,
        placeholder=field.example or None, autocomplete="off",
    )  # fmt: skip


def _moment(form: Form, field: InputField) -> h.Element:
    entry = h.input(
        form.wiring(field.name, help_=True),
        type="datetime-local",
        value=form.value(field.name, field.default),
        class_="form-control",
    )
    words = f"{field.help} In UTC.".strip()
    return field_frame(
        form, field.name, field.label, entry, help_=words, optional=not field.is_required
    )


def _choice(form: Form, field: InputField) -> h.Element:
    choices = field.choices or (("true", "Yes"), ("false", "No"))
    return select_field(
        form,
        field.name,
        field.label,
        [Option(value=value, label=words) for value, words in choices],
        value=field.default,
        help_=field.help or None,
        optional=not field.is_required,
        blank="Choose…" if field.is_required else "Not given",
    )


def _list(form: Form, field: InputField, action: str) -> h.Element:
    items = [
        h.div(".sw-item")[
            _field(form, one, action),
            button(
                f"Remove no. {position}", size="small", weight="quiet", symbol="x",
                attrs=_renewing(REMOVE, one.name, action),
            ),
        ]
        for position, one in enumerate(field.parts, 1)
    ]  # fmt: skip
    add = button(
        f"Add to {field.label}", size="small", symbol="plus",
        attrs=_renewing(ADD, field.name, action),
    )  # fmt: skip
    return _frame(
        form,
        field,
        [
            hidden_field(f"{field.name}{COUNT}", str(len(field.parts))),
            items,
            add if len(field.parts) < MOST_ITEMS else None,
        ],
    )


def _frame(form: Form, field: InputField, children: h.Node) -> h.Element:
    """Return a group of fields under one legend; what is wrong with the whole stands below."""
    described = form.wiring(field.name, help_=field.help or None)["aria-describedby"]
    return h.fieldset(
        id=form.id_of(field.name),
        class_=["sw-field", "sw-input-group", {"is-wrong": field.name in form.errors}],
        aria_describedby=described,
    )[
        h.legend(".sw-label")[
            field.label, None if field.is_required else h.span(".sw-optional")["optional"]
        ],
        help_text(form.id_of(field.name), field.help or None),
        children,
        error_text(form, field.name),
    ]


def _renewing(name: str, value: str, action: str) -> Mapping[str, h.Attribute]:
    """Return the attributes of a button that renews the fields; without scripts, the page."""
    return {
        "type": "submit",
        "name": name,
        "value": value,
        "formaction": action,
        "hx-post": action,
        "hx-target": f"#{INPUTS}",
        "hx-swap": "outerHTML",
    }
