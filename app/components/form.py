"""Forms: what was typed, what is wrong with it, and the fields that show both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import htpy as h

from app.components.icon import icon

CSRF_FIELD = "_csrf_token"

Typed = str | Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a form shows: the values typed so far and a message for each bad field.

    `errors` is what `app.core.errors.Invalid.fields` holds; the key "" is the whole form's.
    `prefix` keeps ids apart where two forms on a page share field names.
    """

    values: Mapping[str, Typed] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    csrf: str = ""
    prefix: str = ""

    def value(self, name: str, default: str = "") -> str:
        """Return what was typed into a field; the first of several."""
        typed = self.values.get(name, default)
        if isinstance(typed, str):
            return typed
        return typed[0] if typed else default

    def chosen(self, name: str) -> frozenset[str]:
        """Return everything chosen in a field of several values."""
        typed = self.values.get(name, ())
        return frozenset([typed] if isinstance(typed, str) else typed)

    def id_of(self, name: str) -> str:
        return f"{self.prefix}{name}"

    def wiring(self, name: str, *, help_: object = None) -> dict[str, h.Attribute]:
        """Return the attributes that tie an input to its label, help and error."""
        key, wrong = self.id_of(name), name in self.errors
        described = [f"{key}-help"] if help_ else []
        described += [f"{key}-error"] if wrong else []
        return {
            "id": key,
            "name": name,
            "aria-invalid": "true" if wrong else None,
            "aria-describedby": " ".join(described) or None,
        }


def csrf_field(token: str) -> h.VoidElement:
    return h.input(type="hidden", name=CSRF_FIELD, value=token)


def hidden_field(name: str, value: str) -> h.VoidElement:
    return h.input(type="hidden", name=name, value=value)


def form_element(
    form: Form,
    action: str,
    *children: h.Node,
    labels: Mapping[str, str] | None = None,
    attrs: Mapping[str, h.Attribute] | None = None,
) -> h.Element:
    """Return a `<form method="post">` with its CSRF field and, when fields are bad, a summary.

    The browser's own checks are off (`novalidate`): the server's answer is the only one, and
    it appears beside the field. `labels` names the fields in the summary.
    """
    return h.form(
        {"class": "sw-form", "method": "post", "action": action, "novalidate": True},
        attrs or {},
    )[
        csrf_field(form.csrf) if form.csrf else None,
        error_summary(form, labels or {}),
        children,
    ]


def error_summary(form: Form, labels: Mapping[str, str]) -> h.Element | None:
    """Return the list of what is wrong, each leading to its field; it takes the focus.

    What is wrong with the whole form has a line each below its first.
    """
    if not form.errors:
        return None
    several = len(form.errors) > 1
    if set(form.errors) == {""}:
        title, _, more = form.errors[""].partition("\n")
        return h.div(".sw-notice.tone-danger", role="alert", tabindex="-1", autofocus=True)[
            icon("circle-alert"),
            h.div[
                h.p(".sw-notice-title")[title],
                h.ul(".sw-error-list")[[h.li[line] for line in more.splitlines()]]
                if more
                else None,
            ],
        ]
    return h.div(".sw-notice.tone-danger", role="alert", tabindex="-1", autofocus=True)[
        icon("circle-alert"),
        h.div[
            h.p(".sw-notice-title")[
                f"{len(form.errors)} fields need another look"
                if several
                else "One thing to correct"
            ],
            h.ul(".sw-error-list")[
                [_summary_line(form, name, text, labels) for name, text in form.errors.items()]
            ],
        ],
    ]


def _summary_line(form: Form, name: str, text: str, labels: Mapping[str, str]) -> h.Element:
    if not name:
        return h.li[text]
    words = f"{labels[name]}: {text}" if name in labels else text
    return h.li[h.a(href=f"#{form.id_of(name)}")[words]]


def field_frame(
    form: Form,
    name: str,
    label: str,
    control: h.Node,
    *,
    help_: h.Node = None,
    optional: bool = False,
) -> h.Element:
    """Return a control with its label above, its help and its error below."""
    key = form.id_of(name)
    return h.div(class_=["sw-field", {"is-wrong": name in form.errors}])[
        h.label(".sw-label", for_=key)[
            label, h.span(".sw-optional")["optional"] if optional else None
        ],
        control,
        help_text(key, help_),
        error_text(form, name),
    ]


def help_text(key: str, help_: h.Node) -> h.Element | None:
    return h.div(".sw-help", id=f"{key}-help")[help_] if help_ else None


def error_text(form: Form, name: str) -> h.Element | None:
    if name not in form.errors:
        return None
    return h.p(".sw-error", id=f"{form.id_of(name)}-error")[icon("circle-alert"), form.errors[name]]


def text_field(
    form: Form,
    name: str,
    label: str,
    *,
    help_: h.Node = None,
    kind: Literal["text", "email", "password", "search", "tel", "url", "date"] = "text",
    value: str = "",
    optional: bool = False,
    autocomplete: str | None = None,
    placeholder: str | None = None,
    inputmode: str | None = None,
    before: str | None = None,
    after: str | None = None,
    mono: bool = False,
    attrs: Mapping[str, h.Attribute] | None = None,
) -> h.Element:
    """Return a one-line field; `value` is shown until something was typed.

    `before` and `after` are words within the frame (`https://`, `GB`). A password is never
    sent back to the browser.
    """
    entry = h.input(
        form.wiring(name, help_=help_),
        attrs or {},
        type=kind,
        value=None if kind == "password" else form.value(name, value),
        required=not optional,
        autocomplete=autocomplete,
        placeholder=placeholder,
        inputmode=inputmode,
        class_=["form-control", {"sw-mono": mono}],
    )
    framed = (
        h.div(".sw-affixed")[
            h.span(".sw-affix")[before] if before else None,
            entry,
            h.span(".sw-affix")[after] if after else None,
        ]
        if before or after
        else entry
    )
    return field_frame(form, name, label, framed, help_=help_, optional=optional)


def email_field(
    form: Form, name: str = "email", label: str = "E-mail address", *, help_: h.Node = None
) -> h.Element:
    return text_field(
        form, name, label, kind="email", autocomplete="email", inputmode="email", help_=help_
    )


def password_field(
    form: Form,
    name: str,
    label: str,
    *,
    new: bool,
    help_: h.Node = None,
    optional: bool = False,
) -> h.Element:
    """Return a password field with a button that shows it; `new` lets the browser offer one."""
    key = form.id_of(name)
    entry = h.input(
        form.wiring(name, help_=help_),
        type="password",
        required=not optional,
        autocomplete="new-password" if new else "current-password",
        class_="form-control",
    )
    toggle = h.button(
        ".sw-reveal",
        type="button",
        data_reveal=key,
        aria_pressed="false",
        aria_label="Show password",
    )[icon("eye", cls="when-off"), icon("eye-off", cls="when-on")]
    return field_frame(
        form, name, label, h.div(".sw-affixed")[entry, toggle], help_=help_, optional=optional
    )


def textarea_field(
    form: Form,
    name: str,
    label: str,
    *,
    rows: int = 4,
    help_: h.Node = None,
    value: str = "",
    optional: bool = False,
    placeholder: str | None = None,
    mono: bool = False,
) -> h.Element:
    """Return a field of several lines; `mono` for keys, scripts and templates."""
    control = h.textarea(
        form.wiring(name, help_=help_),
        rows=rows,
        required=not optional,
        placeholder=placeholder,
        spellcheck="false" if mono else None,
        class_=["form-control", {"sw-mono": mono}],
    )["\n" + form.value(name, value)]
    return field_frame(form, name, label, control, help_=help_, optional=optional)
