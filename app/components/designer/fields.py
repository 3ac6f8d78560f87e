"""One parameter's field: typed as its schema says, or as an expression."""

from typing import Any
from uuid import UUID

import htpy as h

from app.components.designer.names import draft_url
from app.flows.drafts.form import ParamField, written
from app.flows.expressions import is_expression

Attributes = dict[str, h.Attribute]


def param_field(
    draft: UUID, node: str, field: ParamField, value: Any, *, as_code: bool | None = None
) -> h.Element:
    """Return the field; `as_code` overrides how the value is given now."""
    given_as_code = field.is_code or (is_expression(value) if as_code is None else as_code)
    shown = written(value)
    if given_as_code:
        shown = shown.removeprefix("=") if is_expression(value) else shown
    elif is_expression(value):
        shown = ""
    key = f"p-{field.name}"
    return h.div(".fl-field", id=f"field-{field.name}")[
        h.div(".fl-field-head")[
            h.label(".sw-label", for_=key)[
                field.label,
                None if field.is_required else h.span(".sw-optional")["optional"],
            ],
            None if field.is_code else _switch(draft, node, field, given_as_code),
        ],
        _code(field, key, shown) if given_as_code else _literal(field, key, shown),
        h.p(".sw-help", id=f"{key}-help")[field.help] if field.help else None,
        h.p(".fl-wrong", id=f"{key}-wrong", data_wrong=f"with.{field.name}"),
    ]


def _switch(draft: UUID, node: str, field: ParamField, is_code: bool) -> h.Element:
    """Return the button that turns a value into an expression and back."""
    mode = "value" if is_code else "expression"
    return h.button(
        {
            "hx-get": draft_url(draft, f"/nodes/{node}/fields/{field.name}?mode={mode}"),
            "hx-target": f"#field-{field.name}",
            "hx-swap": "outerHTML",
        },
        type="button",
        class_="fl-fx",
        aria_pressed="true" if is_code else "false",
        aria_label=f"ƒx: expression for {field.label}",
        title="Give a value" if is_code else "Give an expression",
    )["ƒx"]


def _wiring(field: ParamField, key: str, mode: str) -> Attributes:
    described = [f"{key}-help"] if field.help else []
    return {
        "id": key,
        "data-param": field.name,
        "data-mode": mode,
        "aria-describedby": " ".join([*described, f"{key}-wrong"]),
        "aria-required": "true" if field.is_required else None,
        "autocomplete": "off",
        "spellcheck": "false",
    }


def _code(field: ParamField, key: str, text: str) -> h.Element:
    """Return the field of an expression: ink under transparent letters, and what may follow."""
    attrs: Attributes = {
        **_wiring(field, key, "expression"),
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


def _literal(field: ParamField, key: str, text: str) -> h.Renderable:
    attrs = _wiring(field, key, field.mode)
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
        rows=3 if field.shape == "json" else 1,
        placeholder=field.default or field.example,
    )[text]


def _select(attrs: Attributes, options: list[tuple[str, str]], value: str) -> h.Element:
    return h.select(attrs, class_="form-select")[
        [h.option(value=key, selected=key == value)[words] for key, words in options]
    ]
