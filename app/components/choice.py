"""Fields in which one chooses instead of typing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import htpy as h

from app.components.form import Form, error_text, field_frame, help_text
from app.components.icon import IconName, icon


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One thing to choose: `detail` below its label, `trailing` (a price) at its end.

    With `off`, it cannot be chosen, and `off` says why ("none in stock").
    """

    value: str
    label: str
    detail: h.Node = None
    trailing: h.Node = None
    symbol: IconName | None = None
    off: str | None = None


def select_field(
    form: Form,
    name: str,
    label: str,
    options: Sequence[Option],
    *,
    help_: h.Node = None,
    value: str = "",
    optional: bool = False,
    blank: str | None = None,
    attrs: Mapping[str, h.Attribute] | None = None,
) -> h.Element:
    """Return a drop-down list; `blank` is the words of an empty first choice."""
    chosen = form.value(name, value)
    control = h.select(
        form.wiring(name, help_=help_), attrs or {}, required=not optional, class_="form-select"
    )[
        h.option(value="")[blank] if blank is not None else None,
        [
            h.option(value=one.value, selected=one.value == chosen, disabled=one.off is not None)[
                one.label, f" ({one.off})" if one.off else None
            ]
            for one in options
        ],
    ]
    return field_frame(form, name, label, control, help_=help_, optional=optional)


def radio_cards(
    form: Form,
    name: str,
    legend: str,
    options: Sequence[Option],
    *,
    help_: h.Node = None,
    value: str = "",
    columns: int = 1,
    attrs: Mapping[str, h.Attribute] | None = None,
) -> h.Element:
    """Return a group of cards of which one is chosen; `columns` (1 to 3) on a wide page.

    `attrs` is put on every radio, for example `{"hx-post": …}` to reprice on change.
    """
    chosen = form.value(name, value)
    cards = h.div(class_=["sw-choices", f"sw-columns-{columns}"])[
        [
            _card(
                form,
                name,
                one,
                kind="radio",
                checked=one.value == chosen,
                first=i == 0,
                attrs=attrs,
            )
            for i, one in enumerate(options)
        ]
    ]
    return _group(form, name, legend, help_, cards)


def checkbox_cards(
    form: Form,
    name: str,
    legend: str,
    options: Sequence[Option],
    *,
    help_: h.Node = None,
    columns: int = 1,
    attrs: Mapping[str, h.Attribute] | None = None,
) -> h.Element:
    """Return a group of cards of which any number is chosen."""
    chosen = form.chosen(name)
    cards = h.div(class_=["sw-choices", f"sw-columns-{columns}"])[
        [
            _card(
                form,
                name,
                one,
                kind="checkbox",
                checked=one.value in chosen,
                first=i == 0,
                attrs=attrs,
            )
            for i, one in enumerate(options)
        ]
    ]
    return _group(form, name, legend, help_, cards)


def _group(form: Form, name: str, legend: str, help_: h.Node, cards: h.Element) -> h.Element:
    """Frame the cards; the group's help and error belong to the fieldset as a whole."""
    return h.fieldset(
        class_=["sw-field", "sw-group", {"is-wrong": name in form.errors}],
        aria_describedby=form.wiring(name, help_=help_)["aria-describedby"],
    )[
        h.legend(".sw-label")[legend],
        cards,
        help_text(form.id_of(name), help_),
        error_text(form, name),
    ]


def _card(
    form: Form,
    name: str,
    option: Option,
    *,
    kind: str,
    checked: bool,
    first: bool,
    attrs: Mapping[str, h.Attribute] | None,
) -> h.Element:
    key = form.id_of(name) if first else f"{form.id_of(name)}-{option.value}"
    return h.label(".sw-choice")[
        h.input(
            attrs or {},
            type=kind,
            id=key,
            name=name,
            value=option.value,
            checked=checked,
            disabled=option.off is not None,
            class_="form-check-input",
        ),
        icon(option.symbol, cls="sw-choice-symbol") if option.symbol else None,
        h.span(".sw-choice-body")[
            h.span(".sw-choice-label")[option.label],
            h.span(".sw-choice-detail")[option.off or option.detail]
            if option.off or option.detail is not None
            else None,
        ],
        h.span(".sw-choice-trailing")[option.trailing] if option.trailing is not None else None,
    ]


def checkbox_field(
    form: Form, name: str, label: h.Node, *, help_: h.Node = None, checked: bool = False
) -> h.Element:
    """Return one box to tick; it posts `name=on`. `checked` holds until something was posted."""
    ticked = name in form.values if form.values else checked
    key = form.id_of(name)
    return h.div(class_=["sw-field", {"is-wrong": name in form.errors}])[
        h.label(".sw-check")[
            h.input(
                form.wiring(name, help_=help_),
                type="checkbox",
                value="on",
                checked=ticked,
                class_="form-check-input",
            ),
            h.span[label],
        ],
        help_text(key, help_),
        error_text(form, name),
    ]


def number_stepper(
    form: Form,
    name: str,
    label: str,
    *,
    low: int,
    high: int,
    value: int,
    step: int = 1,
    unit: str = "",
    help_: h.Node = None,
    attrs: Mapping[str, h.Attribute] | None = None,
) -> h.Element:
    """Return a whole number with buttons for less and more; they fire `input` and `change`."""
    key = form.id_of(name)
    entry = h.input(
        form.wiring(name, help_=help_),
        attrs or {},
        type="number",
        inputmode="numeric",
        min=low,
        max=high,
        step=step,
        value=form.value(name, str(value)),
        required=True,
        class_="form-control",
    )
    control = h.div(".sw-stepper")[
        h.button(type="button", data_step="-1", data_for=key, aria_label=f"Less: {label}")[
            icon("minus")
        ],
        entry,
        h.span(".sw-affix")[unit] if unit else None,
        h.button(type="button", data_step="1", data_for=key, aria_label=f"More: {label}")[
            icon("plus")
        ],
    ]
    return field_frame(form, name, label, control, help_=help_)
