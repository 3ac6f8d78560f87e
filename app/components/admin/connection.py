"""One connection: its form, a test of it, and who calls it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import htpy as h

from app.components.admin.connection_group import group_card
from app.components.admin.connections import CONNECTIONS, SYMBOLS
from app.components.admin.trail import trail_card
from app.components.button import link_button, submit_button
from app.components.card import card, split
from app.components.choice import Option, checkbox_field, select_field
from app.components.confirm import confirm_button
from app.components.facts import code, facts
from app.components.form import (
    Form,
    csrf_field,
    field_frame,
    form_element,
    hidden_field,
    text_field,
    textarea_field,
)
from app.components.frame import PageFrame
from app.components.icon import icon
from app.components.notice import notice
from app.components.page import admin_page, page_head
from app.components.time import moment
from app.components.tone import Tone
from app.domain.audit.views import AuditLine
from app.domain.connections.field import Field, Look
from app.domain.connections.fields import fields_of
from app.domain.connections.kinds import Kind
from app.domain.connections.provider_fields import is_known
from app.domain.connections.views import ConnectionView

FIELDS = "connection-fields"
RESULT = "test-result"
KEPT = "Leave it empty to keep the one there is."


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionFile:
    """All that the page of a connection shows."""

    connection: ConnectionView
    may_change: bool
    trail: Sequence[AuditLine] | None
    """None for who may not read it."""


def new_page(kind: Kind, form: Form, *, frame: PageFrame) -> h.Element:
    """Return the form of a connection that is to be."""
    title = f"Add: {kind.label}"
    name = text_field(
        form,
        "name",
        "Name",
        help_="Flows call it by this name, so it cannot be changed later.",
        placeholder="billing-api",
        autocomplete="off",
        mono=True,
        attrs={"autocapitalize": "none", "spellcheck": "false"},
    )
    return admin_page(
        title,
        page_head(
            title,
            eyebrow=[
                h.a(href=CONNECTIONS)["Connections"],
                " / ",
                h.a(href=f"{CONNECTIONS}/new")["Add a connection"],
            ],
        ),
        h.div(".sw-decide")[
            card(
                form_element(
                    form,
                    f"{CONNECTIONS}/new/{kind}",
                    name,
                    fields_region(kind, form, is_new=True),
                    h.div(".sw-actions")[
                        submit_button("Add the connection"),
                        link_button("Cancel", CONNECTIONS, weight="quiet"),
                    ],
                    labels={"name": "Name", **_labels(kind, form)},
                ),
                title="Connection",
                symbol=SYMBOLS[kind],
            )
        ],
        frame=frame,
        active="connections",
    )


def connection_page(
    file: ConnectionFile, form: Form, *, group: Form | None = None, frame: PageFrame
) -> h.Element:
    """Return a connection: to change for who may, else to read; `group` is that of its group."""
    view = file.connection
    known = is_known(view.kind, view.facts)
    main = _change_card(view, form) if file.may_change and known else _facts_card(view)
    aside = [
        _test_card(view, csrf=frame.csrf) if file.may_change else None,
        group_card(view, group or Form(csrf=form.csrf))
        if file.may_change and view.kind is Kind.HYPERVISOR
        else None,
        _uses_card(view),
        trail_card(file.trail) if file.trail is not None else None,
    ]
    return admin_page(
        view.name,
        page_head(
            view.name,
            eyebrow=h.a(href=CONNECTIONS)["Connections"],
            lede=[view.kind.label, ", last changed ", moment(view.updated_at)],
            actions=_remove_button(view, csrf=frame.csrf)
            if file.may_change and not view.uses
            else None,
        ),
        split(main, aside),
        frame=frame,
        active="connections",
    )


def fields_region(kind: Kind, form: Form, *, is_new: bool) -> h.Element:
    """Return the fields as the choices in them make them; a choice fetches them anew.

    What is typed stays, but for secrets, which never come back from the server.
    """
    chosen = {name: form.value(name) for name in form.values}
    return h.div(".sw-stack", id=FIELDS)[
        hidden_field("is_new", "on" if is_new else ""),
        [_field(kind, field, form, is_new=is_new) for field in fields_of(kind, chosen)],
    ]


def test_result(tone: Tone, title: str, words: str) -> h.Element:
    """Return what came of a test."""
    return notice(tone, title, h.p(".sw-break")[words])


def _field(kind: Kind, field: Field, form: Form, *, is_new: bool) -> h.Element:
    if field.is_secret:
        return _secret_field(field, form, is_new=is_new)
    if field.look is Look.CHOICE:
        attrs: dict[str, h.Attribute] = {}
        if field.decides:
            attrs = {
                "hx-post": f"{CONNECTIONS}/new/{kind}/fields",
                "hx-trigger": "change",
                "hx-include": "closest form",
                "hx-target": f"#{FIELDS}",
                "hx-swap": "outerMorph",
            }
        options = [Option(value=value, label=label) for value, label in field.choices.items()]
        return select_field(
            form, field.name, field.label, options, help_=_help(field.help),
            value=field.default, attrs=attrs,
        )  # fmt: skip
    if field.look is Look.TICK:
        return checkbox_field(form, field.name, field.label, help_=_help(field.help))
    if field.look is Look.LINE:
        return text_field(
            form, field.name, field.label, help_=_help(field.help), value=field.default,
            optional=field.is_optional, placeholder=field.example or None, autocomplete="off",
            attrs={"autocapitalize": "none", "spellcheck": "false"},
        )  # fmt: skip
    return textarea_field(
        form, field.name, field.label, rows=3 if field.look is Look.LINES else 5,
        help_=_help(field.help), optional=field.is_optional, placeholder=field.example or None,
        mono=True,
    )  # fmt: skip


def _secret_field(field: Field, form: Form, *, is_new: bool) -> h.Element:
    """Return a field that never shows what is kept, nor what was typed before."""
    help_ = " ".join(part for part in (field.help, "" if is_new else KEPT) if part)
    wiring = form.wiring(field.name, help_=help_)
    key = form.id_of(field.name)
    control: h.Element
    if field.look is Look.BLOCK:
        control = h.textarea(
            ".form-control.sw-mono", wiring, rows=5, spellcheck="false", autocomplete="off"
        )
    else:
        toggle = h.button(
            ".sw-reveal", type="button", data_reveal=key, aria_pressed="false",
            aria_label=f"Show {field.label}",
        )[icon("eye", cls="when-off"), icon("eye-off", cls="when-on")]  # fmt: skip
        entry = h.input(".form-control", wiring, type="password", autocomplete="new-password")
        control = h.div(".sw-affixed")[entry, toggle]
    optional = field.is_optional or not is_new
    return field_frame(
        form, field.name, field.label, control, help_=_help(help_), optional=optional
    )


def _help(text: str) -> h.Node:
    """Return help in which what stands between backticks is code; None where there is none."""
    parts = text.split("`")
    return [code(part) if i % 2 else part for i, part in enumerate(parts)] if text else None


def _labels(kind: Kind, form: Form) -> Mapping[str, str]:
    chosen = {name: form.value(name) for name in form.values}
    return {field.name: field.label for field in fields_of(kind, chosen)}


def _change_card(view: ConnectionView, form: Form) -> h.Element:
    return card(
        form_element(
            form,
            f"{CONNECTIONS}/{view.id}",
            hidden_field("seen", form.value("seen", view.updated_at.isoformat())),
            fields_region(view.kind, form, is_new=False),
            h.div(".sw-actions")[submit_button("Save")],
            labels=_labels(view.kind, form),
        ),
        title="Where it leads, and how it knows us",
        symbol=SYMBOLS[view.kind],
    )


def _facts_card(view: ConnectionView) -> h.Element:
    missing = None
    if not is_known(view.kind, view.facts):
        provider = getattr(view.facts, "provider", "")
        words = (
            f"No installed package knows the provider {provider}: it can be neither called nor "
            "changed. Install its package for the web and the workers, then restart them; "
            "`slipway plug-ins` tells what is wrong with one that is installed."
        )
        missing = notice("warning", "Its plug-in is missing", h.p[_help(words)])
    return card(
        h.div(".sw-stack")[
            missing,
            facts([("Kind", view.kind.label), ("Leads to", code(view.facts.place))]),
        ],
        title="Where it leads",
        symbol=SYMBOLS[view.kind],
    )


def _test_card(view: ConnectionView, *, csrf: str) -> h.Element:
    words = (
        "A message that says so is sent to the channel."
        if view.kind is Kind.CHAT
        else "It is reached with its credentials; nothing is changed there."
    )
    return card(
        h.div(".sw-stack")[
            h.p[words],
            h.form(
                {
                    "method": "post",
                    "action": f"{CONNECTIONS}/{view.id}/test",
                    "hx-post": f"{CONNECTIONS}/{view.id}/test",
                    "hx-target": f"#{RESULT}",
                    "hx-swap": "innerHTML",
                }
            )[
                csrf_field(csrf),
                submit_button("Test it", busy="Reaching it…", weight="plain", symbol="zap"),
            ],
            h.div(id=RESULT, aria_live="polite"),
        ],
        title="Test",
    )


def _uses_card(view: ConnectionView) -> h.Element:
    if not view.uses:
        body: h.Node = h.p(".sw-quiet")["No flow calls it."]
    else:
        body = h.ul(".sw-plain-list")[
            [
                h.li[
                    h.span(".sw-strong")[use.flow_name],
                    h.span(".sw-under")[f"version {use.version}, node {use.node}"],
                ]
                for use in view.uses
            ]
        ]
    return card(body, title="Called by", symbol="workflow")


def _remove_button(view: ConnectionView, *, csrf: str) -> h.Fragment:
    return confirm_button(
        "Remove",
        id_="remove",
        title=f"Remove {view.name}?",
        text="Its secrets are deleted with it. A flow that names it will fail.",
        action=f"{CONNECTIONS}/{view.id}/remove",
        csrf=csrf,
        confirm="Remove",
        symbol="trash-2",
    )
