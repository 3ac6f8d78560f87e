"""CPU models, and which may be delivered in place of which."""

from collections.abc import Sequence
from itertools import groupby

import htpy as h

from app.components.admin.dcim import ACTIVE, CPUS, dcim_tabs
from app.components.admin.entry import pair
from app.components.button import submit_button
from app.components.card import card, split, stack
from app.components.choice import Option, select_field
from app.components.empty import empty
from app.components.form import Form, csrf_field, form_element, text_field
from app.components.frame import PageFrame
from app.components.page import admin_page, page_head
from app.components.table import Column, Row, table
from app.domain.inventory.cpu_models import CpuView, EquivalenceView

LABELS = {
    "name": "Name",
    "cores": "Cores",
    "threads": "Threads",
    "base_mhz": "Base clock",
    "group": "Group",
    "wanted": "Ordered",
    "stand_in": "Delivered",
    "cost": "Cost",
}


def cpu_page(
    models: Sequence[CpuView],
    links: Sequence[EquivalenceView],
    model_form: Form,
    link_form: Form,
    *,
    may_change: bool,
    frame: PageFrame,
) -> h.Element:
    lists = stack(
        _models(models, frame.csrf if may_change else ""),
        _links(links, frame.csrf if may_change else ""),
    )
    return admin_page(
        "CPU models",
        page_head(
            "CPU models",
            lede="A stand-in goes one way: where the first was ordered, the second may be "
            "delivered. The cheapest stand-in goes first.",
        ),
        dcim_tabs(CPUS),
        split(lists, stack(_model_form(model_form), _link_form(link_form, models)))
        if may_change
        else lists,
        frame=frame,
        active=ACTIVE,
    )


def _models(models: Sequence[CpuView], csrf: str) -> h.Element:
    columns = (
        Column("Model"),
        Column("Cores", figures=True),
        Column("Threads", figures=True),
        Column("Clock", figures=True),
        Column("Servers", figures=True),
        Column("Remove", narrow=True, hidden_label=True),
    )
    return card(
        table(
            columns,
            [
                Row(
                    cells=(
                        h.span(".sw-strong")[one.name],
                        str(one.cores),
                        str(one.threads),
                        f"{one.base_mhz / 1000:g} GHz" if one.base_mhz else "–",
                        f"{one.servers:,}",
                        _remove(f"{CPUS}/{one.id}/remove", one.name, csrf)
                        if csrf and not one.servers
                        else None,
                    )
                )
                for one in models
            ],
            caption="CPU models",
            empty=empty("cpu", "No CPU models yet", "A server needs one; add it here."),
        ),
        title="Models",
        symbol="cpu",
        flush=True,
    )


def _links(links: Sequence[EquivalenceView], csrf: str) -> h.Element:
    groups = groupby(links, lambda one: one.group)
    columns = (
        Column("Group"),
        Column("Ordered"),
        Column("May be delivered"),
        Column("Cost", figures=True),
        Column("Remove", narrow=True, hidden_label=True),
    )
    rows = [
        Row(
            cells=(
                h.span(".sw-strong")[group] if place == 0 else None,
                one.wanted,
                one.stand_in,
                f"{one.cost:,}",
                _remove(
                    f"{CPUS}/equivalences/{one.id}/remove",
                    f"{one.stand_in} for {one.wanted}",
                    csrf,
                )
                if csrf
                else None,
            )
        )
        for group, members in groups
        for place, one in enumerate(members)
    ]
    return card(
        table(
            columns,
            rows,
            caption="Equivalences",
            empty=empty("cpu", "No equivalences yet", "Every order gets the model it names."),
        ),
        title="Equivalence groups",
        symbol="git-compare",
        flush=True,
    )


def _remove(action: str, name: str, csrf: str) -> h.Element:
    return h.form(".sw-inline-form", method="post", action=action)[
        csrf_field(csrf),
        h.button(
            ".btn.btn-quiet.btn-sm", type="submit", aria_label=f"Remove {name}", data_busy="…"
        )["Remove"],
    ]


def _model_form(form: Form) -> h.Element:
    return card(
        form_element(
            form,
            CPUS,
            text_field(form, "name", "Name", placeholder="AMD EPYC 7443P"),
            pair(
                text_field(form, "cores", "Cores", inputmode="numeric"),
                text_field(form, "threads", "Threads", inputmode="numeric"),
            ),
            text_field(
                form, "base_mhz", "Base clock", optional=True, after="MHz", inputmode="numeric"
            ),
            submit_button("Write it down", busy="Writing…"),
            labels=LABELS,
        ),
        title="Add or change a model",
        lede="One of this name is changed.",
    )


def _link_form(form: Form, models: Sequence[CpuView]) -> h.Element:
    options = [Option(value=one.name, label=one.name) for one in models]
    return card(
        form_element(
            form,
            f"{CPUS}/equivalences",
            text_field(form, "group", "Group", placeholder="xeon-e-2300"),
            select_field(form, "wanted", "Ordered", options, blank="Choose a model"),
            select_field(form, "stand_in", "May be delivered", options, blank="Choose a model"),
            text_field(
                form,
                "cost",
                "Cost",
                inputmode="numeric",
                value="1",
                help_="A preference: the dearer, the later it is taken.",
            ),
            submit_button("Write it down", busy="Writing…"),
            labels=LABELS,
        ),
        title="Let one stand in for another",
    )
