"""The form of a product's allocation rules, and the rules in words."""

from collections.abc import Sequence
from dataclasses import dataclass

import htpy as h

from app.components.admin.outlook import product_href
from app.components.button import link_button, submit_button
from app.components.card import card
from app.components.choice import Option, checkbox_field, select_field
from app.components.form import Form, form_element, text_field, textarea_field
from app.components.frame import PageFrame
from app.components.page import admin_page, page_head
from app.solver.rules import storage_label
from app.solver.want import ServerWant

LABELS = {
    "cpu_models": "CPU models",
    "cpu_group": "Equivalence group",
    "min_cores": "Cores",
    "ram_gb": "Memory",
    "storage": "Disks",
    "datacentres": "Datacentres",
    "racks": "Racks",
    "most_in_rack": "Most in a rack",
    "reason": "Reason",
}
DISKS_HELP = (
    "A set of disks on each line: number, kind (nvme, ssd, hdd, or any), GB of each at least; then "
    "a RAID level, and “controller” where software RAID will not do."
)
SPREAD_HELP = "Racks that hold few machines of the client come first; none is refused for it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the inventory has, for the fields to name."""

    cpu_models: Sequence[str]
    cpu_groups: Sequence[str]
    datacentres: Sequence[str]


def rules_page(name: str, slug: str, form: Form, known: Known, *, frame: PageFrame) -> h.Element:
    title = f"Allocation rules of {name}"
    return admin_page(
        title,
        page_head(title, eyebrow=h.a(href=product_href(slug))[name]),
        h.div(".sw-decide.sw-decide-wide")[
            card(
                form_element(
                    form,
                    product_href(slug, "rules"),
                    _hardware(form, known),
                    _place(form, known),
                    text_field(form, "reason", "Reason", help_="Kept in the audit trail."),
                    h.div(".sw-actions")[
                        submit_button("Save", weight="primary"),
                        link_button("Keep them as they are", product_href(slug), weight="quiet"),
                    ],
                    labels=LABELS,
                )
            )
        ],
        frame=frame,
        active="stock",
    )


def _hardware(form: Form, known: Known) -> list[h.Element]:
    return [
        h.div(".sw-pair")[
            textarea_field(
                form,
                "cpu_models",
                "CPU models",
                rows=3,
                optional=True,
                help_=f"One on each line; any of them will do. Known: {_list(known.cpu_models)}.",
            ),
            select_field(
                form,
                "cpu_group",
                "Equivalence group",
                [Option(value=name, label=name) for name in known.cpu_groups],
                blank="None",
                optional=True,
                help_="Any model of the group will do, too.",
            ),
        ],
        h.div(".sw-pair")[
            text_field(
                form, "min_cores", "Cores", inputmode="numeric", optional=True,
                help_="At least so many, of all sockets together.",
            ),
            text_field(
                form, "ram_gb", "Memory", inputmode="numeric", after="GB", optional=True,
                help_="At least so much.",
            ),
        ],
        h.div(".sw-pair")[
            checkbox_field(form, "cores_exact", "Exactly so many cores"),
            checkbox_field(form, "ram_exact", "Exactly so much memory"),
        ],
        textarea_field(
            form, "storage", "Disks", rows=3, optional=True, mono=True,
            placeholder="2 nvme 960 raid 1", help_=DISKS_HELP,
        ),
    ]  # fmt: skip


def _place(form: Form, known: Known) -> list[h.Element]:
    return [
        h.div(".sw-pair")[
            text_field(
                form, "datacentres", "Datacentres", optional=True,
                help_=f"In order of preference, commas between. Known: {_list(known.datacentres)}.",
            ),
            text_field(
                form, "racks", "Racks", optional=True,
                help_="In order of preference: names, or datacentre/name. Others come last.",
            ),
        ],
        checkbox_field(form, "datacentre_required", "Only these datacentres will do"),
        checkbox_field(
            form, "spread_racks", "Spread a client’s servers over racks", help_=SPREAD_HELP
        ),
        text_field(
            form, "most_in_rack", "Most in a rack", inputmode="numeric", optional=True,
            help_="A rack that holds so many machines of the client is refused.",
        ),
    ]  # fmt: skip


def _list(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


def rules_in_words(rules: ServerWant) -> tuple[tuple[str, str], ...]:
    """Return what the rules say, those that say something."""
    pairs = [
        ("CPU", ", ".join(rules.cpu_models)),
        ("Equivalence group", rules.cpu_group or ""),
        ("Cores", _amount(rules.min_cores, "", exact=rules.cores_exact)),
        ("Memory", _amount(rules.ram_gb, " GB", exact=rules.ram_exact)),
        ("Disks", "; ".join(map(storage_label, rules.storage))),
        ("Datacentres", ", ".join(rules.datacentres)),
        ("Elsewhere", "refused" if rules.datacentre_required else ""),
        ("Racks", ", ".join(rules.racks)),
        ("Spread over racks", "yes" if rules.spread_racks else ""),
        ("Most in a rack", f"{rules.most_in_rack or ''}"),
    ]
    return tuple((name, words) for name, words in pairs if words)


def _amount(number: int | None, unit: str, *, exact: bool) -> str:
    if number is None:
        return ""
    return f"{'exactly' if exact else 'at least'} {number}{unit}"
