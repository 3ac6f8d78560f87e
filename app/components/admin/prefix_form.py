"""Forms of a prefix: a new one, its settings, its split and its merger."""

from collections.abc import Sequence
from dataclasses import dataclass

import htpy as h

from app.components.admin.address_space import ACTIVE, PREFIXES, prefix_href
from app.components.admin.claim_form import vrf_field
from app.components.button import link_button, submit_button
from app.components.card import card
from app.components.choice import Option, checkbox_field, select_field
from app.components.form import Form, form_element, text_field
from app.components.frame import PageFrame
from app.components.page import admin_page, page_head
from app.domain.addresses.states import PrefixStatus
from app.domain.addresses.views import PrefixView
from app.domain.inventory.views import DatacentreView
from app.ipam.choice import Strategy

STATUSES = {
    PrefixStatus.active: "Active: orders and staff take from it",
    PrefixStatus.container: "Container: it holds other prefixes",
    PrefixStatus.reserved: "Reserved: staff take from it by hand",
    PrefixStatus.deprecated: "Deprecated: nobody takes from it any more",
}
LABELS = {
    "network": "Network",
    "vrf": "VRF",
    "status": "Status",
    "datacentre": "Datacentre",
    "rack": "Rack",
    "gateway": "Gateway",
    "reserved": "Kept back",
    "purpose": "Role",
    "strategy": "Strategy",
    "cooldown_s": "Cool-down",
    "vlan_group": "VLAN group",
    "vid": "VLAN",
    "forward_zone": "DNS zone",
    "reverse_zone": "Reverse zone",
    "note": "Note",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the fields of a prefix offer."""

    vrfs: Sequence[str]
    sites: Sequence[DatacentreView]
    vlan_groups: Sequence[str]


def new_prefix_page(form: Form, choices: Choices, *, frame: PageFrame) -> h.Element:
    identity = [
        text_field(
            form,
            "network",
            "Network",
            mono=True,
            placeholder="192.0.2.0/24",
            help_="IPv6 at most /64 long: it is given out in /64s.",
        ),
        vrf_field(form, choices.vrfs),
    ]
    return _page(
        "Add a prefix",
        identity,
        form,
        choices,
        action=f"{PREFIXES}/new",
        back=("Prefixes", PREFIXES),
        confirm="Add it",
        frame=frame,
    )


def change_prefix_page(
    prefix: PrefixView, form: Form, choices: Choices, *, frame: PageFrame
) -> h.Element:
    return _page(
        f"Change {prefix.network}",
        [],
        form,
        choices,
        action=prefix_href(prefix.id, "change"),
        back=(str(prefix.network), prefix_href(prefix.id)),
        confirm="Save",
        frame=frame,
    )


def _page(
    title: str,
    identity: list[h.Element | None],
    form: Form,
    choices: Choices,
    *,
    action: str,
    back: tuple[str, str],
    confirm: str,
    frame: PageFrame,
) -> h.Element:
    return admin_page(
        title,
        page_head(title, eyebrow=h.a(href=back[1])[back[0]]),
        h.div(".sw-decide.sw-decide-wide")[
            card(
                form_element(
                    form,
                    action,
                    identity,
                    _fields(form, choices),
                    h.div(".sw-actions")[
                        submit_button(confirm, weight="primary"),
                        link_button("Keep it as it is", back[1], weight="quiet"),
                    ],
                    labels=LABELS,
                )
            )
        ],
        frame=frame,
        active=ACTIVE,
    )


def _fields(form: Form, choices: Choices) -> list[h.Element]:
    """Return the settings, two beside each other where there is room."""
    return [
        h.div(".sw-pair")[
            select_field(
                form,
                "status",
                "Status",
                [Option(value=status.value, label=words) for status, words in STATUSES.items()],
            ),
            text_field(
                form, "purpose", "Role", help_="Products ask for it; the usual one is primary."
            ),
        ],
        h.div(".sw-pair")[
            select_field(
                form,
                "datacentre",
                "Datacentre",
                [Option(value=site.code, label=site.name) for site in choices.sites],
            ),
            text_field(
                form, "rack", "Rack", optional=True, help_="Left out, it serves all of them."
            ),
        ],
        h.div(".sw-pair")[
            text_field(form, "gateway", "Gateway", optional=True, mono=True),
            text_field(
                form,
                "reserved",
                "Kept back",
                optional=True,
                mono=True,
                placeholder="192.0.2.2-192.0.2.9",
                help_="Never given out: addresses and ranges, with commas between.",
            ),
        ],
        h.div(".sw-pair")[
            select_field(
                form,
                "vlan_group",
                "VLAN group",
                [Option(value=name, label=name) for name in choices.vlan_groups],
                blank="None",
                optional=True,
            ),
            text_field(form, "vid", "VLAN", optional=True, inputmode="numeric"),
        ],
        h.div(".sw-pair")[
            text_field(form, "forward_zone", "DNS zone", optional=True, placeholder="example.net"),
            text_field(
                form,
                "reverse_zone",
                "Reverse zone",
                optional=True,
                help_="Left out, that of the network.",
            ),
        ],
        h.div(".sw-pair")[
            select_field(
                form,
                "strategy",
                "Strategy",
                [
                    Option(value=Strategy.sequential.value, label="The lowest free address"),
                    Option(value=Strategy.random.value, label="Any free address"),
                ],
            ),
            text_field(
                form,
                "cooldown_s",
                "Cool-down",
                inputmode="numeric",
                after="s",
                help_="How long a released address stays nobody's.",
            ),
        ],
        checkbox_field(
            form,
            "auto_allocatable",
            "Orders may take from it",
            help_="Otherwise staff alone do, by hand.",
        ),
        checkbox_field(
            form,
            "check_first",
            "Look before handing out",
            help_="What answers to ARP or ping, or has an old name, is quarantined, and another "
            "is taken.",
        ),
        text_field(form, "note", "Note", optional=True),
    ]


def divide_page(
    prefix: PrefixView,
    title: str,
    about: str,
    lengths: Sequence[Option],
    form: Form,
    *,
    deed: str,
    frame: PageFrame,
) -> h.Element:
    """Return the form that splits a prefix or merges it with its neighbours (`deed`)."""
    return admin_page(
        title,
        page_head(title, eyebrow=h.a(href=prefix_href(prefix.id))[str(prefix.network)]),
        h.div(".sw-decide")[
            card(
                h.div(".sw-decide-about")[h.p[about]],
                form_element(
                    form,
                    prefix_href(prefix.id, deed),
                    select_field(form, "length", "Into", lengths),
                    h.div(".sw-actions")[
                        submit_button(deed.capitalize(), weight="primary"),
                        link_button("Keep it as it is", prefix_href(prefix.id), weight="quiet"),
                    ],
                    labels={"length": "Into"},
                ),
            )
        ],
        frame=frame,
        active=ACTIVE,
    )
