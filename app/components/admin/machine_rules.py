"""The form of a product's machine rules, with what providers offer, and the rules in words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import htpy as h

from app.components.admin.outlook import product_href
from app.components.button import link_button, submit_button
from app.components.card import card
from app.components.choice import Option, select_field
from app.components.form import Form, form_element, text_field
from app.components.frame import PageFrame
from app.components.notice import notice
from app.components.page import admin_page, page_head
from app.domain.machines.rules import MOST_PLACES, MachineRules, size_in_words
from app.drivers.hypervisor.contract import Offer, Offers
from app.drivers.hypervisor.iso import file_of, is_iso, storage_of

LABELS = {
    "cores": "Cores",
    "memory_mb": "Memory",
    "disk_gb": "Disk",
    "reason": "Reason",
}
PARTS = {
    "connection": "Provider",
    "datacentre": "Datacentre",
    "rack": "Rack",
    "nodes": "Nodes",
    "storage": "Storage",
    "bridge": "Bridge",
    "plan": "Plan",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Providers:
    """What can be chosen: connections, datacentres, and what the providers say they have."""

    connections: Sequence[str]
    datacentres: Sequence[str]
    offers: Mapping[str, Offers] = field(default_factory=dict)
    silent: Mapping[str, str] = field(default_factory=dict)
    """Why others could not be asked, by connection."""


def machine_rules_page(
    name: str,
    slug: str,
    form: Form,
    systems: Sequence[tuple[str, str]],
    providers: Providers,
    *,
    frame: PageFrame,
) -> h.Element:
    """Return the form; `systems` are code and name of each one that clients can choose."""
    title = f"Machine rules of {name}"
    places = _count(form)
    labels = LABELS | {f"templates.{code}": template_label(label) for code, label in systems}
    labels |= place_labels(places)
    return admin_page(
        title,
        page_head(
            title,
            eyebrow=h.a(href=product_href(slug))[name],
            lede="Each order gets a virtual machine of this size, on the node with the most room.",
        ),
        h.div(".sw-decide.sw-decide-wide.sw-stack")[
            provider_notices(providers),
            card(
                form_element(
                    form,
                    product_href(slug, "machines"),
                    size_fields(form),
                    _templates(form, systems, providers),
                    [place_fields(form, number, providers) for number in range(places)],
                    text_field(form, "reason", "Reason", help_="Kept in the audit trail."),
                    h.div(".sw-actions")[
                        submit_button("Save", weight="primary"),
                        link_button("Keep them as they are", product_href(slug), weight="quiet"),
                    ],
                    labels=labels,
                )
            ),
        ],
        frame=frame,
        active="stock",
    )  # fmt: skip


def place_labels(places: int) -> dict[str, str]:
    return {
        f"places.{number}.{part}": f"{words} of place {number + 1}"
        for number in range(places)
        for part, words in PARTS.items()
    }


def provider_notices(providers: Providers) -> list[h.Element]:
    """Return what stands in the way of choosing: nobody to ask, or who does not answer."""
    if not providers.connections:
        return [_no_provider()]
    return [
        notice(
            "warning",
            f"{connection} cannot be asked what it has",
            f"{why} Names are taken as you type them.",
        )
        for connection, why in providers.silent.items()
    ]


def _no_provider() -> h.Element:
    return notice(
        "warning",
        "No provider of virtual machines is connected",
        "Machines are made through a connection. ",
        h.a(href="/admin/connections/new/hypervisor")["Add one"],
        " first.",
    )


def _count(form: Form) -> int:
    """Return how many places are shown: those that are filled in, and one more."""
    filled = [n for n in range(MOST_PLACES) if form.value(f"places.{n}.connection")]
    return min(max(filled, default=-1) + 2, MOST_PLACES)


def size_fields(form: Form) -> h.Element:
    return h.div(".sw-pair")[
        text_field(form, "cores", "Cores", inputmode="numeric"),
        text_field(form, "memory_mb", "Memory", inputmode="numeric", after="MB"),
        text_field(form, "disk_gb", "Disk", inputmode="numeric", after="GB"),
    ]


def _templates(
    form: Form, systems: Sequence[tuple[str, str]], providers: Providers
) -> h.Element | None:
    if not systems:
        return notice(
            "warning",
            "The product asks for no system",
            "Clients choose what their machine runs: give it an option group “os” by ",
            h.code["slipway import"],
            ".",
        )
    known = what_is_known(providers)
    help_ = "What each machine is made of; at Proxmox VE it has cloud-init."
    if any(there.isos for there in providers.offers.values()):
        help_ += " With an ISO, its client installs it on the console."
    return h.div(".sw-pair")[
        [
            _chosen(form, f"templates.{code}", template_label(label), known, help_=help_)
            for code, label in systems
        ]
    ]


def template_label(system: str) -> str:
    return f"Template or ISO of {system}"


def what_is_known(providers: Providers) -> list[str]:
    """Return the templates that any of the providers has, then the ISOs."""
    offers = providers.offers.values()
    return [
        *together(there.templates for there in offers),
        *together(there.isos for there in offers),
    ]


def place_fields(form: Form, number: int, providers: Providers) -> h.Element:
    at = f"places.{number}"
    there = providers.offers.get(form.value(f"{at}.connection"))
    is_more = number > 0 and not form.value(f"{at}.connection")
    nodes = ", ".join(offer.code for offer in there.nodes) if there else ""
    return h.fieldset(".sw-field.sw-group")[
        h.legend(".sw-label")["Another place" if is_more else f"Place {number + 1}"],
        h.div(".sw-pair")[
            select_field(
                form,
                f"{at}.connection",
                "Provider",
                [Option(value=name, label=name) for name in providers.connections],
                blank="None",
                optional=is_more,
                help_="Choose “None” to leave the place out." if number and not is_more else None,
            ),
            select_field(
                form,
                f"{at}.datacentre",
                "Datacentre",
                [Option(value=code, label=code) for code in providers.datacentres],
                blank="Choose",
                optional=is_more,
                help_="Its addresses reach the machines there.",
            ),
            text_field(
                form, f"{at}.rack", "Rack", optional=True,
                help_="To use the addresses of a rack, too.",
            ),
            text_field(
                form, f"{at}.nodes", "Nodes", optional=True,
                help_=f"Any when empty; commas between. Known: {nodes}." if nodes
                else "Any when empty; commas between.",
            ),
            _chosen(form, f"{at}.storage", "Storage", _of(there.storages) if there else None,
                    blank="That of the template"),
            _chosen(form, f"{at}.bridge", "Bridge", _of(there.bridges) if there else None,
                    blank="That of the template"),
            _chosen(form, f"{at}.plan", "Plan", _of(there.plans) if there else None,
                    blank="The nearest by size",
                    help_="At panels, for all that is not the size; SolusVM 1 needs one."),
        ],
    ]  # fmt: skip


def _chosen(
    form: Form,
    name: str,
    label: str,
    known: Sequence[str] | None,
    *,
    blank: str | None = None,
    help_: str | None = None,
) -> h.Element:
    """Return a list of what the provider has, or a line to type where it could not be asked."""
    is_optional = blank is not None
    if not known:
        return text_field(
            form, name, label, optional=is_optional, help_=help_ or f"{blank} when empty."
        )
    typed = form.value(name)
    gone = [Option(value=typed, label=f"{typed} (not there now)")] if typed not in known else []
    return select_field(
        form,
        name,
        label,
        [*(gone if typed else ()), *(Option(value=one, label=_label(one)) for one in known)],
        blank=blank or "Choose",
        optional=is_optional,
        help_=help_,
    )


def _label(name: str) -> str:
    return f"ISO: {file_of(name)} on {storage_of(name)}" if is_iso(name) else name


def _of(offers: Iterable[Offer]) -> list[str]:
    return sorted({offer.code for offer in offers})


def together(some: Iterable[Iterable[Offer]]) -> list[str]:
    """Return what any of the providers has."""
    return sorted({offer.code for offers in some for offer in offers})


def machine_rules_in_words(rules: MachineRules) -> tuple[tuple[str, str], ...]:
    """Return what the rules say."""
    size = rules.size
    rows = [
        ("Size", size_in_words(size.cores, size.memory_mb, size.disk_gb)),
        *(
            (f"{'ISO' if is_iso(name) else 'Template'} of {system}", name)
            for system, name in rules.templates.items()
        ),
    ]
    for place in rules.places:
        parts = [f"addresses of {'/'.join(filter(None, (place.datacentre, place.rack)))}"]
        parts += [f"nodes {', '.join(place.nodes)}"] if place.nodes else []
        parts += [f"storage {place.storage}"] if place.storage else []
        parts += [f"bridge {place.bridge}"] if place.bridge else []
        parts += [f"plan {place.plan}"] if place.plan else []
        rows.append((f"At {place.connection}", "; ".join(parts)))
    return tuple(rows)
