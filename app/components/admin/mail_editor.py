"""The editor of a mail template, with a preview that follows what is typed."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from urllib.parse import urlencode

import htpy as h
import msgspec

from app.components.admin.mail import mail_frame, text_pane
from app.components.admin.mail_list import TEMPLATES
from app.components.badge import badge
from app.components.button import link_button, submit_button
from app.components.card import card, stack
from app.components.choice import Option, select_field
from app.components.confirm import confirm_button
from app.components.facts import code
from app.components.form import Form, error_text, form_element, hidden_field
from app.components.frame import PageFrame
from app.components.notice import notice
from app.components.page import admin_page, page_head
from app.domain.notices.errors import PART_NAMES
from app.domain.notices.views import TemplateView

FORM = "template-form"
PREVIEW = "template-preview"


class Preview(msgspec.Struct, frozen=True):
    """What a preview shows; `html_url` leads to the HTML, and is empty where it is bad."""

    subject: str
    html_url: str
    text: str


def mail_editor_page(
    template: TemplateView,
    form: Form,
    *,
    seen_at: datetime,
    names: Mapping[str, Sequence[str]],
    parts: Sequence[str],
    samples: Sequence[str],
    frame: PageFrame,
) -> h.Element:
    """Return the editor; `names` are the values that each part may use, `parts` the macros."""
    here = f"{TEMPLATES}/{template.code}"
    reset = (
        None
        if template.is_shipped
        else confirm_button(
            "Reset to shipped",
            id_="reset",
            title="Go back to the shipped template?",
            text="Your words are replaced. They stay readable in the audit trail.",
            action=f"{here}/reset?{urlencode({'seen': template.updated_at.isoformat()})}",
            csrf=frame.csrf,
            confirm="Reset",
            symbol="rotate-ccw",
        )
    )
    fields = form_element(
        form,
        here,
        hidden_field("seen", seen_at.isoformat()),
        select_field(
            form,
            "sample",
            "Preview with",
            [Option(value=label, label=label) for label in samples],
            help_="Made-up facts. A template is saved when it works with each of them.",
        ),
        _field(form, "subject", rows=2),
        _field(form, "body_html", rows=24),
        _field(form, "body_text", rows=18),
        h.div(".sw-actions")[
            submit_button("Save", busy="Saving…"), link_button("Back to the list", TEMPLATES)
        ],
        labels=PART_NAMES,
        attrs={"id": FORM},
    )
    pane = h.div(
        {
            "id": PREVIEW,
            "class": "sw-stack",
            "hx-post": f"{here}/preview",
            "hx-trigger": f"load, input from:#{FORM} delay:400ms",
            "hx-include": f"#{FORM}",
            "hx-target": "this",
            "hx-swap": "innerHTML",
            "hx-sync": "this:replace",
        }
    )[card(h.p["The preview is on its way."], title="Preview")]
    return admin_page(
        template.name,
        page_head(
            template.name,
            eyebrow=h.a(href=TEMPLATES)["Mail templates"],
            status=badge("As shipped") if template.is_shipped else badge("Edited", "accent"),
            actions=reset,
        ),
        h.div(".sw-grid.sw-grid-large")[
            stack(card(fields, title="Template"), _reference(names, parts)), pane
        ],
        frame=frame,
        active="mail-templates",
    )


def preview_fragment(form: Form, preview: Preview) -> h.Fragment:
    """Return the preview, and for each field its present error or none."""
    html = (
        mail_frame(preview.html_url, title="Preview of the HTML", height=760)
        if preview.html_url
        else _not_shown("body_html")
    )
    subject = h.p[preview.subject] if preview.subject else _not_shown("subject")
    text = text_pane(preview.text) if preview.text else _not_shown("body_text")
    return h.fragment[
        card(subject, title="Subject"),
        card(html, title="HTML", flush=bool(preview.html_url)),
        card(text, title="Text"),
        [
            h.hx_partial({"hx-target": f"#{_slot(part)}", "hx-swap": "innerHTML"})[
                error_text(form, part)
            ]
            for part in PART_NAMES
        ],
    ]


def preview_failed(reason: str) -> h.Element:
    return notice("warning", "There is no preview at the moment", reason)


def _not_shown(part: str) -> h.Element:
    words = f"The {PART_NAMES[part]} cannot be rendered as it stands"
    return notice("danger", words, "The field says what is wrong and in which line.")


def _slot(part: str) -> str:
    return f"{part}-slot"


def _field(form: Form, part: str, *, rows: int) -> h.Element:
    """Return a field whose error can change without touching what is typed in it."""
    key = form.id_of(part)
    return h.div(".sw-field")[
        h.label(".sw-label", for_=key)[PART_NAMES[part]],
        h.textarea(
            ".form-control.sw-mono",
            id=key,
            name=part,
            rows=str(rows),
            spellcheck="false",
            autocapitalize="off",
            aria_describedby=_slot(part),
            aria_invalid="true" if part in form.errors else None,
        )["\n" + form.value(part)],
        h.div(id=_slot(part), aria_live="polite")[error_text(form, part)],
    ]


def _reference(names: Mapping[str, Sequence[str]], parts: Sequence[str]) -> h.Element:
    everywhere = names["body_text"]
    bodies_only = [name for name in everywhere if name not in names["subject"]]
    return card(
        h.div(".sw-stack")[
            h.p["Values: ", _codes(f"{{{{ {name} }}}}" for name in everywhere)],
            h.p["Not in the subject, because it is kept unsealed: ", _codes(bodies_only)]
            if bodies_only
            else None,
            h.p["Parts of the HTML: ", _codes(f"{part}(…)" for part in parts)],
            h.p[
                "Ask before showing what may be empty: ",
                code("{% if ipv6 %} … {% endif %}"),
                ". Go through a list: ",
                code("{% for link in links %} … {% endfor %}"),
                ".",
            ],
        ],
        title="What a template can use",
        symbol="info",
    )


def _codes(words: Iterable[str]) -> list[h.Node]:
    return [[code(word), " "] for word in words]
