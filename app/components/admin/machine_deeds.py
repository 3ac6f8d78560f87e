"""Decisions about machines: give back what a gone one had, remove one that is nobody's."""

import htpy as h

from app.components.admin.decide import decide_page
from app.components.admin.machines import MACHINES
from app.components.form import Form, text_field
from app.components.frame import PageFrame
from app.domain.machines.views import MachineDrift, StrayMachine

TYPED = "typed"


def release_page(one: MachineDrift, form: Form, *, frame: PageFrame) -> h.Element:
    """Return the page that asks whether a service ends, since its machine is gone."""
    means = (
        f"{one.connection} is asked once more; if it has the machine after all, nothing is done.",
        f"Else {one.account_name}'s service ends, and its addresses are given back.",
        "This cannot be taken back.",
    )
    return decide_page(
        f"Give back {one.hostname}",
        _typed(form, one.hostname),
        about=h.ul[[h.li[words] for words in means]],
        form=form,
        action=f"{MACHINES}/services/{one.service}/release",
        confirm="End the service",
        weight="danger",
        back=("Machines", MACHINES),
        frame=frame,
        active="machines",
        labels={TYPED: "Name"},
    )


def removal_page(
    one: MachineDrift | StrayMachine, form: Form, *, action: str, frame: PageFrame
) -> h.Element:
    """Return the page that asks whether a machine is deleted at its provider."""
    means = (
        f"{one.why}.",
        f"Machine {one.number} on {one.node} at {one.connection} is deleted there.",
        "Its disk and all that is on it are lost. This cannot be taken back.",
    )
    return decide_page(
        f"Remove {one.name}",
        _typed(form, one.name),
        about=h.ul[[h.li[words] for words in means]],
        form=form,
        action=action,
        confirm="Delete the machine",
        weight="danger",
        back=("Machines", MACHINES),
        frame=frame,
        active="machines",
        labels={TYPED: "Name"},
    )


def _typed(form: Form, name: str) -> h.Element:
    return text_field(form, TYPED, f"Type {name} to confirm", autocomplete="off")
