"""The group of a provider, and its maintenance."""

import htpy as h

from app.components.admin.connections import CONNECTIONS
from app.components.admin.decide import REASON
from app.components.button import submit_button
from app.components.card import card, stack
from app.components.form import Form, csrf_field, form_element, text_field
from app.components.time import moment
from app.domain.connections.views import ConnectionView


def group_card(view: ConnectionView, form: Form) -> h.Element:
    """Return the forms that group a provider, and that drain it or take it up again."""
    here = f"{CONNECTIONS}/{view.id}"
    group_help = "Products name it as a place by @ and this; empty: none."
    grouping = _only(form, "group", "weight", "")
    weight_help = "1 to 1,000: how much it takes beside the others of its group."
    return card(
        stack(
            form_element(
                grouping,
                f"{here}/group",
                text_field(
                    grouping, "group", "Group", help_=group_help, value=view.in_group,
                    optional=True, autocomplete="off",
                ),
                text_field(
                    grouping, "weight", "Weight", help_=weight_help, value=str(view.weight),
                    inputmode="numeric",
                ),
                h.div(".sw-actions")[submit_button("Save the group", weight="plain")],
                labels={"group": "Group", "weight": "Weight"},
            ),
            _maintenance(view, _only(form, REASON), here),
        ),
        title="Group and maintenance",
        symbol="boxes",
    )  # fmt: skip


def _only(form: Form, *names: str) -> Form:
    """Return the form with the errors of these fields alone: the other form has the others."""
    errors = {name: text for name, text in form.errors.items() if name in names}
    return Form(values=form.values, errors=errors, csrf=form.csrf)


def _maintenance(view: ConnectionView, form: Form, here: str) -> h.Element:
    if view.draining_since is not None:
        return h.form(method="post", action=f"{here}/take-up")[
            csrf_field(form.csrf),
            h.p["No new machine is made there since ", moment(view.draining_since), "."],
            submit_button("Make machines there again", weight="plain", symbol="play"),
        ]
    return form_element(
        form,
        f"{here}/drain",
        text_field(form, REASON, "Why no new machine is to be made there", autocomplete="off"),
        h.div(".sw-actions")[submit_button("Drain it", weight="plain", symbol="pause")],
        labels={REASON: "Reason"},
    )
