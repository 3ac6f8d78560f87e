"""What the client's and the staff's pages of reverse DNS have in common."""

import htpy as h

from app.components.badge import badge
from app.components.button import submit_button
from app.components.form import Form, form_element, text_field
from app.components.tone import Tone
from app.domain.addresses.names import NameState, NameView

WORDS: dict[NameState, tuple[str, Tone]] = {
    NameState.pending: ("Being set", "info"),
    NameState.pushed: ("Set", "success"),
    NameState.failed: ("Delayed", "warning"),
}
LABELS = {"address": "Address", "hostname": "Host name"}


def name_badge(name: NameView) -> h.Element:
    words, tone = WORDS[name.state]
    if name.hostname is None:
        words = "Being removed"
    return badge(words, tone, moving=name.state is NameState.pending)


def name_form(form: Form, action: str, *, address_help: str) -> h.Element:
    """Return the form that names an address, or takes its name away."""
    return form_element(
        form,
        action,
        text_field(
            form,
            "address",
            LABELS["address"],
            help_=address_help,
            mono=True,
            autocomplete="off",
        ),
        text_field(
            form,
            "hostname",
            LABELS["hostname"],
            help_="The whole name, such as mail.example.org. Leave it empty to remove the name.",
            optional=True,
            mono=True,
            autocomplete="off",
        ),
        h.div(".sw-actions")[submit_button("Save", busy="Saving…")],
        labels=LABELS,
    )
